// The structures of ext2, ext3 and ext4 as they lie on the disk: the only place that knows offsets.
// Linux Documentation/filesystems/ext4/, section names given at each table. Little-endian.

import {
  bytes,
  le16,
  le32,
  le32s,
  le64,
  overlay,
  struct,
  u8,
  type View,
} from '../../kernel/abi/struct.ts';

export const EXT4_SUPER_MAGIC = 0xef53;
export const SUPERBLOCK_OFFSET = 1024; // bytes from the start of the volume
export const SUPERBLOCK_SIZE = 1024;

export const EXT4_BAD_INO = 1;
export const EXT4_ROOT_INO = 2;
export const EXT4_RESIZE_INO = 7;
export const EXT4_JOURNAL_INO = 8;

// s_state
export const EXT4_VALID_FS = 0x1; // unmounted cleanly
export const EXT4_ERROR_FS = 0x2;
export const EXT4_ORPHAN_FS = 0x4;

// s_flags
export const EXT2_FLAGS_SIGNED_HASH = 0x1;
export const EXT2_FLAGS_UNSIGNED_HASH = 0x2;
export const EXT2_FLAGS_TEST_FILESYS = 0x4;

/** super.rst, "Super Block". */
export const Superblock = struct('ext4_super_block', SUPERBLOCK_SIZE, {
  s_inodes_count: le32(0x0),
  s_blocks_count_lo: le32(0x4),
  s_r_blocks_count_lo: le32(0x8),
  s_free_blocks_count_lo: le32(0xc),
  s_free_inodes_count: le32(0x10),
  s_first_data_block: le32(0x14), // 1 with 1 KiB blocks, else 0
  s_log_block_size: le32(0x18), // block size is 1024 << this
  s_log_cluster_size: le32(0x1c),
  s_blocks_per_group: le32(0x20),
  s_clusters_per_group: le32(0x24),
  s_inodes_per_group: le32(0x28),
  s_mtime: le32(0x2c),
  s_wtime: le32(0x30),
  s_mnt_count: le16(0x34),
  s_max_mnt_count: le16(0x36),
  s_magic: le16(0x38),
  s_state: le16(0x3a),
  s_errors: le16(0x3c),
  s_minor_rev_level: le16(0x3e),
  s_lastcheck: le32(0x40),
  s_checkinterval: le32(0x44),
  s_creator_os: le32(0x48),
  s_rev_level: le32(0x4c), // 0: fixed inode size of 128, no features
  s_def_resuid: le16(0x50),
  s_def_resgid: le16(0x52),
  s_first_ino: le32(0x54),
  s_inode_size: le16(0x58),
  s_block_group_nr: le16(0x5a),
  s_feature_compat: le32(0x5c),
  s_feature_incompat: le32(0x60),
  s_feature_ro_compat: le32(0x64),
  s_uuid: bytes(0x68, 16),
  s_volume_name: bytes(0x78, 16),
  s_last_mounted: bytes(0x88, 64),
  s_algorithm_usage_bitmap: le32(0xc8),
  s_prealloc_blocks: u8(0xcc),
  s_prealloc_dir_blocks: u8(0xcd),
  s_reserved_gdt_blocks: le16(0xce),
  s_journal_uuid: bytes(0xd0, 16),
  s_journal_inum: le32(0xe0),
  s_journal_dev: le32(0xe4),
  s_last_orphan: le32(0xe8), // head of the orphan list, linked through i_dtime
  s_hash_seed: bytes(0xec, 16),
  s_def_hash_version: u8(0xfc),
  s_jnl_backup_type: u8(0xfd),
  s_desc_size: le16(0xfe),
  s_default_mount_opts: le32(0x100),
  s_first_meta_bg: le32(0x104),
  s_mkfs_time: le32(0x108),
  s_jnl_blocks: bytes(0x10c, 68),
  s_blocks_count_hi: le32(0x150),
  s_r_blocks_count_hi: le32(0x154),
  s_free_blocks_count_hi: le32(0x158),
  s_min_extra_isize: le16(0x15c),
  s_want_extra_isize: le16(0x15e),
  s_flags: le32(0x160),
  s_raid_stride: le16(0x164),
  s_mmp_interval: le16(0x166),
  s_mmp_block: le64(0x168),
  s_raid_stripe_width: le32(0x170),
  s_log_groups_per_flex: u8(0x174),
  s_checksum_type: u8(0x175), // 1 = crc32c
  s_encryption_level: u8(0x176),
  s_kbytes_written: le64(0x178),
  s_snapshot_id: le32(0x184), // of a feature that never came; see volume/superblock-seal.ts
  s_error_count: le32(0x194),
  s_first_error_time: le32(0x198),
  s_first_error_ino: le32(0x19c),
  s_first_error_block: le64(0x1a0),
  s_last_error_time: le32(0x1cc),
  s_last_error_ino: le32(0x1d0),
  s_last_error_block: le64(0x1d8),
  s_mount_opts: bytes(0x200, 64),
  s_usr_quota_inum: le32(0x240),
  s_grp_quota_inum: le32(0x244),
  s_overhead_blocks: le32(0x248),
  s_backup_bgs_0: le32(0x24c),
  s_backup_bgs_1: le32(0x250),
  s_lpf_ino: le32(0x268),
  s_prj_quota_inum: le32(0x26c),
  s_checksum_seed: le32(0x270),
  s_wtime_hi: u8(0x274),
  s_mtime_hi: u8(0x275),
  s_mkfs_time_hi: u8(0x276),
  s_lastcheck_hi: u8(0x277),
  s_orphan_file_inum: le32(0x280),
  s_checksum: le32(0x3fc),
});
export type SuperblockView = InstanceType<typeof Superblock>;

// bg_flags
export const EXT4_BG_INODE_UNINIT = 0x1; // inode table and bitmap are not initialised
export const EXT4_BG_BLOCK_UNINIT = 0x2; // block bitmap is not initialised
export const EXT4_BG_INODE_ZEROED = 0x4; // inode table is zeroed

/** group_descr.rst, "Block Group Descriptors": the first 32 bytes, all there is without 64bit. */
export const GroupDesc32 = struct('ext4_group_desc', 32, {
  bg_block_bitmap_lo: le32(0x0),
  bg_inode_bitmap_lo: le32(0x4),
  bg_inode_table_lo: le32(0x8),
  bg_free_blocks_count_lo: le16(0xc),
  bg_free_inodes_count_lo: le16(0xe),
  bg_used_dirs_count_lo: le16(0x10),
  bg_flags: le16(0x12),
  bg_exclude_bitmap_lo: le32(0x14),
  bg_block_bitmap_csum_lo: le16(0x18),
  bg_inode_bitmap_csum_lo: le16(0x1a),
  bg_itable_unused_lo: le16(0x1c),
  bg_checksum: le16(0x1e),
});

/** group_descr.rst: bytes 32 to 63, present when s_desc_size is at least 64; from 0x20 on. */
export const GroupDesc64 = struct('ext4_group_desc, upper half', 64, {
  bg_block_bitmap_hi: le32(0x20),
  bg_inode_bitmap_hi: le32(0x24),
  bg_inode_table_hi: le32(0x28),
  bg_free_blocks_count_hi: le16(0x2c),
  bg_free_inodes_count_hi: le16(0x2e),
  bg_used_dirs_count_hi: le16(0x30),
  bg_itable_unused_hi: le16(0x32),
  bg_exclude_bitmap_hi: le32(0x34),
  bg_block_bitmap_csum_hi: le16(0x38),
  bg_inode_bitmap_csum_hi: le16(0x3a),
});

export const EXT2_GOOD_OLD_INODE_SIZE = 128;

// i_flags
export const EXT4_SYNC_FL = 0x8;
export const EXT4_IMMUTABLE_FL = 0x10;
export const EXT4_APPEND_FL = 0x20;
export const EXT4_NOATIME_FL = 0x80;
export const EXT4_ENCRYPT_FL = 0x800;
export const EXT4_INDEX_FL = 0x1000; // a hashed directory
export const EXT4_TOPDIR_FL = 0x20000;
export const EXT4_HUGE_FILE_FL = 0x40000; // i_blocks counts file-system blocks
export const EXT4_EXTENTS_FL = 0x80000;
export const EXT4_VERITY_FL = 0x100000;
export const EXT4_EA_INODE_FL = 0x200000;
export const EXT4_INLINE_DATA_FL = 0x10000000;
export const EXT4_PROJINHERIT_FL = 0x20000000; // what is made here belongs to its project
export const EXT4_CASEFOLD_FL = 0x40000000;
/** i_flags that a new file or directory takes over from its directory. */
export const EXT4_FL_INHERITED = 0x8 | 0x40 | 0x80 | 0x4 | 0x1 | 0x4000 | 0x10000 | 0x20000000;

/** inodes.rst, "Index Nodes": the 128 bytes every inode has. */
export const Inode128 = struct('ext4_inode', EXT2_GOOD_OLD_INODE_SIZE, {
  i_mode: le16(0x0),
  i_uid: le16(0x2),
  i_size_lo: le32(0x4),
  i_atime: le32s(0x8),
  i_ctime: le32s(0xc),
  i_mtime: le32s(0x10),
  i_dtime: le32(0x14), // deletion time, or the next inode in the orphan list
  i_gid: le16(0x18),
  i_links_count: le16(0x1a),
  i_blocks_lo: le32(0x1c),
  i_flags: le32(0x20),
  i_version: le32(0x24),
  i_block: bytes(0x28, 60),
  i_generation: le32(0x64),
  i_file_acl_lo: le32(0x68),
  i_size_high: le32(0x6c),
  i_obso_faddr: le32(0x70),
  i_blocks_high: le16(0x74),
  i_file_acl_high: le16(0x76),
  i_uid_high: le16(0x78),
  i_gid_high: le16(0x7a),
  i_checksum_lo: le16(0x7c),
});

/** inodes.rst: what lies beyond byte 128; a field exists when i_extra_isize reaches over it. */
export const InodeExtra = struct('ext4_inode, extra', 160, {
  i_extra_isize: le16(0x80),
  i_checksum_hi: le16(0x82),
  i_ctime_extra: le32(0x84), // bits 0-1: epoch, bits 2-31: nanoseconds
  i_mtime_extra: le32(0x88),
  i_atime_extra: le32(0x8c),
  i_crtime: le32s(0x90),
  i_crtime_extra: le32(0x94),
  i_version_hi: le32(0x98),
  i_projid: le32(0x9c),
});

export const I_BLOCK_OFFSET = 0x28;
export const I_BLOCK_SIZE = 60;
export const EXT4_NDIR_BLOCKS = 12;
export const EXT4_IND_BLOCK = 12;
export const EXT4_DIND_BLOCK = 13;
export const EXT4_TIND_BLOCK = 14;

export const EXT4_EXT_MAGIC = 0xf30a;
export const EXT4_MAX_EXTENT_DEPTH = 5;
/** A larger ee_len means an unwritten extent of ee_len - 32768 blocks. */
export const EXT_INIT_MAX_LEN = 32768;
export const EXT_UNWRITTEN_MAX_LEN = 32767;

/** ifork.rst, "Extent Tree". */
export const ExtentHeader = struct('ext4_extent_header', 12, {
  eh_magic: le16(0x0),
  eh_entries: le16(0x2),
  eh_max: le16(0x4),
  eh_depth: le16(0x6), // 0 = leaf: entries are extents, not child blocks
  eh_generation: le32(0x8),
});

/** ifork.rst, "Extent Tree": an entry of an internal node. */
export const ExtentIdx = struct('ext4_extent_idx', 12, {
  ei_block: le32(0x0),
  ei_leaf_lo: le32(0x4),
  ei_leaf_hi: le16(0x8),
  ei_unused: le16(0xa),
});

/** ifork.rst, "Extent Tree": an entry of a leaf. */
export const ExtentLeaf = struct('ext4_extent', 12, {
  ee_block: le32(0x0),
  ee_len: le16(0x4),
  ee_start_hi: le16(0x6),
  ee_start_lo: le32(0x8),
});

/** ifork.rst, "Extent Tree": behind the entries that eh_max allows, not in the inode. */
export const ExtentTail = struct('ext4_extent_tail', 4, { eb_checksum: le32(0x0) });

/** directory.rst, "Linear (Classic) Directories": ext4_dir_entry_2 without its name. */
export const DirEntry2 = struct('ext4_dir_entry_2', 8, {
  inode: le32(0x0), // 0 = unused
  rec_len: le16(0x4),
  name_len: u8(0x6),
  file_type: u8(0x7), // without the filetype feature: the upper byte of name_len
});
export const DIR_ENTRY_HEAD = 8;
export const EXT4_FT_DIR_CSUM = 0xde;

/** directory.rst: a fake last entry that holds the leaf block's checksum. */
export const DirEntryTail = struct('ext4_dir_entry_tail', 12, {
  det_reserved_zero1: le32(0x0),
  det_rec_len: le16(0x4),
  det_reserved_zero2: u8(0x6),
  det_reserved_ft: u8(0x7),
  det_checksum: le32(0x8),
});

/** directory.rst, "Hash Tree Directories": block 0 of a hashed directory. */
export const DxRoot = struct('dx_root', 0x28, {
  dot_inode: le32(0x0),
  dot_rec_len: le16(0x4),
  dotdot_inode: le32(0xc),
  dotdot_rec_len: le16(0x10),
  reserved_zero: le32(0x18),
  hash_version: u8(0x1c),
  info_length: u8(0x1d),
  indirect_levels: u8(0x1e),
  unused_flags: u8(0x1f),
});
export const DX_ROOT_COUNT_OFFSET = 0x20;
export const DX_NODE_COUNT_OFFSET = 0x8;

/** directory.rst: dx_countlimit, lying over the hash of entry 0, whose block stands at 4. */
export const DxCountLimit = struct('dx_countlimit', 8, {
  limit: le16(0x0),
  count: le16(0x2),
  block: le32(0x4),
});
/** directory.rst: an entry of a root or node. */
export const DxEntry = struct('dx_entry', 8, { hash: le32(0x0), block: le32(0x4) });
/** directory.rst: at the end of a root or node block. */
export const DxTail = struct('dx_tail', 8, { dt_reserved: le32(0x0), dt_checksum: le32(0x4) });

export const EXT4_XATTR_MAGIC = 0xea020000;
export const EXT4_XATTR_REFCOUNT_MAX = 1024;

/** attributes.rst, "Extended Attributes": before the entries in the inode. */
export const XattrIbodyHeader = struct('ext4_xattr_ibody_header', 4, { h_magic: le32(0x0) });

/** attributes.rst: at the start of an attribute block. */
export const XattrHeader = struct('ext4_xattr_header', 32, {
  h_magic: le32(0x0),
  h_refcount: le32(0x4),
  h_blocks: le32(0x8),
  h_hash: le32(0xc),
  h_checksum: le32(0x10),
});

/** attributes.rst: an entry, its name behind it; four zero bytes end the list. */
export const XattrEntry = struct('ext4_xattr_entry', 16, {
  e_name_len: u8(0x0),
  e_name_index: u8(0x1),
  e_value_offs: le16(0x2), // from the first entry (inode) or from the block's start
  e_value_inum: le32(0x4),
  e_value_size: le32(0x8),
  e_hash: le32(0xc),
  e_end: overlay(le32(0x0)),
});

export const EXT4_ORPHAN_BLOCK_MAGIC = 0x0b10ca04;
/** orphan.rst: at the end of each block of the orphan file. */
export const OrphanBlockTail = struct('ext4_orphan_block_tail', 8, {
  ob_magic: le32(0x0),
  ob_checksum: le32(0x4),
});

export type Inode128View = InstanceType<typeof Inode128>;
export type { View };
