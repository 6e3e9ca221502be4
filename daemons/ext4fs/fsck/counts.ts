// Fifth pass: bitmaps, counts and checksums of the groups, and the superblock's sums, against what the
// passes before have found. bitmaps.rst, group_descr.rst.

import { crc32c } from '../../lib/crc32c.ts';
import {
  EXT4_BG_BLOCK_UNINIT,
  EXT4_BG_INODE_UNINIT,
  EXT4_ERROR_FS,
  EXT4_VALID_FS,
} from '../ondisk.ts';
import { RO_COMPAT } from '../volume/features.ts';
import { blocksIn, firstBlockOf, type Group } from '../volume/group.ts';
import { has } from '../volume/superblock.ts';
import { FT_DIR } from './inodes.ts';
import { sealSuperblock, superblock } from './open.ts';
import type { State } from './state.ts';

export interface Sums {
  readonly usedInodes: number;
  readonly usedBlocks: number;
}

export function checkCounts(state: State): Sums {
  const { vol } = state;
  let freeBlocks = 0;
  let freeInodes = 0;
  for (const group of state.groups) {
    freeBlocks += checkBlockBitmap(state, group);
    freeInodes += checkInodeBitmap(state, group);
  }
  const sb = superblock(state);
  // What the superblock sums up is only ever a hint: it is set right without a word.
  sb.s_free_blocks_count_lo = freeBlocks % 2 ** 32;
  if (has.bit64(vol)) sb.s_free_blocks_count_hi = Math.floor(freeBlocks / 2 ** 32);
  sb.s_free_inodes_count = freeInodes;
  sealSuperblock(state);
  return { usedInodes: vol.inodesCount - freeInodes, usedBlocks: vol.blocksCount - freeBlocks };
}

/** Marks the volume as checked and clean. */
export function settle(state: State): void {
  const sb = superblock(state);
  sb.s_state = (sb.s_state | EXT4_VALID_FS) & ~EXT4_ERROR_FS;
  sb.s_feature_ro_compat &= ~RO_COMPAT.orphan_present;
  sb.s_last_orphan = 0;
  sb.s_mnt_count = 0;
  sb.s_lastcheck = state.world.nowSec % 2 ** 32;
  sealSuperblock(state);
}

const flagged = ({ vol }: State): boolean => has.metadataCsum(vol) || has.gdtCsum(vol);

/** Free blocks of the group. */
function checkBlockBitmap(state: State, group: Group): number {
  const { vol, tx } = state;
  const first = firstBlockOf(vol, group.index);
  const count = blocksIn(vol, group.index);
  const right = padded(count, vol.blockSize, (i) => state.used.has(first + i));
  let free = 0;
  for (let i = 0; i < count; i++) if (!state.used.has(first + i)) free++;
  const what = `group ${group.index}`;
  if (flagged(state) && (group.flags & EXT4_BG_BLOCK_UNINIT) !== 0) {
    const theirs = some(count, (i) => state.used.has(first + i) && !state.own.has(first + i));
    if (theirs) {
      state.bad(`${what}: blocks of files where there is no block bitmap yet`);
      group.flags &= ~EXT4_BG_BLOCK_UNINIT;
      putBitmap(state, { group, kind: 'block', right });
    }
  } else {
    const bits = tx.read(group.blockBitmap).bytes;
    const sum = crc32c(vol.csumSeed, bits.subarray(0, vol.blocksPerGroup / 8));
    const sumFits = !has.metadataCsum(vol) || group.fitCsum(sum) === group.blockBitmapCsum;
    if (!same(bits, right) || !sumFits) {
      state.report.tell(
        `${what}: ${sumFits ? 'block bitmap differs' : "block bitmap's checksum"}`,
        'slight',
      );
      putBitmap(state, { group, kind: 'block', right });
    }
  }
  if (group.freeBlocks !== free) {
    state.report.tell(`${what}: ${group.freeBlocks} free blocks, should be ${free}`, 'slight');
    group.freeBlocks = free;
  }
  group.seal();
  return free;
}

/** Free inodes of the group. */
function checkInodeBitmap(state: State, group: Group): number {
  const { vol, tx } = state;
  const per = vol.inodesPerGroup;
  const first = group.index * per + 1;
  const isUsed = (i: number): boolean =>
    first + i < vol.firstIno || (state.kinds[first + i] ?? 0) !== 0;
  const right = padded(per, vol.blockSize, isUsed);
  let free = 0;
  let directories = 0;
  let last = 0;
  for (let i = 0; i < per; i++) {
    if (!isUsed(i)) free++;
    else last = i + 1;
    if (state.kinds[first + i] === FT_DIR) directories++;
  }
  const what = `group ${group.index}`;
  if (flagged(state) && (group.flags & EXT4_BG_INODE_UNINIT) !== 0) {
    if (free !== per) {
      state.bad(`${what}: inodes in use where there is no inode bitmap yet`);
      group.flags &= ~EXT4_BG_INODE_UNINIT;
      putBitmap(state, { group, kind: 'inode', right });
    }
  } else {
    const bits = tx.read(group.inodeBitmap).bytes;
    const sum = crc32c(vol.csumSeed, bits.subarray(0, per / 8));
    const sumFits = !has.metadataCsum(vol) || group.fitCsum(sum) === group.inodeBitmapCsum;
    if (!same(bits, right) || !sumFits) {
      state.report.tell(
        `${what}: ${sumFits ? 'inode bitmap differs' : "inode bitmap's checksum"}`,
        'slight',
      );
      putBitmap(state, { group, kind: 'inode', right });
    }
  }
  const tell = (name: string, stored: number, should: number): void =>
    state.report.tell(`${what}: ${stored} ${name}, should be ${should}`, 'slight');
  if (group.freeInodes !== free) {
    tell('free inodes', group.freeInodes, free);
    group.freeInodes = free;
  }
  if (group.usedDirs !== directories) {
    tell('directories', group.usedDirs, directories);
    group.usedDirs = directories;
  }
  if (flagged(state) && group.itableUnused > per - last) {
    tell('unused inodes', group.itableUnused, per - last);
    group.itableUnused = per - last;
  }
  group.seal();
  return free;
}

/** A bitmap's block; bits for which there is nothing are set. */
function padded(count: number, blockSize: number, isUsed: (i: number) => boolean): Uint8Array {
  const bytes = new Uint8Array(blockSize).fill(0xff);
  for (let i = 0; i < count; i++) {
    if (!isUsed(i)) bytes[i >>> 3] = (bytes[i >>> 3] ?? 0) & ~(1 << (i & 7));
  }
  return bytes;
}

function some(count: number, holds: (i: number) => boolean): boolean {
  for (let i = 0; i < count; i++) if (holds(i)) return true;
  return false;
}

const same = (a: Uint8Array, b: Uint8Array): boolean => a.every((byte, i) => byte === b[i]);

function putBitmap(
  { vol, tx }: State,
  { group, kind, right }: { group: Group; kind: 'block' | 'inode'; right: Uint8Array },
): void {
  tx.create(kind === 'block' ? group.blockBitmap : group.inodeBitmap).bytes.set(right);
  if (!has.metadataCsum(vol)) return;
  const bits = kind === 'block' ? vol.blocksPerGroup : vol.inodesPerGroup;
  const sum = crc32c(vol.csumSeed, right.subarray(0, bits / 8));
  if (kind === 'block') group.blockBitmapCsum = sum;
  else group.inodeBitmapCsum = sum;
}
