// Counts what a disk does, for /proc/diskstats: commands, what was merged into them, sectors, and how long
// requests took from their asking to their answer.

import { DISK_COLUMNS, diskStatsAt } from '../../kernel/abi/disk/stats.ts';
import type { BlockOp } from './request.ts';

export interface StatsOptions {
  readonly ram: SharedArrayBuffer;
  /** Where the rows of the controller's disks lie. */
  readonly address: number;
  readonly nowMs: () => number;
}

const column = (name: (typeof DISK_COLUMNS)[number]): number => DISK_COLUMNS.indexOf(name);
const IN_FLIGHT = column('inFlight');
const BUSY_MS = column('busyMs');
const WEIGHTED_MS = column('weightedMs');
/** The first column of each operation: commands, merged, sectors, milliseconds. */
const FIRST: Readonly<Record<BlockOp, number>> = {
  read: column('reads'),
  write: column('writes'),
  trim: column('trims'),
  flush: column('flushes'),
};

export class DiskStats {
  readonly #row: Float64Array;
  readonly #nowMs: () => number;
  #seenMs = 0;

  /** The counts of a worker before this one go on; what it had in flight is asked again. */
  constructor({ ram, address, nowMs }: StatsOptions, port: number) {
    this.#row = diskStatsAt(ram, address, port);
    this.#nowMs = nowMs;
    this.#row[IN_FLIGHT] = 0;
  }

  /** A request was asked; returns when. */
  asked(): number {
    const now = this.#look();
    this.#add(IN_FLIGHT, 1);
    return now;
  }

  /** A command is over that so many requests were merged into. */
  done(
    op: BlockOp,
    command: { merged: number; sectors: number; askedMs: readonly number[] },
  ): void {
    const now = this.#look();
    const first = FIRST[op];
    const ms = command.askedMs.reduce((sum, at) => sum + now - at, 0);
    this.#add(IN_FLIGHT, -command.askedMs.length);
    this.#add(first, 1);
    if (op === 'flush') this.#add(first + 1, ms);
    else {
      this.#add(first + 1, command.merged);
      this.#add(first + 2, command.sectors);
      this.#add(first + 3, ms);
    }
  }

  #look(): number {
    const now = this.#nowMs();
    const inFlight = this.#row[IN_FLIGHT] ?? 0;
    if (inFlight > 0) {
      this.#add(BUSY_MS, now - this.#seenMs);
      this.#add(WEIGHTED_MS, (now - this.#seenMs) * inFlight);
    }
    this.#seenMs = now;
    return now;
  }

  #add(index: number, count: number): void {
    this.#row[index] = (this.#row[index] ?? 0) + count;
  }
}
