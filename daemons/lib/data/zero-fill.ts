// Growing a file of a format that knows no holes: zeroes are written from its end to where a write or a
// new size begins, piece by piece, each a write like any other.

import { EIO, PosixError } from '../../../kernel/abi/errno.ts';
import type { Task } from '../../../kernel/ipc/task.ts';
import { P9_SETATTR_SIZE } from '../../../kernel/ninep/types.ts';
import type { MountedVolume } from '../mounted.ts';
import { Memory } from './memory.ts';
import type { RangeLocks } from './range-lock.ts';

const PIECE = 256 * 1024;
const ZEROES = new Uint8Array(PIECE);
/** A file of 2^53 bytes has no more. */
const PIECES_MAX = 2 ** 35;

export class ZeroFill {
  readonly #volume: MountedVolume;
  readonly #locks: RangeLocks;

  constructor(volume: MountedVolume, locks: RangeLocks) {
    this.#volume = volume;
    this.#locks = locks;
  }

  /** Makes the file at least `size` long; `least` is how long it will be in the end. */
  *upTo(ino: number, { size, least }: { size: number; least: number }): Task<void> {
    const first = yield* this.#filled(ino);
    if (first >= size) return;
    const { engine, fs } = this.#volume;
    const before = yield* engine.run((tx) => fs.size(tx, ino), { changes: false });
    yield* engine.run((tx) => fs.mayGrow?.(tx, { ino, size: least }), { changes: false });
    let end = first;
    try {
      for (let pieces = 0; end < size; pieces++) {
        if (pieces === PIECES_MAX) throw new PosixError(EIO, `inode ${ino} does not grow`);
        end = yield* this.#piece(ino, { end, size });
      }
    } catch (error) {
      if (error instanceof PosixError) yield* this.#takeBack(ino, { before, end });
      throw error;
    }
  }

  /** How much of it was written. */
  *#filled(ino: number): Task<number> {
    const { engine, fs } = this.#volume;
    return yield* engine.run((tx) => fs.filled?.(tx, ino) ?? fs.size(tx, ino), { changes: false });
  }

  /** Returns how much was written then: others may write at the same time. */
  *#piece(ino: number, { end, size }: { end: number; size: number }): Task<number> {
    const { blockSize } = this.#volume.fs;
    const to = Math.min(size, end + PIECE);
    const from = end - (end % blockSize);
    const range = {
      ino,
      from,
      to: Math.ceil(to / blockSize) * blockSize,
      mode: 'exclusive',
    } as const;
    const filledNow = () => this.#filled(ino);
    const { mover } = this.#volume;
    return yield* this.#locks.holding(range, function* () {
      const offset = yield* filledNow();
      if (offset >= to || offset < from) return offset;
      const count = Math.min(PIECE, to - offset);
      const memory = Memory.inline(ZEROES.subarray(0, count));
      yield* mover.write({ ino, offset, count, memory }, undefined);
      return offset + count;
    });
  }

  /** No room after all: unless somebody else wrote behind it, the file is as long as before. */
  *#takeBack(ino: number, { before, end }: { before: number; end: number }): Task<void> {
    const { engine, fs } = this.#volume;
    const never = { sec: 0, nsec: 0 };
    const attr = { valid: P9_SETATTR_SIZE, mode: 0, uid: 0, gid: 0, atime: never, mtime: never };
    const range = { ino, from: 0, to: Number.POSITIVE_INFINITY, mode: 'exclusive' } as const;
    yield* this.#locks.holding(range, () =>
      engine.run(
        (tx) => {
          const same = end > before && fs.size(tx, ino) === end;
          if (same) fs.setattr?.(tx, ino, { ...attr, size: before });
        },
        { changes: true },
      ),
    );
  }
}
