// Inline data: a file so small that it lies in its inode, the first 60 bytes in i_block, the rest in the
// attribute system.data behind the fields. ifork.rst, "Inline Data".

import { EFBIG, EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import { adoptBlock, initMap } from '../map/map.ts';
import { EXT4_EXTENTS_FL, EXT4_INLINE_DATA_FL, I_BLOCK_SIZE } from '../ondisk.ts';
import { takeBlock } from '../volume/block-alloc.ts';
import { has } from '../volume/superblock.ts';
import type { Inode } from './inode.ts';
import { inlineRoom, inlineValue, setInlineValue } from './xattr.ts';

/** The most bytes that the inode holds with the attributes that it has; -1 when it cannot hold any. */
export function inlineCapacity(inode: Inode): number {
  const room = inlineRoom(inode);
  return room < 0 ? -1 : I_BLOCK_SIZE + room;
}

/** Makes a new, empty inode one whose data lies in itself. False when there is no room for that. */
export function startInline(inode: Inode): boolean {
  if (!has.inlineData(inode.op.vol) || inlineCapacity(inode) < 0) return false;
  inode.flags = (inode.flags & ~EXT4_EXTENTS_FL) | EXT4_INLINE_DATA_FL;
  iBlock(inode, 'edit').fill(0);
  setInlineValue(inode, new Uint8Array(0));
  return true;
}

export function readInline(inode: Inode): Uint8Array {
  const { size } = inode;
  const value = dataOf(inode);
  if (size > I_BLOCK_SIZE + value.length)
    fail(EUCLEAN, `inode ${inode.ino}: size ${size}, but ${value.length} bytes in system.data`);
  const out = new Uint8Array(size);
  out.set(iBlock(inode, 'read').subarray(0, size));
  if (size > I_BLOCK_SIZE) out.set(value.subarray(0, size - I_BLOCK_SIZE), I_BLOCK_SIZE);
  return out;
}

/** All that the file holds from now on; the caller has seen that it fits. */
export function writeInline(inode: Inode, content: Uint8Array): void {
  if (content.length > inlineCapacity(inode)) fail(EFBIG, `inode ${inode.ino}: no room in it`);
  const head = iBlock(inode, 'edit').fill(0);
  head.set(content.subarray(0, I_BLOCK_SIZE));
  setInlineValue(inode, content.subarray(I_BLOCK_SIZE));
  inode.size = content.length;
}

export function resizeInline(inode: Inode, size: number): void {
  const content = new Uint8Array(size);
  content.set(readInline(inode).subarray(0, size));
  writeInline(inode, content);
}

/** The inode becomes an empty one with a map of blocks. */
export function leaveInline(inode: Inode): void {
  setInlineValue(inode, undefined);
  inode.flags &= ~EXT4_INLINE_DATA_FL;
  iBlock(inode, 'edit').fill(0);
  initMap(inode);
}

/** The same of a file, whose content stands in `block` already; 0 when it has none. */
export function moveToBlock(inode: Inode, block: number): void {
  leaveInline(inode);
  if (block === 0) return;
  takeBlock(inode.op, block);
  adoptBlock(inode, block);
}

/** i_block as bytes. */
export function iBlock(inode: Inode, use: 'read' | 'edit'): Uint8Array {
  const { view } = use === 'edit' ? inode.edit() : inode.raw;
  return new Uint8Array(view.buffer, view.byteOffset + inode.blockAt, I_BLOCK_SIZE);
}

const dataOf = (inode: Inode): Uint8Array =>
  inlineValue(inode, 'read') ?? fail(EUCLEAN, `inode ${inode.ino}: inline, without system.data`);
