// The checksums of ext4's structures, set anew after damage. The tables are the daemon's; what they
// cover is written down here from checksums.rst and journal.rst.

import {
  DirEntryTail,
  DX_ROOT_COUNT_OFFSET,
  DxCountLimit,
  ExtentHeader,
  GroupDesc32,
  GroupDesc64,
  Inode128,
  InodeExtra,
  SUPERBLOCK_OFFSET,
  Superblock,
  XattrHeader,
} from '../../daemons/ext4fs/ondisk.ts';
import { JournalCommit, JournalSuperblock } from '../../daemons/ext4fs/ondisk-journal.ts';
import { crc32c } from '../../daemons/lib/crc32c.ts';

// The images are of one shape: 1 KiB blocks, 64-byte descriptors, 256-byte inodes, one group.
const BLOCK = 1024;
const DESCS = 2 * BLOCK;
const DESC = 64;
const INODE = 256;

const viewOf = (image: Uint8Array): DataView =>
  new DataView(image.buffer, image.byteOffset, image.byteLength);

const blockOf = (image: Uint8Array, no: number): Uint8Array =>
  image.subarray(no * BLOCK, (no + 1) * BLOCK);

const le32 = (value: number): Uint8Array =>
  Uint8Array.of(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24);

const seedOf = (image: Uint8Array): number =>
  crc32c(0xffff_ffff, new Superblock(viewOf(image), SUPERBLOCK_OFFSET).s_uuid);

export function superblock(image: Uint8Array): void {
  const end = SUPERBLOCK_OFFSET + Superblock.offsets.s_checksum;
  const sum = crc32c(0xffff_ffff, image.subarray(SUPERBLOCK_OFFSET, end));
  viewOf(image).setUint32(end, sum, true);
}

/** Of a descriptor and of its bitmaps. */
export function group(image: Uint8Array, index: number): void {
  const at = DESCS + index * DESC;
  const seed = seedOf(image);
  const low = new GroupDesc32(viewOf(image), at);
  const high = new GroupDesc64(viewOf(image), at);
  const { s_inodes_per_group, s_blocks_per_group } = new Superblock(
    viewOf(image),
    SUPERBLOCK_OFFSET,
  );
  const blocks = bitmapSum(image, seed, { no: low.bg_block_bitmap_lo, bits: s_blocks_per_group });
  const inodes = bitmapSum(image, seed, { no: low.bg_inode_bitmap_lo, bits: s_inodes_per_group });
  low.bg_block_bitmap_csum_lo = blocks & 0xffff;
  high.bg_block_bitmap_csum_hi = blocks >>> 16;
  low.bg_inode_bitmap_csum_lo = inodes & 0xffff;
  high.bg_inode_bitmap_csum_hi = inodes >>> 16;
  low.bg_checksum = 0;
  low.bg_checksum = crc32c(crc32c(seed, le32(index)), image.subarray(at, at + DESC)) & 0xffff;
}

const bitmapSum = (
  image: Uint8Array,
  seed: number,
  { no, bits }: { no: number; bits: number },
): number => crc32c(seed, blockOf(image, no).subarray(0, Math.min(BLOCK, bits / 8)));

/** An inode and where it lies in the image, whatever the descriptors say by now. */
export interface Place {
  readonly ino: number;
  readonly at: number;
}

const inodeSeed = (image: Uint8Array, { ino, at }: Place): number => {
  const { i_generation } = new Inode128(viewOf(image), at);
  return crc32c(crc32c(seedOf(image), le32(ino)), le32(i_generation));
};

export function inode(image: Uint8Array, place: Place): void {
  const { at } = place;
  const raw = new Inode128(viewOf(image), at);
  const extra = new InodeExtra(viewOf(image), at);
  const wide = extra.i_extra_isize >= 4;
  raw.i_checksum_lo = 0;
  if (wide) extra.i_checksum_hi = 0;
  const sum = crc32c(inodeSeed(image, place), image.subarray(at, at + INODE));
  raw.i_checksum_lo = sum & 0xffff;
  if (wide) extra.i_checksum_hi = sum >>> 16;
}

export function extentBlock(image: Uint8Array, owner: Place, no: number): void {
  const block = blockOf(image, no);
  const at = (new ExtentHeader(viewOf(block)).eh_max + 1) * 12;
  if (at + 4 > BLOCK) return;
  viewOf(block).setUint32(at, crc32c(inodeSeed(image, owner), block.subarray(0, at)), true);
}

export function leafBlock(image: Uint8Array, owner: Place, no: number): void {
  const block = blockOf(image, no);
  const at = BLOCK - DirEntryTail.size;
  const sum = crc32c(inodeSeed(image, owner), block.subarray(0, at));
  new DirEntryTail(viewOf(block), at).det_checksum = sum;
}

export function indexBlock(image: Uint8Array, owner: Place, no: number): void {
  const block = blockOf(image, no);
  const { limit, count } = new DxCountLimit(viewOf(block), DX_ROOT_COUNT_OFFSET);
  const tail = DX_ROOT_COUNT_OFFSET + limit * 8;
  if (tail + 8 > BLOCK || count > limit) return;
  let sum = crc32c(inodeSeed(image, owner), block.subarray(0, DX_ROOT_COUNT_OFFSET + count * 8));
  sum = crc32c(sum, block.subarray(tail, tail + 4));
  viewOf(block).setUint32(tail + 4, crc32c(sum, new Uint8Array(4)), true);
}

export function xattrBlock(image: Uint8Array, no: number): void {
  const block = blockOf(image, no);
  const header = new XattrHeader(viewOf(block));
  header.h_checksum = 0;
  const start = crc32c(crc32c(seedOf(image), le32(no)), le32(0));
  header.h_checksum = crc32c(start, block);
}

/** The superblock of the journal, a commit block, or one with a checksum at its end. */
export function journalBlock(image: Uint8Array, no: number): void {
  const block = blockOf(image, no);
  const view = viewOf(block);
  const type = view.getUint32(4);
  const at =
    type === 4
      ? JournalSuperblock.offsets.s_checksum
      : type === 2
        ? JournalCommit.offsets.h_chksum_0
        : BLOCK - 4;
  view.setUint32(at, 0);
  const seed = type === 4 ? 0xffff_ffff : seedOf(image);
  view.setUint32(at, crc32c(seed, block));
}
