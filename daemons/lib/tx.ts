// Transaction over the block cache: one run of a request. What it stages lies in frames of its own
// until `publish`; `abandon` gives them back and nothing has happened.

import { EIO, PosixError } from '../../kernel/abi/errno.ts';
import type { Timespec } from '../../kernel/abi/stat.ts';
import type { BlockCache, Frame } from './cache/block-cache.ts';
import type { StoredReply } from './cache/table.ts';
import { type Block, Missing, type Seal, type Transaction } from './transaction.ts';

/** What stays the same however often a request runs: its time and its random numbers. */
export class RequestSeed {
  readonly now: Timespec;
  readonly #random: (into: Uint8Array) => void;
  readonly #drawn: number[] = [];

  constructor(now: Timespec, random: (into: Uint8Array) => void) {
    this.now = now;
    this.#random = random;
  }

  draw(index: number): number {
    while (this.#drawn.length <= index) {
      const bytes = new Uint8Array(4);
      this.#random(bytes);
      this.#drawn.push(new DataView(bytes.buffer).getUint32(0));
    }
    return this.#drawn[index] ?? 0;
  }
}

export class BlockTransaction implements Transaction {
  readonly blockSize: number;
  readonly #cache: BlockCache;
  readonly #seed: RequestSeed;
  readonly #staged = new Map<number, Frame>();
  readonly #seals = new Map<number, Seal>();
  readonly #forgotten = new Set<number>();
  readonly #onCommit: (() => void)[] = [];
  #draws = 0;

  constructor(cache: BlockCache, seed: RequestSeed) {
    this.#cache = cache;
    this.#seed = seed;
    this.blockSize = cache.blockSize;
    cache.run++;
  }

  get now(): Timespec {
    return this.#seed.now;
  }

  /** Does it change any block? */
  get changes(): boolean {
    return this.#staged.size > 0 || this.#forgotten.size > 0;
  }

  random(): number {
    return this.#seed.draw(this.#draws++);
  }

  read(no: number, check?: Seal): Block {
    const staged = this.#staged.get(no);
    if (staged) return staged;
    const frame = this.#cache.find(no);
    if (frame === undefined) throw new Missing([no]);
    if (check && !frame.checked) {
      this.#check(frame, check);
      frame.checked = true;
    }
    return frame;
  }

  need(blocks: readonly number[]): void {
    const missing = blocks.filter((no) => !this.#staged.has(no) && !this.#cache.find(no));
    if (missing.length > 0) throw new Missing(missing);
  }

  edit(no: number, seal?: Seal): Block {
    if (seal) this.#seals.set(no, seal);
    const staged = this.#staged.get(no);
    if (staged) return staged;
    const frame = this.#cache.find(no);
    if (frame === undefined) throw new Missing([no]);
    const copy = this.#stage(no);
    copy.bytes.set(frame.bytes);
    return copy;
  }

  create(no: number, seal?: Seal): Block {
    if (seal) this.#seals.set(no, seal);
    else this.#seals.delete(no);
    const frame = this.#staged.get(no) ?? this.#stage(no);
    frame.bytes.fill(0);
    return frame;
  }

  forget(no: number): void {
    const staged = this.#staged.get(no);
    if (staged) {
      this.#staged.delete(no);
      this.#seals.delete(no);
      this.#cache.release(staged);
    }
    this.#forgotten.add(no);
  }

  onCommit(action: () => void): void {
    this.#onCommit.push(action);
  }

  /** All of it happens, in one atomic step, together with the reply that is kept for its client. */
  publish(reply?: StoredReply): void {
    if (this.changes) {
      for (const [no, seal] of this.#seals) {
        const frame = this.#staged.get(no);
        if (frame) seal(frame);
      }
      this.#cache.publish({ blocks: this.#staged, forgotten: this.#forgotten, reply });
      this.#staged.clear();
      this.#forgotten.clear();
    }
    for (const action of this.#onCommit) action();
  }

  /** Nothing of it happens. */
  abandon(): void {
    for (const frame of this.#staged.values()) this.#cache.release(frame);
    this.#staged.clear();
    this.#forgotten.clear();
  }

  #check(frame: Frame, check: Seal): void {
    try {
      check(frame);
    } catch (error) {
      this.#cache.drop(frame.no); // read anew the next time: the fault may have been the transfer's
      throw error;
    }
  }

  #stage(no: number): Frame {
    if (this.#staged.size + this.#forgotten.size >= this.#cache.shape.recordMax) {
      throw new PosixError(EIO, `a request changes more than ${this.#staged.size} blocks`);
    }
    const frame = this.#cache.allocate();
    frame.no = no;
    this.#staged.set(no, frame);
    this.#forgotten.delete(no);
    return frame;
  }
}
