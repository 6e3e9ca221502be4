// The block cache's area in `ram`: what outlives the volume's worker (DESIGN, "Nothing is lost when a
// server dies"). One writer, the worker; it may be terminated between any two stores.
//
//   +0          header   magic, shape; PUBLISHED and APPLIED, the numbers of the last record; a note
//   +tableAt    table    one entry of 32 bytes for each frame: what the frame holds
//   +repliesAt  replies  the stored reply of each tag, REPLY_SLOT bytes each
//   +recordAt   record   the change being published: frames, forgotten blocks, the replies
//   +scratchAt  scratch  blocks for transfers that need a place of their own
//   +framesAt   frames   the cached blocks
//   -4096       probe    what a mount reads before it knows the volume's block size
//
// Publishing: the record is written first, then PUBLISHED grows by one atomic store, then the table
// is changed as the record says, then APPLIED follows. Where PUBLISHED and APPLIED differ at start,
// the record is applied again; every store of applying is absolute, so twice is once.

import { ENOMEM, fail } from '../../../kernel/abi/errno.ts';
import { PAGE_SIZE } from '../../../kernel/abi/memlayout.ts';
import type { GrantRef } from '../../../kernel/ipc/grant.ts';
import { MOST_IN_FLIGHT } from '../../../kernel/ninep/transport-ring.ts';

export const CACHE_MAGIC = 0x41746342; // 'AtcB'
export const CACHE_VERSION = 4;

/** Words of the header. */
export const H_MAGIC = 0;
export const H_VERSION = 1;
export const H_BLOCK_SIZE = 2;
export const H_FRAMES = 3;
export const H_VOLUME = 4; // four words: which volume this is the cache of
export const H_TOUCHED = 8; // frames that were ever used: those below this number
export const H_PUBLISHED = 16;
export const H_APPLIED = 32;
export const H_NOTE = 48; // which of the two notes behind it is valid: 1, 2, or 0 for none
/** Words of a note: what whoever writes back leaves for the worker after this one. */
export const NOTE_WORDS = 4;

/** Words of a table entry. */
export const ENTRY_WORDS = 8;
export const E_BLOCK_LO = 0;
export const E_BLOCK_HI = 1;
export const E_STATE = 2;
export const E_TID = 3;
export const E_VERSION = 4; // a double, in two words

/** What a frame holds. */
export const FREE = 0;
export const CLEAN = 1; // the block as it is at home on the disk
export const DIRTY = 2; // published, in the running or the committing transaction
export const LOGGED = 3; // safe in the journal, not yet at home
export const LOGGED_FORGOTTEN = 4; // the same, and a transaction that is not says that it is no metadata
export type FrameState = 0 | 1 | 2 | 3 | 4;

/** One for each request that a client may have under way. */
export const REPLY_SLOTS = MOST_IN_FLIGHT;
export const REPLY_SLOT = 256; // bytes: state, tag, length, then the message

/** Words of the record's head; entries of RECORD_WORDS follow, then the replies. */
export const RECORD_HEAD_WORDS = 8;
export const RECORD_WORDS = 8;
/** Entries for each block of a change: its frame, and those that held it in older transactions. */
export const RECORD_ENTRIES = 3;
/** Replies of one record: so many requests are published together at most. */
export const RECORD_REPLIES = 64;

export interface Area {
  readonly address: number;
  readonly length: number;
  /** Names the whole area, for passing parts of it to the device. */
  readonly grant: GrantRef;
}

export interface CacheShape {
  readonly blockSize: number;
  readonly frames: number;
  readonly recordMax: number; // blocks that one request may change or forget
  readonly scratchBlocks: number;
  readonly tableAt: number;
  readonly repliesAt: number;
  readonly recordAt: number;
  readonly scratchAt: number;
  readonly framesAt: number;
}

/** The last bytes of an area are no part of the cache: what a mount reads before it knows a volume. */
export const PROBE_SIZE = PAGE_SIZE;

const SCRATCH_MAX = 1024 * 1024; // bytes
const RECORD_MAX = 1024;
/** With less no request would find room for all that it changes. */
const FRAMES_MIN = 64;

/** How an area of `length` bytes is divided. The same for the same numbers, so restarts find it. */
export function cacheShape(areaLength: number, blockSize: number): CacheShape {
  const length = areaLength - PROBE_SIZE;
  const frameSize = Math.max(blockSize, 512);
  const most = Math.floor(length / frameSize);
  const recordMax = Math.min(RECORD_MAX, most >> 1);
  const scratchBytes = roundUp(Math.min(SCRATCH_MAX, length >> 3), Math.max(blockSize, PAGE_SIZE));
  const tableAt = PAGE_SIZE;
  const repliesAt = tableAt + roundUp(most * ENTRY_WORDS * 4, 64);
  const recordAt = repliesAt + REPLY_SLOTS * REPLY_SLOT;
  const recordBytes =
    (RECORD_HEAD_WORDS + RECORD_ENTRIES * recordMax * RECORD_WORDS) * 4 +
    RECORD_REPLIES * REPLY_SLOT;
  const scratchAt = roundUp(recordAt + recordBytes, PAGE_SIZE);
  const framesAt = roundUp(scratchAt + scratchBytes, PAGE_SIZE);
  const frames = Math.floor((length - framesAt) / blockSize);
  if (frames < FRAMES_MIN)
    fail(ENOMEM, `a block cache of ${length} bytes is too small for blocks of ${blockSize}`);
  const scratchBlocks = Math.floor(scratchBytes / blockSize);
  return {
    ...{ blockSize, frames, recordMax, scratchBlocks },
    ...{ tableAt, repliesAt, recordAt, scratchAt, framesAt },
  };
}

const roundUp = (n: number, to: number): number => Math.ceil(n / to) * to;
