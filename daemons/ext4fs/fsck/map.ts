// Where the blocks of an inode lie, as far as its map can be believed: extents or a block map, every
// length, order and checksum looked at. ifork.rst.

import { PosixError } from '../../../kernel/abi/errno.ts';
import type { Block } from '../../lib/transaction.ts';
import {
  EXT_INIT_MAX_LEN,
  EXT4_EXT_MAGIC,
  EXT4_EXTENTS_FL,
  EXT4_MAX_EXTENT_DEPTH,
  EXT4_NDIR_BLOCKS,
  ExtentHeader,
  ExtentIdx,
  ExtentLeaf,
  I_BLOCK_OFFSET,
  I_BLOCK_SIZE,
} from '../ondisk.ts';
import { extentSealing } from '../volume/checksum.ts';
import { isDataBlock } from '../volume/group.ts';
import { has } from '../volume/superblock.ts';
import type { State } from './state.ts';

export interface Run {
  readonly lblock: number;
  readonly block: number;
  readonly count: number;
  readonly unwritten: boolean;
}

export interface BlockMap {
  readonly runs: Run[];
  /** Blocks of the map itself. */
  readonly meta: number[];
  /** What is wrong with it: such a map is written anew. */
  readonly wrong: string[];
}

/** Names of wrongs that are kept of one inode. */
const WRONG_MAX = 8;

export function readMap(state: State, ino: number): BlockMap {
  const map: BlockMap = { runs: [], meta: [], wrong: [] };
  const inode = state.inode(ino);
  const { view } = inode;
  const at = inode.at + I_BLOCK_OFFSET;
  if ((inode.i_flags & EXT4_EXTENTS_FL) === 0) readBlockMap(state, { view, at }, map);
  else {
    const { eh_depth: depth, eh_entries, eh_magic } = new ExtentHeader(view, at);
    if (eh_entries === 0 && eh_magic === EXT4_EXT_MAGIC) return map; // empty, however deep
    if (depth > EXT4_MAX_EXTENT_DEPTH) wrong(map, `an extent tree of depth ${depth}`);
    else new Tree(state, ino, map).node({ view, at, room: I_BLOCK_SIZE, depth, first: 0 });
  }
  return map;
}

function wrong(map: BlockMap, what: string): void {
  if (map.wrong.length < WRONG_MAX) map.wrong.push(what);
}

interface Node {
  readonly view: DataView;
  readonly at: number;
  readonly room: number;
  readonly depth: number;
  /** The first block of the file that stands here, as the node above says. */
  readonly first: number;
}

class Tree {
  readonly #state: State;
  readonly #ino: number;
  readonly #map: BlockMap;
  #next = 0;
  readonly #seen = new Set<number>();

  constructor(state: State, ino: number, map: BlockMap) {
    this.#state = state;
    this.#ino = ino;
    this.#map = map;
  }

  node({ view, at, room, depth, first }: Node): void {
    const { eh_magic, eh_entries, eh_max, eh_depth } = new ExtentHeader(view, at);
    const fits = eh_max > 0 && (eh_max + 1) * 12 <= room && eh_entries <= eh_max;
    if (eh_magic !== EXT4_EXT_MAGIC || eh_depth !== depth || !fits) {
      wrong(this.#map, `an extent node's header`);
      return;
    }
    if (eh_entries === 0 && room !== I_BLOCK_SIZE) wrong(this.#map, 'an empty extent node');
    for (let i = 0; i < eh_entries; i++) {
      const entry = at + 12 * (i + 1);
      if (depth === 0) this.#extent(view, entry, i === 0 ? first : undefined);
      else this.#index(view, { at: entry, depth, first: i === 0 ? first : undefined });
    }
  }

  #extent(view: DataView, at: number, first: number | undefined): void {
    const e = new ExtentLeaf(view, at);
    const unwritten = e.ee_len > EXT_INIT_MAX_LEN;
    const count = unwritten ? e.ee_len - EXT_INIT_MAX_LEN : e.ee_len;
    const block = e.ee_start_hi * 2 ** 32 + e.ee_start_lo;
    const lblock = e.ee_block;
    const inside = count > 0 && isDataBlock(this.#state.vol, block, count);
    if (!inside || lblock < this.#next || lblock + count > 2 ** 32) {
      wrong(this.#map, `an extent of ${count} blocks at ${block} for block ${lblock}`);
      return;
    }
    if (first !== undefined && first !== 0 && first !== lblock)
      wrong(this.#map, `an index of block ${first} over an extent of ${lblock}`);
    this.#map.runs.push({ lblock, block, count, unwritten });
    this.#next = lblock + count;
  }

  #index(
    view: DataView,
    { at, depth, first }: { at: number; depth: number; first: number | undefined },
  ): void {
    const e = new ExtentIdx(view, at);
    const child = e.ei_leaf_hi * 2 ** 32 + e.ei_leaf_lo;
    const { vol, tx } = this.#state;
    if (!isDataBlock(vol, child) || this.#seen.has(child) || e.ei_block < this.#next) {
      wrong(this.#map, `an extent index at block ${child}`);
      return;
    }
    if (first !== undefined && first !== 0 && first !== e.ei_block)
      wrong(this.#map, `an index of block ${first} over one of ${e.ei_block}`);
    this.#seen.add(child);
    this.#map.meta.push(child);
    const block = tx.read(child);
    this.#checksum(block);
    this.node({
      view: block.view,
      at: 0,
      room: vol.blockSize,
      depth: depth - 1,
      first: e.ei_block,
    });
  }

  #checksum(block: Block): void {
    const { vol } = this.#state;
    if (!has.metadataCsum(vol)) return;
    try {
      extentSealing(vol, this.#ino, this.#state.seed(this.#ino)).check(block);
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      wrong(this.#map, `the checksum of extent block ${block.no}`);
    }
  }
}

function readBlockMap(
  state: State,
  { view, at }: { view: DataView; at: number },
  map: BlockMap,
): void {
  const { vol, tx } = state;
  const per = vol.blockSize / 4;
  const add = (block: number, lblock: number): void => {
    if (!isDataBlock(vol, block)) {
      wrong(map, `a pointer to block ${block}`);
      return;
    }
    const last = map.runs.at(-1);
    if (last && last.lblock + last.count === lblock && last.block + last.count === block)
      map.runs[map.runs.length - 1] = { ...last, count: last.count + 1 };
    else map.runs.push({ lblock, block, count: 1, unwritten: false });
  };
  const seen = new Set<number>();
  const walk = (block: number, level: number, lblock: number): void => {
    if (block === 0) return;
    if (level === 0) {
      add(block, lblock);
      return;
    }
    if (!isDataBlock(vol, block) || seen.has(block)) {
      wrong(map, `a pointer to map block ${block}`);
      return;
    }
    seen.add(block);
    map.meta.push(block);
    const below = tx.read(block).view;
    for (let i = 0; i < per; i++)
      walk(below.getUint32(i * 4, true), level - 1, lblock + i * per ** (level - 1));
  };
  let lblock = 0;
  for (let slot = 0; slot < EXT4_NDIR_BLOCKS + 3; slot++) {
    const level = Math.max(0, slot - EXT4_NDIR_BLOCKS + 1);
    walk(view.getUint32(at + slot * 4, true), level, lblock);
    lblock += per ** level;
  }
}
