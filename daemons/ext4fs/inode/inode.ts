// An inode as one request sees and changes it: the split fields joined, times with nanoseconds,
// its checksum. inodes.rst, "Index Nodes", "Inode Timestamps".

import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../../../kernel/abi/constants.ts';
import { EFBIG, EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import type { Timespec } from '../../../kernel/abi/stat.ts';
import type { Block } from '../../lib/transaction.ts';
import {
  EXT4_EXTENTS_FL,
  EXT4_HUGE_FILE_FL,
  EXT4_INDEX_FL,
  EXT4_INLINE_DATA_FL,
  I_BLOCK_OFFSET,
  Inode128,
  type Inode128View,
  InodeExtra,
} from '../ondisk.ts';
import type { Op } from '../op.ts';
import { type Charge, chargeOf } from '../quota/account.ts';
import {
  dirLeafSealing,
  dxSealing,
  extentSealing,
  inodeChecksum,
  inodeSeed,
  type Sealing,
  setInodeChecksum,
  storedInodeChecksum,
} from '../volume/checksum.ts';
import { RO_COMPAT } from '../volume/features.ts';
import { groupOfInode } from '../volume/group.ts';
import { has } from '../volume/superblock.ts';

/** Where an inode lies: its block in the inode table and the offset in it. */
export function inodeLocation(op: Op, ino: number): { block: number; at: number } {
  const { vol } = op;
  if (ino < 1 || ino > vol.inodesCount) fail(EUCLEAN, `inode ${ino} is beyond the volume`);
  const offset = ((ino - 1) % vol.inodesPerGroup) * vol.inodeSize;
  const table = op.group(groupOfInode(vol, ino)).inodeTable;
  return { block: table + Math.floor(offset / vol.blockSize), at: offset % vol.blockSize };
}

interface TimeField {
  base: 'i_atime' | 'i_ctime' | 'i_mtime';
  extra: 'i_atime_extra' | 'i_ctime_extra' | 'i_mtime_extra';
}
const ATIME: TimeField = { base: 'i_atime', extra: 'i_atime_extra' };
const CTIME: TimeField = { base: 'i_ctime', extra: 'i_ctime_extra' };
const MTIME: TimeField = { base: 'i_mtime', extra: 'i_mtime_extra' };

export class Inode {
  readonly op: Op;
  readonly ino: number;
  readonly #block: number;
  readonly at: number; // of the inode in its block
  #raw: Inode128View;
  #edited = false;
  /** It was in use, and the request gave it back. */
  freed = false;
  /** What it was charged with before the request changed it. */
  #chargedBefore: Charge | undefined;
  #extent: Sealing | undefined;
  #leaf: Sealing | undefined;
  #dx: Sealing | undefined;

  constructor(op: Op, ino: number) {
    const { block, at } = inodeLocation(op, ino);
    this.op = op;
    this.ino = ino;
    this.#block = block;
    this.at = at;
    this.#raw = new Inode128(op.tx.read(block).view, at);
    if (has.metadataCsum(op.vol) && !this.#isClear()) this.#verify();
  }

  /** Never used and all zero: has no checksum yet. */
  #isClear(): boolean {
    return this.#raw.i_mode === 0 && this.#raw.i_links_count === 0;
  }

  #verify(): void {
    const { vol } = this.op;
    const { view } = this.#raw;
    const right = inodeChecksum(vol, this.ino, view, this.at);
    if (storedInodeChecksum(vol, view, this.at) !== right)
      fail(EUCLEAN, `inode ${this.ino} (block ${this.#block}): bad checksum`);
  }

  get edited(): boolean {
    return this.#edited;
  }
  get chargedBefore(): Charge | undefined {
    return this.#chargedBefore;
  }
  /** The fields as they lie in the block; not to be written. */
  get raw(): Inode128View {
    return this.#raw;
  }

  /** The fields, staged for change. */
  edit(): Inode128View {
    if (!this.#edited) {
      if (has.quota(this.op.vol)) this.#chargedBefore = chargeOf(this);
      this.#raw = new Inode128(this.op.tx.edit(this.#block).view, this.at);
      this.#edited = true;
    }
    return this.#raw;
  }

  /** Uses a staged block that the caller made (a fresh block of the inode table). */
  adopt(block: Block): void {
    this.#raw = new Inode128(block.view, this.at);
    this.#edited = true;
  }

  /** Counts the change, and sets the checksum: the last thing a request does to it. */
  seal(): void {
    const raw = this.edit();
    if (raw.i_mode !== 0) raw.i_version = (raw.i_version + 1) >>> 0;
    if (has.metadataCsum(this.op.vol)) setInodeChecksum(this.op.vol, this.ino, raw.view, this.at);
  }

  get mode(): number {
    return this.#raw.i_mode;
  }
  set mode(value: number) {
    this.edit().i_mode = value;
  }
  get isDir(): boolean {
    return (this.mode & S_IFMT) === S_IFDIR;
  }
  get isRegular(): boolean {
    return (this.mode & S_IFMT) === S_IFREG;
  }
  get isSymlink(): boolean {
    return (this.mode & S_IFMT) === S_IFLNK;
  }

  get flags(): number {
    return this.#raw.i_flags;
  }
  set flags(value: number) {
    this.edit().i_flags = value;
  }
  get usesExtents(): boolean {
    return (this.flags & EXT4_EXTENTS_FL) !== 0;
  }
  /** Its data, or its names, lie in i_block and in an attribute: inode/inline.ts. */
  get isInline(): boolean {
    return (this.flags & EXT4_INLINE_DATA_FL) !== 0 && has.inlineData(this.op.vol);
  }
  get isIndexed(): boolean {
    return (this.flags & EXT4_INDEX_FL) !== 0 && has.dirIndex(this.op.vol);
  }

  get links(): number {
    return this.#raw.i_links_count;
  }
  set links(value: number) {
    this.edit().i_links_count = value;
  }
  get generation(): number {
    return this.#raw.i_generation;
  }

  get uid(): number {
    return ((this.#raw.i_uid_high << 16) | this.#raw.i_uid) >>> 0;
  }
  set uid(value: number) {
    this.edit().i_uid = value & 0xffff;
    this.#raw.i_uid_high = value >>> 16;
  }
  get gid(): number {
    return ((this.#raw.i_gid_high << 16) | this.#raw.i_gid) >>> 0;
  }
  set gid(value: number) {
    this.edit().i_gid = value & 0xffff;
    this.#raw.i_gid_high = value >>> 16;
  }

  /** The project that it is charged to. */
  get projid(): number {
    return this.#fits('i_projid') ? this.#extra.i_projid : 0;
  }
  set projid(value: number) {
    if (!this.#fits('i_projid')) return;
    this.edit();
    this.#extra.i_projid = value;
  }

  get size(): number {
    const { i_size_lo: low, i_size_high: high } = this.#raw;
    if (!this.isRegular && !(this.isDir && has.largeDir(this.op.vol))) return low;
    if (high > 0x1f_ffff) fail(EUCLEAN, `inode ${this.ino}: size above 2^53`);
    return high * 0x1_0000_0000 + low;
  }
  set size(value: number) {
    this.edit().i_size_lo = value >>> 0;
    this.#raw.i_size_high = Math.floor(value / 0x1_0000_0000);
    if (value > 0x7fff_ffff) requireLargeFile(this.op);
  }

  /** Blocks taken, in units of 512 bytes. */
  get sectors(): number {
    const { vol } = this.op;
    if (!has.hugeFile(vol)) return this.#raw.i_blocks_lo;
    const count = this.#raw.i_blocks_high * 0x1_0000_0000 + this.#raw.i_blocks_lo;
    return (this.flags & EXT4_HUGE_FILE_FL) !== 0 ? count * (vol.blockSize / 512) : count;
  }

  /** Adds file-system blocks to i_blocks; negative takes away. */
  addBlocks(count: number): void {
    const { vol } = this.op;
    const sectors = Math.max(0, this.sectors + count * (vol.blockSize / 512));
    const raw = this.edit();
    if (!has.hugeFile(vol)) {
      if (sectors > 0xffff_ffff) fail(EFBIG, `inode ${this.ino}: too many blocks`);
      raw.i_blocks_lo = sectors;
      return;
    }
    const huge = sectors > 0xffff_ffff_ffff;
    const stored = huge ? sectors / (vol.blockSize / 512) : sectors;
    raw.i_flags = huge ? raw.i_flags | EXT4_HUGE_FILE_FL : raw.i_flags & ~EXT4_HUGE_FILE_FL;
    raw.i_blocks_lo = stored >>> 0;
    raw.i_blocks_high = Math.floor(stored / 0x1_0000_0000);
  }

  /** The block of extended attributes, or 0. */
  get fileAcl(): number {
    return this.#raw.i_file_acl_high * 0x1_0000_0000 + this.#raw.i_file_acl_lo;
  }
  set fileAcl(block: number) {
    this.edit().i_file_acl_lo = block >>> 0;
    this.#raw.i_file_acl_high = Math.floor(block / 0x1_0000_0000);
  }

  get atime(): Timespec {
    return this.#time(ATIME);
  }
  set atime(time: Timespec) {
    this.#setTime(ATIME, time);
  }
  get ctime(): Timespec {
    return this.#time(CTIME);
  }
  set ctime(time: Timespec) {
    this.#setTime(CTIME, time);
  }
  get mtime(): Timespec {
    return this.#time(MTIME);
  }
  set mtime(time: Timespec) {
    this.#setTime(MTIME, time);
  }

  get btime(): Timespec {
    if (!this.#fits('i_crtime_extra')) return { sec: 0, nsec: 0 };
    const extra = this.#extra;
    return joinTime(extra.i_crtime, extra.i_crtime_extra);
  }
  set btime(time: Timespec) {
    if (!this.#fits('i_crtime_extra')) return;
    this.edit();
    const extra = this.#extra;
    extra.i_crtime = time.sec | 0;
    extra.i_crtime_extra = extraOf(time);
  }

  get #extra(): InstanceType<typeof InodeExtra> {
    return new InodeExtra(this.#raw.view, this.at);
  }

  /** Bytes of the inode behind byte 128 that hold fields; attributes begin behind them. */
  get extraIsize(): number {
    if (this.op.vol.inodeSize <= 128) return 0;
    const size = this.#extra.i_extra_isize;
    if (size % 4 !== 0 || 128 + size > this.op.vol.inodeSize)
      fail(EUCLEAN, `inode ${this.ino}: extra size ${size}`);
    return size;
  }
  set extraIsize(value: number) {
    this.edit();
    this.#extra.i_extra_isize = value;
  }

  #fits(field: keyof typeof InodeExtra.offsets): boolean {
    return InodeExtra.offsets[field] + 4 <= 128 + this.extraIsize;
  }

  #time({ base, extra }: TimeField): Timespec {
    const sec = this.#raw[base];
    return this.#fits(extra) ? joinTime(sec, this.#extra[extra]) : { sec, nsec: 0 };
  }

  #setTime({ base, extra }: TimeField, time: Timespec): void {
    const raw = this.edit();
    if (this.#fits(extra)) {
      raw[base] = time.sec | 0;
      this.#extra[extra] = extraOf(time);
    } else raw[base] = Math.max(-0x8000_0000, Math.min(0x7fff_ffff, time.sec));
  }

  /** mtime and ctime are now. */
  touch(): void {
    this.mtime = this.op.tx.now;
    this.ctime = this.op.tx.now;
  }

  /** The 60 bytes of i_block: offset in `raw.view`. */
  get blockAt(): number {
    return this.at + I_BLOCK_OFFSET;
  }

  get extentSealing(): Sealing {
    this.#extent ??= extentSealing(this.op.vol, this.ino, this.#seed());
    return this.#extent;
  }
  get leafSealing(): Sealing {
    this.#leaf ??= dirLeafSealing(this.op.vol, this.ino, this.#seed());
    return this.#leaf;
  }
  get dxSealing(): Sealing {
    this.#dx ??= dxSealing(this.op.vol, this.ino, this.#seed());
    return this.#dx;
  }
  #seed(): number {
    return inodeSeed(this.op.vol, this.ino, this.generation);
  }
}

/** Bits 0 and 1 of the extra word carry the seconds beyond 32 bits, the rest nanoseconds. */
const joinTime = (sec: number, extra: number): Timespec => ({
  sec: sec + (extra & 3) * 0x1_0000_0000,
  nsec: Math.min(extra >>> 2, 999_999_999),
});

const extraOf = ({ sec, nsec }: Timespec): number =>
  ((nsec << 2) | (Math.floor((sec - (sec | 0)) / 0x1_0000_0000) & 3)) >>> 0;

/** ext2 says in the superblock that some file is larger than 2 GiB. */
function requireLargeFile(op: Op): void {
  if ((op.readSuperblock().s_feature_ro_compat & RO_COMPAT.large_file) !== 0) return;
  op.editSuperblock().s_feature_ro_compat |= RO_COMPAT.large_file;
}
