// A controller as the shared cases see it: how to power it on and start its driver; and what the cases
// do requests with.

import type { PciFunction } from '../../../kernel/abi/board.ts';
import type { FaultGate } from '../../../kernel/ipc/fault/gate.ts';
import type { Task } from '../../../kernel/ipc/task.ts';
import type { Disk } from '../../hw/disk/disk.ts';
import { createPciBus } from '../../hw/pci.ts';
import { type Device, handClock, runTask, uncounted } from '../../hw/test-rig.ts';
import type { BlockRequest, RamRange } from '../request.ts';
import type { BlockController, DriverStart, SdDisk } from '../sd-disk.ts';

/** Where the cases keep their data. */
export const DATA = 0x80_0000;
const DMA_BYTES = 1 << 20;

export interface Hardware {
  readonly ram: SharedArrayBuffer;
  readonly disks: readonly Disk[];
  readonly log: (line: string) => void;
  readonly faults?: FaultGate;
}

export interface Subject {
  readonly name: string;
  /** As faults name its interrupt line: irq.DRIVER. */
  readonly driver: string;
  /** sdC, sdD, sdF */
  readonly prefix: string;
  readonly identity: Partial<SdDisk>;
  /** Whether its disks trim, and reach memory by DMA. */
  readonly trims: boolean;
  readonly power: (hardware: Hardware) => readonly PciFunction[];
  readonly start: (options: DriverStart) => Task<BlockController>;
  /** How its errors are worded. */
  readonly words: {
    readonly badRead: RegExp;
    readonly badWrite: RegExp;
    readonly badAddress: RegExp;
    readonly short: RegExp;
  };
}

export interface Rig {
  readonly ram: SharedArrayBuffer;
  readonly pci: Device;
  readonly functions: readonly PciFunction[];
  readonly controller: BlockController;
  readonly log: string[];
  readonly time: ReturnType<typeof handClock>;
  bytes(address: number, length: number): Uint8Array;
}

export interface RigOptions {
  readonly dma?: RamRange;
  readonly ram?: SharedArrayBuffer;
  readonly time?: ReturnType<typeof handClock>;
  readonly faults?: FaultGate;
}

export function rig(subject: Subject, disks: readonly Disk[], options: RigOptions = {}): Rig {
  const { ram = new SharedArrayBuffer(64 << 20), time = handClock(), faults } = options;
  const { dma = { address: 0x1000, length: DMA_BYTES } } = options;
  const log: string[] = [];
  const hardware = { ram, disks, log: (line: string) => log.push(`hw: ${line}`) };
  const functions = subject.power({ ...hardware, ...(faults && { faults }) });
  const pci = all(functions);
  const board = { ram, pci: createPciBus(functions) };
  const { after } = time;
  const stats = uncounted;
  const start = subject.start({ board, dma, log: (line) => log.push(line), after, stats });
  const controller = runTask(pci, start);
  const bytes = (address: number, length: number) => new Uint8Array(ram, address, length);
  return { ram, pci, functions, controller, log, bytes, time };
}

/** Every function gets its turn. */
const all = (functions: readonly PciFunction[]): Device => ({
  step: () => functions.reduce((busy, one) => one.step() || busy, false),
});

export const flush: BlockRequest = { op: 'flush', lba: 0, count: 0, segments: [] };

export const request = (op: 'read' | 'write', lba: number, count = 1, address = DATA) => ({
  ...{ op, lba, count },
  segments: [{ address, length: count * 512 }],
});

export function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('missing');
  return value;
}
