// What a new volume is to be: the choices of mkfs.ext4 and the superblock that follows from them.
// super.rst, "Super Block"; the defaults are those of mke2fs.conf(5), without the resize inode.

import { EINVAL, ENOSPC, fail } from '../../../kernel/abi/errno.ts';
import type { Timespec } from '../../../kernel/abi/stat.ts';
import { crc32c } from '../../lib/crc32c.ts';
import {
  EXT2_FLAGS_SIGNED_HASH,
  EXT2_FLAGS_TEST_FILESYS,
  EXT4_JOURNAL_INO,
  EXT4_SUPER_MAGIC,
  EXT4_VALID_FS,
  SUPERBLOCK_SIZE,
  Superblock,
  type SuperblockView,
} from '../ondisk.ts';
import { COMPAT, INCOMPAT, RO_COMPAT } from '../volume/features.ts';

export interface MkfsRequest {
  readonly sizeBytes: number;
  /** Undefined: as the size suggests. */
  readonly blockSize: number | undefined;
  readonly blocksCount: number | undefined;
  readonly inodesCount: number | undefined;
  /** Bytes of the volume for each inode. */
  readonly inodeRatio: number | undefined;
  readonly inodeSize: number;
  readonly features: FeatureSet;
  readonly reservedPercent: number;
  readonly label: string;
  readonly uuid: Uint8Array;
  readonly hashSeed: Uint8Array;
  readonly journalBlocks: number | undefined;
  readonly now: Timespec;
  readonly extras?: MkfsExtras;
}

/** What is seldom asked for. */
export interface MkfsExtras {
  readonly blocksPerGroup?: number | undefined;
  /** Groups that lie together; a power of two. */
  readonly groupsPerFlex?: number | undefined;
  /** What is done at an error: EXT4_ERRORS_CONTINUE 1, RO 2, PANIC 3. */
  readonly errors?: number | undefined;
  readonly lastMounted?: string | undefined;
  /** Blocks of a RAID's stripe, on one disk and on all. */
  readonly stride?: number | undefined;
  readonly stripeWidth?: number | undefined;
  readonly rootOwner?: { readonly uid: number; readonly gid: number } | undefined;
  /** It may be mounted by a file system under development. */
  readonly testVolume?: boolean | undefined;
}

export interface FeatureSet {
  readonly compat: number;
  readonly incompat: number;
  readonly roCompat: number;
}

const FIRST_INO = 11;
const EXTRA_ISIZE = 32;
const ACL_AND_XATTR = 0xc; // s_default_mount_opts
const FLEX_LOG = 4;
const HALF_MD4 = 1;
const CRC32C = 1;
const DIRECTORY_BLOCKS = 50; // a last group with less than this behind its own is left out

/** The superblock of the new volume; its free counts are set when the volume is laid out. */
export function newSuperblock(request: MkfsRequest): Uint8Array {
  const bytes = new Uint8Array(SUPERBLOCK_SIZE);
  const sb = new Superblock(new DataView(bytes.buffer));
  const { features, now, extras = {} } = request;
  const blockSize = request.blockSize ?? (request.sizeBytes < 512 * 2 ** 20 ? 1024 : 4096);
  sb.s_magic = EXT4_SUPER_MAGIC;
  sb.s_rev_level = 1;
  sb.s_log_block_size = Math.log2(blockSize) - 10;
  sb.s_log_cluster_size = sb.s_log_block_size;
  sb.s_first_data_block = blockSize === 1024 ? 1 : 0;
  sb.s_first_ino = FIRST_INO;
  sb.s_inode_size = request.inodeSize;
  sb.s_feature_compat = features.compat;
  sb.s_feature_incompat = features.incompat;
  sb.s_feature_ro_compat = features.roCompat;
  if ((features.incompat & INCOMPAT['64bit']) !== 0) sb.s_desc_size = 64;
  if ((features.incompat & INCOMPAT.flex_bg) !== 0)
    sb.s_log_groups_per_flex = Math.log2(extras.groupsPerFlex ?? 2 ** FLEX_LOG);
  if ((features.roCompat & RO_COMPAT.metadata_csum) !== 0) sb.s_checksum_type = CRC32C;
  if ((features.incompat & INCOMPAT.metadata_csum_seed) !== 0)
    sb.s_checksum_seed = crc32c(0xffff_ffff, request.uuid);
  if (request.inodeSize > 128) {
    sb.s_want_extra_isize = EXTRA_ISIZE;
    sb.s_min_extra_isize = EXTRA_ISIZE;
  }
  sb.s_state = EXT4_VALID_FS;
  sb.s_errors = extras.errors ?? 1;
  sb.s_raid_stride = extras.stride ?? 0;
  sb.s_raid_stripe_width = extras.stripeWidth ?? 0;
  sb.s_last_mounted = new TextEncoder().encode(extras.lastMounted ?? '').subarray(0, 63);
  sb.s_max_mnt_count = 0xffff;
  sb.s_wtime = now.sec >>> 0;
  sb.s_lastcheck = sb.s_wtime;
  sb.s_mkfs_time = sb.s_wtime;
  sb.s_uuid = request.uuid;
  sb.s_hash_seed = request.hashSeed;
  sb.s_def_hash_version = HALF_MD4;
  sb.s_flags = EXT2_FLAGS_SIGNED_HASH | (extras.testVolume ? EXT2_FLAGS_TEST_FILESYS : 0);
  sb.s_default_mount_opts = ACL_AND_XATTR;
  sb.s_volume_name = new TextEncoder().encode(request.label);
  size(sb, request, blockSize);
  chooseJournal(sb, request);
  return bytes;
}

const JOURNAL_BLOCKS_MIN = 1024;

/** A volume that is too small for a journal goes without, unless it was asked for. */
function chooseJournal(sb: SuperblockView, request: MkfsRequest): void {
  if ((sb.s_feature_compat & COMPAT.has_journal) === 0) return;
  const { journalBlocks: asked } = request;
  if (asked !== undefined && (asked < JOURNAL_BLOCKS_MIN || asked > sb.s_blocks_count_lo / 2))
    fail(EINVAL, `a journal of ${asked} blocks: at least ${JOURNAL_BLOCKS_MIN}, at most half`);
  if (asked === undefined && defaultJournalBlocks(sb.s_blocks_count_lo) === 0)
    sb.s_feature_compat &= ~COMPAT.has_journal;
  else sb.s_journal_inum = EXT4_JOURNAL_INO;
}

/** Blocks, groups and inodes. ENOSPC when the volume would have no room for its own metadata. */
function size(sb: SuperblockView, request: MkfsRequest, blockSize: number): void {
  const wide = sb.s_desc_size === 64;
  // The counts of a group descriptor without 64bit have 16 bits.
  const most = Math.min(8 * blockSize, 65_528);
  const perGroup = request.extras?.blocksPerGroup ?? most;
  if (perGroup < 256 || perGroup > most || perGroup % 8 !== 0)
    fail(EINVAL, `${perGroup} blocks a group: 256 to ${most}, a multiple of 8`);
  sb.s_blocks_per_group = perGroup;
  sb.s_clusters_per_group = perGroup;
  const fits = Math.floor(request.sizeBytes / blockSize);
  let blocks = request.blocksCount ?? fits;
  if (blocks > fits) fail(EINVAL, `${blocks} blocks do not fit: the device has ${fits}`);
  if (!wide && blocks > 0xffff_ffff) fail(EINVAL, `${blocks} blocks need the 64bit feature`);
  const first = sb.s_first_data_block;
  for (let turn = 0; turn < 2; turn++) {
    const groups = Math.ceil((blocks - first) / perGroup);
    inodes(sb, request, { blocks, groups, blockSize });
    const own = ownBlocks(sb, groups, blockSize);
    const last = blocks - first - (groups - 1) * perGroup;
    if (last >= own + DIRECTORY_BLOCKS) break;
    if (groups <= 1 || turn > 0) fail(ENOSPC, `${blocks} blocks of ${blockSize} are too few`);
    blocks -= last;
  }
  const reserved = Math.floor((blocks * request.reservedPercent) / 100);
  sb.s_blocks_count_lo = blocks >>> 0;
  sb.s_blocks_count_hi = Math.floor(blocks / 0x1_0000_0000);
  sb.s_r_blocks_count_lo = reserved >>> 0;
  sb.s_r_blocks_count_hi = Math.floor(reserved / 0x1_0000_0000);
}

interface Sizes {
  readonly blocks: number;
  readonly groups: number;
  readonly blockSize: number;
}

/** Of mke2fs.conf: floppy, small, default, big, huge. */
function defaultRatio(sizeBytes: number): number {
  if (sizeBytes < 3 * 2 ** 20) return 8192;
  if (sizeBytes < 512 * 2 ** 20) return 4096;
  if (sizeBytes < 4 * 2 ** 40) return 16_384;
  return sizeBytes < 16 * 2 ** 40 ? 32_768 : 65_536;
}

/** As many inodes a group as fill its table's blocks, or almost. */
function inodes(sb: SuperblockView, request: MkfsRequest, sizes: Sizes): void {
  const { blocks, groups, blockSize } = sizes;
  const ratio = request.inodeRatio ?? defaultRatio(request.sizeBytes);
  const wanted = request.inodesCount ?? Math.ceil((blocks * blockSize) / ratio);
  const perBlock = blockSize / request.inodeSize;
  // Whole blocks of them, then a multiple of 8, as its bitmap has whole bytes: mke2fs's order.
  const filling = Math.ceil(Math.ceil(wanted / groups) / perBlock) * perBlock;
  const perGroup = Math.max(16, perBlock, filling & ~7);
  const most = Math.min(8 * blockSize, 65_528) & ~7;
  if (perGroup > most)
    fail(EINVAL, `${wanted} inodes are too many: at most ${most * groups} in ${groups} groups`);
  sb.s_inodes_per_group = perGroup;
  sb.s_inodes_count = sb.s_inodes_per_group * groups;
}

/** The most blocks that a group takes for itself. */
function ownBlocks(sb: SuperblockView, groups: number, blockSize: number): number {
  const descriptors = Math.ceil((groups * (sb.s_desc_size || 32)) / blockSize);
  const table = Math.ceil((sb.s_inodes_per_group * sb.s_inode_size) / blockSize);
  return 1 + descriptors + 2 + table;
}

/** Blocks of a journal for a volume of this many, as ext2fs_default_journal_size has them. */
export function defaultJournalBlocks(blocks: number): number {
  if (blocks < 2048) return 0;
  if (blocks < 32_768) return 1024;
  if (blocks < 256 * 1024) return 4096;
  if (blocks < 512 * 1024) return 8192;
  return blocks < 4096 * 1024 ? 16_384 : 32_768;
}
