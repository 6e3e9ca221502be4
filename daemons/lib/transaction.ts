// A request is a transaction (DESIGN): file-system code is synchronous and reads blocks through a
// Transaction. A block that is not cached throws Missing; the serve loop fetches it and runs the
// request again from its first line. Changes go to staged copies, published with the reply by one
// atomic store, or dropped.

import type { Timespec } from '../../kernel/abi/stat.ts';

/** A metadata block in the volume's block cache, or a staged copy of one. */
export interface Block {
  readonly no: number; // block number on the volume, in file-system blocks
  readonly view: DataView; // exactly one block
  readonly bytes: Uint8Array; // the same memory
  /** Grows whenever a new content is committed: the key for decoded copies kept by a daemon. */
  readonly version: number;
}

/** Thrown by `Transaction.read`: these blocks must be fetched before the request can run. */
export class Missing {
  readonly blocks: readonly number[];

  constructor(blocks: readonly number[]) {
    this.blocks = blocks;
  }
}

/** Thrown by a file system: the request must wait until what came before it is on the disk. */
export class Unwritten {}

/** Recomputes the checksum that lies in a block; runs once, just before the block is published. */
export type Seal = (block: Block) => void;

export interface Transaction {
  readonly blockSize: number;
  /** The board's wall clock, read once a request: the same however often the request runs. */
  readonly now: Timespec;
  /** A random u32 for generation numbers; the same sequence on each run of the request. */
  random(): number;
  /**
   * The block as this transaction sees it: its own staged copy, or the committed one. Not to be
   * written. `check` runs once when the block first comes from the disk (its checksum); it throws
   * PosixError(EUCLEAN, …) and the block is then read anew the next time.
   */
  read(no: number, check?: Seal): Block;
  /** Asks for blocks that will be needed soon; throws Missing when any of them is not cached. */
  need(blocks: readonly number[]): void;
  /** The staged copy of a block, to be changed in place. The last `seal` given counts. */
  edit(no: number, seal?: Seal): Block;
  /** A staged block of zeroes in place of whatever is on the disk: for a block just allocated. */
  create(no: number, seal?: Seal): Block;
  /** The block was freed: no longer metadata, its cached content is void (jbd2 revokes it). */
  forget(no: number): void;
  /** Runs after publication and only then: for what a daemon counts in its own heap. */
  onCommit(action: () => void): void;
}
