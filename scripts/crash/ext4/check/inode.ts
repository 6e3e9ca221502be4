// One inode for the checker: its checksum, the blocks it claims by extents or by a block map, its
// attributes. ifork.rst, inodes.rst, attributes.rst.

import {
  EXT_INIT_MAX_LEN,
  EXT4_EXT_MAGIC,
  EXT4_EXTENTS_FL,
  EXT4_RESIZE_INO,
  EXT4_XATTR_MAGIC,
  ExtentHeader,
  ExtentIdx,
  ExtentLeaf,
  I_BLOCK_OFFSET,
  I_BLOCK_SIZE,
  Inode128,
  type Inode128View,
  InodeExtra,
  XattrEntry,
  XattrHeader,
} from '../../../../daemons/ext4fs/ondisk.ts';
import { crc32c } from '../../../../daemons/lib/crc32c.ts';
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../../../../kernel/abi/constants.ts';
import { le32, type Volume } from './volume.ts';

/** A block of file data, in the order of the file. */
export interface Mapped {
  readonly lblock: number;
  readonly block: number;
  readonly unwritten: boolean;
}

export interface InodeInfo {
  readonly ino: number;
  readonly raw: Inode128View;
  readonly kind: 'file' | 'dir' | 'symlink' | 'other';
  readonly size: number;
  /** What its own metadata's checksums start from. */
  readonly seed: number;
  readonly mapped: readonly Mapped[];
  readonly xattrs: ReadonlyMap<string, string>;
  readonly target: string;
}

/** The owner of each block, by inode number. */
export type Claim = (block: number, ino: number) => void;

const PREFIX: Readonly<Record<number, string>> = { 1: 'user.', 4: 'trusted.', 6: 'security.' };
const DEPTH_MAX = 5;

export function rawInode(vol: Volume, ino: number): Inode128View {
  const { s_inodes_per_group: per } = vol.sb;
  const table = vol.groups[Math.floor((ino - 1) / per)]?.inodeTable ?? 0;
  const at = table * vol.blockSize + ((ino - 1) % per) * vol.inodeSize;
  const { buffer, byteOffset, byteLength } = vol.bytes;
  return new Inode128(new DataView(buffer, byteOffset, byteLength), at);
}

export function readInode(vol: Volume, ino: number, claim: Claim): InodeInfo {
  const raw = rawInode(vol, ino);
  const type = raw.i_mode & S_IFMT;
  const kind =
    type === S_IFREG ? 'file' : type === S_IFDIR ? 'dir' : type === S_IFLNK ? 'symlink' : 'other';
  const seed = crc32c(crc32c(vol.seed, le32(ino)), le32(raw.i_generation));
  checksum(vol, ino, raw);
  const size = raw.i_size_lo + (kind === 'file' ? raw.i_size_high * 2 ** 32 : 0);
  let claimed = 0;
  const own: Claim = (block) => {
    claimed++;
    claim(block, ino);
  };
  const attributes = raw.i_file_acl_lo === 0 ? 0 : 1;
  const sectorsPerBlock = vol.blockSize / 512;
  const fast = kind === 'symlink' && raw.i_blocks_lo === attributes * sectorsPerBlock;
  const hasMap = kind !== 'other' && !fast;
  const mapped = hasMap ? mapOf(vol, { ino, raw, seed, claim: own }) : [];
  const xattrs = new Map<string, string>();
  bodyXattrs(vol, raw, xattrs);
  if (attributes > 0) blockXattrs(vol, { ino, block: raw.i_file_acl_lo, claim: own }, xattrs);
  if (raw.i_blocks_lo !== claimed * sectorsPerBlock) {
    vol.bad(`inode ${ino}: i_blocks ${raw.i_blocks_lo}, has ${claimed * sectorsPerBlock}`);
  }
  const beyond = mapped.find(
    ({ lblock, unwritten }) => !unwritten && lblock * vol.blockSize >= size,
  );
  if (beyond && ino !== EXT4_RESIZE_INO)
    vol.bad(`inode ${ino}: block ${beyond.lblock} behind its end at ${size}`);
  const target = kind === 'symlink' ? targetOf(vol, { raw, size, mapped, fast }) : '';
  return { ino, raw, kind, size, seed, mapped, xattrs, target };
}

function checksum(vol: Volume, ino: number, raw: Inode128View): void {
  if (!vol.checksums) return;
  const copy = vol.bytes.slice(raw.at, raw.at + vol.inodeSize);
  const [low, high] = [Inode128.offsets.i_checksum_lo, InodeExtra.offsets.i_checksum_hi];
  const wide = vol.inodeSize > 128 && new InodeExtra(raw.view, raw.at).i_extra_isize >= 4;
  copy.fill(0, low, low + 2);
  if (wide) copy.fill(0, high, high + 2);
  const seed = crc32c(crc32c(vol.seed, le32(ino)), le32(raw.i_generation));
  const sum = crc32c(seed, copy);
  const upper = wide ? new InodeExtra(raw.view, raw.at).i_checksum_hi : sum >>> 16;
  if (upper * 0x1_0000 + raw.i_checksum_lo !== sum) vol.bad(`inode ${ino}: checksum`);
}

interface Root {
  readonly ino: number;
  readonly raw: Inode128View;
  readonly seed: number;
  readonly claim: Claim;
}

function mapOf(vol: Volume, root: Root): Mapped[] {
  const out: Mapped[] = [];
  const at = root.raw.at + I_BLOCK_OFFSET;
  if ((root.raw.i_flags & EXT4_EXTENTS_FL) === 0) {
    blockMap(vol, root, out);
    return out;
  }
  const { eh_depth: depth } = new ExtentHeader(root.raw.view, at);
  if (depth > DEPTH_MAX) vol.bad(`inode ${root.ino}: extent tree of depth ${depth}`);
  else node(vol, root, { view: root.raw.view, at, room: I_BLOCK_SIZE, depth, from: 0, out });
  return out;
}

interface Node {
  readonly view: DataView;
  readonly at: number;
  readonly room: number;
  readonly depth: number;
  readonly from: number; // first block of the file that may stand here
  readonly out: Mapped[];
}

function node(vol: Volume, root: Root, { view, at, room, depth, from, out }: Node): void {
  const header = new ExtentHeader(view, at);
  const what = `inode ${root.ino}: extent node of depth ${depth}`;
  const { eh_magic, eh_entries, eh_max, eh_depth } = header;
  if (eh_magic !== EXT4_EXT_MAGIC || eh_depth !== depth || (eh_max + 1) * 12 > room) {
    vol.bad(`${what}: header`);
    return;
  }
  if (eh_entries > eh_max) {
    vol.bad(`${what}: ${eh_entries} of ${eh_max} entries`);
    return;
  }
  let next = from;
  for (let i = 0; i < eh_entries; i++) {
    const entry = at + 12 * (i + 1);
    if (depth === 0) next = extent(vol, root, { view, at: entry, next, out });
    else next = index(vol, root, { view, at: entry, next, out, depth });
  }
}

interface Entry {
  readonly view: DataView;
  readonly at: number;
  readonly next: number;
  readonly out: Mapped[];
}

function extent(vol: Volume, { ino, claim }: Root, { view, at, next, out }: Entry): number {
  const e = new ExtentLeaf(view, at);
  const unwritten = e.ee_len > EXT_INIT_MAX_LEN;
  const count = unwritten ? e.ee_len - EXT_INIT_MAX_LEN : e.ee_len;
  const start = e.ee_start_hi * 2 ** 32 + e.ee_start_lo;
  if (e.ee_block < next || count === 0 || !vol.inside(start, count)) {
    vol.bad(`inode ${ino}: extent ${e.ee_block}+${count} at block ${start}`);
    return next;
  }
  for (let i = 0; i < count; i++) {
    claim(start + i, ino);
    out.push({ lblock: e.ee_block + i, block: start + i, unwritten });
  }
  return e.ee_block + count;
}

function index(
  vol: Volume,
  root: Root,
  { view, at, next, out, depth }: Entry & { depth: number },
): number {
  const e = new ExtentIdx(view, at);
  const child = e.ei_leaf_hi * 2 ** 32 + e.ei_leaf_lo;
  if (e.ei_block < next || !vol.inside(child)) {
    vol.bad(`inode ${root.ino}: index ${e.ei_block} at block ${child}`);
    return next;
  }
  root.claim(child, root.ino);
  const below = vol.block(child);
  const tail = (new ExtentHeader(below).eh_max + 1) * 12;
  if (vol.checksums && tail + 4 <= vol.blockSize) {
    const sum = crc32c(root.seed, vol.blockBytes(child).subarray(0, tail));
    if (sum !== below.getUint32(tail, true)) vol.bad(`inode ${root.ino}: extent block's checksum`);
  }
  node(vol, root, {
    view: below,
    at: 0,
    room: vol.blockSize,
    depth: depth - 1,
    from: e.ei_block,
    out,
  });
  return (out.at(-1)?.lblock ?? e.ei_block) + 1;
}

const DIRECT = 12;

function blockMap(vol: Volume, root: Root, out: Mapped[]): void {
  const { view, at } = root.raw;
  const pointer = (slot: number): number => view.getUint32(at + I_BLOCK_OFFSET + slot * 4, true);
  const leaf = (block: number, lblock: number): void => {
    if (block === 0) return;
    if (!vol.inside(block)) {
      vol.bad(`inode ${root.ino}: pointer to block ${block}`);
      return;
    }
    root.claim(block, root.ino);
    out.push({ lblock, block, unwritten: false });
  };
  for (let i = 0; i < DIRECT; i++) leaf(pointer(i), i);
  const per = vol.blockSize / 4;
  const walk = (block: number, level: number, lblock: number): void => {
    if (block === 0) return;
    if (level === 0) {
      leaf(block, lblock);
      return;
    }
    if (!vol.inside(block)) {
      vol.bad(`inode ${root.ino}: pointer to block ${block}`);
      return;
    }
    root.claim(block, root.ino);
    for (let i = 0; i < per; i++) {
      walk(vol.block(block).getUint32(i * 4, true), level - 1, lblock + i * per ** (level - 1));
    }
  };
  let base = DIRECT;
  for (let level = 1; level <= 3; level++) {
    walk(pointer(DIRECT + level - 1), level, base);
    base += per ** level;
  }
}

function targetOf(
  vol: Volume,
  link: { raw: Inode128View; size: number; mapped: readonly Mapped[]; fast: boolean },
): string {
  const at = link.fast
    ? link.raw.at + I_BLOCK_OFFSET
    : (link.mapped[0]?.block ?? 0) * vol.blockSize;
  return new TextDecoder().decode(vol.bytes.subarray(at, at + link.size));
}

function bodyXattrs(vol: Volume, raw: Inode128View, into: Map<string, string>): void {
  if (vol.inodeSize <= 128) return;
  const at = raw.at + 128 + new InodeExtra(raw.view, raw.at).i_extra_isize;
  const end = raw.at + vol.inodeSize;
  if (at + 4 > end || raw.view.getUint32(at, true) !== EXT4_XATTR_MAGIC) return;
  entries(vol, { view: raw.view, first: at + 4, base: at + 4, end }, into);
}

function blockXattrs(
  vol: Volume,
  { ino, block, claim }: { ino: number; block: number; claim: Claim },
  into: Map<string, string>,
): void {
  if (!vol.inside(block)) {
    vol.bad(`inode ${ino}: attributes at block ${block}`);
    return;
  }
  claim(block, ino);
  const view = vol.block(block);
  const { h_magic, h_refcount, h_checksum } = new XattrHeader(view);
  if (h_magic !== EXT4_XATTR_MAGIC || h_refcount !== 1) vol.bad(`inode ${ino}: attribute block`);
  if (vol.checksums) {
    const copy = vol.blockBytes(block).slice();
    copy.fill(0, XattrHeader.offsets.h_checksum, XattrHeader.offsets.h_checksum + 4);
    const sum = crc32c(crc32c(crc32c(vol.seed, le32(block)), le32(0)), copy);
    if (sum !== h_checksum) vol.bad(`inode ${ino}: attribute block's checksum`);
  }
  entries(vol, { view, first: XattrHeader.size, base: 0, end: vol.blockSize }, into);
}

function entries(
  vol: Volume,
  { view, first, base, end }: { view: DataView; first: number; base: number; end: number },
  into: Map<string, string>,
): void {
  const text = (at: number, size: number): string =>
    new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + at, size));
  for (let at = first; at + 4 <= end && view.getUint32(at, true) !== 0; ) {
    const e = new XattrEntry(view, at);
    const valueAt = base + e.e_value_offs;
    if (at + XattrEntry.size + e.e_name_len > end || valueAt + e.e_value_size > end) {
      vol.bad(`attribute entry at ${at} runs over its end`);
      return;
    }
    const name = `${PREFIX[e.e_name_index] ?? '?'}${text(at + XattrEntry.size, e.e_name_len)}`;
    into.set(name, text(valueAt, e.e_value_size));
    at += (XattrEntry.size + e.e_name_len + 3) & ~3;
  }
}
