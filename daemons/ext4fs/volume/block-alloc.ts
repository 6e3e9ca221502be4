// Allocating and freeing blocks: near a goal, in runs as long as can be had. Which groups are tried
// follows from the descriptors' free counts, so a full group costs no bitmap read.

import { ENOSPC, EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import type { Op } from '../op.ts';
import {
  clearBits,
  editBlockBitmap,
  nextClear,
  nextSet,
  readBlockBitmap,
  setBits,
  testBit,
} from './bitmap.ts';
import { blocksIn, firstBlockOf, type Group, groupOfBlock, isDataBlock } from './group.ts';

export interface Run {
  start: number; // block on the volume
  count: number;
}

export interface BlockRequest {
  goal: number; // the block that would be best
  count: number; // the most that is wanted, at least 1
}

/** In the first pass a group must offer a run this long, or all that is wanted. */
const WORTHWHILE = 16;
/** Groups whose bitmaps are read in the first pass before any free block will do. */
const FIRST_PASS_GROUPS = 8;

/** Takes 1 to `count` blocks in one run. ENOSPC when there is none. */
export function allocBlocks(op: Op, request: BlockRequest): Run {
  const { vol } = op;
  if (op.env.refuses?.('blocks')) fail(ENOSPC);
  const goal = isDataBlock(vol, request.goal) ? request.goal : vol.firstDataBlock;
  const home = groupOfBlock(vol, goal);
  const atGoal = takeInGroup(op, home, { goal, want: request.count, least: 1, near: true });
  if (atGoal !== undefined) return atGoal;
  const least = Math.min(request.count, WORTHWHILE);
  return (
    searchGroups(op, { home, want: request.count, least, groups: FIRST_PASS_GROUPS }) ??
    searchGroups(op, { home, want: request.count, least: 1, groups: vol.groupCount }) ??
    fail(ENOSPC)
  );
}

/** Takes this block, which its caller has reserved. ENOSPC when it is not free any more. */
export function takeBlock(op: Op, block: number): void {
  const { vol } = op;
  if (!isDataBlock(vol, block)) fail(EUCLEAN, `block ${block} is no data block`);
  const group = op.group(groupOfBlock(vol, block));
  const at = block - firstBlockOf(vol, group.index);
  if (testBit(readBlockBitmap(op.tx, vol, group), at)) fail(ENOSPC, `block ${block} is taken`);
  setBits(editBlockBitmap(op.tx, vol, group), at, 1);
  group.freeBlocks -= 1;
}

interface Search {
  home: number;
  want: number;
  least: number;
  groups: number; // whose bitmaps may be read
}

function searchGroups(op: Op, { home, want, least, groups }: Search): Run | undefined {
  const { vol } = op;
  let looked = 0;
  for (let i = 0; i < vol.groupCount && looked < groups; i++) {
    const index = (home + i) % vol.groupCount;
    if (op.group(index).freeBlocks < least) continue;
    looked++;
    const run = takeInGroup(op, index, {
      goal: firstBlockOf(vol, index),
      want,
      least,
      near: false,
    });
    if (run !== undefined) return run;
  }
  return undefined;
}

interface Take {
  goal: number;
  want: number;
  least: number;
  near: boolean; // only the goal itself, or the next free block close behind it
}

function takeInGroup(op: Op, index: number, take: Take): Run | undefined {
  const group = op.group(index);
  if (group.freeBlocks < take.least) return undefined;
  const bits = readBlockBitmap(op.tx, op.vol, group);
  const from = take.goal - firstBlockOf(op.vol, index);
  const found = take.near
    ? runNear(op, bits, { index, from, want: take.want })
    : bestRun(op, bits, { index, from, want: take.want });
  if (found === undefined || found.count < take.least) return undefined;
  setBits(editBlockBitmap(op.tx, op.vol, group), found.start, found.count);
  group.freeBlocks -= found.count;
  return { start: firstBlockOf(op.vol, index) + found.start, count: found.count };
}

interface Window {
  index: number; // of the group
  from: number; // bit
  want: number;
}

/** The run at the goal, or one that begins within 64 blocks behind it. */
function runNear(op: Op, bits: Uint8Array, { index, from, want }: Window): Run | undefined {
  const end = blocksIn(op.vol, index);
  const start = nextFree(op, bits, { index, from, want: Math.min(end, from + 64) });
  if (start >= Math.min(end, from + 64)) return undefined;
  return { start, count: runLength(op, bits, { index, from: start, want }) };
}

/** The first run of `want` blocks, going round from `from`; else the longest. */
function bestRun(op: Op, bits: Uint8Array, { index, from, want }: Window): Run | undefined {
  const end = blocksIn(op.vol, index);
  let best: Run | undefined;
  for (const [low, high] of [
    [from, end],
    [0, from],
  ] as const) {
    for (let at = low; at < high; ) {
      const start = nextFree(op, bits, { index, from: at, want: high });
      if (start >= high) break;
      const count = runLength(op, bits, { index, from: start, want });
      if (count >= want) return { start, count };
      if (count > (best?.count ?? 0)) best = { start, count };
      at = start + Math.max(1, count);
    }
  }
  return best;
}

/** The first usable bit from `from` on, or `want`, which is the end here. */
function nextFree(op: Op, bits: Uint8Array, { index, from, want: end }: Window): number {
  const first = firstBlockOf(op.vol, index);
  let at = nextClear(bits, from, end);
  // A busy run is skipped as a whole: each turn gets ahead by at least one block.
  while (at < end) {
    const busy = op.env.busyUntil?.(first + at) ?? 0;
    if (busy === 0) return at;
    at = nextClear(bits, Math.max(busy - first, at + 1), end);
  }
  return end;
}

function runLength(op: Op, bits: Uint8Array, { index, from, want }: Window): number {
  const end = Math.min(blocksIn(op.vol, index), from + want);
  const stop = nextSet(bits, from, end);
  if (op.env.busyUntil === undefined) return stop - from;
  const first = firstBlockOf(op.vol, index);
  for (let at = from + 1; at < stop; at++) if (op.env.busyUntil(first + at) !== 0) return at - from;
  return stop - from;
}

/** Gives blocks back. EUCLEAN when they are not a file's, or free already. */
export function freeBlocks(op: Op, { start, count }: Run, metadata: 'metadata' | 'data'): void {
  const { vol } = op;
  if (count < 1 || !isDataBlock(vol, start, count))
    fail(EUCLEAN, `freeing blocks ${start}+${count}, which are no data blocks`);
  for (let at = start; at < start + count; ) {
    const index = groupOfBlock(vol, at);
    const length = Math.min(start + count, firstBlockOf(vol, index) + blocksIn(vol, index)) - at;
    freeInGroup(op, op.group(index), { start: at, count: length });
    at += length;
  }
  if (metadata === 'metadata') for (let at = start; at < start + count; at++) op.tx.forget(at);
  op.tx.onCommit(() => op.env.freed?.(start, count));
}

function freeInGroup(op: Op, group: Group, { start, count }: Run): void {
  const from = start - firstBlockOf(op.vol, group.index);
  const bits = editBlockBitmap(op.tx, op.vol, group);
  if (nextClear(bits, from, from + count) !== from + count)
    fail(EUCLEAN, `group ${group.index}: blocks ${start}+${count} are free already`);
  clearBits(bits, from, count);
  group.freeBlocks += count;
}
