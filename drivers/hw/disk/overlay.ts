// Copy on write in memory: what is written is kept in blocks of 64 KiB, the base stays untouched.

import { gather, type Segments, scatter, sliceSegments, totalSize } from './segments.ts';

export const BLOCK_SIZE = 65_536;

/** What an overlay lies over. */
export interface Base {
  readv(offset: number, segments: Segments): void;
}

/** The block of everything trimmed: shared, never written. */
const ZEROES = new Uint8Array(BLOCK_SIZE);

export class Overlay {
  readonly #base: Base;
  readonly #blocks = new Map<number, Uint8Array>();

  constructor(base: Base) {
    this.#base = base;
  }

  readv(offset: number, segments: Segments): void {
    const size = totalSize(segments);
    let fromBase = 0; // bytes behind `done` that no block holds: read in one go
    let done = 0;
    const readBase = () => {
      if (fromBase === 0) return;
      this.#base.readv(
        offset + done - fromBase,
        sliceSegments(segments, done - fromBase, fromBase),
      );
      fromBase = 0;
    };
    while (done < size) {
      const { index, within, length } = blockAt(offset + done, size - done);
      const block = this.#blocks.get(index);
      if (block) {
        readBase();
        scatter(segments, done, block.subarray(within, within + length));
      } else fromBase += length;
      done += length;
    }
    readBase();
  }

  writev(offset: number, segments: Segments): void {
    const size = totalSize(segments);
    for (let done = 0; done < size; ) {
      const { index, within, length } = blockAt(offset + done, size - done);
      const block = this.#own(index, length);
      gather(segments, done, block.subarray(within, within + length));
      done += length;
    }
  }

  /** Whole blocks become zero and give their memory back; parts of blocks keep what they hold. */
  trim(offset: number, length: number): void {
    const end = Math.floor((offset + length) / BLOCK_SIZE);
    for (let index = Math.ceil(offset / BLOCK_SIZE); index < end; index++)
      this.#blocks.set(index, ZEROES);
  }

  /** The block to write `length` bytes into: its own copy, of the base's bytes if some remain. */
  #own(index: number, length: number): Uint8Array {
    const present = this.#blocks.get(index);
    if (present && present !== ZEROES) return present;
    const block = new Uint8Array(BLOCK_SIZE);
    if (!present && length < BLOCK_SIZE) this.#base.readv(index * BLOCK_SIZE, [block]);
    this.#blocks.set(index, block);
    return block;
  }
}

function blockAt(offset: number, left: number): { index: number; within: number; length: number } {
  const within = offset % BLOCK_SIZE;
  return {
    index: Math.floor(offset / BLOCK_SIZE),
    within,
    length: Math.min(BLOCK_SIZE - within, left),
  };
}
