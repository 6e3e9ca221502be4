// Checksums of metadata: crc32c with metadata_csum, crc16 of group descriptors with uninit_bg.
// Linux Documentation/filesystems/ext4/checksums.rst.

import { EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import { crc32c } from '../../lib/crc32c.ts';
import type { Block, Seal } from '../../lib/transaction.ts';
import {
  DirEntryTail,
  DX_NODE_COUNT_OFFSET,
  DX_ROOT_COUNT_OFFSET,
  DxCountLimit,
  DxTail,
  ExtentHeader,
  GroupDesc32,
  Inode128,
  InodeExtra,
  OrphanBlockTail,
  XattrHeader,
} from '../ondisk.ts';
import { has, type Volume } from './superblock.ts';

const scratch = new Uint8Array(65536 + 16);
const scratchView = new DataView(scratch.buffer);

/** What the checksums of an inode's own blocks start from: inode number and generation. */
export function inodeSeed(vol: Volume, ino: number, generation: number): number {
  scratchView.setUint32(0, ino, true);
  scratchView.setUint32(4, generation, true);
  return crc32c(vol.csumSeed, scratch.subarray(0, 8));
}

const LO = Inode128.offsets.i_checksum_lo;
const HI = InodeExtra.offsets.i_checksum_hi;

/** The inode's checksum; `at` is where it lies in `view`. With a short extra part: 16 bits. */
export function inodeChecksum(vol: Volume, ino: number, view: DataView, at: number): number {
  const size = vol.inodeSize;
  const raw = new Uint8Array(view.buffer, view.byteOffset + at, size);
  scratchView.setUint32(0, ino, true);
  scratchView.setUint32(4, view.getUint32(at + Inode128.offsets.i_generation, true), true);
  scratch.set(raw, 8);
  scratchView.setUint16(8 + LO, 0);
  const wide = hasChecksumHi(vol, view, at);
  if (wide) scratchView.setUint16(8 + HI, 0);
  const crc = crc32c(vol.csumSeed, scratch.subarray(0, 8 + size));
  return wide ? crc : crc & 0xffff;
}

/** The checksum that the inode holds. */
export function storedInodeChecksum(vol: Volume, view: DataView, at: number): number {
  const low = view.getUint16(at + LO, true);
  return hasChecksumHi(vol, view, at) ? view.getUint16(at + HI, true) * 0x1_0000 + low : low;
}

export function setInodeChecksum(vol: Volume, ino: number, view: DataView, at: number): void {
  const crc = inodeChecksum(vol, ino, view, at);
  view.setUint16(at + LO, crc & 0xffff, true);
  if (hasChecksumHi(vol, view, at)) view.setUint16(at + HI, crc >>> 16, true);
}

const hasChecksumHi = (vol: Volume, view: DataView, at: number): boolean =>
  vol.inodeSize > 128 && view.getUint16(at + InodeExtra.offsets.i_extra_isize, true) >= 4;

/** Seal and check of a kind of block: where its checksum lies and what it must be. */
export interface Sealing {
  readonly seal: Seal;
  readonly check: Seal;
}

const none: Seal = () => {};
const noSealing: Sealing = { seal: none, check: none };

interface Sum {
  at: number; // offset of the le32 checksum
  value: number;
}

/** `sum` throws, or gives undefined for a block that cannot hold a checksum. */
function sealing(vol: Volume, what: string, sum: (block: Block) => Sum | undefined): Sealing {
  if (!has.metadataCsum(vol)) return noSealing;
  return {
    seal(block) {
      const s = sum(block);
      if (s !== undefined) block.view.setUint32(s.at, s.value, true);
    },
    check(block) {
      const s = sum(block);
      if (s === undefined || block.view.getUint32(s.at, true) !== s.value)
        fail(EUCLEAN, `${what} block ${block.no}: bad checksum`);
    },
  };
}

/** ifork.rst, "Extent Tree": the tail lies behind the entries that eh_max allows. */
export const extentSealing = (vol: Volume, ino: number, seed: number): Sealing =>
  sealing(vol, `inode ${ino}: extent`, (block) => {
    const at = ExtentHeader.size * (new ExtentHeader(block.view).eh_max + 1);
    if (at + 4 > vol.blockSize) return undefined;
    return { at, value: crc32c(seed, block.bytes.subarray(0, at)) };
  });

/** directory.rst: the leaf's checksum is in a fake entry at its end. */
export const dirLeafSealing = (vol: Volume, ino: number, seed: number): Sealing =>
  sealing(vol, `directory ${ino}: leaf`, (block) => {
    const tailAt = vol.blockSize - DirEntryTail.size;
    const tail = new DirEntryTail(block.view, tailAt);
    if (tail.det_rec_len !== DirEntryTail.size || tail.det_reserved_zero1 !== 0) return undefined;
    return { at: tailAt + 8, value: crc32c(seed, block.bytes.subarray(0, tailAt)) };
  });

/** directory.rst: a root (block 0) or node of the hash tree. */
export const dxSealing = (vol: Volume, ino: number, seed: number): Sealing =>
  sealing(vol, `directory ${ino}: index`, (block) => {
    const isNode = block.view.getUint16(4, true) === vol.blockSize || vol.blockSize > 65532;
    const countAt =
      isNode && block.view.getUint8(6) === 0 ? DX_NODE_COUNT_OFFSET : DX_ROOT_COUNT_OFFSET;
    const { limit, count } = new DxCountLimit(block.view, countAt);
    const tailAt = countAt + limit * 8;
    if (count > limit || tailAt + DxTail.size > vol.blockSize) return undefined;
    const body = countAt + count * 8;
    scratch.set(block.bytes.subarray(0, body));
    scratch.set(block.bytes.subarray(tailAt, tailAt + 4), body);
    scratchView.setUint32(body + 4, 0);
    return { at: tailAt + 4, value: crc32c(seed, scratch.subarray(0, body + 8)) };
  });

/** attributes.rst: starts from the block's number, not from an inode. */
export const xattrSealing = (vol: Volume): Sealing =>
  sealing(vol, 'attribute', (block) => {
    const at = XattrHeader.offsets.h_checksum;
    putBlockNumber(block.no);
    scratch.set(block.bytes, 8);
    scratchView.setUint32(8 + at, 0);
    return { at, value: crc32c(vol.csumSeed, scratch.subarray(0, 8 + vol.blockSize)) };
  });

/** orphan.rst, "Orphan file". */
export const orphanSealing = (vol: Volume, seed: number): Sealing =>
  sealing(vol, 'orphan file', (block) => {
    const tailAt = vol.blockSize - OrphanBlockTail.size;
    putBlockNumber(block.no);
    const start = crc32c(seed, scratch.subarray(0, 8));
    return { at: tailAt + 4, value: crc32c(start, block.bytes.subarray(0, tailAt)) };
  });

function putBlockNumber(no: number): void {
  scratchView.setUint32(0, no >>> 0, true);
  scratchView.setUint32(4, Math.floor(no / 0x1_0000_0000), true);
}

/** group_descr.rst: the 16 bits of bg_checksum; `raw` is the descriptor. */
export function groupChecksum(vol: Volume, group: number, raw: Uint8Array): number {
  const at = GroupDesc32.offsets.bg_checksum;
  scratchView.setUint32(0, group, true);
  scratch.set(raw, 4);
  if (has.metadataCsum(vol)) {
    scratchView.setUint16(4 + at, 0);
    return crc32c(vol.csumSeed, scratch.subarray(0, 4 + raw.length)) & 0xffff;
  }
  // crc16 leaves the field out instead of taking it as zero.
  let crc = crc16(crc16(0xffff, vol.uuid), scratch.subarray(0, 4 + at));
  if (raw.length > at + 2) crc = crc16(crc, raw.subarray(at + 2));
  return crc;
}

/** CRC-16/ARC, polynomial 0x8005 reflected. */
function crc16(crc: number, data: Uint8Array): number {
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 0 ? 0 : 0xa001);
  }
  return crc;
}
