// The structures of a quota file, format vfsv1 as ext4 keeps it in hidden inodes. Little-endian, in
// blocks of 1 KiB whatever the volume's are. Linux fs/quota/quotaio_v2.h, quota_tree.h; layouts only.

import { le16, le32, le64, struct } from '../../kernel/abi/struct.ts';

export const QUOTA_BLOCK_SIZE = 1024;
/** The block of the tree's root. */
export const QUOTA_TREE_ROOT = 1;
/** Block numbers in a block of the tree; an id is four digits in this base. */
export const QUOTA_REFS = 256;
export const QUOTA_DEPTH = 4;

/** At the start of the file. */
export const QuotaInfo = struct('v2_disk_dqheader, v2_disk_dqinfo', 32, {
  dqh_magic: le32(0x0),
  dqh_version: le32(0x4),
  dqi_bgrace: le32(0x8),
  dqi_igrace: le32(0xc),
  dqi_flags: le32(0x10),
  dqi_blocks: le32(0x14), // of the file
  dqi_free_blk: le32(0x18), // head of the list of free blocks
  dqi_free_entry: le32(0x1c), // head of the list of blocks with free entries
});

/** At the start of a block of entries. */
export const QuotaBlockHeader = struct('qt_disk_dqdbheader', 16, {
  dqdh_next_free: le32(0x0),
  dqdh_prev_free: le32(0x4),
  dqdh_entries: le16(0x8),
  dqdh_pad1: le16(0xa),
  dqdh_pad2: le32(0xc),
});

/** Limits and use of one id; all zero: not in use. */
export const QuotaEntry = struct('v2r1_disk_dqblk', 72, {
  dqb_id: le32(0x0),
  dqb_pad: le32(0x4),
  dqb_ihardlimit: le64(0x8),
  dqb_isoftlimit: le64(0x10),
  dqb_curinodes: le64(0x18),
  dqb_bhardlimit: le64(0x20),
  dqb_bsoftlimit: le64(0x28),
  dqb_curspace: le64(0x30), // bytes
  dqb_btime: le64(0x38),
  dqb_itime: le64(0x40), // 1 in an entry of id 0 that would be all zero
});
export const QUOTA_ENTRIES = Math.floor(
  (QUOTA_BLOCK_SIZE - QuotaBlockHeader.size) / QuotaEntry.size,
);

/** dqh_magic of the files for users, groups and projects. */
export const QUOTA_MAGICS = [0xd9c01f11, 0xd9c01927, 0xd9c03f14] as const;
