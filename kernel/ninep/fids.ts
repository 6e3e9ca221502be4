// The fid table of one session: what each fid stands for, and how many fids each file has.
// Changed only when an operation is over, so that a request may be abandoned and run again.

import { assert, EBADF, ENFILE, fail, PosixError } from '../abi/errno.ts';
import type { Qid } from './types.ts';

/** An extended attribute being read or written through a fid of its own. */
export type XattrState =
  | { readonly mode: 'read'; readonly value: Uint8Array }
  | {
      readonly mode: 'write';
      readonly name: string;
      readonly flags: number;
      readonly value: Uint8Array;
      written: number; // bytes, from the start
    };

/** What a fid stands for. Entries are replaced, never changed (but for a written xattr's bytes). */
export interface Fid<N> {
  readonly node: N;
  /** What `FileServer.open` returned in place of the node, else the node. */
  readonly handle: N;
  readonly qid: Qid;
  readonly open: boolean;
  readonly flags: number; // of Tlopen or Tlcreate; 0 when not open
  readonly xattr?: XattrState;
  /** The name that it was walked by, for Tremove and Trename. */
  readonly name?: Name<N>;
}

export interface Name<N> {
  readonly dir: N;
  readonly dirPath: number; // qid.path
  readonly filename: string;
}

export class FidTable<N> {
  readonly #fids = new Map<number, Fid<N>>();
  readonly #uses = new Map<number, number>(); // qid.path → number of fids
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#fids.size;
  }

  find(fid: number): Fid<N> | undefined {
    return this.#fids.get(fid);
  }

  get(fid: number): Fid<N> {
    return this.#fids.get(fid) ?? fail(EBADF, `fid ${fid} is unknown`);
  }

  /** Checks that `fid` may be made: not in use, and the table is not full. */
  checkFree(fid: number): void {
    if (this.#fids.has(fid)) throw new PosixError(EBADF, `fid ${fid} is in use`);
    if (this.#fids.size >= this.#capacity) throw new PosixError(ENFILE, 'fid table is full');
  }

  /** Makes the fid, or replaces what it stands for. */
  set(fid: number, entry: Fid<N>): void {
    this.delete(fid);
    this.#fids.set(fid, entry);
    this.#uses.set(entry.qid.path, this.uses(entry.qid.path) + 1);
  }

  delete(fid: number): void {
    const entry = this.#fids.get(fid);
    if (entry === undefined) return;
    this.#fids.delete(fid);
    const uses = this.uses(entry.qid.path) - 1;
    assert(uses >= 0, `file ${entry.qid.path} has ${uses} fids`);
    if (uses === 0) this.#uses.delete(entry.qid.path);
    else this.#uses.set(entry.qid.path, uses);
  }

  clear(): void {
    this.#fids.clear();
    this.#uses.clear();
  }

  /** How many fids refer to the file with this qid.path. */
  uses(path: number): number {
    return this.#uses.get(path) ?? 0;
  }

  entries(): IterableIterator<[number, Fid<N>]> {
    return this.#fids.entries();
  }
}
