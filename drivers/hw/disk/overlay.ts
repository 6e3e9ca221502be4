// Copy on write in memory: what is written is kept in blocks of 64 KiB, the base stays untouched. The
// blocks lie in the board's memory (overlay-memory.ts).

import { BASE, BLOCK_SIZE, OverlayBlocks, type OverlayMemory, ZERO } from './overlay-memory.ts';
import {
  gather,
  type Segments,
  scatter,
  sliceSegments,
  totalSize,
  zeroSegments,
} from './segments.ts';

/** What an overlay lies over. */
export interface Base {
  readv(offset: number, segments: Segments): void;
}

const SECTOR_SIZE = 512;

export class Overlay {
  readonly #base: Base;
  readonly #blocks: OverlayBlocks;

  constructor(base: Base & { readonly sizeBytes: number }, memory: OverlayMemory) {
    this.#base = base;
    this.#blocks = new OverlayBlocks(memory, base.sizeBytes);
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
      const block = this.#blocks.find(index);
      if (block === BASE) fromBase += length;
      else {
        readBase();
        if (block === ZERO) zeroSegments(sliceSegments(segments, done, length));
        else scatter(segments, done, block.subarray(within, within + length));
      }
      done += length;
    }
    readBase();
  }

  /** A worker that is terminated here leaves whole sectors: each piece is one copy of whole sectors. */
  writev(offset: number, segments: Segments): void {
    const size = totalSize(segments);
    const pieces = segments.every((piece) => piece.length % SECTOR_SIZE === 0)
      ? segments
      : [gathered(segments, size)];
    for (let done = 0; done < size; ) {
      const { index, within, length } = blockAt(offset + done, size - done);
      const put = (block: Uint8Array) =>
        gather(pieces, done, block.subarray(within, within + length));
      const present = this.#blocks.find(index);
      if (present !== BASE && present !== ZERO) put(present);
      else {
        this.#blocks.own(index, (block) => {
          if (present === ZERO) block.fill(0);
          else if (length < BLOCK_SIZE) this.#base.readv(index * BLOCK_SIZE, [block]);
          put(block);
        });
      }
      done += length;
    }
  }

  /** Whole blocks become zero and give their memory back; parts of blocks keep what they hold. */
  trim(offset: number, length: number): void {
    const end = Math.floor((offset + length) / BLOCK_SIZE);
    for (let index = Math.ceil(offset / BLOCK_SIZE); index < end; index++) this.#blocks.zero(index);
  }
}

function gathered(segments: Segments, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  gather(segments, 0, bytes);
  return bytes;
}

function blockAt(offset: number, left: number): { index: number; within: number; length: number } {
  const within = offset % BLOCK_SIZE;
  return {
    index: Math.floor(offset / BLOCK_SIZE),
    within,
    length: Math.min(BLOCK_SIZE - within, left),
  };
}
