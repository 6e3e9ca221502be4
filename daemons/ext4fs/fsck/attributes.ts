// Extended attributes of an inode: those behind its fields, and those in a block of their own, which
// several inodes may share. attributes.rst.

import { PosixError } from '../../../kernel/abi/errno.ts';
import { entryHash } from '../inode/xattr-format.ts';
import { EXT4_XATTR_MAGIC, XattrEntry, XattrHeader } from '../ondisk.ts';
import { xattrSealing } from '../volume/checksum.ts';
import { isDataBlock } from '../volume/group.ts';
import { has } from '../volume/superblock.ts';
import type { State } from './state.ts';

const FIXED = 128;
/** Fields that Linux knows behind the first 128 bytes. */
const EXTRA_MIN = 4;

export function checkAttributes(state: State, ino: number): void {
  checkBody(state, ino);
  const inode = state.inode(ino);
  const block = inode.i_file_acl_lo + (has.bit64(state.vol) ? inode.i_file_acl_high * 2 ** 32 : 0);
  if (block === 0) return;
  const uses = state.attributeBlocks.get(block);
  if (uses !== undefined) {
    state.attributeBlocks.set(block, uses + 1);
    return;
  }
  const why = whatIsWrong(state, block);
  if (why === undefined) {
    state.used.add(block);
    state.attributeBlocks.set(block, 1);
    return;
  }
  state.bad(`inode ${ino}: attribute block ${block}: ${why}`);
  if (why === 'its checksum') {
    state.used.add(block);
    state.attributeBlocks.set(block, 1);
    state.tx.edit(block, xattrSealing(state.vol).seal);
    return;
  }
  // What i_blocks counts is looked at behind this.
  state.change(ino, (i) => {
    i.i_file_acl_lo = 0;
    i.i_file_acl_high = 0;
  });
}

/** How many inodes share each block: h_refcount. */
export function checkShares(state: State): void {
  for (const [block, uses] of state.attributeBlocks) {
    const header = new XattrHeader(state.tx.read(block).view);
    if (header.h_refcount === uses) continue;
    state.bad(`attribute block ${block}: ${header.h_refcount} references, should be ${uses}`);
    const { view } = state.tx.edit(block, xattrSealing(state.vol).seal);
    new XattrHeader(view).h_refcount = uses;
  }
}

function whatIsWrong(state: State, block: number): string | undefined {
  const { vol, tx } = state;
  if (!isDataBlock(vol, block)) return 'outside the volume';
  if (state.used.has(block)) return 'it belongs to another';
  const read = tx.read(block);
  const header = new XattrHeader(read.view);
  if (header.h_magic !== EXT4_XATTR_MAGIC) return 'its magic';
  if (header.h_blocks !== 1) return `${header.h_blocks} blocks`;
  const area = { view: read.view, first: XattrHeader.size, base: 0, end: vol.blockSize };
  if (!areSound(area)) return 'its entries';
  if (!has.metadataCsum(vol)) return undefined;
  try {
    xattrSealing(vol).check(read);
    return undefined;
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return 'its checksum';
  }
}

function checkBody(state: State, ino: number): void {
  const extra = state.extra(ino);
  if (extra === undefined) return;
  const size = extra.i_extra_isize;
  const room = state.vol.inodeSize - FIXED;
  if (size === 0) return;
  if (size < EXTRA_MIN || size > room || size % 4 !== 0) {
    state.bad(`inode ${ino}: i_extra_isize is ${size}`);
    state.change(ino, ({ view, at }) => view.setUint16(at + FIXED, Math.min(32, room), true));
    return;
  }
  const { view, at } = extra;
  const first = at + FIXED + size;
  const end = at + state.vol.inodeSize;
  if (first + 4 > end || view.getUint32(first, true) !== EXT4_XATTR_MAGIC) return;
  if (areSound({ view, first: first + 4, base: first + 4, end })) return;
  state.bad(`inode ${ino}: attributes that run over each other; they are cleared`);
  state.change(ino, (i) => i.view.setUint32(first, 0, true));
}

interface Area {
  readonly view: DataView;
  readonly first: number;
  readonly base: number;
  readonly end: number;
}

/** Entries end before the values begin, each value has its place alone. */
function areSound({ view, first, base, end }: Area): boolean {
  const taken: [number, number][] = [];
  let at = first;
  for (; ; at = next(at, view)) {
    if (at + 4 > end) return false;
    if (view.getUint32(at, true) === 0) break;
    if (at + XattrEntry.size > end || next(at, view) > end) return false;
    const entry = new XattrEntry(view, at);
    const { e_value_offs, e_value_size, e_value_inum, e_hash } = entry;
    if (entry.e_name_index === 0) return false;
    if (e_value_inum !== 0 || base + e_value_offs + e_value_size > end) return false;
    const hashes = hashesAt({ view, first: at, base, end });
    // Behind an inode's fields entries need no hash.
    if ((base === 0 || e_hash !== 0) && !hashes.includes(e_hash)) return false;
    if (e_value_size > 0) taken.push([base + e_value_offs, base + e_value_offs + e_value_size]);
  }
  taken.sort(([a], [b]) => a - b);
  let last = at + 4;
  for (const [from, to] of taken) {
    if (from < last || to > end) return false;
    last = to;
  }
  return true;
}

/** Of the entry at `first`. What lies between a value's end and the next word counts, too. */
function hashesAt({ view, first: at, base, end }: Area): number[] {
  const { e_name_len, e_value_offs, e_value_size } = new XattrEntry(view, at);
  const bytes = (from: number, length: number): Uint8Array =>
    new Uint8Array(view.buffer, view.byteOffset + from, length);
  const name = bytes(at + XattrEntry.size, e_name_len);
  const from = base + e_value_offs;
  const value = bytes(from, Math.min((e_value_size + 3) & ~3, end - from));
  return [entryHash(name, value), entryHash(name, value, 'signed')];
}

const next = (at: number, view: DataView): number =>
  at + ((XattrEntry.size + view.getUint8(at) + 3) & ~3);
