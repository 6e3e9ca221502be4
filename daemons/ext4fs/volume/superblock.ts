// The superblock, checked and turned into what the rest of ext4fs asks of a volume: its geometry,
// features and seeds. These do not change while it is mounted. super.rst, "Super Block".

import { EMEDIUMTYPE, EOPNOTSUPP, EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import { crc32c } from '../../lib/crc32c.ts';
import {
  EXT2_FLAGS_UNSIGNED_HASH,
  EXT2_GOOD_OLD_INODE_SIZE,
  EXT4_SUPER_MAGIC,
  SUPERBLOCK_OFFSET,
  SUPERBLOCK_SIZE,
  Superblock,
  type SuperblockView,
} from '../ondisk.ts';
import { COMPAT, INCOMPAT, RO_COMPAT, readOnlyFeatures, unknownFeatures } from './features.ts';

export interface Volume {
  readonly blockSize: number;
  readonly blocksCount: number;
  readonly reservedBlocks: number; // for root
  readonly firstDataBlock: number;
  readonly blocksPerGroup: number;
  readonly clusterRatio: number; // blocks a bit of the block bitmap stands for
  readonly inodesPerGroup: number;
  readonly inodesCount: number;
  readonly groupCount: number;
  readonly inodeSize: number;
  readonly wantExtraIsize: number;
  readonly descSize: number;
  readonly firstIno: number;
  readonly compat: number;
  readonly incompat: number;
  readonly roCompat: number;
  readonly reservedGdtBlocks: number;
  readonly firstMetaBg: number;
  readonly backupGroups: readonly [number, number];
  readonly uuid: Uint8Array;
  readonly csumSeed: number; // crc32c state that every metadata checksum starts from
  readonly hashSeed: Uint32Array;
  readonly defHashVersion: number; // 0..2, before the shift for unsigned char
  readonly unsignedHash: boolean;
  readonly journalIno: number;
  readonly orphanFileIno: number;
  /** Files that say how much each user, group and project uses; 0 = there is none. */
  readonly quotaInodes: readonly number[];
  /** Names of features that allow reading only; empty: the volume may be written. */
  readonly readOnlyFeatures: readonly string[];
}

export const has = {
  journal: (vol: Volume): boolean => (vol.compat & COMPAT.has_journal) !== 0,
  extAttr: (vol: Volume): boolean => (vol.compat & COMPAT.ext_attr) !== 0,
  dirIndex: (vol: Volume): boolean => (vol.compat & COMPAT.dir_index) !== 0,
  orphanFile: (vol: Volume): boolean => (vol.compat & COMPAT.orphan_file) !== 0,
  sparseSuper2: (vol: Volume): boolean => (vol.compat & COMPAT.sparse_super2) !== 0,
  fileType: (vol: Volume): boolean => (vol.incompat & INCOMPAT.filetype) !== 0,
  extents: (vol: Volume): boolean => (vol.incompat & INCOMPAT.extent) !== 0,
  bit64: (vol: Volume): boolean => (vol.incompat & INCOMPAT['64bit']) !== 0,
  metaBg: (vol: Volume): boolean => (vol.incompat & INCOMPAT.meta_bg) !== 0,
  inlineData: (vol: Volume): boolean => (vol.incompat & INCOMPAT.inline_data) !== 0,
  encrypt: (vol: Volume): boolean => (vol.incompat & INCOMPAT.encrypt) !== 0,
  largeDir: (vol: Volume): boolean => (vol.incompat & INCOMPAT.large_dir) !== 0,
  sparseSuper: (vol: Volume): boolean => (vol.roCompat & RO_COMPAT.sparse_super) !== 0,
  hugeFile: (vol: Volume): boolean => (vol.roCompat & RO_COMPAT.huge_file) !== 0,
  gdtCsum: (vol: Volume): boolean => (vol.roCompat & RO_COMPAT.uninit_bg) !== 0,
  quota: (vol: Volume): boolean => (vol.roCompat & RO_COMPAT.quota) !== 0,
  project: (vol: Volume): boolean => (vol.roCompat & RO_COMPAT.project) !== 0,
  dirNlink: (vol: Volume): boolean => (vol.roCompat & RO_COMPAT.dir_nlink) !== 0,
  metadataCsum: (vol: Volume): boolean => (vol.roCompat & RO_COMPAT.metadata_csum) !== 0,
} as const;

/** Where the superblock lies, in blocks, and the offset in that block. */
export const superblockAt = (blockSize: number): { block: number; offset: number } => ({
  block: Math.floor(SUPERBLOCK_OFFSET / blockSize),
  offset: SUPERBLOCK_OFFSET % blockSize,
});

/**
 * Checks the 1024 bytes at offset 1024 of the volume. `volumeBytes` is the size of what it lies
 * on. Throws EMEDIUMTYPE when it is no ext file system at all, EOPNOTSUPP naming the features it
 * does not know, EUCLEAN for a damaged one.
 */
export function openVolume(bytes: Uint8Array, volumeBytes: number): Volume {
  if (bytes.length < SUPERBLOCK_SIZE) fail(EMEDIUMTYPE, 'too small for an ext4 superblock');
  const sb = new Superblock(new DataView(bytes.buffer, bytes.byteOffset, SUPERBLOCK_SIZE));
  if (sb.s_magic !== EXT4_SUPER_MAGIC)
    fail(EMEDIUMTYPE, `no ext4 superblock: magic 0x${sb.s_magic.toString(16)}, not 0xef53`);
  checkFeatures(sb);
  checkChecksum(sb, bytes);
  const vol = geometry(sb);
  checkBounds(sb, vol, volumeBytes);
  return vol;
}

function checkFeatures(sb: SuperblockView): void {
  if (sb.s_rev_level > 1) fail(EOPNOTSUPP, `ext4 revision ${sb.s_rev_level} is not known`);
  const unknown = unknownFeatures(sb);
  if (unknown.length > 0) fail(EOPNOTSUPP, `ext4 features not supported: ${unknown.join(', ')}`);
}

function checkChecksum(sb: SuperblockView, bytes: Uint8Array): void {
  if ((sb.s_feature_ro_compat & RO_COMPAT.metadata_csum) === 0) return;
  if (sb.s_checksum_type !== 1)
    fail(EUCLEAN, `superblock: checksum type ${sb.s_checksum_type} is not crc32c`);
  const right = superblockChecksum(bytes);
  if (sb.s_checksum !== right) fail(EUCLEAN, 'superblock: bad checksum');
}

export const superblockChecksum = (bytes: Uint8Array): number =>
  crc32c(0xffff_ffff, bytes.subarray(0, Superblock.offsets.s_checksum));

function geometry(sb: SuperblockView): Volume {
  if (sb.s_log_block_size > 6) fail(EUCLEAN, `superblock: block size 2^${sb.s_log_block_size} KiB`);
  const dynamic = sb.s_rev_level > 0;
  const incompat = dynamic ? sb.s_feature_incompat : 0;
  const roCompat = dynamic ? sb.s_feature_ro_compat : 0;
  const wide = (incompat & INCOMPAT['64bit']) !== 0;
  const join = (hi: number, lo: number): number => (wide ? hi * 0x1_0000_0000 : 0) + lo;
  const blocksCount = join(sb.s_blocks_count_hi, sb.s_blocks_count_lo);
  const seeded = (incompat & INCOMPAT.metadata_csum_seed) !== 0;
  const bigalloc = (roCompat & RO_COMPAT.bigalloc) !== 0;
  return {
    blockSize: 1024 << sb.s_log_block_size,
    blocksCount,
    reservedBlocks: join(sb.s_r_blocks_count_hi, sb.s_r_blocks_count_lo),
    firstDataBlock: sb.s_first_data_block,
    blocksPerGroup: sb.s_blocks_per_group,
    clusterRatio: bigalloc ? 2 ** Math.max(0, sb.s_log_cluster_size - sb.s_log_block_size) : 1,
    inodesPerGroup: sb.s_inodes_per_group,
    inodesCount: sb.s_inodes_count,
    groupCount: Math.ceil((blocksCount - sb.s_first_data_block) / sb.s_blocks_per_group),
    inodeSize: dynamic ? sb.s_inode_size : EXT2_GOOD_OLD_INODE_SIZE,
    wantExtraIsize: sb.s_want_extra_isize,
    descSize: wide ? sb.s_desc_size : 32,
    firstIno: dynamic ? sb.s_first_ino : 11,
    compat: dynamic ? sb.s_feature_compat : 0,
    incompat,
    roCompat,
    reservedGdtBlocks: sb.s_reserved_gdt_blocks,
    firstMetaBg: sb.s_first_meta_bg,
    backupGroups: [sb.s_backup_bgs_0, sb.s_backup_bgs_1],
    uuid: sb.s_uuid.slice(),
    csumSeed: seeded ? sb.s_checksum_seed : crc32c(0xffff_ffff, sb.s_uuid),
    hashSeed: new Uint32Array(
      [0, 4, 8, 12].map((i) => sb.view.getUint32(Superblock.offsets.s_hash_seed + i, true)),
    ),
    defHashVersion: sb.s_def_hash_version,
    unsignedHash: (sb.s_flags & EXT2_FLAGS_UNSIGNED_HASH) !== 0,
    journalIno: sb.s_journal_inum,
    orphanFileIno: sb.s_orphan_file_inum,
    quotaInodes:
      (roCompat & RO_COMPAT.quota) === 0
        ? []
        : [sb.s_usr_quota_inum, sb.s_grp_quota_inum, sb.s_prj_quota_inum],
    readOnlyFeatures: readOnlyFeatures(sb),
  };
}

function checkBounds(sb: SuperblockView, vol: Volume, volumeBytes: number): void {
  const { blockSize } = vol;
  const bad = (what: string): never => fail(EUCLEAN, `superblock: ${what}`);
  if (sb.s_first_data_block !== (blockSize === 1024 ? 1 : 0) && vol.clusterRatio === 1)
    bad(`first data block ${sb.s_first_data_block} with blocks of ${blockSize}`);
  const perGroup = sb.s_blocks_per_group;
  if (perGroup === 0 || perGroup % 8 !== 0 || perGroup > 8 * blockSize * vol.clusterRatio)
    bad(`${perGroup} blocks a group`);
  const { inodeSize, inodesPerGroup, descSize } = vol;
  if (inodeSize < 128 || inodeSize > blockSize || (inodeSize & (inodeSize - 1)) !== 0)
    bad(`inode size ${inodeSize}`);
  if (inodesPerGroup === 0 || inodesPerGroup % 8 !== 0 || inodesPerGroup > 8 * blockSize)
    bad(`${inodesPerGroup} inodes a group`);
  if (descSize < 32 || descSize > 1024 || (descSize & (descSize - 1)) !== 0)
    bad(`group descriptor size ${descSize}`);
  if ((vol.incompat & INCOMPAT['64bit']) !== 0 && descSize < 64)
    bad(`group descriptor size ${descSize} with 64bit`);
  if (vol.blocksCount <= vol.firstDataBlock || vol.blocksCount > 2 ** 48)
    bad(`${vol.blocksCount} blocks`);
  if (vol.blocksCount * blockSize > volumeBytes)
    bad(`${vol.blocksCount} blocks of ${blockSize} do not fit in ${volumeBytes} bytes`);
  if (vol.inodesCount !== vol.groupCount * inodesPerGroup)
    bad(`${vol.inodesCount} inodes in ${vol.groupCount} groups of ${inodesPerGroup}`);
  if (vol.firstIno < 11 || vol.firstIno > vol.inodesCount) bad(`first inode ${vol.firstIno}`);
}
