// Allocation blocks: the bitmap, one bit a block from the most significant on, and taking and giving
// back runs of them. TN1150, "Allocation File"; Inside Macintosh: Files, "Volume Bitmaps".

import { ENOSPC, EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import type { Run } from '../fork/fork-data.ts';
import type { Op } from '../op.ts';

export interface Wanted {
  readonly goal: number; // the block that would be best
  readonly count: number; // the most that is wanted
}

/** Takes 1 to `count` blocks in one run: at the goal, or the first free ones behind it, going round. */
export function allocRun(op: Op, { goal, count }: Wanted): Run {
  const { allocCount } = op.vol;
  if (op.env.refuses?.('blocks') || op.head.freeBlocks === 0) fail(ENOSPC);
  const from = goal < allocCount ? goal : 0;
  const run =
    freeRun(op, { from, end: allocCount, count }) ?? freeRun(op, { from: 0, end: from, count });
  if (run === undefined) return fail(ENOSPC);
  setBits(op, run, 'used');
  const head = op.editHead();
  head.freeBlocks -= run.count;
  head.nextAllocation = (run.start + run.count) % allocCount;
  return run;
}

export function freeRunOf(op: Op, run: Run): void {
  checkRun(op, run);
  setBits(op, run, 'free');
  op.editHead().freeBlocks += run.count;
  op.tx.onCommit(() => op.env.freed?.(run));
}

/** A run that a file claims must lie on the volume. */
export function checkRun(op: Op, { start, count }: Run): void {
  if (start + count > op.vol.allocCount)
    fail(EUCLEAN, `blocks ${start}+${count} are off the volume`);
}

interface Range {
  readonly from: number;
  readonly end: number;
  readonly count: number;
}

/** The first free run in the range, as long as it goes. */
function freeRun(op: Op, { from, end, count }: Range): Run | undefined {
  for (let at = from; at < end; ) {
    const start = nextFree(op, at, end);
    if (start >= end) return undefined;
    let stop = start + 1;
    while (stop < end && stop - start < count && usable(op, stop)) stop++;
    if (stop > start) return { start, count: stop - start };
    at = stop;
  }
  return undefined;
}

const usable = (op: Op, block: number): boolean =>
  !isUsed(op, block) && !(op.env.isBusy?.(block) ?? false);

function nextFree(op: Op, from: number, end: number): number {
  for (let at = from; at < end; ) {
    if ((at & 7) === 0) {
      const { bytes, index } = bitmapByte(op, at);
      if (bytes[index] === 0xff) {
        at = skipFull(bytes, index, at);
        continue;
      }
    }
    if (usable(op, at)) return at;
    at++;
  }
  return end;
}

/** The first block behind the full bytes of this part of the bitmap. */
function skipFull(bytes: Uint8Array, index: number, at: number): number {
  let i = index;
  while (i < bytes.length && bytes[i] === 0xff) i++;
  return at + 8 * (i - index);
}

export function isUsed(op: Op, block: number): boolean {
  const { bytes, index } = bitmapByte(op, block);
  return ((bytes[index] ?? 0xff) & (0x80 >>> (block & 7))) !== 0;
}

function bitmapByte(op: Op, block: number): { bytes: Uint8Array; index: number } {
  const { unit, index } = op.bitmapUnit(block >>> 3);
  return { bytes: op.tx.read(unit).bytes, index };
}

function setBits(op: Op, { start, count }: Run, to: 'used' | 'free'): void {
  const end = start + count;
  for (let at = start; at < end; ) {
    const { unit, index } = op.bitmapUnit(at >>> 3);
    const { bytes } = op.tx.edit(unit);
    let i = index;
    for (; at < end && i < bytes.length; i++) {
      const first = at & 7;
      const last = Math.min(8, first + end - at);
      const mask = (0xff >>> first) & (0xff << (8 - last)) & 0xff;
      const old = bytes[i] ?? 0;
      if ((old & mask) !== (to === 'used' ? 0 : mask))
        fail(EUCLEAN, `blocks from ${at} on: ${to} already`);
      bytes[i] = to === 'used' ? old | mask : old & ~mask;
      at += last - first;
    }
  }
}
