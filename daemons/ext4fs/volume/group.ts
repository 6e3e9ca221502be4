// A block group: its descriptor, read and changed through one request, and where its parts lie.
// group_descr.rst, "Block Group Descriptors"; blockgroup.rst (flex_bg, meta_bg, sparse_super).

import { EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import type { Block, Transaction } from '../../lib/transaction.ts';
import { GroupDesc32, GroupDesc64 } from '../ondisk.ts';
import { groupChecksum } from './checksum.ts';
import { has, superblockAt, type Volume } from './superblock.ts';

type Desc32 = InstanceType<typeof GroupDesc32>;
type Desc64 = InstanceType<typeof GroupDesc64>;

export const firstBlockOf = (vol: Volume, group: number): number =>
  vol.firstDataBlock + group * vol.blocksPerGroup;

/** All groups have blocksPerGroup blocks, but the last may have fewer. */
export const blocksIn = (vol: Volume, group: number): number =>
  Math.min(vol.blocksPerGroup, vol.blocksCount - firstBlockOf(vol, group));

export const groupOfBlock = (vol: Volume, block: number): number =>
  Math.floor((block - vol.firstDataBlock) / vol.blocksPerGroup);

export const groupOfInode = (vol: Volume, ino: number): number =>
  Math.floor((ino - 1) / vol.inodesPerGroup);

/** Is it a block of the volume that may belong to a file? */
export const isDataBlock = (vol: Volume, block: number, count = 1): boolean =>
  block > vol.firstDataBlock && block + count <= vol.blocksCount;

/** Does the group hold a copy of the superblock (and of the descriptors)? */
export function hasSuper(vol: Volume, group: number): boolean {
  if (group === 0) return true;
  if (has.sparseSuper2(vol)) return vol.backupGroups.includes(group);
  if (group === 1 || !has.sparseSuper(vol)) return true;
  return [3, 5, 7].some((base) => isPowerOf(base, group));
}

function isPowerOf(base: number, n: number): boolean {
  let power = base;
  while (power < n) power *= base;
  return power === n;
}

const descsPerBlock = (vol: Volume): number => vol.blockSize / vol.descSize;

/** The block that holds the descriptor of `group`. */
export function descriptorBlock(vol: Volume, group: number): number {
  const index = Math.floor(group / descsPerBlock(vol));
  // Behind the superblock, which with bigalloc need not be in the first data block.
  if (!has.metaBg(vol) || index < vol.firstMetaBg)
    return superblockAt(vol.blockSize).block + 1 + index;
  const first = index * descsPerBlock(vol);
  return firstBlockOf(vol, first) + (hasSuper(vol, first) ? 1 : 0);
}

/** All blocks of descriptors, for a walk over all groups. */
export function descriptorBlocks(vol: Volume): number[] {
  const out: number[] = [];
  for (let g = 0; g < vol.groupCount; g += descsPerBlock(vol)) out.push(descriptorBlock(vol, g));
  return out;
}

/** Blocks at the start of the group taken by superblock, descriptors and their growth room. */
export function baseMetaBlocks(vol: Volume, group: number): number {
  const superblocks = hasSuper(vol, group) ? 1 : 0;
  const per = descsPerBlock(vol);
  const total = Math.ceil(vol.groupCount / per);
  const index = Math.floor(group / per);
  if (!has.metaBg(vol) || index < vol.firstMetaBg) {
    if (superblocks === 0) return 0;
    return 1 + (has.metaBg(vol) ? vol.firstMetaBg : total) + vol.reservedGdtBlocks;
  }
  const first = index * per;
  return superblocks + ([first, first + 1, first + per - 1].includes(group) ? 1 : 0);
}

/** The descriptor of one group as one request sees and changes it. */
export class Group {
  readonly index: number;
  readonly #tx: Transaction;
  readonly #vol: Volume;
  readonly #block: number;
  readonly #at: number;
  #low: Desc32;
  #high: Desc64 | undefined;
  #edited = false;
  /** Bitmaps that were changed: their checksums are to be set anew. */
  blockBitmapDirty = false;
  inodeBitmapDirty = false;

  constructor(tx: Transaction, vol: Volume, index: number) {
    this.index = index;
    this.#tx = tx;
    this.#vol = vol;
    this.#block = descriptorBlock(vol, index);
    this.#at = (index % descsPerBlock(vol)) * vol.descSize;
    const { view } = tx.read(this.#block, (block) => checkDescriptors(vol, index, block));
    this.#low = new GroupDesc32(view, this.#at);
    this.#high = vol.descSize >= 64 ? new GroupDesc64(view, this.#at) : undefined;
  }

  get edited(): boolean {
    return this.#edited;
  }

  /** The descriptor, staged for change. */
  edit(): Desc32 {
    if (!this.#edited) {
      const { view } = this.#tx.edit(this.#block);
      this.#low = new GroupDesc32(view, this.#at);
      if (this.#high !== undefined) this.#high = new GroupDesc64(view, this.#at);
      this.#edited = true;
    }
    return this.#low;
  }

  get flags(): number {
    return this.#low.bg_flags;
  }
  set flags(value: number) {
    this.edit().bg_flags = value;
  }

  get blockBitmap(): number {
    return this.#located(
      'block bitmap',
      this.#low.bg_block_bitmap_lo,
      this.#high?.bg_block_bitmap_hi,
    );
  }
  get inodeBitmap(): number {
    return this.#located(
      'inode bitmap',
      this.#low.bg_inode_bitmap_lo,
      this.#high?.bg_inode_bitmap_hi,
    );
  }
  get inodeTable(): number {
    return this.#located('inode table', this.#low.bg_inode_table_lo, this.#high?.bg_inode_table_hi);
  }

  /** A new place for a bitmap: fsck's, which has lost the old one. */
  place(kind: 'block' | 'inode', block: number): void {
    const [low, high] = [block % 0x1_0000_0000, Math.floor(block / 0x1_0000_0000)];
    const desc = this.edit();
    if (kind === 'block') desc.bg_block_bitmap_lo = low;
    else desc.bg_inode_bitmap_lo = low;
    if (this.#high === undefined) return;
    if (kind === 'block') this.#high.bg_block_bitmap_hi = high;
    else this.#high.bg_inode_bitmap_hi = high;
  }

  #located(what: string, low: number, high = 0): number {
    const block = high * 0x1_0000_0000 + low;
    if (block <= this.#vol.firstDataBlock || block >= this.#vol.blocksCount)
      fail(EUCLEAN, `group ${this.index}: ${what} at block ${block}`);
    return block;
  }

  get freeBlocks(): number {
    return ((this.#high?.bg_free_blocks_count_hi ?? 0) << 16) | this.#low.bg_free_blocks_count_lo;
  }
  set freeBlocks(value: number) {
    this.edit().bg_free_blocks_count_lo = value & 0xffff;
    if (this.#high !== undefined) this.#high.bg_free_blocks_count_hi = value >>> 16;
  }

  get freeInodes(): number {
    return ((this.#high?.bg_free_inodes_count_hi ?? 0) << 16) | this.#low.bg_free_inodes_count_lo;
  }
  set freeInodes(value: number) {
    this.edit().bg_free_inodes_count_lo = value & 0xffff;
    if (this.#high !== undefined) this.#high.bg_free_inodes_count_hi = value >>> 16;
  }

  get usedDirs(): number {
    return ((this.#high?.bg_used_dirs_count_hi ?? 0) << 16) | this.#low.bg_used_dirs_count_lo;
  }
  set usedDirs(value: number) {
    this.edit().bg_used_dirs_count_lo = value & 0xffff;
    if (this.#high !== undefined) this.#high.bg_used_dirs_count_hi = value >>> 16;
  }

  /** Inodes at the end of the table that were never used. */
  get itableUnused(): number {
    return ((this.#high?.bg_itable_unused_hi ?? 0) << 16) | this.#low.bg_itable_unused_lo;
  }
  set itableUnused(value: number) {
    this.edit().bg_itable_unused_lo = value & 0xffff;
    if (this.#high !== undefined) this.#high.bg_itable_unused_hi = value >>> 16;
  }

  /** As many bits of the crc as the descriptor has room for. */
  get blockBitmapCsum(): number {
    const high = this.#high?.bg_block_bitmap_csum_hi ?? 0;
    return high * 0x1_0000 + this.#low.bg_block_bitmap_csum_lo;
  }
  set blockBitmapCsum(crc: number) {
    this.edit().bg_block_bitmap_csum_lo = crc & 0xffff;
    if (this.#high !== undefined) this.#high.bg_block_bitmap_csum_hi = crc >>> 16;
  }
  get inodeBitmapCsum(): number {
    const high = this.#high?.bg_inode_bitmap_csum_hi ?? 0;
    return high * 0x1_0000 + this.#low.bg_inode_bitmap_csum_lo;
  }
  set inodeBitmapCsum(crc: number) {
    this.edit().bg_inode_bitmap_csum_lo = crc & 0xffff;
    if (this.#high !== undefined) this.#high.bg_inode_bitmap_csum_hi = crc >>> 16;
  }
  /** Cuts a crc to what the descriptor holds. */
  fitCsum(crc: number): number {
    return this.#high === undefined ? crc & 0xffff : crc;
  }

  /** Sets the descriptor's own checksum; the last thing a request does to it. */
  seal(): void {
    const vol = this.#vol;
    if (!has.metadataCsum(vol) && !has.gdtCsum(vol)) return;
    const low = this.edit();
    low.bg_checksum = groupChecksum(vol, this.index, rawDescriptor(vol, low.view, this.#at));
  }
}

const rawDescriptor = (vol: Volume, view: DataView, at: number): Uint8Array =>
  new Uint8Array(view.buffer, view.byteOffset + at, vol.descSize);

/** All descriptors of a block that came from the disk; `index` is one of them. */
function checkDescriptors(vol: Volume, index: number, block: Block): void {
  if (!has.metadataCsum(vol) && !has.gdtCsum(vol)) return;
  const per = descsPerBlock(vol);
  const first = index - (index % per);
  for (let i = 0; i < per && first + i < vol.groupCount; i++) {
    const at = i * vol.descSize;
    const stored = new GroupDesc32(block.view, at).bg_checksum;
    if (stored !== groupChecksum(vol, first + i, rawDescriptor(vol, block.view, at)))
      fail(EUCLEAN, `group descriptor ${first + i}: bad checksum`);
  }
}
