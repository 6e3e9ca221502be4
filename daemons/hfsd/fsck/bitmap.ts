// The bitmap against what is owned. TN1150, "Allocation File"; Inside Macintosh: Files, "Volume Bitmaps".

import type { Medium } from '../../lib/medium.ts';
import type { Run } from '../fork/fork-data.ts';
import type { Volume } from '../volume/volume.ts';
import type { Ownership, WholeFork } from './forks.ts';
import type { Opened } from './open.ts';
import type { Report } from './report.ts';

const PART = 1 << 16; // bytes

/** HFS Plus: the blocks of both headers and of the reserved sectors. */
export function fixedBlocks({ kind, allocSize, allocCount }: Volume): Run[] {
  if (kind === 'hfs') return [];
  const head = Math.ceil(1536 / allocSize);
  const tail = Math.ceil(1024 / allocSize);
  return [
    { start: 0, count: Math.min(head, allocCount) },
    { start: Math.max(head, allocCount - tail), count: Math.min(tail, allocCount - head) },
  ];
}

/** Where the bitmap lies, in bytes, piece by piece. */
export function* bitmapPieces(
  volume: Volume,
  bitmap: WholeFork | undefined,
): Generator<{ offset: number; first: number; length: number }> {
  const { allocSize, allocAt, allocCount, bitmapAt } = volume;
  const bytes = Math.ceil(allocCount / 8);
  const runs =
    bitmap === undefined
      ? [{ offset: bitmapAt, length: bytes }]
      : bitmap.runs.map(({ start, count }) => ({
          offset: allocAt + start * allocSize,
          length: count * allocSize,
        }));
  let first = 0;
  for (const { offset, length } of runs) {
    for (let done = 0; done < length && first < bytes; ) {
      const count = Math.min(PART, length - done, bytes - first);
      yield { offset: offset + done, first, length: count };
      done += count;
      first += count;
    }
  }
}

export function checkBitmap(parts: {
  readonly medium: Medium;
  readonly opened: Opened;
  readonly owners: Ownership;
  readonly bitmap: WholeFork | undefined;
  readonly report: Report;
}): void {
  const { medium, opened, owners, bitmap, report } = parts;
  const { volume, head } = opened;
  let covered = 0;
  let lost = 0;
  let unsafe = 0;
  for (const { offset, first, length } of bitmapPieces(volume, bitmap)) {
    const bytes = medium.read(offset, length);
    for (let i = 0; i < length; i++) {
      const due = owners.bits[first + i] ?? 0;
      const here = (bytes[i] ?? 0) & valid(volume.allocCount, first + i);
      lost += ones(here & ~due);
      unsafe += ones(due & ~here);
    }
    covered += length;
  }
  if (covered < Math.ceil(volume.allocCount / 8)) report.bad('bitmap: shorter than the volume');
  if (lost > 0) report.bad(`bitmap: ${lost} blocks are in use for nobody`);
  if (unsafe > 0) report.bad(`bitmap: ${unsafe} blocks in use count as free`);
  const free = freeBlocks(volume, owners);
  if (head.freeBlocks !== free)
    report.bad(`header: ${head.freeBlocks} free blocks, there are ${free}`);
}

export const freeBlocks = ({ allocCount }: Volume, { bits }: Ownership): number =>
  allocCount - bits.reduce((sum, byte) => sum + ones(byte), 0);

/** The bits of a byte of the bitmap that stand for blocks. */
function valid(allocCount: number, byte: number): number {
  const bits = Math.min(8, Math.max(0, allocCount - 8 * byte));
  return (0xff00 >> bits) & 0xff;
}

function ones(byte: number): number {
  let count = 0;
  for (let rest = byte; rest !== 0; rest &= rest - 1) count++;
  return count;
}
