// Fetching blocks that a request missed: neighbours travel together, and a few blocks behind a lone
// one come along, since metadata lies in clusters.

import { EUCLEAN, PosixError } from '../../../kernel/abi/errno.ts';
import { sleep, type Task, WaitQueue, wakeAll } from '../../../kernel/ipc/task.ts';
import type { BlockDevice } from '../device.ts';
import { type BlockCache, type Frame, NoFrames } from './block-cache.ts';
import type { Scratch } from './scratch.ts';

const RUN_MAX = 16; // blocks of one transfer
const AHEAD = 8; // a lone block brings those up to the next multiple of this
const AHEAD_MIN_FRAMES = 1024; // smaller caches have no room for guesses

/** Where the newest content of a block lies, when not at its place: in a journal not replayed. */
export interface Redirect {
  readonly block: number;
  /** The first word was the journal's magic number and is stored as 0. */
  readonly firstWord: number | undefined;
}

export class Fetcher {
  readonly redirects = new Map<number, Redirect>();
  readonly #cache: BlockCache;
  readonly #device: BlockDevice;
  readonly #scratch: Scratch;
  readonly #blocks: number; // on the device
  readonly #coming = new Map<number, WaitQueue>();

  constructor(cache: BlockCache, device: BlockDevice, scratch: Scratch) {
    this.#cache = cache;
    this.#device = device;
    this.#scratch = scratch;
    this.#blocks = Math.floor(device.sizeBytes / cache.blockSize);
  }

  /** Brings the blocks into the cache, or lets a fetch under way do it. EIO, EUCLEAN, NoFrames. */
  *fetch(wanted: readonly number[]): Task<void> {
    const coming = new Map<number, WaitQueue>();
    const missing: number[] = [];
    for (const no of new Set(wanted)) {
      if (!(no >= 0 && no < this.#blocks)) {
        throw new PosixError(EUCLEAN, `block ${no} lies beyond the end of the device`);
      }
      const queue = this.#coming.get(no);
      if (queue) coming.set(no, queue);
      else if (!this.#cache.has(no)) missing.push(no);
    }
    missing.sort((a, b) => a - b);
    if (missing.length === 1) this.#addNeighbours(missing);
    for (const run of this.#runs(missing)) yield* this.#fetchRun(run, wanted);
    // One wake-up is enough: whoever runs again asks again for what did not come. A fetch that ended
    // in the meantime wakes nobody any more.
    for (const [no, queue] of coming) if (this.#coming.get(no) === queue) yield* sleep(queue);
  }

  #addNeighbours(missing: number[]): void {
    const [no = 0] = missing;
    if (this.#cache.shape.frames < AHEAD_MIN_FRAMES) return;
    const end = Math.min(this.#blocks, (Math.floor(no / AHEAD) + 1) * AHEAD);
    for (let next = no + 1; next < end && !this.#cache.has(next); next++) {
      if (this.#coming.has(next)) break;
      missing.push(next);
    }
  }

  #runs(sorted: readonly number[]): number[][] {
    const runs: number[][] = [];
    const max = Math.min(RUN_MAX, this.#scratch.maxBlocks);
    for (const no of sorted) {
      const last = runs.at(-1);
      const joins = last !== undefined && last.at(-1) === no - 1 && last.length < max;
      const moved = this.redirects.has(no) || this.redirects.has(no - 1);
      if (joins && !moved) last.push(no);
      else runs.push([no]);
    }
    return runs;
  }

  *#fetchRun(run: readonly number[], wanted: readonly number[]): Task<void> {
    const queue = new WaitQueue(`block ${run[0]}`);
    for (const no of run) this.#coming.set(no, queue);
    try {
      yield* this.#readRun(run);
    } catch (error) {
      if (run.length === 1 || !(error instanceof PosixError || error instanceof NoFrames)) {
        throw error;
      }
      for (const no of run) if (wanted.includes(no)) yield* this.#readRun([no]);
    } finally {
      for (const no of run) this.#coming.delete(no);
      wakeAll(queue);
    }
  }

  *#readRun(run: readonly number[]): Task<void> {
    const frames: Frame[] = [];
    try {
      for (const _ of run) frames.push(this.#cache.allocate());
      if (run.length === 1) yield* this.#readOne(run[0] ?? 0, frames[0] as Frame);
      else yield* this.#readMany(run[0] ?? 0, frames);
    } catch (error) {
      for (const frame of frames) this.#cache.release(frame);
      throw error;
    }
    run.forEach((no, i) => {
      const frame = frames[i] as Frame;
      // A request may have created the block in the meantime: its content is the newer one.
      if (this.#cache.has(no)) this.#cache.release(frame);
      else this.#cache.install(no, frame);
    });
  }

  *#readOne(no: number, frame: Frame): Task<void> {
    const redirect = this.redirects.get(no);
    const offset = (redirect?.block ?? no) * this.#cache.blockSize;
    yield* this.#device.read([{ offset, ref: this.#cache.refOf(frame) }]);
    if (redirect?.firstWord !== undefined) frame.view.setUint32(0, redirect.firstWord);
  }

  *#readMany(first: number, frames: readonly Frame[]): Task<void> {
    const scratch = yield* this.#scratch.take(frames.length);
    try {
      const offset = first * this.#cache.blockSize;
      yield* this.#device.read([{ offset, ref: scratch.ref(0, frames.length) }]);
      frames.forEach((frame, i) => {
        frame.bytes.set(scratch.block(i));
      });
    } finally {
      scratch.release();
    }
  }
}
