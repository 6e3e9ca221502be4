// Cutting a file's extents off from its end, a bounded piece at a time. Each step leaves a whole
// tree; the inode stays on the orphan list until the last.

import { EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import type { Inode } from '../inode/inode.ts';
import { freeBlocks } from '../volume/block-alloc.ts';
import { groupOfBlock } from '../volume/group.ts';
import { findPath, leafOf, type Step } from './extent.ts';
import { rootNode } from './extent-node.ts';

/** How much one request may free; counts extents, tree blocks and groups touched. */
export interface Budget {
  left: number;
}

/** Frees blocks from file block `from` on, last first. True when none is left. */
export function truncateExtents(inode: Inode, from: number, budget: Budget): boolean {
  while (budget.left > 0) {
    const path = findPath(inode, 0xffff_ffff);
    const { node, index } = leafOf(path);
    if (index < 0) {
      if (path.length > 1) fail(EUCLEAN, `${node.name}: an empty leaf`);
      return true;
    }
    const extent = node.extent(index);
    if (extent.lblock + extent.count <= from) return true;
    const keep = Math.max(0, from - extent.lblock);
    const cut = withinBudget(
      inode,
      { start: extent.pblock + keep, count: extent.count - keep },
      budget,
    );
    freeBlocks(inode.op, cut, inode.isDir || inode.isSymlink ? 'metadata' : 'data');
    inode.addBlocks(-cut.count);
    const left = extent.count - cut.count;
    if (left > 0) node.edit().putExtent(index, { ...extent, count: left });
    else removeLast(inode, path, budget);
  }
  return leafIsWithin(inode, from);
}

/** The end of the run, so short that it lies in a few groups only. */
function withinBudget(
  inode: Inode,
  run: { start: number; count: number },
  budget: Budget,
): { start: number; count: number } {
  const { vol } = inode.op;
  const last = groupOfBlock(vol, run.start + run.count - 1);
  const first = Math.max(groupOfBlock(vol, run.start), last - budget.left + 1);
  const start = Math.max(run.start, vol.firstDataBlock + first * vol.blocksPerGroup);
  budget.left -= last - first + 1;
  return { start, count: run.start + run.count - start };
}

/** Takes the last entry away, and every node that becomes empty by it. */
function removeLast(inode: Inode, path: Step[], budget: Budget): void {
  for (let level = path.length - 1; level >= 0; level--) {
    const step = path[level];
    if (step === undefined) return;
    const node = step.node.edit();
    node.removeEntry(Math.max(step.index, 0));
    if (node.entries > 0) return;
    if (node.no === undefined) {
      node.header.eh_depth = 0;
      return;
    }
    freeBlocks(inode.op, { start: node.no, count: 1 }, 'metadata');
    inode.addBlocks(-1);
    budget.left--;
  }
}

function leafIsWithin(inode: Inode, from: number): boolean {
  if (rootNode(inode).entries === 0) return true;
  const { node, index } = leafOf(findPath(inode, 0xffff_ffff));
  if (index < 0) return true;
  const { lblock, count } = node.extent(index);
  return lblock + count <= from;
}
