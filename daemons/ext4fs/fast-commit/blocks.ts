// Bits of the block bitmaps under replay: fast commits do not log them, they follow from the maps of the
// inodes. A bit may already be what it should be, and one inode's loss be another's gain.

import { EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import type { Inode } from '../inode/inode.ts';
import { blockNode, type ExtentNode, rootNode } from '../map/extent-node.ts';
import { initMap } from '../map/map.ts';
import type { Op } from '../op.ts';
import {
  clearBits,
  editBlockBitmap,
  nextClear,
  nextSet,
  readBlockBitmap,
  setBits,
} from '../volume/bitmap.ts';
import type { Run } from '../volume/block-alloc.ts';
import { blocksIn, firstBlockOf, groupOfBlock, isDataBlock } from '../volume/group.ts';

/** Marks the blocks as taken, those that are not yet. */
export const claim = (op: Op, run: Run): void => mark(op, run, 'taken');

/** Marks the blocks as free, those that are not yet. */
export function release(op: Op, run: Run): void {
  mark(op, run, 'free');
  op.tx.onCommit(() => op.env.freed?.(run.start, run.count));
}

function mark(op: Op, { start, count }: Run, as: 'taken' | 'free'): void {
  const { vol, tx } = op;
  if (!isDataBlock(vol, start, count)) fail(EUCLEAN, `blocks ${start}+${count} of a fast commit`);
  for (let block = start; block < start + count; ) {
    const group = op.group(groupOfBlock(vol, block));
    const first = firstBlockOf(vol, group.index);
    const end = Math.min(start + count - first, blocksIn(vol, group.index));
    for (let at = block - first; at < end; ) {
      const bits = readBlockBitmap(tx, vol, group);
      const from = as === 'taken' ? nextClear(bits, at, end) : nextSet(bits, at, end);
      const to = as === 'taken' ? nextSet(bits, from, end) : nextClear(bits, from, end);
      if (from < to) {
        const staged = editBlockBitmap(tx, vol, group);
        if (as === 'taken') setBits(staged, from, to - from);
        else clearBits(staged, from, to - from);
        group.freeBlocks += as === 'taken' ? from - to : to - from;
      }
      at = to;
    }
    block = first + end;
  }
}

export interface Owned {
  readonly data: readonly Run[];
  readonly nodes: readonly Run[];
}

/** All blocks of an inode's extents. */
export function ownedBlocks(inode: Inode): Owned {
  const data: Run[] = [];
  const nodes: Run[] = [];
  const seen = new Set<number>();
  const walk = (node: ExtentNode): void => {
    for (let i = 0; i < node.entries; i++) {
      if (node.depth === 0) {
        const { pblock, count } = node.extent(i);
        data.push({ start: pblock, count });
        continue;
      }
      const child = node.child(i);
      if (seen.has(child)) fail(EUCLEAN, `${node.name}: child ${child} twice`);
      seen.add(child);
      nodes.push({ start: child, count: 1 });
      walk(blockNode(inode, child, node.depth - 1));
    }
  };
  if (inode.usesExtents) walk(rootNode(inode));
  return { data, nodes };
}

/** Empties the map of an inode; what it had is to be released when all is known. */
export function dropExtents(inode: Inode): Run[] {
  const { data, nodes } = ownedBlocks(inode);
  for (const { start } of nodes) inode.op.tx.forget(start);
  inode.addBlocks(-[...data, ...nodes].reduce((sum, { count }) => sum + count, 0));
  initMap(inode);
  return [...data, ...nodes];
}

/** The parts of the runs that are in none of those that are kept. */
export function without(runs: readonly Run[], kept: readonly Run[]): Run[] {
  return runs.flatMap((run) => {
    let parts: Run[] = [run];
    for (const { start, count } of kept) {
      parts = parts.flatMap((part) => {
        const end = part.start + part.count;
        if (start >= end || start + count <= part.start) return [part];
        const before = { start: part.start, count: start - part.start };
        const behind = { start: start + count, count: end - start - count };
        return [before, behind].filter((rest) => rest.count > 0);
      });
    }
    return parts;
  });
}
