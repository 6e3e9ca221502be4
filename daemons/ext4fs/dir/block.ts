// A block of directory entries: walking it with every length checked, finding a name, putting one
// in, taking one out. directory.rst, "Linear (Classic) Directories".

import { EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import type { Block } from '../../lib/transaction.ts';
import type { Inode } from '../inode/inode.ts';
import { mustMap } from '../map/map.ts';
import { DIR_ENTRY_HEAD, DirEntryTail, EXT4_FT_DIR_CSUM } from '../ondisk.ts';
import { has } from '../volume/superblock.ts';
import { inlineParts } from './inline.ts';

/** An entry as it lies in its block. */
export interface Entry {
  at: number;
  recLen: number;
  ino: number; // 0 = unused
  nameLength: number;
  type: number; // EXT4_FT_*, 0 = not told
}

/** What is put into a directory. */
export interface NewEntry {
  name: Uint8Array;
  ino: number;
  type: number;
}

export const dirBlockCount = (dir: Inode): number => {
  const { size } = dir;
  const { blockSize, blocksCount } = dir.op.vol;
  if (size === 0 || size % blockSize !== 0 || size / blockSize > blocksCount)
    fail(EUCLEAN, `directory ${dir.ino}: size ${size}`);
  return size / blockSize;
};

/** Bytes at the end of a block taken by the checksum's fake entry. */
export const tailSize = (dir: Inode): number =>
  has.metadataCsum(dir.op.vol) && !dir.isInline ? DirEntryTail.size : 0;

export const readLeaf = (dir: Inode, lblock: number): Block =>
  dir.op.tx.read(mustMap(dir, lblock), dir.leafSealing.check);

/** Staged for change; of a directory that lies in its inode the part with this number. */
export const editLeaf = (dir: Inode, block: Block): Block =>
  dir.isInline
    ? (inlineParts(dir, 'edit')[block.no] ?? fail(EUCLEAN, `directory ${dir.ino}: no part`))
    : dir.op.tx.edit(block.no, dir.leafSealing.seal);

/** rec_len is 16 bits; 64 KiB blocks write 65536 as 65535 or 0. */
const recLenAt = (block: Block, at: number): number => {
  const raw = block.view.getUint16(at + 4, true);
  if (block.view.byteLength < 65536) return raw;
  return raw === 65535 || raw === 0 ? 65536 : (raw & 65532) | ((raw & 3) << 16);
};

export const setRecLen = (block: Block, at: number, length: number): void =>
  block.view.setUint16(at + 4, length >= 65536 ? 65535 : length, true);

/** Bytes that an entry with a name of this length takes. */
export const entrySize = (nameLength: number): number => (DIR_ENTRY_HEAD + nameLength + 3) & ~3;

/**
 * The entry at `at`, checked: it lies inside the block, its name inside it, its inode on the
 * volume. Whoever walks a block gets ahead by at least 12 bytes each time.
 */
export function entryAt(dir: Inode, block: Block, at: number): Entry {
  const { view } = block;
  const size = view.byteLength;
  const recLen = at + DIR_ENTRY_HEAD <= size ? recLenAt(block, at) : 0;
  const ino = recLen === 0 ? 0 : view.getUint32(at, true);
  // The fake entry of a checksum has something in the upper byte.
  const wide = !has.fileType(dir.op.vol) && !has.metadataCsum(dir.op.vol);
  const nameLength = recLen === 0 ? 0 : wide ? view.getUint16(at + 6, true) : view.getUint8(at + 6);
  const type = recLen === 0 || !has.fileType(dir.op.vol) ? 0 : view.getUint8(at + 7);
  if (
    recLen < 12 ||
    recLen % 4 !== 0 ||
    at + recLen > size ||
    recLen < entrySize(nameLength) ||
    nameLength > 255 ||
    ino > dir.op.vol.inodesCount
  )
    fail(EUCLEAN, `directory ${dir.ino}: block ${block.no}: bad entry at ${at}`);
  return { at, recLen, ino, nameLength, type };
}

/** Calls `visit` with each entry in use until it returns something; the checksum's is left out. */
export function eachEntry<T>(
  dir: Inode,
  block: Block,
  visit: (entry: Entry) => T | undefined,
): T | undefined {
  for (let at = 0; at < block.view.byteLength; ) {
    const entry = entryAt(dir, block, at);
    if (entry.ino !== 0) {
      const result = visit(entry);
      if (result !== undefined) return result;
    }
    at += entry.recLen;
  }
  return undefined;
}

export const nameOf = (block: Block, entry: Entry): Uint8Array =>
  block.bytes.subarray(entry.at + DIR_ENTRY_HEAD, entry.at + DIR_ENTRY_HEAD + entry.nameLength);

export function findInBlock(dir: Inode, block: Block, name: Uint8Array): Entry | undefined {
  return eachEntry(dir, block, (entry) =>
    entry.nameLength === name.length && sameName(block.bytes, entry.at + DIR_ENTRY_HEAD, name)
      ? entry
      : undefined,
  );
}

function sameName(bytes: Uint8Array, at: number, name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i++) if (bytes[at + i] !== name[i]) return false;
  return true;
}

/** Puts the entry into the first gap that holds it; false when there is none. */
export function addToBlock(dir: Inode, block: Block, added: NewEntry): boolean {
  const needed = entrySize(added.name.length);
  const end = block.view.byteLength - tailSize(dir);
  for (let at = 0; at < end; ) {
    const entry = entryAt(dir, block, at);
    const used = entry.ino === 0 ? 0 : entrySize(entry.nameLength);
    if (entry.recLen - used >= needed) {
      const staged = editLeaf(dir, block);
      if (used > 0) setRecLen(staged, at, used);
      writeEntry(dir, staged, { at: at + used, recLen: entry.recLen - used, added });
      return true;
    }
    at += entry.recLen;
  }
  return false;
}

/** Writes an entry into a staged block. */
export function writeEntry(
  dir: Inode,
  block: Block,
  { at, recLen, added }: { at: number; recLen: number; added: NewEntry },
): void {
  const { view, bytes } = block;
  view.setUint32(at, added.ino, true);
  setRecLen(block, at, recLen);
  view.setUint8(at + 6, added.name.length);
  view.setUint8(at + 7, has.fileType(dir.op.vol) ? added.type : 0);
  bytes.set(added.name, at + DIR_ENTRY_HEAD);
}

/** Takes an entry out: the one before it grows over it, or it becomes an unused one. */
export function removeFromBlock(dir: Inode, block: Block, entry: Entry): void {
  const staged = editLeaf(dir, block);
  let before: Entry | undefined;
  for (let at = 0; at < entry.at; ) {
    before = entryAt(dir, staged, at);
    at += before.recLen;
  }
  staged.view.setUint32(entry.at, 0, true);
  if (before !== undefined) setRecLen(staged, before.at, before.recLen + entry.recLen);
}

/** Turns a block of zeroes into one without entries. */
export function initLeaf(dir: Inode, block: Block): void {
  const end = block.view.byteLength - tailSize(dir);
  block.view.setUint32(0, 0, true);
  setRecLen(block, 0, end);
  initTail(dir, block);
}

export function initTail(dir: Inode, block: Block): void {
  if (!has.metadataCsum(dir.op.vol)) return;
  const tail = new DirEntryTail(block.view, block.view.byteLength - DirEntryTail.size);
  tail.det_reserved_zero1 = 0;
  tail.det_rec_len = DirEntryTail.size;
  tail.det_reserved_zero2 = 0;
  tail.det_reserved_ft = EXT4_FT_DIR_CSUM;
}
