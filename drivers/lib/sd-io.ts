// Bytes of a disk: turns a transfer at any offset and of any length into requests for whole sectors.
// What lies on sectors goes straight between device and memory; the rest goes through a bounce
// buffer, and a write of part of a sector reads that sector first.

import { ENOSPC, PosixError } from '../../kernel/abi/errno.ts';
import type { Task } from '../../kernel/ipc/task.ts';
import type { BouncePool } from './bounce.ts';
import { type RamRange, SECTOR_SIZE, sliceRanges, totalLength } from './request.ts';
import type { SdDisk } from './sd-disk.ts';
import { WriteRanges } from './write-ranges.ts';

/** A part of the disk: a partition, or all of it. No transfer leaves it. */
export interface DiskExtent {
  readonly start: number; // lba
  readonly count: number; // sectors
}

export interface Transfer {
  readonly op: 'read' | 'write';
  readonly offset: number; // bytes into the extent
}

/** Where the bytes of a transfer are in memory: ranges for DMA, or only views to copy with. */
interface Memory {
  readonly ranges: readonly RamRange[] | undefined;
  readonly views: readonly Uint8Array[];
}

/** A stretch of a transfer that is moved in one way. */
interface Stretch {
  readonly from: number; // bytes into the transfer
  readonly length: number;
  readonly bounced: boolean;
}

export class DiskIo {
  readonly disk: SdDisk;
  readonly #ram: SharedArrayBuffer;
  readonly #bounce: BouncePool;
  readonly #writes = new WriteRanges();

  constructor(disk: SdDisk, ram: SharedArrayBuffer, bounce: BouncePool) {
    this.disk = disk;
    this.#ram = ram;
    this.#bounce = bounce;
  }

  /** Moves bytes between the extent and ranges of `ram`; returns how many. */
  *move(extent: DiskExtent, transfer: Transfer, ranges: readonly RamRange[]): Task<number> {
    const length = inside(extent, transfer, totalLength(ranges));
    if (length === 0) return 0;
    const used = sliceRanges(ranges, 0, length);
    const views = used.map((range) => new Uint8Array(this.#ram, range.address, range.length));
    return yield* this.#transfer(extent, transfer, { ranges: used, views });
  }

  /** Moves bytes between the extent and memory that the device may not reach. */
  *copy(extent: DiskExtent, transfer: Transfer, bytes: Uint8Array): Task<number> {
    const length = inside(extent, transfer, bytes.length);
    if (length === 0) return 0;
    const views = [bytes.subarray(0, length)];
    return yield* this.#transfer(extent, transfer, { ranges: undefined, views });
  }

  *flush(): Task<void> {
    yield* this.disk.submit({ op: 'flush', lba: 0, count: 0, segments: [] });
  }

  *#transfer(extent: DiskExtent, transfer: Transfer, memory: Memory): Task<number> {
    const length = memory.views.reduce((sum, view) => sum + view.length, 0);
    const at = extent.start * SECTOR_SIZE + transfer.offset;
    const stretches = plan(at, length, memory.ranges);
    if (transfer.op === 'read') {
      for (const stretch of stretches) yield* this.#read(at, stretch, memory);
      return length;
    }
    const sectors = { start: floor(at), end: ceil(at + length) };
    const held = yield* this.#writes.acquire(sectors);
    try {
      for (const stretch of stretches) yield* this.#write(at, stretch, memory);
    } finally {
      this.#writes.release(held);
    }
    return length;
  }

  *#read(at: number, stretch: Stretch, memory: Memory): Task<void> {
    if (!stretch.bounced) {
      yield* this.#direct('read', at, stretch, memory);
      return;
    }
    const buffer = yield* this.#bounce.take();
    try {
      for (const chunk of chunks(at + stretch.from, stretch.length, buffer.length)) {
        yield* this.#sectors('read', chunk, buffer.address);
        const data = new Uint8Array(this.#ram, buffer.address + chunk.within, chunk.length);
        copyInto(memory.views, stretch.from + chunk.done, data);
      }
    } finally {
      this.#bounce.give(buffer);
    }
  }

  *#write(at: number, stretch: Stretch, memory: Memory): Task<void> {
    if (!stretch.bounced) {
      yield* this.#direct('write', at, stretch, memory);
      return;
    }
    const buffer = yield* this.#bounce.take();
    try {
      for (const chunk of chunks(at + stretch.from, stretch.length, buffer.length)) {
        const whole = chunk.within === 0 && chunk.length === chunk.count * SECTOR_SIZE;
        if (!whole) yield* this.#sectors('read', chunk, buffer.address);
        const data = new Uint8Array(this.#ram, buffer.address + chunk.within, chunk.length);
        copyFrom(memory.views, stretch.from + chunk.done, data);
        yield* this.#sectors('write', chunk, buffer.address);
      }
    } finally {
      this.#bounce.give(buffer);
    }
  }

  *#direct(
    op: 'read' | 'write',
    at: number,
    { from, length }: Stretch,
    memory: Memory,
  ): Task<void> {
    const segments = sliceRanges(memory.ranges ?? [], from, length);
    yield* this.disk.submit({ op, lba: floor(at + from), count: length / SECTOR_SIZE, segments });
  }

  *#sectors(op: 'read' | 'write', { lba, count }: Chunk, address: number): Task<void> {
    const segments = [{ address, length: count * SECTOR_SIZE }];
    yield* this.disk.submit({ op, lba, count, segments });
  }
}

/** How many bytes of the transfer are inside the extent; a write at its end is ENOSPC. */
function inside(extent: DiskExtent, { op, offset }: Transfer, length: number): number {
  const size = extent.count * SECTOR_SIZE;
  if (op === 'write' && offset >= size && length > 0)
    throw new PosixError(ENOSPC, `write at ${offset}: the device ends at ${size}`);
  return Math.max(0, Math.min(length, size - offset));
}

/** Part of a sector at either end is bounced; all is, where memory does not suit the device. */
function plan(at: number, length: number, ranges: readonly RamRange[] | undefined): Stretch[] {
  const head = Math.min(length, (SECTOR_SIZE - (at % SECTOR_SIZE)) % SECTOR_SIZE);
  const body = Math.floor((length - head) / SECTOR_SIZE) * SECTOR_SIZE;
  const suits = body > 0 && ranges && sliceRanges(ranges, head, body).every(suitsDma);
  if (!suits) return [{ from: 0, length, bounced: true }];
  const stretches = [
    { from: 0, length: head, bounced: true },
    { from: head, length: body, bounced: false },
    { from: head + body, length: length - head - body, bounced: true },
  ];
  return stretches.filter((stretch) => stretch.length > 0);
}

/**
 * A region of memory must lie on even addresses and have an even length (AHCI 1.3.1 §4.2.3.3); below
 * 16 bytes a sector may need more regions than a command has.
 */
const suitsDma = ({ address, length }: RamRange): boolean =>
  address % 2 === 0 && length % 2 === 0 && length >= 16;

/** A bounced piece: `length` bytes at `within` the sectors, `done` bytes into its stretch. */
interface Chunk {
  readonly lba: number;
  readonly count: number;
  readonly within: number;
  readonly length: number;
  readonly done: number;
}

function* chunks(at: number, length: number, bufferSize: number): Generator<Chunk> {
  for (let done = 0; done < length; ) {
    const lba = floor(at + done);
    const within = (at + done) % SECTOR_SIZE;
    const take = Math.min(length - done, bufferSize - within);
    yield { lba, count: ceil(within + take), within, length: take, done };
    done += take;
  }
}

const floor = (bytes: number): number => Math.floor(bytes / SECTOR_SIZE);
const ceil = (bytes: number): number => Math.ceil(bytes / SECTOR_SIZE);

/** Copies `data` into the views, from byte `at` of them on. */
function copyInto(views: readonly Uint8Array[], at: number, data: Uint8Array): void {
  each(views, at, data.length, (view, done) => view.set(data.subarray(done, done + view.length)));
}

/** Fills `data` from the views, from byte `at` of them on. */
function copyFrom(views: readonly Uint8Array[], at: number, data: Uint8Array): void {
  each(views, at, data.length, (view, done) => data.set(view, done));
}

function each(
  views: readonly Uint8Array[],
  at: number,
  length: number,
  use: (part: Uint8Array, done: number) => void,
): void {
  let skip = at;
  let done = 0;
  for (const view of views) {
    if (done === length) return;
    const take = Math.min(Math.max(view.length - skip, 0), length - done);
    if (take > 0) use(view.subarray(skip, skip + take), done);
    skip = Math.max(skip - view.length, 0);
    done += take;
  }
}
