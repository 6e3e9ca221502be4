// Ranges of a file, mapped or cut. journal.rst, "Fast Commits".

import { EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import type { Inode } from '../inode/inode.ts';
import { insertExtent } from '../map/extent.ts';
import { cutExtent } from '../map/extent-punch.ts';
import { lookup } from '../map/map.ts';
import type { Op } from '../op.ts';
import type { Run } from '../volume/block-alloc.ts';
import { isDataBlock } from '../volume/group.ts';
import { inodeInUse } from '../volume/inode-alloc.ts';
import type { FastRange } from './scan.ts';

/** Extents that one range is cut out of at most. */
const PIECES_MAX = 4096;

/** Gives back the blocks that are not mapped there any more. */
export function applyRange(op: Op, range: FastRange): Run[] {
  const { ino, lblock, count, pblock, unwritten } = range;
  if (!inodeInUse(op, ino)) return [];
  const inode = op.inode(ino);
  // What a directory holds is made of its names: blocks of it were not logged.
  if (inode.isDir || !inode.usesExtents || inode.mode === 0) return [];
  if (range.kind === 'cut') return cutRange(inode, { from: lblock, to: lblock + count });
  if (count === 0 || lblock + count > 0xffff_ffff || !isDataBlock(op.vol, pblock, count))
    fail(EUCLEAN, `inode ${ino}: blocks ${pblock}+${count} at block ${lblock}`);
  const released = cutRange(inode, { from: lblock, to: lblock + count });
  inode.addBlocks(count);
  insertExtent(inode, { lblock, count, pblock, unwritten });
  return released;
}

function cutRange(inode: Inode, { from, to }: { from: number; to: number }): Run[] {
  const released: Run[] = [];
  let at = from;
  for (let pieces = 0; at < to && pieces < PIECES_MAX; pieces++) {
    const { pblock, count } = lookup(inode, at);
    if (pblock === undefined) {
      at += count;
      continue;
    }
    const { end, cut } = cutExtent(inode, { from: at, to });
    released.push(cut);
    at = end;
  }
  return released;
}
