// Scratch: blocks of the volume's area for transfers that need a place of their own - several blocks
// in one request, the log of a journal, the odd ends of a write.

import type { GrantRef } from '../../../kernel/ipc/grant.ts';
import { subgrant } from '../../../kernel/ipc/grant.ts';
import { sleep, type Task, WaitQueue, wakeAll } from '../../../kernel/ipc/task.ts';
import type { Area, CacheShape } from './layout.ts';

/** Contiguous blocks, held until `release`. Their content is whatever was there. */
export interface ScratchBlocks {
  readonly count: number;
  readonly bytes: Uint8Array;
  /** The part that holds `count` blocks from block `first` on. */
  ref(first: number, count: number): GrantRef;
  block(index: number): Uint8Array;
  release(): void;
}

export class Scratch {
  readonly #ram: SharedArrayBuffer;
  readonly #area: Area;
  readonly #shape: CacheShape;
  readonly #taken: boolean[];
  readonly #freed = new WaitQueue('scratch blocks');

  constructor(ram: SharedArrayBuffer, area: Area, shape: CacheShape) {
    this.#ram = ram;
    this.#area = area;
    this.#shape = shape;
    this.#taken = new Array(shape.scratchBlocks).fill(false);
  }

  /** The most that one task should ask for, so that several find room. */
  get maxBlocks(): number {
    return Math.max(2, this.#shape.scratchBlocks >> 2);
  }

  /** Waits until there is room. A task holds one piece at a time, over device transfers only. */
  *take(count: number): Task<ScratchBlocks> {
    for (;;) {
      const first = this.#findRun(count);
      if (first >= 0) return this.#hold(first, count);
      yield* sleep(this.#freed);
    }
  }

  #hold(first: number, count: number): ScratchBlocks {
    this.#taken.fill(true, first, first + count);
    const { blockSize, scratchAt } = this.#shape;
    const offset = scratchAt + first * blockSize;
    const bytes = new Uint8Array(this.#ram, this.#area.address + offset, count * blockSize);
    return {
      count,
      bytes,
      ref: (from, blocks) =>
        subgrant(this.#area.grant, offset + from * blockSize, blocks * blockSize),
      block: (index) => bytes.subarray(index * blockSize, (index + 1) * blockSize),
      release: () => {
        this.#taken.fill(false, first, first + count);
        wakeAll(this.#freed);
      },
    };
  }

  #findRun(count: number): number {
    let run = 0;
    for (let i = 0; i < this.#taken.length; i++) {
      run = this.#taken[i] ? 0 : run + 1;
      if (run === count) return i - count + 1;
    }
    return -1;
  }
}
