// The bitmaps of a group: reading them with their checksum, making those that mkfs left out
// (BLOCK_UNINIT, INODE_UNINIT), finding and changing bits. bitmaps.rst.

import { EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import { crc32c } from '../../lib/crc32c.ts';
import type { Block, Transaction } from '../../lib/transaction.ts';
import { EXT4_BG_BLOCK_UNINIT, EXT4_BG_INODE_UNINIT } from '../ondisk.ts';
import { baseMetaBlocks, blocksIn, firstBlockOf, type Group } from './group.ts';
import { has, type Volume } from './superblock.ts';

/** The block bitmap for reading; of an uninitialised group it is made up in memory. */
export function readBlockBitmap(tx: Transaction, vol: Volume, group: Group): Uint8Array {
  if (isUninit(vol, group, EXT4_BG_BLOCK_UNINIT)) {
    const bits = new Uint8Array(vol.blockSize);
    fillBlockBitmap(vol, group, bits);
    return bits;
  }
  const wanted = group.blockBitmapCsum;
  const what = `group ${group.index}: block bitmap`;
  return tx.read(group.blockBitmap, (block) =>
    checkBitmap(vol, block, { what, group, wanted, bits: bitsPerGroup(vol) }),
  ).bytes;
}

/** The block bitmap, staged for change; an uninitialised one is made first. */
export function editBlockBitmap(tx: Transaction, vol: Volume, group: Group): Uint8Array {
  group.blockBitmapDirty = true;
  if (!isUninit(vol, group, EXT4_BG_BLOCK_UNINIT)) {
    readBlockBitmap(tx, vol, group);
    return tx.edit(group.blockBitmap).bytes;
  }
  const { bytes } = tx.create(group.blockBitmap);
  fillBlockBitmap(vol, group, bytes);
  group.flags &= ~EXT4_BG_BLOCK_UNINIT;
  return bytes;
}

export function readInodeBitmap(tx: Transaction, vol: Volume, group: Group): Uint8Array {
  if (isUninit(vol, group, EXT4_BG_INODE_UNINIT)) {
    const bits = new Uint8Array(vol.blockSize);
    fillInodeBitmap(vol, bits);
    return bits;
  }
  const wanted = group.inodeBitmapCsum;
  const what = `group ${group.index}: inode bitmap`;
  return tx.read(group.inodeBitmap, (block) =>
    checkBitmap(vol, block, { what, group, wanted, bits: vol.inodesPerGroup }),
  ).bytes;
}

export function editInodeBitmap(tx: Transaction, vol: Volume, group: Group): Uint8Array {
  group.inodeBitmapDirty = true;
  if (!isUninit(vol, group, EXT4_BG_INODE_UNINIT)) {
    readInodeBitmap(tx, vol, group);
    return tx.edit(group.inodeBitmap).bytes;
  }
  const { bytes } = tx.create(group.inodeBitmap);
  fillInodeBitmap(vol, bytes);
  group.flags &= ~EXT4_BG_INODE_UNINIT;
  return bytes;
}

/** Both bitmaps of a group without files, made anew whatever lies there: for mkfs. */
export function initBitmaps(
  tx: Transaction,
  vol: Volume,
  group: Group,
): { blocks: Uint8Array; inodes: Uint8Array } {
  group.blockBitmapDirty = true;
  group.inodeBitmapDirty = true;
  const { bytes: blocks } = tx.create(group.blockBitmap);
  const { bytes: inodes } = tx.create(group.inodeBitmap);
  fillBlockBitmap(vol, group, blocks);
  fillInodeBitmap(vol, inodes);
  return { blocks, inodes };
}

/** Sets the checksums of the bitmaps that this request changed. */
export function sealBitmaps(tx: Transaction, vol: Volume, group: Group): void {
  if (!has.metadataCsum(vol)) return;
  if (group.blockBitmapDirty)
    group.blockBitmapCsum = bitmapCsum(vol, tx.read(group.blockBitmap), bitsPerGroup(vol));
  if (group.inodeBitmapDirty)
    group.inodeBitmapCsum = bitmapCsum(vol, tx.read(group.inodeBitmap), vol.inodesPerGroup);
}

const bitsPerGroup = (vol: Volume): number => vol.blocksPerGroup / vol.clusterRatio;

/** The flags mean something only where descriptors are checksummed. */
const isUninit = (vol: Volume, group: Group, flag: number): boolean =>
  (group.flags & flag) !== 0 && (has.metadataCsum(vol) || has.gdtCsum(vol));

const bitmapCsum = (vol: Volume, block: Block, bits: number): number =>
  crc32c(vol.csumSeed, block.bytes.subarray(0, bits >>> 3));

interface BitmapCheck {
  what: string;
  group: Group;
  wanted: number;
  bits: number;
}

function checkBitmap(vol: Volume, block: Block, { what, group, wanted, bits }: BitmapCheck): void {
  if (!has.metadataCsum(vol)) return;
  if (group.fitCsum(bitmapCsum(vol, block, bits)) !== wanted)
    fail(EUCLEAN, `${what} (block ${block.no}): bad checksum`);
}

/** What the bitmap of a group without files is: its own metadata, and the bits beyond its end. */
function fillBlockBitmap(vol: Volume, group: Group, bits: Uint8Array): void {
  const first = firstBlockOf(vol, group.index);
  const count = blocksIn(vol, group.index);
  setBits(bits, 0, baseMetaBlocks(vol, group.index));
  const tableBlocks = Math.ceil((vol.inodesPerGroup * vol.inodeSize) / vol.blockSize);
  markOwn(bits, group.blockBitmap - first, 1);
  markOwn(bits, group.inodeBitmap - first, 1);
  markOwn(bits, group.inodeTable - first, tableBlocks);
  setBits(bits, count, vol.blockSize * 8 - count);

  function markOwn(target: Uint8Array, at: number, length: number): void {
    const from = Math.max(0, at);
    const to = Math.min(count, at + length);
    if (from < to) setBits(target, from, to - from);
  }
}

const fillInodeBitmap = (vol: Volume, bits: Uint8Array): void =>
  setBits(bits, vol.inodesPerGroup, vol.blockSize * 8 - vol.inodesPerGroup);

export const testBit = (bits: Uint8Array, at: number): boolean =>
  ((bits[at >>> 3] ?? 0) & (1 << (at & 7))) !== 0;

export function setBits(bits: Uint8Array, from: number, count: number): void {
  const end = from + count;
  let at = from;
  for (; at < end && (at & 7) !== 0; at++) orByte(bits, at >>> 3, 1 << (at & 7));
  const whole = (end - at) >>> 3;
  if (whole > 0) bits.fill(0xff, at >>> 3, (at >>> 3) + whole);
  at += whole * 8;
  for (; at < end; at++) orByte(bits, at >>> 3, 1 << (at & 7));
}

export function clearBits(bits: Uint8Array, from: number, count: number): void {
  for (let at = from; at < from + count; at++)
    bits[at >>> 3] = (bits[at >>> 3] ?? 0) & ~(1 << (at & 7));
}

function orByte(bits: Uint8Array, at: number, mask: number): void {
  bits[at] = (bits[at] ?? 0) | mask;
}

/** The first clear bit in [from, end), or `end`. */
export function nextClear(bits: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end) {
    const byte = bits[at >>> 3] ?? 0xff;
    if (byte === 0xff) at = (at | 7) + 1;
    else if ((byte & (1 << (at & 7))) === 0) return at;
    else at++;
  }
  return end;
}

/** The first set bit in [from, end), or `end`. */
export function nextSet(bits: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end) {
    const byte = bits[at >>> 3] ?? 0;
    if (byte === 0) at = (at | 7) + 1;
    else if ((byte & (1 << (at & 7))) !== 0) return at;
    else at++;
  }
  return end;
}
