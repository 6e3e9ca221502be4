// The block map of ext2 and ext3: 12 direct pointers, then blocks of pointers one, two and three
// levels deep. ifork.rst, "Direct/Indirect Block Addressing".

import { EFBIG, EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import type { Inode } from '../inode/inode.ts';
import { EXT4_IND_BLOCK, EXT4_NDIR_BLOCKS } from '../ondisk.ts';
import { allocBlocks, freeBlocks, type Run } from '../volume/block-alloc.ts';
import { groupOfBlock, isDataBlock } from '../volume/group.ts';
import type { Mapping } from './extent.ts';
import type { Budget } from './extent-truncate.ts';

/** The way to a pointer: the slot in i_block, then an index in each block of pointers. */
interface Route {
  slot: number;
  indexes: number[];
}

const pointersIn = (inode: Inode): number => inode.op.vol.blockSize / 4;

/** Blocks that a file may have at most with this map. */
export function maxIndirectBlocks(blockSize: number): number {
  const n = blockSize / 4;
  return EXT4_NDIR_BLOCKS + n + n * n + n * n * n;
}

function route(inode: Inode, lblock: number): Route {
  if (lblock < EXT4_NDIR_BLOCKS) return { slot: lblock, indexes: [] };
  const n = pointersIn(inode);
  let rest = lblock - EXT4_NDIR_BLOCKS;
  for (let levels = 1; levels <= 3; levels++) {
    const span = n ** levels;
    if (rest < span) {
      const indexes: number[] = [];
      for (let l = levels - 1; l >= 0; l--) indexes.push(Math.floor(rest / n ** l) % n);
      return { slot: EXT4_IND_BLOCK + levels - 1, indexes };
    }
    rest -= span;
  }
  return fail(EFBIG, `inode ${inode.ino}: block ${lblock} is beyond the block map`);
}

/** Some pointers side by side: those in the inode, or a block of them. */
interface Table {
  no: number | undefined;
  view: DataView;
  at: number;
}

const inodeTable = (inode: Inode): Table => ({
  no: undefined,
  view: inode.raw.view,
  at: inode.blockAt,
});

function pointer(inode: Inode, table: Table, index: number): number {
  const block = table.view.getUint32(table.at + index * 4, true);
  if (block !== 0 && !isDataBlock(inode.op.vol, block))
    fail(EUCLEAN, `inode ${inode.ino}: pointer to block ${block} in ${where(table)}`);
  return block;
}

const where = ({ no }: Table): string => (no === undefined ? 'the inode' : `block ${no}`);

function setPointer(inode: Inode, table: Table, entry: { index: number; block: number }): void {
  const view = table.no === undefined ? inode.edit().view : inode.op.tx.edit(table.no).view;
  view.setUint32(table.at + entry.index * 4, entry.block, true);
}

const pointerBlock = (inode: Inode, no: number): Table => ({
  no,
  view: inode.op.tx.read(no).view,
  at: 0,
});

export function lookupIndirect(inode: Inode, lblock: number): Mapping {
  const { slot, indexes } = route(inode, lblock);
  const hole = (count: number): Mapping => ({ lblock, count, pblock: undefined, unwritten: false });
  let table = inodeTable(inode);
  let index = slot;
  for (const [depth, next] of indexes.entries()) {
    const child = pointer(inode, table, index);
    if (child === 0) return hole(spanBelow(inode, indexes, depth));
    table = pointerBlock(inode, child);
    index = next;
  }
  const end = indexes.length === 0 ? EXT4_NDIR_BLOCKS : pointersIn(inode);
  const first = pointer(inode, table, index);
  let count = 1;
  while (index + count < end) {
    const next = pointer(inode, table, index + count);
    if (next !== (first === 0 ? 0 : first + count)) break;
    count++;
  }
  return first === 0 ? hole(count) : { lblock, count, pblock: first, unwritten: false };
}

/** File blocks from the one looked for to the end of an absent subtree. */
function spanBelow(inode: Inode, indexes: number[], depth: number): number {
  const n = pointersIn(inode);
  const below = indexes.slice(depth);
  const offset = below.reduce((sum, index) => sum * n + index, 0);
  return n ** below.length - offset;
}

/** The first pointer of a file without blocks. */
export const putFirstBlock = (inode: Inode, block: number): void =>
  setPointer(inode, inodeTable(inode), { index: 0, block });

/** Fills the hole at `lblock` with up to `count` blocks in one run. */
export function fillIndirect(inode: Inode, lblock: number, count: number): Run {
  const { op } = inode;
  const { slot, indexes } = route(inode, lblock);
  let table = inodeTable(inode);
  let index = slot;
  for (const next of indexes) {
    let child = pointer(inode, table, index);
    if (child === 0) {
      child = allocBlocks(op, { goal: goalIn(inode, table, index), count: 1 }).start;
      op.tx.create(child);
      inode.addBlocks(1);
      setPointer(inode, table, { index, block: child });
      if (table.no === undefined) table = inodeTable(inode);
    }
    table = pointerBlock(inode, child);
    index = next;
  }
  const end = indexes.length === 0 ? EXT4_NDIR_BLOCKS : pointersIn(inode);
  let room = 1;
  while (room < count && index + room < end && pointer(inode, table, index + room) === 0) room++;
  const run = allocBlocks(op, { goal: goalIn(inode, table, index), count: room });
  if (run.start + run.count > 0xffff_ffff) fail(EFBIG, 'a block map holds 32-bit block numbers');
  for (let i = 0; i < run.count; i++)
    setPointer(inode, table, { index: index + i, block: run.start + i });
  inode.addBlocks(run.count);
  return run;
}

/** Behind the nearest pointer before; else behind the table itself; else 0. */
function goalIn(inode: Inode, table: Table, index: number): number {
  for (let i = index - 1; i >= Math.max(0, index - 64); i--) {
    const block = pointer(inode, table, i);
    if (block !== 0) return block + (index - i);
  }
  return table.no === undefined ? 0 : table.no + 1;
}

/** Frees blocks from file block `from` on, last first. True when none is left. */
export function truncateIndirect(inode: Inode, from: number, budget: Budget): boolean {
  const n = pointersIn(inode);
  for (let levels = 3; levels >= 1; levels--) {
    const index = EXT4_IND_BLOCK + levels - 1;
    const block = pointer(inode, inodeTable(inode), index);
    if (block === 0) continue;
    const start = EXT4_NDIR_BLOCKS + spanOf(n, levels - 1);
    const keep = Math.max(0, from - start);
    if (keep >= n ** levels) return true;
    const done = cutTree(inode, { no: block, levels, keep, budget });
    if (!done) return false;
    if (keep === 0) dropPointers(inode, inodeTable(inode), { index, count: 1, what: 'metadata' });
  }
  cutDirect(inode, from);
  return true;
}

/** File blocks below the single to `levels`-fold indirect pointers together. */
const spanOf = (n: number, levels: number): number => {
  let span = 0;
  for (let l = 1; l <= levels; l++) span += n ** l;
  return span;
};

interface Cut {
  no: number; // a block of pointers
  levels: number; // 1: its pointers are to data
  keep: number; // file blocks below it that stay
  budget: Budget;
}

/** Frees what lies below a block of pointers, from its end. False when the budget is used up. */
function cutTree(inode: Inode, { no, levels, keep, budget }: Cut): boolean {
  const n = pointersIn(inode);
  const span = n ** (levels - 1);
  const table = pointerBlock(inode, no);
  if (levels === 1) return cutData(inode, { table, keep, budget });
  for (let index = n - 1; index >= Math.floor(keep / span); index--) {
    const child = pointer(inode, table, index);
    if (child === 0) continue;
    const below = Math.max(0, keep - index * span);
    const whole = below === 0;
    if (!cutTree(inode, { no: child, levels: levels - 1, keep: below, budget })) return false;
    if (!whole) continue;
    dropPointers(inode, pointerBlock(inode, no), { index, count: 1, what: 'metadata' });
    if (--budget.left <= 0 && index > 0) return false;
  }
  return true;
}

/** Frees the data blocks of one block of pointers, in runs. */
function cutData(
  inode: Inode,
  { table, keep, budget }: { table: Table; keep: number; budget: Budget },
): boolean {
  const { vol } = inode.op;
  let lastGroup = -1;
  for (let index = pointersIn(inode) - 1; index >= keep; index--) {
    const block = pointer(inode, table, index);
    if (block === 0) continue;
    const group = groupOfBlock(vol, block);
    if (group !== lastGroup && budget.left-- <= 0) return false;
    lastGroup = group;
    let count = 1;
    while (index - count >= keep && pointer(inode, table, index - count) === block - count) count++;
    index -= count - 1;
    dropPointers(inode, table, { index, count, what: dataKind(inode) });
  }
  return true;
}

function cutDirect(inode: Inode, from: number): void {
  for (let index = EXT4_NDIR_BLOCKS - 1; index >= from; index--)
    if (pointer(inode, inodeTable(inode), index) !== 0)
      dropPointers(inode, inodeTable(inode), { index, count: 1, what: dataKind(inode) });
}

const dataKind = (inode: Inode): 'metadata' | 'data' =>
  inode.isDir || inode.isSymlink ? 'metadata' : 'data';

interface Drop {
  index: number;
  count: number; // pointers to blocks in one run
  what: 'metadata' | 'data';
}

function dropPointers(inode: Inode, table: Table, { index, count, what }: Drop): void {
  const start = pointer(inode, table, index);
  for (let i = index; i < index + count; i++) setPointer(inode, table, { index: i, block: 0 });
  freeBlocks(inode.op, { start, count }, what);
  inode.addBlocks(-count);
}
