// Faults of a drive: what a firing does to the data of one command, between the port and the write
// cache. What it does to the command's place and time is command-faults.ts.

import { EIO, PosixError } from '../../../kernel/abi/errno.ts';
import { BadSectors } from '../../../kernel/ipc/fault/bad-sectors.ts';
import { endAfter, powerCut, stop } from '../../../kernel/ipc/fault/effects.ts';
import type { Firing } from '../../../kernel/ipc/fault/firing.ts';
import type { FaultGate, FaultPoint } from '../../../kernel/ipc/fault/gate.ts';
import { Places } from '../../../kernel/ipc/fault/places.ts';
import { SECTOR_SIZE } from '../disk/disk.ts';
import { gather, type Segments, scatter, sliceSegments, totalSize } from '../disk/segments.ts';

export type DriveOperation = 'read' | 'write' | 'flush' | 'trim';

/** A command as faults see it. */
export interface DriveCommand {
  readonly operation: DriveOperation;
  readonly lba: number;
  readonly count: number; // sectors
}

/** Where data goes and comes from: the write cache, or what lies beneath it. */
export interface DataPath {
  readonly read: (offset: number, segments: Segments) => void;
  readonly write: (offset: number, segments: Segments) => void;
  /** Past the cache. */
  readonly readMedium: (offset: number, segments: Segments) => void;
  readonly writeMedium: (offset: number, segments: Segments) => void;
  readonly sectorCount: number;
}

export class DriveFaults {
  readonly gate: FaultGate;
  readonly #disk: string;
  readonly #points: Readonly<Record<DriveOperation, FaultPoint>>;
  readonly #places: Places;
  readonly #bad: BadSectors;

  constructor(gate: FaultGate, disk: string) {
    this.gate = gate;
    this.#disk = disk;
    const point = (operation: DriveOperation): FaultPoint => gate.point('blk', disk, operation);
    const [read, write] = [point('read'), point('write')];
    this.#points = { read, write, flush: point('flush'), trim: point('trim') };
    this.#places = new Places(gate.ram);
    this.#bad = new BadSectors(gate.ram, disk);
  }

  /** What fires at a command that the drive takes up. Does not return once the power is cut. */
  meet({ operation, lba, count }: DriveCommand, sectors: number): Firing | undefined {
    if (powerCut(this.gate.head) !== undefined) stop(this.gate);
    const point = this.#points[operation];
    if (!point.armed) return undefined;
    if (operation === 'flush') return point.hit();
    const tagged = (tag: string) => this.#places.tagged(this.#disk, { lba, count }, tag);
    return point.hit({ lba, len: count * SECTOR_SIZE, sectors, tagged });
  }

  /** The command is over: the power may go now, or the worker end. */
  afterwards({ operation }: Pick<DriveCommand, 'operation'>, firing: Firing | undefined): void {
    if (firing) endAfter(this.gate, firing.actions, this.#points[operation].name);
  }

  /**
   * Throws EIO for what cannot be read or written: bad sectors, those that become bad now, and an
   * error that a rule asks for. A torn write has done its part before.
   */
  check(command: DriveCommand, firing: Firing | undefined): void {
    const moves = command.operation === 'read' || command.operation === 'write';
    if (firing?.has('bad')) this.#bad.add(firing.uid, command);
    const bad = moves && this.#points.read.armed ? this.#bad.first(command) : undefined;
    if (bad !== undefined) throw new PosixError(EIO, `${this.#disk}: sector ${bad} is bad`);
    if (firing?.errno !== undefined) {
      throw new PosixError(EIO, `${this.#disk}: ${command.operation} fails (fault)`);
    }
  }
}

/** Reads as the firing says; returns the bytes that were moved. */
export function faultyRead(
  path: DataPath,
  at: { offset: number; segments: Segments },
  firing: Firing,
): number {
  const { offset, segments } = at;
  const size = totalSize(segments);
  const bytes = firing.find('short')?.bytes;
  const moved = bytes === undefined ? size : Math.min(size, sectors(bytes));
  const from = misdirected(path, firing, { offset, size });
  const read = firing.has('stale') ? path.readMedium : path.read;
  read(from, moved === size ? segments : sliceSegments(segments, 0, moved));
  if (firing.has('dup')) read(from, sliceSegments(segments, 0, moved));
  const { bit } = firing.find('flip') ?? {};
  if (bit !== undefined) flipIn(segments, bit);
  return moved;
}

export function faultyWrite(
  path: DataPath,
  at: { offset: number; segments: Segments },
  firing: Firing,
): void {
  const { offset, segments } = at;
  const size = totalSize(segments);
  const to = misdirected(path, firing, { offset, size });
  const { bytes: torn } = firing.find('torn') ?? {};
  if (torn !== undefined) {
    // The platter has the first sectors, whatever becomes of the cache.
    if (torn > 0) path.writeMedium(to, sliceSegments(segments, 0, Math.min(torn, size)));
    return;
  }
  if (firing.has('lie')) return;
  const { bit } = firing.find('flip') ?? {};
  const data = bit === undefined ? segments : flipped(segments, bit);
  path.write(to, data);
  if (firing.has('dup')) path.write(to, data);
}

const sectors = (bytes: number): number => Math.floor(bytes / SECTOR_SIZE) * SECTOR_SIZE;

/** The byte that the command goes to: another one, inside the disk, when it is misdirected. */
function misdirected(
  path: DataPath,
  firing: Firing,
  { offset, size }: { offset: number; size: number },
): number {
  const { lba } = firing.find('misdirect') ?? {};
  if (lba === undefined) return offset;
  return Math.max(0, Math.min(lba, path.sectorCount - size / SECTOR_SIZE)) * SECTOR_SIZE;
}

function flipped(segments: Segments, bit: number): Segments {
  const copy = new Uint8Array(totalSize(segments));
  gather(segments, 0, copy);
  flipIn([copy], bit);
  return [copy];
}

function flipIn(segments: Segments, bit: number): void {
  const at = Math.floor(bit / 8) % Math.max(1, totalSize(segments));
  const byte = new Uint8Array(1);
  gather(segments, at, byte);
  byte[0] = (byte[0] ?? 0) ^ (1 << (bit % 8));
  scatter(segments, at, byte);
}
