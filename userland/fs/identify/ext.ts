// ext2, ext3 and ext4 for identify.ts. Linux Documentation/filesystems/ext4/super.rst; which of the three
// it is, is told by its features.

import {
  EXT4_SUPER_MAGIC,
  SUPERBLOCK_OFFSET,
  SUPERBLOCK_SIZE,
  Superblock,
} from '../../../daemons/ext4fs/ondisk.ts';
import { COMPAT, INCOMPAT, RO_COMPAT } from '../../../daemons/ext4fs/volume/features.ts';
import type { Medium } from '../../../daemons/lib/medium.ts';
import { formatUuid } from '../uuid.ts';
import { bytesAt, type Tags, tagsOf, textOf, viewOf } from './tags.ts';

const EXT3_INCOMPAT = INCOMPAT.filetype | INCOMPAT.needs_recovery | INCOMPAT.meta_bg;
const EXT3_RO_COMPAT = RO_COMPAT.sparse_super | RO_COMPAT.large_file | RO_COMPAT.btree_dir;

export function identifyExt(medium: Medium): Tags | undefined {
  const bytes = bytesAt(medium, SUPERBLOCK_OFFSET, SUPERBLOCK_SIZE);
  if (bytes === undefined) return undefined;
  const sb = new Superblock(viewOf(bytes));
  if (sb.s_magic !== EXT4_SUPER_MAGIC) return undefined;
  const journal = (sb.s_feature_compat & COMPAT.has_journal) !== 0;
  const old =
    (sb.s_feature_incompat & ~EXT3_INCOMPAT) === 0 &&
    (sb.s_feature_ro_compat & ~EXT3_RO_COMPAT) === 0;
  const type = !old ? 'ext4' : journal ? 'ext3' : 'ext2';
  return tagsOf([
    ['LABEL', textOf(sb.s_volume_name)],
    ['UUID', sb.s_uuid.some((byte) => byte !== 0) ? formatUuid(sb.s_uuid) : undefined],
    ['SEC_TYPE', type === 'ext3' ? 'ext2' : undefined],
    ['BLOCK_SIZE', String(1024 * 2 ** sb.s_log_block_size)],
    ['TYPE', type],
  ]);
}
