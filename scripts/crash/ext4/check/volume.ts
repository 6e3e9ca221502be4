// The fixed parts of an unmounted ext2, ext3 or ext4 volume for the checker: superblock, descriptors,
// bitmaps, checksums. Written from the same tables as the daemon, and from nothing else of it.
// Linux Documentation/filesystems/ext4/: super.rst, group_descr.rst, bitmaps.rst, checksums.rst.

import {
  EXT4_BG_BLOCK_UNINIT,
  EXT4_BG_INODE_UNINIT,
  GroupDesc32,
  GroupDesc64,
  SUPERBLOCK_OFFSET,
  SUPERBLOCK_SIZE,
  Superblock,
  type SuperblockView,
} from '../../../../daemons/ext4fs/ondisk.ts';
import { INCOMPAT, RO_COMPAT } from '../../../../daemons/ext4fs/volume/features.ts';
import { crc32c } from '../../../../daemons/lib/crc32c.ts';

const PROBLEMS_MAX = 20;

export interface GroupInfo {
  readonly index: number;
  readonly first: number; // block
  readonly blocks: number;
  readonly blockBitmap: number;
  readonly inodeBitmap: number;
  readonly inodeTable: number;
  readonly freeBlocks: number;
  readonly freeInodes: number;
  readonly usedDirs: number;
  readonly unusedInodes: number;
  readonly flags: number;
}

/** A volume under examination, and what was found wrong with it. */
export class Volume {
  readonly bytes: Uint8Array;
  readonly sb: SuperblockView;
  readonly blockSize: number;
  readonly blocks: number;
  readonly inodeSize: number;
  readonly checksums: boolean;
  readonly seed: number;
  readonly groups: readonly GroupInfo[];
  readonly problems: string[] = [];
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.sb = new Superblock(this.#view, SUPERBLOCK_OFFSET);
    this.blockSize = 1024 << this.sb.s_log_block_size;
    this.blocks = this.sb.s_blocks_count_lo; // images for tests are small
    this.inodeSize = this.sb.s_inode_size;
    this.checksums = (this.sb.s_feature_ro_compat & RO_COMPAT.metadata_csum) !== 0;
    const seeded = (this.sb.s_feature_incompat & INCOMPAT.metadata_csum_seed) !== 0;
    this.seed = seeded ? this.sb.s_checksum_seed : crc32c(0xffff_ffff, this.sb.s_uuid);
    this.groups = this.#readGroups();
  }

  bad(what: string): void {
    if (this.problems.length < PROBLEMS_MAX) this.problems.push(what);
  }

  has(set: 'compat' | 'incompat' | 'roCompat', bit: number): boolean {
    const { sb } = this;
    const words = {
      compat: sb.s_feature_compat,
      incompat: sb.s_feature_incompat,
      roCompat: sb.s_feature_ro_compat,
    };
    return (words[set] & bit) !== 0;
  }

  get descSize(): number {
    return this.has('incompat', INCOMPAT['64bit']) ? this.sb.s_desc_size : 32;
  }

  block(no: number): DataView {
    const { buffer, byteOffset } = this.bytes;
    return new DataView(buffer, byteOffset + no * this.blockSize, this.blockSize);
  }

  blockBytes(no: number): Uint8Array {
    return this.bytes.subarray(no * this.blockSize, (no + 1) * this.blockSize);
  }

  /** Can the blocks be a file's, as far as their numbers tell? */
  inside(no: number, count = 1): boolean {
    return no > this.sb.s_first_data_block && no + count <= this.blocks;
  }

  superChecksum(): void {
    const { bytes, sb } = this;
    if (!this.checksums) return;
    const raw = bytes.subarray(SUPERBLOCK_OFFSET, SUPERBLOCK_OFFSET + SUPERBLOCK_SIZE - 4);
    if (crc32c(0xffff_ffff, raw) !== sb.s_checksum) this.bad('superblock: checksum');
  }

  #readGroups(): GroupInfo[] {
    const { sb, descSize } = this;
    const count = Math.ceil((this.blocks - sb.s_first_data_block) / sb.s_blocks_per_group);
    const table = (sb.s_first_data_block + 1) * this.blockSize;
    return Array.from({ length: count }, (_, index) => {
      const at = table + index * descSize;
      const low = new GroupDesc32(this.#view, at);
      const high = descSize >= 64 ? new GroupDesc64(this.#view, at) : undefined;
      const first = sb.s_first_data_block + index * sb.s_blocks_per_group;
      this.#descChecksum(index, at, low.bg_checksum);
      return {
        index,
        first,
        blocks: Math.min(sb.s_blocks_per_group, this.blocks - first),
        blockBitmap: low.bg_block_bitmap_lo,
        inodeBitmap: low.bg_inode_bitmap_lo,
        inodeTable: low.bg_inode_table_lo,
        freeBlocks: low.bg_free_blocks_count_lo + (high?.bg_free_blocks_count_hi ?? 0) * 0x1_0000,
        freeInodes: low.bg_free_inodes_count_lo + (high?.bg_free_inodes_count_hi ?? 0) * 0x1_0000,
        usedDirs: low.bg_used_dirs_count_lo + (high?.bg_used_dirs_count_hi ?? 0) * 0x1_0000,
        unusedInodes: low.bg_itable_unused_lo + (high?.bg_itable_unused_hi ?? 0) * 0x1_0000,
        flags: low.bg_flags,
      };
    });
  }

  #descChecksum(index: number, at: number, stored: number): void {
    if (!this.checksums) return;
    const raw = this.bytes.slice(at, at + this.descSize);
    raw.fill(0, GroupDesc32.offsets.bg_checksum, GroupDesc32.offsets.bg_checksum + 2);
    const sum = crc32c(crc32c(this.seed, le32(index)), raw) & 0xffff;
    if (sum !== stored) this.bad(`group ${index}: descriptor's checksum`);
  }

  /** The bits of a bitmap; undefined when the group has none yet. */
  bitmap(group: GroupInfo, kind: 'block' | 'inode'): Uint8Array | undefined {
    const uninit = kind === 'block' ? EXT4_BG_BLOCK_UNINIT : EXT4_BG_INODE_UNINIT;
    const flagged = this.checksums || this.has('roCompat', RO_COMPAT.uninit_bg);
    if (flagged && (group.flags & uninit) !== 0) return undefined;
    const bits = this.blockBytes(kind === 'block' ? group.blockBitmap : group.inodeBitmap);
    if (this.checksums) this.#bitmapChecksum(group, kind, bits);
    return bits;
  }

  #bitmapChecksum({ index }: GroupInfo, kind: 'block' | 'inode', bits: Uint8Array): void {
    const { sb } = this;
    const at = (sb.s_first_data_block + 1) * this.blockSize + index * this.descSize;
    const low = new GroupDesc32(this.#view, at);
    const high = this.descSize >= 64 ? new GroupDesc64(this.#view, at) : undefined;
    const count = kind === 'block' ? sb.s_blocks_per_group : sb.s_inodes_per_group;
    const sum = crc32c(this.seed, bits.subarray(0, count / 8));
    const lower = kind === 'block' ? low.bg_block_bitmap_csum_lo : low.bg_inode_bitmap_csum_lo;
    const upper = kind === 'block' ? high?.bg_block_bitmap_csum_hi : high?.bg_inode_bitmap_csum_hi;
    const right = upper === undefined ? (sum & 0xffff) === lower : sum === upper * 0x1_0000 + lower;
    if (!right) this.bad(`group ${index}: ${kind} bitmap's checksum`);
  }

  /** Blocks that are the volume's own: superblocks, descriptors, bitmaps, inode tables. */
  *ownBlocks(): Generator<number> {
    const { sb, groups } = this;
    const table = Math.ceil((sb.s_inodes_per_group * this.inodeSize) / this.blockSize);
    const descs = Math.ceil((groups.length * this.descSize) / this.blockSize);
    for (const group of groups) {
      if (this.#hasSuper(group.index)) {
        // The room for more descriptors belongs to the resize inode.
        for (let i = 0; i < 1 + descs; i++) yield group.first + i;
      }
      yield group.blockBitmap;
      yield group.inodeBitmap;
      for (let i = 0; i < table; i++) yield group.inodeTable + i;
    }
    // With blocks of 1 KiB block 0 is the boot sector, outside all groups.
  }

  #hasSuper(group: number): boolean {
    if (group <= 1 || !this.has('roCompat', RO_COMPAT.sparse_super)) return true;
    return [3, 5, 7].some((base) => {
      let power = base;
      while (power < group) power *= base;
      return power === group;
    });
  }
}

export const le32 = (value: number): Uint8Array =>
  Uint8Array.of(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24);

export const bit = (bits: Uint8Array, at: number): boolean =>
  ((bits[at >>> 3] ?? 0) & (1 << (at & 7))) !== 0;
