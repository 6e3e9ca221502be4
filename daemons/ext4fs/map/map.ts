// A file's blocks, whichever way its inode keeps them: extents, or the block map of ext2 and ext3.

import { EFBIG, EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import type { Block } from '../../lib/transaction.ts';
import type { Inode } from '../inode/inode.ts';
import { EXT4_EXTENTS_FL } from '../ondisk.ts';
import { allocBlocks, type Run } from '../volume/block-alloc.ts';
import { firstBlockOf, groupOfInode } from '../volume/group.ts';
import { has } from '../volume/superblock.ts';
import {
  extentGoal,
  insertExtent,
  lookupExtent,
  type Mapping,
  markWritten,
  maxExtent,
  splitAt,
} from './extent.ts';
import { initRoot } from './extent-node.ts';
import { type Budget, truncateExtents } from './extent-truncate.ts';
import {
  fillIndirect,
  lookupIndirect,
  maxIndirectBlocks,
  putFirstBlock,
  truncateIndirect,
} from './indirect.ts';

/** Chooses how a new inode keeps its blocks. */
export function initMap(inode: Inode): void {
  if (!has.extents(inode.op.vol)) return;
  inode.flags |= EXT4_EXTENTS_FL;
  initRoot(inode);
}

/** The first byte offset that a file of this kind cannot reach. */
export function maxFileSize(inode: Inode): number {
  const { vol } = inode.op;
  if (inode.usesExtents || (inode.isInline && has.extents(vol))) return 0xffff_ffff * vol.blockSize;
  const bySectors = has.hugeFile(vol) ? Number.MAX_SAFE_INTEGER : 0xffff_ffff * 512;
  return Math.min(maxIndirectBlocks(vol.blockSize) * vol.blockSize, bySectors);
}

/** Where file block `lblock` lies; `count` blocks from it are alike. */
export const lookup = (inode: Inode, lblock: number): Mapping =>
  inode.usesExtents ? lookupExtent(inode, lblock) : lookupIndirect(inode, lblock);

export interface Fill {
  lblock: number;
  count: number; // the most that is wanted
  /** Whose content counts only when the data has arrived; block maps cannot say so. */
  unwritten: boolean;
}

/** Allocates blocks for a hole that begins at `lblock`: at least one, in one run. */
export function fill(inode: Inode, { lblock, count, unwritten }: Fill): Run {
  if (!inode.usesExtents) return fillIndirect(inode, lblock, count);
  if (lblock + count > 0xffff_ffff) fail(EFBIG);
  const goal = extentGoal(inode, lblock) ?? homeGoal(inode);
  const run = allocBlocks(inode.op, { goal, count: Math.min(count, maxExtent(unwritten)) });
  inode.addBlocks(run.count);
  insertExtent(inode, { lblock, count: run.count, pblock: run.start, unwritten });
  return run;
}

/** Makes a block that was taken already the first one of a file without any. */
export function adoptBlock(inode: Inode, block: number): void {
  inode.addBlocks(1);
  if (inode.usesExtents)
    insertExtent(inode, { lblock: 0, count: 1, pblock: block, unwritten: false });
  else putFirstBlock(inode, block);
}

/** A file's first block goes to the group of its inode, spread a little by inode number. */
export function homeGoal(inode: Inode): number {
  const { vol } = inode.op;
  const group = groupOfInode(vol, inode.ino);
  return firstBlockOf(vol, group) + (inode.ino % 16) * (vol.blocksPerGroup >>> 4);
}

export { type Budget, type Mapping, markWritten, splitAt };

/** Frees blocks from file block `from` on, as far as the budget goes. True when none is left. */
export const truncateBlocks = (inode: Inode, from: number, budget: Budget): boolean =>
  inode.usesExtents ? truncateExtents(inode, from, budget) : truncateIndirect(inode, from, budget);

/** The volume block of a block that must be there (a directory's). */
export function mustMap(inode: Inode, lblock: number): number {
  const { pblock, unwritten } = lookup(inode, lblock);
  if (pblock === undefined || unwritten)
    fail(EUCLEAN, `inode ${inode.ino}: block ${lblock} is a hole`);
  return pblock;
}

/** Allocates the block `lblock`, which becomes metadata full of zeroes. */
export function appendMetadata(inode: Inode, lblock: number, seal?: (block: Block) => void): Block {
  const { start } = fill(inode, { lblock, count: 1, unwritten: false });
  return inode.op.tx.create(start, seal);
}
