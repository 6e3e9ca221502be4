// Feature flags by name, and which of them this daemon knows: an unknown incompat feature refuses
// the mount, an unknown ro_compat one makes it read-only. Of volumes with encrypt, casefold and verity
// the files that have it are refused, no others (inode/refused.ts). super.rst, "s_feature_*".

import type { SuperblockView } from '../ondisk.ts';

export const COMPAT = {
  dir_prealloc: 0x1,
  imagic_inodes: 0x2,
  has_journal: 0x4,
  ext_attr: 0x8,
  resize_inode: 0x10,
  dir_index: 0x20,
  lazy_bg: 0x40,
  exclude_inode: 0x80,
  exclude_bitmap: 0x100,
  sparse_super2: 0x200,
  fast_commit: 0x400,
  stable_inodes: 0x800,
  orphan_file: 0x1000,
} as const;

export const INCOMPAT = {
  compression: 0x1,
  filetype: 0x2,
  needs_recovery: 0x4,
  journal_dev: 0x8,
  meta_bg: 0x10,
  extent: 0x40,
  '64bit': 0x80,
  mmp: 0x100,
  flex_bg: 0x200,
  ea_inode: 0x400,
  dirdata: 0x1000,
  metadata_csum_seed: 0x2000,
  large_dir: 0x4000,
  inline_data: 0x8000,
  encrypt: 0x10000,
  casefold: 0x20000,
} as const;

export const RO_COMPAT = {
  sparse_super: 0x1,
  large_file: 0x2,
  btree_dir: 0x4,
  huge_file: 0x8,
  uninit_bg: 0x10,
  dir_nlink: 0x20,
  extra_isize: 0x40,
  has_snapshot: 0x80,
  quota: 0x100,
  bigalloc: 0x200,
  metadata_csum: 0x400,
  replica: 0x800,
  'read-only': 0x1000,
  project: 0x2000,
  shared_blocks: 0x4000,
  verity: 0x8000,
  orphan_present: 0x10000,
} as const;

const knownIncompat =
  INCOMPAT.filetype |
  INCOMPAT.needs_recovery |
  INCOMPAT.meta_bg |
  INCOMPAT.extent |
  INCOMPAT['64bit'] |
  INCOMPAT.flex_bg |
  INCOMPAT.metadata_csum_seed |
  INCOMPAT.large_dir |
  INCOMPAT.inline_data |
  INCOMPAT.encrypt |
  INCOMPAT.casefold;

const knownRoCompat =
  RO_COMPAT.sparse_super |
  RO_COMPAT.large_file |
  RO_COMPAT.huge_file |
  RO_COMPAT.uninit_bg |
  RO_COMPAT.dir_nlink |
  RO_COMPAT.extra_isize |
  RO_COMPAT.metadata_csum |
  RO_COMPAT.verity |
  RO_COMPAT.quota |
  RO_COMPAT.project |
  RO_COMPAT.orphan_present;

/** Names of the incompat features that forbid even reading. */
export const unknownFeatures = (sb: SuperblockView): string[] =>
  names(INCOMPAT, 'incompat', sb.s_feature_incompat & ~knownIncompat);

/** Names of the ro_compat features that forbid writing. */
export const readOnlyFeatures = (sb: SuperblockView): string[] =>
  names(RO_COMPAT, 'ro_compat', sb.s_feature_ro_compat & ~knownRoCompat);

function names(table: Readonly<Record<string, number>>, set: string, bits: number): string[] {
  const out: string[] = [];
  for (const [name, bit] of Object.entries(table)) {
    if ((bits & bit) !== 0) out.push(name);
    bits &= ~bit;
  }
  if (bits !== 0) out.push(`${set} 0x${(bits >>> 0).toString(16)}`);
  return out;
}
