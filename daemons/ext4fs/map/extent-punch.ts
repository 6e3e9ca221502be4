// Taking blocks out of the middle of a file's extent tree, and making written ones unwritten: what
// fallocate's PUNCH_HOLE and ZERO_RANGE need. Each call does one extent. ifork.rst, "Extent Tree".

import type { Inode } from '../inode/inode.ts';
import { EXT_UNWRITTEN_MAX_LEN } from '../ondisk.ts';
import { freeBlocks, type Run } from '../volume/block-alloc.ts';
import { changeWritten, findPath, insertEntry, leafOf, type Step, setKeys } from './extent.ts';
import type { ExtentNode, MappedExtent } from './extent-node.ts';

interface Range {
  readonly from: number; // file blocks
  readonly to: number;
}

/** Frees the blocks of the extent at `from`, as far as it lies in the range; the block behind it. */
export function punchExtent(inode: Inode, range: Range): number {
  const { end, cut } = cutExtent(inode, range);
  freeBlocks(inode.op, cut, 'data');
  return end;
}

/** Takes that part of the extent out of the map; its blocks are nobody's then. */
export function cutExtent(inode: Inode, { from, to }: Range): { end: number; cut: Run } {
  const path = findPath(inode, from);
  const { node, index } = leafOf(path);
  const extent = node.extent(index);
  const end = Math.min(extent.lblock + extent.count, to);
  const before = piece(extent, extent.lblock, from);
  const behind = piece(extent, end, extent.lblock + extent.count);
  const cut = piece(extent, from, end);
  if (before.count > 0) {
    node.edit().putExtent(index, before);
    // The only step that may need room, and find none: nothing has been freed yet.
    if (behind.count > 0)
      insertEntry(inode, behind.lblock, (leaf, at) => leaf.putExtent(at, behind));
  } else if (behind.count > 0) {
    node.edit().putExtent(index, behind);
    if (index === 0) setKeys(path, behind.lblock);
  } else removeAt(inode, path);
  inode.addBlocks(-cut.count);
  return { end, cut: { start: cut.pblock, count: cut.count } };
}

/** The written extent at `from` becomes unwritten as far as the range goes; the block behind that. */
export function unwriteExtent(inode: Inode, { from, to }: Range): number {
  const step = leafOf(findPath(inode, from));
  const { lblock, count } = step.node.extent(step.index);
  const end = Math.min(lblock + count, to, from + EXT_UNWRITTEN_MAX_LEN);
  changeWritten(inode, step, { from, to: end });
  return end;
}

const piece = (whole: MappedExtent, from: number, to: number): MappedExtent => ({
  ...whole,
  lblock: from,
  count: to - from,
  pblock: whole.pblock + (from - whole.lblock),
});

/** Takes the entry that the path leads to away, and every node that becomes empty by it. */
function removeAt(inode: Inode, path: readonly Step[]): void {
  for (let level = path.length - 1; level >= 0; level--) {
    const step = path[level];
    if (step === undefined) return;
    const index = Math.max(step.index, 0);
    const node: ExtentNode = step.node.edit();
    node.removeEntry(index);
    if (node.entries > 0) {
      if (index === 0) setKeys(path.slice(0, level + 1), node.key(0));
      return;
    }
    if (node.no === undefined) {
      node.header.eh_depth = 0;
      return;
    }
    freeBlocks(inode.op, { start: node.no, count: 1 }, 'metadata');
    inode.addBlocks(-1);
  }
}
