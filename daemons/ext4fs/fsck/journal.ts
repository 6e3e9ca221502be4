// The journal of a volume that needs no recovery: a file of the right kind with a superblock that can be
// believed, and an empty log. One that is not gets a new superblock; one without a file is taken away.

import { S_IFMT, S_IFREG } from '../../../kernel/abi/constants.ts';
import { PosixError } from '../../../kernel/abi/errno.ts';
import { parseJournal } from '../jbd2/format.ts';
import { EXT4_JOURNAL_INO } from '../ondisk.ts';
import { JBD2_MAGIC, JBD2_SUPERBLOCK_V2, JournalSuperblock } from '../ondisk-journal.ts';
import { COMPAT, INCOMPAT } from '../volume/features.ts';
import { has } from '../volume/superblock.ts';
import { clearInode } from './inodes.ts';
import { readMap } from './map.ts';
import { sealSuperblock, superblock } from './open.ts';
import type { State } from './state.ts';

/** mke2fs makes none that is smaller. */
const BLOCKS_MIN = 1024;

export function checkJournal(state: State): void {
  const { vol } = state;
  if (!has.journal(vol) || vol.journalIno === 0) return; // none, or on another device
  const blocks = vol.journalIno === EXT4_JOURNAL_INO ? blocksOfFile(state) : undefined;
  if (blocks === undefined) {
    state.bad(`journal: inode ${vol.journalIno} cannot be it; the volume is without one now`);
    takeAway(state);
    return;
  }
  const first = blocks[0] ?? 0;
  const why = whatIsWrong(state, first, blocks.length);
  if (why === undefined) return;
  state.bad(`${why}; it begins anew`);
  const block = state.tx.create(first);
  const sb = new JournalSuperblock(block.view);
  sb.h_magic = JBD2_MAGIC;
  sb.h_blocktype = JBD2_SUPERBLOCK_V2;
  sb.s_blocksize = vol.blockSize;
  sb.s_maxlen = blocks.length;
  sb.s_first = 1;
  sb.s_sequence = 1;
  sb.s_nr_users = 1;
  sb.s_uuid = new Uint8Array(16);
}

/** JBD2_FEATURE_COMPAT_CHECKSUM: of a whole transaction, in its commit block. journal.rst. */
const COMPAT_CHECKSUM = 1;

/** Its blocks in order; undefined when it is no file without holes. */
function blocksOfFile(state: State): number[] | undefined {
  const inode = state.inode(EXT4_JOURNAL_INO);
  if ((inode.i_mode & S_IFMT) !== S_IFREG || inode.i_links_count === 0) return undefined;
  const { runs, wrong } = readMap(state, EXT4_JOURNAL_INO);
  const blocks: number[] = [];
  for (const { lblock, block, count, unwritten } of runs) {
    if (lblock !== blocks.length || unwritten) return undefined;
    for (let i = 0; i < count; i++) blocks.push(block + i);
  }
  if (blocks.some((block) => state.own.has(block))) return undefined;
  const size = inode.i_size_lo + inode.i_size_high * 2 ** 32;
  const whole = size === blocks.length * state.vol.blockSize;
  return wrong.length > 0 || !whole || blocks.length < BLOCKS_MIN ? undefined : blocks;
}

function whatIsWrong(state: State, first: number, length: number): string | undefined {
  const sb = new JournalSuperblock(state.tx.read(first).view);
  try {
    const { csum } = parseJournal(sb, state.vol.blockSize, length);
    if (csum !== 0 && (sb.s_feature_compat & COMPAT_CHECKSUM) !== 0)
      return 'journal: two kinds of checksums';
    if (sb.s_nr_users > 1) return `journal: ${sb.s_nr_users} users`;
    return sb.s_start === 0 ? undefined : `journal: its log begins at ${sb.s_start}`;
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return error.message;
  }
}

function takeAway(state: State): void {
  const { journalIno } = state.vol;
  const sb = superblock(state);
  sb.s_feature_compat &= ~COMPAT.has_journal;
  sb.s_feature_incompat &= ~INCOMPAT.needs_recovery;
  sb.s_journal_inum = 0;
  sb.s_jnl_backup_type = 0;
  sb.s_jnl_blocks = new Uint8Array(68);
  sealSuperblock(state);
  if (journalIno === EXT4_JOURNAL_INO) clearInode(state, journalIno);
}
