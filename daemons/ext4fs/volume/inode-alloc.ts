// Allocating and freeing inodes: files near their directory, top-level directories spread over the
// volume (the idea of Orlov's allocator). bitmaps.rst; group_descr.rst on bg_itable_unused.

import { S_IFDIR, S_IFMT } from '../../../kernel/abi/constants.ts';
import { ENOSPC, EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import { type Inode, inodeLocation } from '../inode/inode.ts';
import { EXT4_ROOT_INO } from '../ondisk.ts';
import type { Op } from '../op.ts';
import {
  clearBits,
  editInodeBitmap,
  nextClear,
  nextSet,
  readInodeBitmap,
  setBits,
  testBit,
} from './bitmap.ts';
import { type Group, groupOfInode } from './group.ts';
import { has } from './superblock.ts';

/** Groups that a new top-level directory chooses from. */
const SPREAD_SAMPLES = 8;

/** Takes an inode for a file of `mode` in directory `parent`; its fields are all zero. */
export function allocInode(op: Op, parent: number, mode: number): Inode {
  const { vol } = op;
  if (op.env.refuses?.('inodes')) fail(ENOSPC, 'no free inode');
  const isDir = (mode & S_IFMT) === S_IFDIR;
  const home = groupOfInode(vol, parent);
  const start = isDir && parent === EXT4_ROOT_INO ? roomiestGroup(op) : home;
  for (let i = 0; i < vol.groupCount; i++) {
    const group = op.group((start + i) % vol.groupCount);
    if (group.freeInodes === 0) continue;
    const bit = freeBit(op, group);
    if (bit === undefined) continue;
    return takeInode(op, group, { bit, isDir });
  }
  return fail(ENOSPC, 'no free inode');
}

/** Of a few groups chosen at random, the one with most free blocks that has inodes enough. */
function roomiestGroup(op: Op): number {
  const { groupCount, inodesPerGroup } = op.vol;
  const offset = op.tx.random() % groupCount;
  let best = 0;
  let score = -1;
  for (let i = 0; i < Math.min(groupCount, SPREAD_SAMPLES); i++) {
    const group = op.group((offset + i) % groupCount);
    if (group.freeInodes < inodesPerGroup / 8) continue;
    const blocks = group.freeBlocks - group.usedDirs * 8;
    if (blocks <= score) continue;
    best = group.index;
    score = blocks;
  }
  return best;
}

function freeBit(op: Op, group: Group): number | undefined {
  const { vol } = op;
  const reserved = group.index === 0 ? vol.firstIno - 1 : 0;
  const bits = readInodeBitmap(op.tx, vol, group);
  const bit = nextClear(bits, reserved, vol.inodesPerGroup);
  return bit < vol.inodesPerGroup ? bit : undefined;
}

function takeInode(op: Op, group: Group, { bit, isDir }: { bit: number; isDir: boolean }): Inode {
  const { tx, vol } = op;
  const ino = group.index * vol.inodesPerGroup + bit + 1;
  const fresh = blockIsUnused(op, group, bit);
  setBits(editInodeBitmap(tx, vol, group), bit, 1);
  group.freeInodes -= 1;
  if (isDir) group.usedDirs += 1;
  const used = vol.inodesPerGroup - group.itableUnused;
  if (tracksUnused(op) && bit + 1 > used) group.itableUnused = vol.inodesPerGroup - (bit + 1);
  const { block, at } = inodeLocation(op, ino);
  const staged = fresh ? tx.create(block) : tx.edit(readInodeBlock(op, block));
  staged.bytes.fill(0, at, at + vol.inodeSize);
  const inode = op.inode(ino);
  inode.adopt(staged);
  inode.freed = false;
  return inode;
}

/** Takes this inode, which was free; its fields are all zero. */
export function claimInode(op: Op, ino: number, isDir: boolean): Inode {
  const group = op.group(groupOfInode(op.vol, ino));
  const bit = (ino - 1) % op.vol.inodesPerGroup;
  return takeInode(op, group, { bit, isDir });
}

const tracksUnused = (op: Op): boolean => has.metadataCsum(op.vol) || has.gdtCsum(op.vol);

function readInodeBlock(op: Op, block: number): number {
  op.tx.read(block);
  return block;
}

/** No inode of the table block is in use: its content need not be read, it may be no inodes yet. */
function blockIsUnused(op: Op, group: Group, bit: number): boolean {
  const { vol } = op;
  const per = vol.blockSize / vol.inodeSize;
  const first = bit - (bit % per);
  const end = Math.min(first + per, vol.inodesPerGroup);
  return nextSet(readInodeBitmap(op.tx, vol, group), first, end) === end;
}

/** Gives the inode back; the caller has cleared its fields. */
export function freeInode(op: Op, ino: number, mode: number): void {
  const { vol } = op;
  const group = op.group(groupOfInode(vol, ino));
  const bit = (ino - 1) % vol.inodesPerGroup;
  if (ino < vol.firstIno) fail(EUCLEAN, `freeing reserved inode ${ino}`);
  const bits = editInodeBitmap(op.tx, vol, group);
  if (!testBit(bits, bit)) fail(EUCLEAN, `inode ${ino} is free already`);
  op.inode(ino).freed = true;
  clearBits(bits, bit, 1);
  group.freeInodes += 1;
  if ((mode & S_IFMT) === S_IFDIR) group.usedDirs -= 1;
}

/** Is the inode in use, as the bitmap says? For handles that come from outside. */
export function inodeInUse(op: Op, ino: number): boolean {
  const { vol } = op;
  if (ino < 1 || ino > vol.inodesCount) return false;
  const bits = readInodeBitmap(op.tx, vol, op.group(groupOfInode(vol, ino)));
  return testBit(bits, (ino - 1) % vol.inodesPerGroup);
}
