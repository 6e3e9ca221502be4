// Writes an inode's map anew, from the runs that are left of it: an extent tree or a block map of new
// blocks. ifork.rst.

import { EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import {
  EXT_INIT_MAX_LEN,
  EXT_UNWRITTEN_MAX_LEN,
  EXT4_EXT_MAGIC,
  EXT4_EXTENTS_FL,
  EXT4_HUGE_FILE_FL,
  EXT4_NDIR_BLOCKS,
  ExtentHeader,
  ExtentIdx,
  ExtentLeaf,
  I_BLOCK_OFFSET,
  I_BLOCK_SIZE,
} from '../ondisk.ts';
import { extentSealing } from '../volume/checksum.ts';
import { has } from '../volume/superblock.ts';
import type { BlockMap, Run } from './map.ts';
import type { State } from './state.ts';

/** The old map's own blocks are given back first. */
export function rewriteMap(state: State, ino: number, map: BlockMap): BlockMap {
  for (const block of map.meta) state.free(block);
  const extents = (state.inode(ino).i_flags & EXT4_EXTENTS_FL) !== 0;
  const meta = extents ? writeTree(state, ino, map.runs) : writePointers(state, ino, map.runs);
  const written = { runs: map.runs, meta, wrong: [] };
  setBlocks(state, ino, written);
  return written;
}

/** How many blocks the inode has, its attribute block among them, as i_blocks counts them. */
export function blocksOf(state: State, ino: number, map: BlockMap): number {
  const inode = state.inode(ino);
  const attributes = inode.i_file_acl_lo + inode.i_file_acl_high * 2 ** 32 === 0 ? 0 : 1;
  const data = map.runs.reduce((sum, { count }) => sum + count, 0);
  const unit = (inode.i_flags & EXT4_HUGE_FILE_FL) !== 0 ? 1 : state.vol.blockSize / 512;
  return (data + map.meta.length + attributes) * unit;
}

export function setBlocks(state: State, ino: number, map: BlockMap): void {
  const blocks = blocksOf(state, ino, map);
  state.change(ino, (inode) => {
    inode.i_blocks_lo = blocks % 2 ** 32;
    if (has.hugeFile(state.vol)) inode.i_blocks_high = Math.floor(blocks / 2 ** 32);
  });
}

interface Entry {
  readonly lblock: number;
  readonly write: (view: DataView, at: number) => void;
}

function writeTree(state: State, ino: number, runs: readonly Run[]): number[] {
  const { blockSize } = state.vol;
  const meta: number[] = [];
  const { seal } = extentSealing(state.vol, ino, state.seed(ino));
  const perBlock = Math.floor((blockSize - 12 - 4) / 12);
  const inInode = I_BLOCK_SIZE / 12 - 1;
  let entries = extentsOf(runs);
  let depth = 0;
  for (; entries.length > inInode; depth++) {
    const above: Entry[] = [];
    for (let i = 0; i < entries.length; i += perBlock) {
      const some = entries.slice(i, i + perBlock);
      const { no } = state.allocate();
      const { view } = state.tx.edit(no, seal);
      putNode(view, { at: 0, max: perBlock, depth, entries: some });
      meta.push(no);
      above.push(indexOf(some[0]?.lblock ?? 0, no));
    }
    entries = above;
  }
  state.change(ino, (inode) => {
    const { view } = inode;
    new Uint8Array(view.buffer, view.byteOffset + inode.at + I_BLOCK_OFFSET, I_BLOCK_SIZE).fill(0);
    putNode(view, { at: inode.at + I_BLOCK_OFFSET, max: inInode, depth, entries });
  });
  return meta;
}

/** Neighbours are joined, long runs cut to what an extent holds. */
function extentsOf(runs: readonly Run[]): Entry[] {
  const entries: Entry[] = [];
  for (const { lblock, block, count, unwritten } of runs) {
    const most = unwritten ? EXT_UNWRITTEN_MAX_LEN : EXT_INIT_MAX_LEN;
    for (let done = 0; done < count; done += most) {
      const length = Math.min(most, count - done);
      const start = block + done;
      entries.push({
        lblock: lblock + done,
        write(view, at) {
          const e = new ExtentLeaf(view, at);
          e.ee_block = lblock + done;
          e.ee_len = unwritten ? length + EXT_INIT_MAX_LEN : length;
          e.ee_start_lo = start % 2 ** 32;
          e.ee_start_hi = Math.floor(start / 2 ** 32);
        },
      });
    }
  }
  return entries;
}

const indexOf = (lblock: number, child: number): Entry => ({
  lblock,
  write(view, at) {
    const e = new ExtentIdx(view, at);
    e.ei_block = lblock;
    e.ei_leaf_lo = child % 2 ** 32;
    e.ei_leaf_hi = Math.floor(child / 2 ** 32);
    e.ei_unused = 0;
  },
});

function putNode(
  view: DataView,
  {
    at,
    max,
    depth,
    entries,
  }: { at: number; max: number; depth: number; entries: readonly Entry[] },
): void {
  const header = new ExtentHeader(view, at);
  header.eh_magic = EXT4_EXT_MAGIC;
  header.eh_entries = entries.length;
  header.eh_max = max;
  header.eh_depth = depth;
  header.eh_generation = 0;
  entries.forEach((entry, i) => {
    entry.write(view, at + 12 * (i + 1));
  });
}

function writePointers(state: State, ino: number, runs: readonly Run[]): number[] {
  const per = state.vol.blockSize / 4;
  const meta: number[] = [];
  const roots = new Array<number>(EXT4_NDIR_BLOCKS + 3).fill(0);
  const put = (lblock: number, block: number): void => {
    if (lblock < EXT4_NDIR_BLOCKS) {
      roots[lblock] = block;
      return;
    }
    let rest = lblock - EXT4_NDIR_BLOCKS;
    let level = 1;
    for (; rest >= per ** level; level++) rest -= per ** level;
    if (level > 3) fail(EUCLEAN, `inode ${ino}: no block map reaches block ${lblock}`);
    const slot = EXT4_NDIR_BLOCKS + level - 1;
    let at = roots[slot] ?? 0;
    if (at === 0) at = roots[slot] = take();
    for (let below = level - 1; below > 0; below--) {
      const place = Math.floor(rest / per ** below) * 4;
      rest %= per ** below;
      const { view } = state.tx.edit(at);
      let child = view.getUint32(place, true);
      if (child === 0) {
        child = take();
        view.setUint32(place, child, true);
      }
      at = child;
    }
    state.tx.edit(at).view.setUint32(rest * 4, block, true);
  };
  const take = (): number => {
    const { no } = state.allocate();
    meta.push(no);
    return no;
  };
  for (const { lblock, block, count } of runs)
    for (let i = 0; i < count; i++) put(lblock + i, block + i);
  state.change(ino, ({ view, at }) => {
    for (const [slot, block] of roots.entries())
      view.setUint32(at + I_BLOCK_OFFSET + slot * 4, block, true);
  });
  return meta;
}
