// fsck of ext2, ext3 and ext4: the journal first, then five passes, as e2fsck has them: inodes,
// directories, connection, links, counts. Repairs are made in memory, and written at the end, all or none.

import type { Medium } from '../../lib/medium.ts';
import { EXT4_ERROR_FS, EXT4_VALID_FS } from '../ondisk.ts';
import { INCOMPAT } from '../volume/features.ts';
import { checkShares } from './attributes.ts';
import { checkCounts, settle } from './counts.ts';
import { checkInodes, markOwn } from './inodes.ts';
import { checkJournal } from './journal.ts';
import { connect } from './names/connect.ts';
import { checkDirectories } from './names/directories.ts';
import { checkFields, open, superblock } from './open.ts';
import { dropOrphans } from './orphans.ts';
import { checkQuota } from './quota.ts';
import { checkResize } from './resize.ts';
import type { State, World } from './state.ts';

export interface FsckRequest {
  /** `look` changes nothing; `preen` mends what nobody need be asked about; `repair` all. */
  readonly mode: 'look' | 'preen' | 'repair';
  /** A volume that says it is clean is looked at all the same. */
  readonly force: boolean;
  readonly world: World;
}

export interface FsckResult {
  readonly verdict: 'clean' | 'skipped' | 'repaired' | 'damaged';
  readonly problems: readonly string[];
  /** All of them, those beyond the list, too. */
  readonly count: number;
  readonly usedInodes: number;
  readonly inodes: number;
  readonly usedBlocks: number;
  readonly blocks: number;
}

/** Throws where there is nothing that could be checked. */
export function fsck(medium: Medium, { mode, force, world }: FsckRequest): FsckResult {
  const { state } = open(medium, world, mode === 'look' ? 'look' : 'repair');
  const { report, vol } = state;
  const totals = { inodes: vol.inodesCount, blocks: vol.blocksCount };
  if (!force && report.count === 0 && saysClean(state)) {
    const sb = superblock(state);
    const free = sb.s_free_blocks_count_lo + sb.s_free_blocks_count_hi * 2 ** 32;
    const used = {
      usedInodes: vol.inodesCount - sb.s_free_inodes_count,
      usedBlocks: vol.blocksCount - free,
    };
    return { verdict: 'skipped', problems: [], count: 0, ...totals, ...used };
  }
  checkFields(state);
  checkResize(state);
  markOwn(state);
  checkJournal(state);
  dropOrphans(state);
  checkInodes(state);
  checkDirectories(state);
  connect(state);
  checkShares(state);
  const used = checkCounts(state);
  checkQuota(state);
  const found = { problems: report.problems, count: report.count, ...totals, ...used };
  if (mode === 'look' || (mode === 'preen' && report.grave > 0))
    return { verdict: report.count === 0 ? 'clean' : 'damaged', ...found };
  settle(state);
  state.tx.commit();
  medium.flush();
  return { verdict: report.count === 0 ? 'clean' : 'repaired', ...found };
}

function saysClean(state: State): boolean {
  const { s_state, s_feature_incompat, s_last_orphan } = superblock(state);
  const clean = (s_state & EXT4_VALID_FS) !== 0 && (s_state & EXT4_ERROR_FS) === 0;
  return clean && (s_feature_incompat & INCOMPAT.needs_recovery) === 0 && s_last_orphan === 0;
}
