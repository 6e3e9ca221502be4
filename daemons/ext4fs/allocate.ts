// fallocate(2) and the search for data and holes, each in bounded steps that leave a whole file. Room is
// reserved as unwritten extents, which read as zeroes; a block map has none, so it refuses.
// ifork.rst, "Extent Tree".

import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  SEEK_DATA,
} from '../../kernel/abi/constants.ts';
import { EFBIG, EINVAL, ENODEV, ENXIO, EOPNOTSUPP, fail } from '../../kernel/abi/errno.ts';
import type { Inode } from './inode/inode.ts';
import { mustBeKnown } from './inode/refused.ts';
import { punchExtent, unwriteExtent } from './map/extent-punch.ts';
import { fill, lookup, type Mapping, maxFileSize } from './map/map.ts';

/** Extents that one request may add, cut or change: each may touch a few groups. */
const EXTENTS_A_STEP = 8;
/** Extents that one request looks at. */
const EXTENTS_A_SEARCH = 1024;

interface AllocateRequest {
  readonly mode: number;
  readonly offset: number;
  readonly length: number;
}

/** Does a part of the range, from its start; how many bytes. */
export function allocate(inode: Inode, { mode, offset, length }: AllocateRequest): number {
  const { blockSize } = inode.op.vol;
  if (!inode.isRegular) fail(ENODEV, `inode ${inode.ino} is not a regular file`);
  mustBeKnown(inode);
  if (inode.isInline) fail(EOPNOTSUPP, `inode ${inode.ino} keeps its data in itself`);
  if (!inode.usesExtents) fail(EOPNOTSUPP, `inode ${inode.ino} has a block map, not extents`);
  const end = offset + length;
  if (end > maxFileSize(inode)) fail(EFBIG);
  const kind = mode & ~FALLOC_FL_KEEP_SIZE;
  const whole = offset % blockSize === 0 && length % blockSize === 0;
  if (kind === FALLOC_FL_PUNCH_HOLE || kind === FALLOC_FL_ZERO_RANGE) {
    if (!whole) fail(EINVAL, `${length} bytes at ${offset} are not whole blocks`);
  } else if (kind !== 0) fail(EOPNOTSUPP, `fallocate mode 0x${mode.toString(16)}`);
  const first = Math.floor(offset / blockSize);
  const last = Math.ceil(end / blockSize);
  const step = { 0: reserve, [FALLOC_FL_PUNCH_HOLE]: punch, [FALLOC_FL_ZERO_RANGE]: zero }[kind];
  const at = step?.(inode, { from: first, to: last }) ?? first;
  const done = Math.min(at * blockSize, end) - offset;
  const keep = kind === FALLOC_FL_PUNCH_HOLE || (mode & FALLOC_FL_KEEP_SIZE) !== 0;
  if (!keep && offset + done > inode.size) inode.size = offset + done;
  inode.touch();
  return done;
}

interface BlockRange {
  readonly from: number;
  readonly to: number;
}

/** Walks the range, extent by extent, as far as one request may. */
function steps(
  { from, to }: BlockRange,
  work: (at: number) => { next: number; changed: boolean },
): number {
  let at = from;
  let budget = EXTENTS_A_STEP;
  for (let turn = 0; at < to && budget > 0 && turn < EXTENTS_A_SEARCH; turn++) {
    const { next, changed } = work(at);
    if (changed) budget--;
    at = Math.min(next, to);
  }
  return at;
}

/** Fills holes with unwritten extents. */
function reserve(inode: Inode, range: BlockRange): number {
  return steps(range, (at) => {
    const { pblock, count } = lookup(inode, at);
    if (pblock !== undefined) return { next: at + count, changed: false };
    const want = Math.min(count, range.to - at);
    const run = fill(inode, { lblock: at, count: want, unwritten: true });
    return { next: at + run.count, changed: true };
  });
}

function punch(inode: Inode, range: BlockRange): number {
  return steps(range, (at) => {
    const { pblock, count } = lookup(inode, at);
    if (pblock === undefined) return { next: at + count, changed: false };
    return { next: punchExtent(inode, { from: at, to: range.to }), changed: true };
  });
}

/** Data becomes unwritten, holes are filled: all of it reads as zeroes and has room. */
function zero(inode: Inode, range: BlockRange): number {
  return steps(range, (at) => {
    const { pblock, unwritten, count } = lookup(inode, at);
    if (pblock === undefined) {
      const want = Math.min(count, range.to - at);
      return {
        next: at + fill(inode, { lblock: at, count: want, unwritten: true }).count,
        changed: true,
      };
    }
    if (unwritten) return { next: at + count, changed: false };
    return { next: unwriteExtent(inode, { from: at, to: range.to }), changed: true };
  });
}

/** The next data or hole; an unwritten extent is a hole. */
export function seek(
  inode: Inode,
  { offset, whence }: { offset: number; whence: number },
): { offset: number; found: boolean } {
  const { blockSize } = inode.op.vol;
  const { size } = inode;
  mustBeKnown(inode);
  if (offset >= size) fail(ENXIO);
  if (inode.isInline) return { offset: whence === SEEK_DATA ? offset : size, found: true };
  const end = Math.ceil(size / blockSize);
  let at = Math.floor(offset / blockSize);
  for (let turn = 0; turn < EXTENTS_A_SEARCH && at < end; turn++) {
    const mapping = lookup(inode, at);
    if (isData(mapping) === (whence === SEEK_DATA))
      return { offset: Math.max(offset, at * blockSize), found: true };
    at += mapping.count;
  }
  if (at < end) return { offset: at * blockSize, found: false };
  return whence === SEEK_DATA ? fail(ENXIO) : { offset: size, found: true };
}

const isData = ({ pblock, unwritten }: Mapping): boolean => pblock !== undefined && !unwritten;
