// Lists of extended attributes as bytes: in the inode behind its fields, or in a block.
// attributes.rst, "Extended Attributes".

import { EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import { XattrEntry, XattrHeader } from '../ondisk.ts';

export interface Xattr {
  index: number; // which prefix its name has
  name: Uint8Array; // without the prefix
  value: Uint8Array;
}

/** One as it was read: where its value lies in the view. */
export interface Placed extends Xattr {
  at: number;
}

/** Where a list lies: entries from `first` up, values from `end` down, offsets from `base`. */
export interface Region {
  view: DataView;
  first: number;
  end: number;
  base: number;
  what: string; // for messages
}

const pad4 = (n: number): number => (n + 3) & ~3;

/** Bytes that the list takes, the four that end it included. */
export const listSize = (list: readonly Xattr[]): number =>
  list.reduce(
    (sum, { name, value }) => sum + XattrEntry.size + pad4(name.length) + pad4(value.length),
    4,
  );

export function decodeList({ view, first, end, base, what }: Region): Placed[] {
  const out: Placed[] = [];
  const bytes = new Uint8Array(view.buffer, view.byteOffset, end);
  // Each entry takes 16 bytes at least, so the region's size bounds the loop.
  for (let at = first; at + 4 <= end && view.getUint32(at, true) !== 0; ) {
    if (at + XattrEntry.size > end) fail(EUCLEAN, `${what}: attributes run over the end`);
    const entry = new XattrEntry(view, at);
    const nameEnd = at + XattrEntry.size + entry.e_name_len;
    const valueAt = base + entry.e_value_offs;
    if (nameEnd > end || entry.e_value_inum !== 0)
      fail(EUCLEAN, `${what}: bad attribute entry at ${at}`);
    const size = entry.e_value_size;
    if (size > 0 && (valueAt < first || valueAt + size > end))
      fail(EUCLEAN, `${what}: attribute value at ${valueAt}+${size}`);
    out.push({
      index: entry.e_name_index,
      name: bytes.slice(at + XattrEntry.size, nameEnd),
      value: bytes.slice(valueAt, valueAt + size),
      at: valueAt,
    });
    at += XattrEntry.size + pad4(entry.e_name_len);
  }
  return out;
}

/** Writes the list; the caller has seen that it fits. Only blocks hold hashes. */
export function encodeList(
  region: Region,
  list: readonly Xattr[],
  hashed: 'hashed' | 'plain',
): void {
  const { view, first, end, base } = region;
  const bytes = new Uint8Array(view.buffer, view.byteOffset, end);
  bytes.fill(0, first, end);
  let at = first;
  let valueAt = end;
  for (const { index, name, value } of list) {
    valueAt -= pad4(value.length);
    const entry = new XattrEntry(view, at);
    entry.e_name_len = name.length;
    entry.e_name_index = index;
    entry.e_value_offs = value.length === 0 ? 0 : valueAt - base;
    entry.e_value_size = value.length;
    bytes.set(name, at + XattrEntry.size);
    bytes.set(value, valueAt);
    if (hashed === 'hashed') entry.e_hash = entryHash(name, value);
    at += XattrEntry.size + pad4(name.length);
  }
}

/** attributes.rst, "Attribute Hash". Some kernels took the letters of a name as signed. */
export function entryHash(
  name: Uint8Array,
  value: Uint8Array,
  letters: 'unsigned' | 'signed' = 'unsigned',
): number {
  let hash = 0;
  for (const byte of name) {
    const letter = letters === 'signed' && byte > 127 ? byte - 256 : byte;
    hash = (hash << 5) ^ (hash >>> 27) ^ letter;
  }
  const padded = new Uint8Array(pad4(value.length));
  padded.set(value);
  const words = new DataView(padded.buffer);
  for (let at = 0; at < padded.length; at += 4)
    hash = (hash << 16) ^ (hash >>> 16) ^ words.getUint32(at, true);
  return hash >>> 0;
}

/** h_hash of a block: over its entries' hashes; 0 when one of them has none. */
export function blockHash(view: DataView, end: number): number {
  let hash = 0;
  for (let at = XattrHeader.size; at + XattrEntry.size <= end && view.getUint32(at, true) !== 0; ) {
    const entry = new XattrEntry(view, at);
    if (entry.e_hash === 0) return 0;
    hash = (hash << 16) ^ (hash >>> 16) ^ entry.e_hash;
    at += XattrEntry.size + pad4(entry.e_name_len);
  }
  return hash >>> 0;
}

/** The order in a block: by prefix, then length of name, then name. */
export function compareXattr(a: Xattr, b: Xattr): number {
  if (a.index !== b.index) return a.index - b.index;
  if (a.name.length !== b.name.length) return a.name.length - b.name.length;
  for (const [i, byte] of a.name.entries()) {
    const other = b.name[i] ?? 0;
    if (byte !== other) return byte - other;
  }
  return 0;
}
