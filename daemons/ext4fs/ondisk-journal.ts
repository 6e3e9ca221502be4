// The structures of the jbd2 journal as they lie on the disk. Big-endian, fast commits little-endian.
// Linux Documentation/filesystems/ext4/journal.rst; section names given at each table.

import { be16, be32, be64, bytes, le16, le32, struct, u8 } from '../../kernel/abi/struct.ts';

export const JBD2_MAGIC = 0xc03b3998;

// h_blocktype
export const JBD2_DESCRIPTOR_BLOCK = 1;
export const JBD2_COMMIT_BLOCK = 2;
export const JBD2_SUPERBLOCK_V1 = 3;
export const JBD2_SUPERBLOCK_V2 = 4;
export const JBD2_REVOKE_BLOCK = 5;

// s_feature_compat
export const JBD2_FEATURE_COMPAT_CHECKSUM = 0x1;
// s_feature_incompat
export const JBD2_FEATURE_INCOMPAT_REVOKE = 0x1;
export const JBD2_FEATURE_INCOMPAT_64BIT = 0x2;
export const JBD2_FEATURE_INCOMPAT_ASYNC_COMMIT = 0x4;
export const JBD2_FEATURE_INCOMPAT_CSUM_V2 = 0x8;
export const JBD2_FEATURE_INCOMPAT_CSUM_V3 = 0x10;
export const JBD2_FEATURE_INCOMPAT_FAST_COMMIT = 0x20;

export const JBD2_CRC32_CHKSUM = 1;
export const JBD2_CRC32C_CHKSUM = 4;

// t_flags
export const JBD2_FLAG_ESCAPE = 0x1; // the block began with JBD2_MAGIC, written as 0
export const JBD2_FLAG_SAME_UUID = 0x2; // no 16-byte uuid behind this tag
export const JBD2_FLAG_DELETED = 0x4;
export const JBD2_FLAG_LAST_TAG = 0x8;

/** journal.rst, "Block Header". */
export const JournalHeader = struct('journal_header_s', 12, {
  h_magic: be32(0x0),
  h_blocktype: be32(0x4),
  h_sequence: be32(0x8),
});

/** journal.rst, "Super Block". */
export const JournalSuperblock = struct('journal_superblock_s', 1024, {
  h_magic: be32(0x0),
  h_blocktype: be32(0x4),
  h_sequence: be32(0x8),
  s_blocksize: be32(0xc),
  s_maxlen: be32(0x10), // blocks in the journal
  s_first: be32(0x14), // first block of log
  s_sequence: be32(0x18), // first commit id expected
  s_start: be32(0x1c), // block of the first commit; 0 = the log is empty
  s_errno: be32(0x20),
  s_feature_compat: be32(0x24),
  s_feature_incompat: be32(0x28),
  s_feature_ro_compat: be32(0x2c),
  s_uuid: bytes(0x30, 16),
  s_nr_users: be32(0x40),
  s_dynsuper: be32(0x44),
  s_max_transaction: be32(0x48),
  s_max_trans_data: be32(0x4c),
  s_checksum_type: u8(0x50),
  s_num_fc_blks: be32(0x54),
  s_head: be32(0x58),
  s_checksum: be32(0xfc),
  s_users: bytes(0x100, 768),
});

/**
 * journal.rst, "Descriptor Block": a tag without CSUM_V3. On disk it is 8 bytes; 12 with 64BIT;
 * CSUM_V2 adds 2 that hold nothing. A uuid follows unless SAME_UUID.
 */
export const JournalTag = struct('journal_block_tag_s', 12, {
  t_blocknr: be32(0x0),
  t_checksum: be16(0x4), // the lower half of the crc32c, with CSUM_V2
  t_flags: be16(0x6),
  t_blocknr_high: be32(0x8), // only with 64BIT
});

/** journal.rst, "Descriptor Block": a tag with CSUM_V3, always 16 bytes. */
export const JournalTag3 = struct('journal_block_tag3_s', 16, {
  t_blocknr: be32(0x0),
  t_flags: be32(0x4),
  t_blocknr_high: be32(0x8),
  t_checksum: be32(0xc),
});

/** journal.rst: at the end of a descriptor or revocation block, with CSUM_V2 or V3. */
export const JournalBlockTail = struct('jbd2_journal_block_tail', 4, { t_checksum: be32(0x0) });

/** journal.rst, "Revocation Block": block numbers of 4 bytes, or 8 with 64BIT, follow. */
export const JournalRevokeHeader = struct('jbd2_journal_revoke_header_s', 16, {
  h_magic: be32(0x0),
  h_blocktype: be32(0x4),
  h_sequence: be32(0x8),
  r_count: be32(0xc), // bytes used in this block, the header included
});

/** journal.rst, "Commit Block". */
export const JournalCommit = struct('commit_header', 60, {
  h_magic: be32(0x0),
  h_blocktype: be32(0x4),
  h_sequence: be32(0x8),
  h_chksum_type: u8(0xc),
  h_chksum_size: u8(0xd),
  h_chksum_0: be32(0x10), // crc32c of this block with the field zeroed, with CSUM_V2 or V3
  h_commit_sec: be64(0x30),
  h_commit_nsec: be32(0x38),
});

// fc_tag: what an entry of the fast-commit area says.
export const EXT4_FC_TAG_ADD_RANGE = 1;
export const EXT4_FC_TAG_DEL_RANGE = 2;
export const EXT4_FC_TAG_CREAT = 3;
export const EXT4_FC_TAG_LINK = 4;
export const EXT4_FC_TAG_UNLINK = 5;
export const EXT4_FC_TAG_INODE = 6;
export const EXT4_FC_TAG_PAD = 7;
export const EXT4_FC_TAG_TAIL = 8;
export const EXT4_FC_TAG_HEAD = 9;

/** journal.rst, "Fast Commit": before each entry; fc_len counts what follows. */
export const FastTl = struct('ext4_fc_tl', 4, { fc_tag: le16(0x0), fc_len: le16(0x2) });
/** The first entry of the area: after which transaction it was written. */
export const FastHead = struct('ext4_fc_head', 8, { fc_features: le32(0x0), fc_tid: le32(0x4) });
/** Ends a commit: the crc32c of all its entries, this one up to fc_crc. */
export const FastTail = struct('ext4_fc_tail', 8, { fc_tid: le32(0x0), fc_crc: le32(0x4) });
/** An extent as in a leaf follows, ee_block first. */
export const FastAddRange = struct('ext4_fc_add_range', 4, { fc_ino: le32(0x0) });
export const FastDelRange = struct('ext4_fc_del_range', 12, {
  fc_ino: le32(0x0),
  fc_lblk: le32(0x4),
  fc_len: le32(0x8),
});
/** The name follows. */
export const FastDentry = struct('ext4_fc_dentry_info', 8, {
  fc_parent_ino: le32(0x0),
  fc_ino: le32(0x4),
});
/** The inode follows, up to the end of its fields. */
export const FastInode = struct('ext4_fc_inode', 4, { fc_ino: le32(0x0) });
