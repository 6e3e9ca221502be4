// The IDE controller's model: a PCI function of two native channels with a bus master, two drives each
// (Bus Master IDE 1.0 §3). What a driver posts is worked on in `step`, one command of each channel.

import type { PciFunction, Registers } from '../../../kernel/abi/board.ts';
import { diskName } from '../../../kernel/abi/disk/controllers.ts';
import { assert } from '../../../kernel/abi/errno.ts';
import type { FaultGate } from '../../../kernel/ipc/fault/gate.ts';
import * as r from '../../ide/regs.ts';
import { AtaDisk } from '../ata/ata.ts';
import { Dma } from '../device/dma.ts';
import { DriveFaults } from '../device/drive-faults.ts';
import { InterruptLine } from '../device/interrupt-line.ts';
import type { Disk } from '../disk/disk.ts';
import { ConfigSpace } from '../pci.ts';
import { IdeChannel } from './channel.ts';

const VENDOR = 0x1b36;
const DEVICE = 0xa702;

export interface IdeOptions {
  readonly ram: SharedArrayBuffer;
  /** By number: channel 0 drive 0 and 1, channel 1 drive 0 and 1. */
  readonly disks: readonly (Disk | undefined)[];
  readonly caches?: readonly (SharedArrayBuffer | undefined)[];
  readonly faults?: FaultGate;
  readonly log?: (line: string) => void;
  /** false: a controller of before 1994, PIO only. */
  readonly busMaster?: boolean;
}

export function createIdeController(options: IdeOptions): PciFunction {
  const { ram, disks, caches = [], faults: gate, log = () => {}, busMaster = true } = options;
  assert(disks.length <= r.CHANNELS * r.DRIVES, `${disks.length} drives`);
  const dma = new Dma(ram);
  const drives = disks.map((disk, i) => {
    const faults = gate && new DriveFaults(gate, diskName('ide', i));
    return disk && new AtaDisk({ disk, cache: caches[i], faults, log, serial: `ATOLL-sdD${i}` });
  });
  const channels = Array.from({ length: r.CHANNELS }, (_, i) => {
    return new IdeChannel(dma, [drives[i * r.DRIVES], drives[i * r.DRIVES + 1]]);
  });
  const bars = channels.flatMap((_, i) => [
    { index: r.commandBar(i), sizeBytes: r.COMMAND_BLOCK_SIZE, space: 'io' as const },
    { index: r.controlBar(i), sizeBytes: r.CONTROL_BLOCK_SIZE, space: 'io' as const },
  ]);
  const config = new ConfigSpace({
    ...{ vendor: VENDOR, device: DEVICE, class: r.PCI_CLASS_IDE, revision: 1 },
    bars: [...bars, { index: r.BUS_MASTER_BAR, sizeBytes: r.BUS_MASTER_SIZE, space: 'io' }],
  });
  const blocks = registerBlocks(channels).filter((_, i) => busMaster || i !== r.BUS_MASTER_BAR);
  const gated = blocks.map((block) => config.gateRegisters(block, 'io'));
  const line = new InterruptLine(gate, 'ide');
  const runs = (channel: IdeChannel) => config.busMasterEnabled && channel.ready;
  return {
    ...{ bus: 0, device: 1, function: 1 },
    configRead: (offset, width) => config.read(offset, width),
    configWrite: (offset, width, value) => config.write(offset, width, value),
    bar: () => undefined,
    registers: (index) => gated[index],
    onInterrupt: (handler) => {
      line.handler = handler;
    },
    step: () => {
      let raised = false;
      for (const channel of channels) {
        if (runs(channel)) channel.step();
        raised = channel.takeInterrupt() || raised;
      }
      if (raised && config.interruptsEnabled) line.raise();
      line.step();
      return raised || channels.some(runs);
    },
    dueAtMs: () => {
      const due = [...channels.map((channel) => channel.dueAtMs), line.dueAtMs];
      const times = due.filter((at) => at !== undefined);
      return times.length === 0 ? undefined : Math.min(...times);
    },
  };
}

/** The registers by BAR. */
function registerBlocks(channels: readonly IdeChannel[]): Registers[] {
  const perChannel = channels.flatMap((channel): Registers[] => [
    {
      size: r.COMMAND_BLOCK_SIZE,
      read: (at, width) => channel.readCommand(at, width),
      write: (at, width, value) => channel.writeCommand(at, width, value),
    },
    {
      size: r.CONTROL_BLOCK_SIZE,
      read: (at) => channel.readControl(at),
      write: (at, _width, value) => channel.writeControl(at, value),
    },
  ]);
  const busMaster: Registers = {
    size: r.BUS_MASTER_SIZE,
    read: (at, width) => channels[at >>> 3]?.readBusMaster(at & 7, width) ?? 0,
    write: (at, width, value) => channels[at >>> 3]?.writeBusMaster(at & 7, width, value),
  };
  return [...perChannel, busMaster];
}
