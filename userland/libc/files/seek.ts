// What seeking spares a reader of a regular file: what is left of it, and where its last lines begin.

import { S_IFMT, S_IFREG, SEEK_CUR } from '../../../kernel/abi/constants.ts';
import type { Sys } from '../sys.ts';

const BLOCK_BYTES = 64 * 1024;

export interface Rest {
  /** Where the descriptor stands. */
  readonly at: number;
  /** Of the file, as it is now. */
  readonly size: number;
  /** Bytes between the two. */
  readonly length: number;
}

/** Undefined for what is no regular file, and where the size tells nothing (/proc). */
export function restOf(sys: Sys, fd: number): Rest | undefined {
  const { mode, size } = sys.fstat(fd);
  if ((mode & S_IFMT) !== S_IFREG || size === 0) return undefined;
  const at = sys.lseek(fd, 0, SEEK_CUR);
  return { at, size, length: Math.max(0, size - at) };
}

/** The offset where the last `count` lines begin, searched backwards block by block; not before `at`. */
export function startOfLastLines(
  sys: Sys,
  fd: number,
  { at: first, size, count, delimiter }: Rest & { count: number; delimiter: number },
): number {
  if (count === 0 || first >= size) return Math.max(first, size);
  const block = new Uint8Array(BLOCK_BYTES);
  let left = count;
  for (let end = size; end > first; ) {
    const start = Math.max(first, end - block.length);
    const got = sys.pread(fd, block.subarray(0, end - start), start);
    // The delimiter at the very end closes the last line and does not count.
    let at = end === size ? got - 1 : got;
    for (;;) {
      at = at <= 0 ? -1 : block.subarray(0, got).lastIndexOf(delimiter, at - 1);
      if (at < 0) break;
      if (--left === 0) return start + at + 1;
    }
    end = start;
  }
  return first;
}
