// Mapping of file data: where a range lies, room for a range to be written, and what becomes true
// once the data is on its way. The data itself is moved by daemons/lib.

import { EFBIG, EISDIR, EOPNOTSUPP, fail } from '../../kernel/abi/errno.ts';
import type { Extent, MapRequest } from '../lib/volume.ts';
import type { Inode } from './inode/inode.ts';
import { addOrphan, isOrphan, removeOrphan } from './inode/orphan.ts';
import { mustBeKnown } from './inode/refused.ts';
import { fill, lookup, type Mapping, markWritten, maxFileSize, splitAt } from './map/map.ts';

/** Pieces that one answer tells at most. */
const PIECES = 64;

interface BlockRange {
  first: number;
  end: number;
}

function blockRange(inode: Inode, { offset, length }: MapRequest): BlockRange {
  const { blockSize } = inode.op.vol;
  const first = Math.floor(offset / blockSize);
  return { first, end: Math.max(first + 1, Math.ceil((offset + length) / blockSize)) };
}

const extentOf = (inode: Inode, mapping: Mapping, fresh?: 'fresh'): Extent => {
  const { blockSize } = inode.op.vol;
  const where = { offset: mapping.lblock * blockSize, length: mapping.count * blockSize };
  const block = fresh === undefined && mapping.unwritten ? undefined : mapping.pblock;
  return fresh === undefined ? { ...where, block } : { ...where, block, fresh: true };
};

export function mapRead(inode: Inode, request: MapRequest): Extent[] {
  mustBeFile(inode);
  const { first, end } = blockRange(inode, request);
  if (inode.isInline) return [extentOf(inode, holeAt(first, end - first))];
  const limit = Math.floor(maxFileSize(inode) / inode.op.vol.blockSize);
  const out: Extent[] = [];
  for (let at = first; at < end && out.length < PIECES; ) {
    const mapping = at < limit ? lookup(inode, at) : holeAt(at, end - at);
    const count = Math.min(mapping.count, end - at);
    out.push(extentOf(inode, { ...mapping, count }));
    at += count;
  }
  return out;
}

const holeAt = (lblock: number, count: number): Mapping => ({
  ...{ lblock, count, pblock: undefined, unwritten: false },
});

/**
 * Fills one hole at most: a second one that found no room would undo the first. New blocks are
 * unwritten until `written`; a block map cannot say so, there the orphan list says that blocks
 * beyond the end of the file are to be freed.
 */
export function mapWrite(inode: Inode, request: MapRequest): Extent[] {
  mustBeFile(inode);
  mustBeMapped(inode);
  const limit = maxFileSize(inode);
  if (request.offset >= limit) fail(EFBIG);
  const length = Math.min(request.length, limit - request.offset);
  const { first, end } = blockRange(inode, { ...request, length });
  const out: Extent[] = [];
  for (let at = first; at < end && out.length < PIECES; ) {
    const mapping = lookup(inode, at);
    const count = Math.min(mapping.count, end - at);
    if (mapping.pblock === undefined) {
      const run = fill(inode, { lblock: at, count, unwritten: true });
      guardTail(inode, at + run.count);
      out.push(extentOf(inode, { ...mapping, count: run.count, pblock: run.start }, 'fresh'));
      return out;
    }
    if (mapping.unwritten) {
      splitAt(inode, at);
      splitAt(inode, at + count);
      out.push(extentOf(inode, { ...mapping, count }, 'fresh'));
    } else out.push(extentOf(inode, { ...mapping, count }));
    at += count;
  }
  return out;
}

function guardTail(inode: Inode, end: number): void {
  if (!inode.usesExtents && end * inode.op.vol.blockSize > inode.size) addOrphan(inode);
}

export function written(inode: Inode, request: MapRequest): void {
  mustBeFile(inode);
  mustBeMapped(inode);
  const { first, end } = blockRange(inode, request);
  if (inode.usesExtents) markWritten(inode, first, end);
  const size = request.offset + request.length;
  if (size > maxFileSize(inode)) fail(EFBIG);
  if (size > inode.size) inode.size = size;
  if (!inode.usesExtents) releaseTail(inode);
  inode.touch();
}

/** All blocks of the map are inside the file again: nothing to be freed after a crash. */
function releaseTail(inode: Inode): void {
  if (inode.links === 0 || !isOrphan(inode)) return;
  const { blockSize } = inode.op.vol;
  const end = Math.ceil(inode.size / blockSize);
  if (end * blockSize >= maxFileSize(inode) || lookup(inode, end).pblock === undefined)
    removeOrphan(inode);
}

function mustBeFile(inode: Inode): void {
  if (!inode.isRegular) fail(EISDIR, `inode ${inode.ino} is not a regular file`);
  mustBeKnown(inode);
}

function mustBeMapped(inode: Inode): void {
  if (inode.isInline) fail(EOPNOTSUPP, `inode ${inode.ino} keeps its data in itself`);
}
