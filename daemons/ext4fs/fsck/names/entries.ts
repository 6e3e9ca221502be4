// The blocks of a directory as entries, under repair: what cannot be an entry is taken out, the rest of
// the block stays. directory.rst.

import { PosixError } from '../../../../kernel/abi/errno.ts';
import type { Block } from '../../../lib/transaction.ts';
import { DIR_ENTRY_HEAD, DirEntryTail, EXT4_FT_DIR_CSUM } from '../../ondisk.ts';
import { dirLeafSealing } from '../../volume/checksum.ts';
import { has, type Volume } from '../../volume/superblock.ts';
import type { State } from '../state.ts';

export interface Entry {
  readonly at: number;
  readonly size: number; // rec_len
  readonly ino: number;
  readonly name: Uint8Array;
  readonly type: number;
}

const SMALLEST = 12;

/** Where entries end: before the checksum. */
export const endOf = (vol: Volume): number =>
  vol.blockSize - (has.metadataCsum(vol) ? DirEntryTail.size : 0);

export const sizeOf = (name: Uint8Array): number => (DIR_ENTRY_HEAD + name.length + 3) & ~3;

/** A block of 64 KiB has one entry whose length does not fit: 0 or 65535 stand for it. */
function getSize(view: DataView, at: number): number {
  const size = view.getUint16(at + 4, true);
  return view.byteLength === 65_536 && (size === 0 || size === 65_535) ? 65_536 : size;
}

export const putSize = (view: DataView, at: number, size: number): void =>
  view.setUint16(at + 4, size === 65_536 ? 65_535 : size, true);

/** All entries, unused ones, too; stops and tells where one cannot be. */
export function entriesOf(
  vol: Volume,
  block: Block,
  end = endOf(vol),
): { entries: Entry[]; brokenAt: number } {
  const { view, bytes } = block;
  const entries: Entry[] = [];
  let at = 0;
  while (at < end) {
    if (at + DIR_ENTRY_HEAD > end) return { entries, brokenAt: at };
    const size = getSize(view, at);
    const length = has.fileType(vol) ? view.getUint8(at + 6) : view.getUint16(at + 6, true);
    const fits = size >= SMALLEST && size % 4 === 0 && at + size <= end;
    if (!fits || length > 255 || DIR_ENTRY_HEAD + length > size) return { entries, brokenAt: at };
    entries.push({
      ...{ at, size, ino: view.getUint32(at, true) },
      name: bytes.slice(at + DIR_ENTRY_HEAD, at + DIR_ENTRY_HEAD + length),
      type: has.fileType(vol) ? view.getUint8(at + 7) : 0,
    });
    at += size;
  }
  return { entries, brokenAt: -1 };
}

export function editLeaf(state: State, ino: number, block: number): Block {
  return state.tx.edit(block, dirLeafSealing(state.vol, ino, state.seed(ino)).seal);
}

/** The fake entry that holds the checksum. */
export function putTail({ vol }: State, { view }: Block): void {
  if (!has.metadataCsum(vol)) return;
  const tail = new DirEntryTail(view, vol.blockSize - DirEntryTail.size);
  tail.det_reserved_zero1 = 0;
  tail.det_rec_len = DirEntryTail.size;
  tail.det_reserved_zero2 = 0;
  tail.det_reserved_ft = EXT4_FT_DIR_CSUM;
}

/** What is wrong with the checksum of a leaf, or undefined. */
export function leafSumFault(state: State, ino: number, block: Block): string | undefined {
  const { vol } = state;
  if (!has.metadataCsum(vol)) return undefined;
  const tail = new DirEntryTail(block.view, vol.blockSize - DirEntryTail.size);
  const isTail =
    tail.det_reserved_zero1 === 0 &&
    tail.det_rec_len === DirEntryTail.size &&
    tail.det_reserved_zero2 === 0 &&
    tail.det_reserved_ft === EXT4_FT_DIR_CSUM;
  if (!isTail) return 'no room for its checksum';
  try {
    dirLeafSealing(vol, ino, state.seed(ino)).check(block);
    return undefined;
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return 'wrong checksum';
  }
}

export interface NewEntry {
  readonly at: number;
  readonly size: number;
  readonly ino: number;
  readonly name: Uint8Array;
  readonly type: number;
}

export function putEntry(vol: Volume, { view, bytes }: Block, entry: NewEntry): void {
  const { at, size, ino, name, type } = entry;
  view.setUint32(at, ino, true);
  putSize(view, at, size);
  view.setUint8(at + 6, name.length);
  view.setUint8(at + 7, has.fileType(vol) ? type : 0);
  bytes.set(name, at + DIR_ENTRY_HEAD);
}

/** An entry of which nothing is left but its room. */
export const clearEntry = (view: DataView, at: number): void => view.setUint32(at, 0, true);
