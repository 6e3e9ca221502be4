// The log as a range of blocks: where journal block n lies on the device, and transfers of several
// of them at once.

import { EUCLEAN, PosixError } from '../../../kernel/abi/errno.ts';
import type { Task } from '../../../kernel/ipc/task.ts';
import type { ScratchBlocks } from '../../lib/cache/scratch.ts';
import type { BlockDevice, Piece } from '../../lib/device.ts';
import type { Extent } from '../../lib/volume.ts';

/** Where the blocks of the journal's file lie. */
export class LogMap {
  readonly #runs: { first: number; count: number; disk: number }[] = [];
  readonly blocks: number;

  /** EUCLEAN when the file has holes. */
  constructor(extents: readonly Extent[], blockSize: number) {
    let next = 0;
    for (const { offset, length, block } of extents) {
      const first = offset / blockSize;
      if (block === undefined || first !== next) {
        throw new PosixError(EUCLEAN, `journal: block ${next} of its file is not mapped`);
      }
      this.#runs.push({ first, count: length / blockSize, disk: block });
      next = first + length / blockSize;
    }
    this.blocks = next;
  }

  /** Its runs on the volume, in blocks. */
  get extents(): readonly { readonly disk: number; readonly count: number }[] {
    return this.#runs;
  }

  /** The block on the volume that holds journal block `n`. */
  disk(n: number): number {
    const run = this.#runs.find(({ first, count }) => n >= first && n < first + count);
    if (run === undefined) throw new PosixError(EUCLEAN, `journal: no block ${n}`);
    return run.disk + (n - run.first);
  }
}

/** A transfer between scratch and single blocks of the volume, neighbours in one piece. */
export interface Blocks {
  readonly device: BlockDevice;
  readonly scratch: ScratchBlocks;
  readonly blockSize: number;
  /** Block numbers on the volume; the k-th is scratch block k. */
  readonly at: readonly number[];
}

export function* readBlocks(blocks: Blocks): Task<void> {
  yield* blocks.device.read(pieces(blocks));
}

export function* writeBlocks(blocks: Blocks): Task<void> {
  yield* blocks.device.write(pieces(blocks));
}

function pieces({ scratch, blockSize, at }: Blocks): Piece[] {
  const out: Piece[] = [];
  for (let i = 0; i < at.length; ) {
    let end = i + 1;
    while (end < at.length && at[end] === (at[end - 1] ?? 0) + 1) end++;
    out.push({ offset: (at[i] ?? 0) * blockSize, ref: scratch.ref(i, end - i) });
    i = end;
  }
  return out;
}
