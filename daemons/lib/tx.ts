// Transaction over the block cache: one run of a request. What it stages lies in frames of its own
// until `publish`; `abandon` gives them back and nothing has happened. Several requests may be published
// together: each is a transaction over what those before it have joined into one.

import { assert, EIO, PosixError } from '../../kernel/abi/errno.ts';
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
  /** What this one is to join: it sees what is staged there. */
  readonly #base: BlockTransaction | undefined;
  readonly #staged = new Map<number, Frame>();
  readonly #seals = new Map<number, Seal>();
  readonly #forgotten = new Set<number>();
  readonly #onCommit: (() => void)[] = [];
  /** Made anew, and without a checksum: whatever seal a request before this one gave is void. */
  readonly #unsealed = new Set<number>();
  #draws = 0;

  constructor(cache: BlockCache, seed: RequestSeed, base?: BlockTransaction) {
    this.#cache = cache;
    this.#seed = seed;
    this.#base = base;
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

  /** Blocks that it changes. */
  get size(): number {
    return this.#staged.size + this.#forgotten.size;
  }

  random(): number {
    return this.#seed.draw(this.#draws++);
  }

  read(no: number, check?: Seal): Block {
    const staged = this.#seen(no);
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
    const missing = blocks.filter((no) => !this.#seen(no) && !this.#cache.find(no));
    if (missing.length > 0) throw new Missing(missing);
  }

  edit(no: number, seal?: Seal): Block {
    if (seal) this.#seals.set(no, seal);
    const staged = this.#staged.get(no);
    if (staged) return staged;
    const frame = this.#seen(no) ?? this.#cache.find(no);
    if (frame === undefined) throw new Missing([no]);
    const copy = this.#stage(no);
    copy.bytes.set(frame.bytes);
    return copy;
  }

  create(no: number, seal?: Seal): Block {
    this.#seals.delete(no);
    this.#unsealed.add(no);
    if (seal) this.#seals.set(no, seal);
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

  /** All of it happens, in one atomic step, together with the replies that are kept for its clients. */
  publish(replies: readonly StoredReply[] = []): void {
    if (this.changes) {
      for (const [no, seal] of this.#seals) {
        const frame = this.#staged.get(no);
        if (frame) seal(frame);
      }
      this.#cache.publish({ blocks: this.#staged, forgotten: this.#forgotten, replies });
      this.#staged.clear();
      this.#forgotten.clear();
      this.#seals.clear();
    }
    for (const action of this.#onCommit) action();
  }

  /**
   * The request has been done as far as those after it can see; it happens when the base is published, and
   * nothing may come between the two.
   */
  join(): void {
    const base = this.#base;
    assert(base !== undefined, 'a transaction without a base joins none');
    for (const no of this.#forgotten) base.forget(no);
    for (const [no, frame] of this.#staged) base.#take(no, frame);
    for (const no of this.#unsealed) base.#seals.delete(no);
    for (const [no, seal] of this.#seals) base.#seals.set(no, seal);
    this.#staged.clear();
    this.#forgotten.clear();
    for (const action of this.#onCommit) action();
  }

  /** Nothing of it happens. */
  abandon(): void {
    for (const frame of this.#staged.values()) this.#cache.release(frame);
    this.#staged.clear();
    this.#forgotten.clear();
  }

  #seen(no: number): Frame | undefined {
    const staged = this.#staged.get(no);
    if (staged !== undefined || this.#base === undefined) return staged;
    return this.#base.#staged.get(no);
  }

  #take(no: number, frame: Frame): void {
    const older = this.#staged.get(no);
    if (older) this.#cache.release(older);
    this.#cache.renew(frame);
    this.#staged.set(no, frame);
    this.#forgotten.delete(no);
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
