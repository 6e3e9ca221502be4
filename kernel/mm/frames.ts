// Physical memory: 4 KiB frames of `ram`, handed out in contiguous runs by a buddy allocator (Knuth,
// TAOCP 1 §2.5). The kernel alone allocates; the state lives in its heap. An address is a byte
// offset into `ram`.

import { assert, ENOMEM, PosixError } from '../abi/errno.ts';
import { PAGE_SIZE } from '../abi/memlayout.ts';
import { neverRefuses } from '../ipc/fault/gate.ts';

const MAX_ORDER = 14; // runs of up to 64 MiB
const NONE = -1;
/** Reclaimed at a time for a run. */
const RECLAIM_FRAMES = 64;

export class Frames {
  readonly total: number; // frames
  readonly #base: number;
  /** For each order, the head of its list of free blocks, as a frame number. */
  readonly #heads = new Int32Array(MAX_ORDER + 1).fill(NONE);
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  /** Order of the free block that begins at this frame, or NONE. */
  readonly #order: Int8Array;
  /** Gives up to so many frames back; how many. The page cache's to do. */
  reclaim: (frames: number) => number = () => 0;
  #free = 0;
  /** The fault point alloc.frames. */
  refuses = neverRefuses;

  /** Manages the bytes from `start` to `end` of `ram`. */
  constructor(start: number, end: number) {
    this.#base = Math.ceil(start / PAGE_SIZE) * PAGE_SIZE;
    this.total = Math.floor((end - this.#base) / PAGE_SIZE);
    this.#next = new Int32Array(this.total).fill(NONE);
    this.#previous = new Int32Array(this.total).fill(NONE);
    this.#order = new Int8Array(this.total).fill(NONE);
    this.#release(0, this.total);
  }

  /** Frames that are free. */
  get free(): number {
    return this.#free;
  }

  /** A run of `count` frames; undefined when there is no such run. The bytes are not cleared. */
  take(count: number): number | undefined {
    return this.refuses(count * PAGE_SIZE) ? undefined : this.#takeRun(count);
  }

  /** As `take`; for a run that memory in pieces does not have, what can be reclaimed goes. */
  takeReclaiming(count: number): number | undefined {
    if (this.refuses(count * PAGE_SIZE)) return undefined;
    for (;;) {
      const address = this.#takeRun(count);
      if (address !== undefined || this.reclaim(RECLAIM_FRAMES) === 0) return address;
    }
  }

  #takeRun(count: number): number | undefined {
    const order = orderOf(count);
    let found = order;
    while (found <= MAX_ORDER && this.#heads[found] === NONE) found++;
    if (found > MAX_ORDER) return undefined;
    const frame = this.#heads[found] ?? NONE;
    this.#unlink(frame, found);
    this.#free -= 1 << found;
    this.#release(frame + count, (1 << found) - count);
    return this.#base + frame * PAGE_SIZE;
  }

  /** As `take`, for what the system cannot do without. Throws ENOMEM. */
  mustTake(count: number, what: string): number {
    const address = this.takeReclaiming(count);
    if (address === undefined) throw new PosixError(ENOMEM, `no ${count} frames for ${what}`);
    return address;
  }

  /** Gives a run back, or a part of one: any `count` frames that were taken. */
  give(address: number, count = 1): void {
    const frame = (address - this.#base) / PAGE_SIZE;
    assert(Number.isInteger(frame) && frame >= 0 && frame + count <= this.total, 'no such frame');
    this.#release(frame, count);
  }

  /** Frees any run by cutting it into aligned blocks. */
  #release(start: number, count: number): void {
    let frame = start;
    let left = count;
    while (left > 0) {
      let order = Math.min(MAX_ORDER, 31 - Math.clz32(left));
      while ((frame & ((1 << order) - 1)) !== 0) order--;
      this.#insert(frame, order);
      this.#free += 1 << order;
      frame += 1 << order;
      left -= 1 << order;
    }
  }

  /** Puts a block on its list, joined with its buddy as long as that is free too. */
  #insert(start: number, startOrder: number): void {
    let frame = start;
    let order = startOrder;
    while (order < MAX_ORDER) {
      const buddy = frame ^ (1 << order);
      if (buddy + (1 << order) > this.total || this.#order[buddy] !== order) break;
      this.#unlink(buddy, order);
      frame = Math.min(frame, buddy);
      order++;
    }
    const head = this.#heads[order] ?? NONE;
    this.#order[frame] = order;
    this.#next[frame] = head;
    this.#previous[frame] = NONE;
    if (head !== NONE) this.#previous[head] = frame;
    this.#heads[order] = frame;
  }

  #unlink(frame: number, order: number): void {
    const next = this.#next[frame] ?? NONE;
    const previous = this.#previous[frame] ?? NONE;
    if (previous === NONE) this.#heads[order] = next;
    else this.#next[previous] = next;
    if (next !== NONE) this.#previous[next] = previous;
    this.#order[frame] = NONE;
  }
}

const orderOf = (count: number): number => (count <= 1 ? 0 : 32 - Math.clz32(count - 1));
