// A fork's blocks: the extents in its own record, then those in the extents overflow file; growing it
// and cutting it. TN1150, "Extents Overflow File".

import { EFBIG, ENOSPC, EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import { insert, remove, replace } from '../btree/change.ts';
import type { ForkType } from '../ondisk.ts';
import type { Op } from '../op.ts';
import { allocRun, checkRun, freeRunOf } from '../volume/alloc.ts';
import type { ForkData, Run } from './fork-data.ts';

/** A fork, and how what is said of it is kept. */
export interface Fork {
  readonly cnid: number;
  readonly type: ForkType;
  readonly data: ForkData;
  /** All its extents must be in its own record: that of the extents file itself, and of attributes. */
  readonly contained?: boolean;
  /** `data` changed. */
  save(): void;
}

const total = (runs: readonly Run[]): number => runs.reduce((sum, { count }) => sum + count, 0);

/** The run that holds block `index` of the fork, from that block on; undefined behind its end. */
export function findRun(op: Op, fork: Fork, index: number): Run | undefined {
  if (index >= fork.data.blocks) return undefined;
  const own = within(fork.data.extents, index);
  const run = own ?? overflowRun(op, fork, index);
  const left = fork.data.blocks - index;
  const found = { start: run.start, count: Math.min(run.count, left) };
  checkRun(op, found);
  return found;
}

function within(runs: readonly Run[], index: number): Run | undefined {
  let first = 0;
  for (const { start, count } of runs) {
    if (index < first + count)
      return { start: start + index - first, count: first + count - index };
    first += count;
  }
  return undefined;
}

function overflowRun(op: Op, fork: Fork, index: number): Run {
  const group = overflowGroup(op, fork, index);
  const run = group && within(group.runs, index - group.first);
  return run ?? fail(EUCLEAN, `${nameOf(fork)}: block ${index} is nowhere`);
}

const nameOf = ({ cnid, type }: Fork): string => `file ${cnid}${type === 0 ? '' : ', resources'}`;

/** The extents of one record: of the fork's own (`first` 0, no key), or of the overflow file. */
interface Group {
  readonly first: number; // block of the fork that they begin with
  readonly key: Uint8Array | undefined;
  readonly runs: Run[];
}

function overflowGroup(op: Op, fork: Fork, index: number): Group | undefined {
  const { cnid, type } = fork;
  if (fork.contained) return undefined;
  const { keys, extents } = op.vol;
  const step = op.extents.floor(keys.extentsKey({ cnid, fork: type, start: index }));
  if (step === undefined) return undefined;
  const { node, index: at } = step;
  const found = keys.readExtentsKey(node.view, node.offset(at));
  if (found.cnid !== cnid || found.fork !== type) return undefined;
  const data = op.extents.data(node, at);
  if (data.length < extents.slots * (extents.slots === 3 ? 4 : 8))
    fail(EUCLEAN, `extents of file ${cnid}: a short record`);
  return { first: found.start, key: keys.extentsKey(found), runs: extents.read(data) };
}

/** The record that holds the fork's last extent. */
function lastGroup(op: Op, fork: Fork): Group {
  const { blocks, extents } = fork.data;
  const own = { first: 0, key: undefined, runs: [...extents] };
  if (blocks <= total(extents)) return own;
  const group = overflowGroup(op, fork, blocks - 1);
  if (group === undefined || group.first + total(group.runs) < blocks)
    return fail(EUCLEAN, `${nameOf(fork)}: ${blocks} blocks, extents for less`);
  return group;
}

function saveGroup(op: Op, fork: Fork, { key, runs }: Group): void {
  if (key === undefined) fork.data.extents = runs;
  else replace(op.extents, key, op.vol.extents.write(runs));
}

/** Adds one run of blocks, at least one and at most `count`. */
export function growFork(op: Op, fork: Fork, count: number): Run {
  const { data } = fork;
  const { vol } = op;
  const room = Math.floor((vol.kind === 'hfs' ? 0x7fff_ffff : 2 ** 53 - 1) / vol.allocSize);
  const most = Math.min(count, (vol.kind === 'hfs' ? Math.min(room, 65535) : room) - data.blocks);
  if (most <= 0) fail(EFBIG);
  const group = lastGroup(op, fork);
  const last = group.runs.at(-1);
  const goal = last === undefined ? op.head.nextAllocation : last.start + last.count;
  const run = allocRun(op, { goal, count: most });
  if (last !== undefined && last.start + last.count === run.start) {
    group.runs[group.runs.length - 1] = { start: last.start, count: last.count + run.count };
    saveGroup(op, fork, group);
  } else if (group.runs.length < vol.extents.slots) {
    group.runs.push(run);
    saveGroup(op, fork, group);
  } else {
    if (fork.contained) fail(ENOSPC, `${nameOf(fork)}: no room for another extent`);
    const key = vol.keys.extentsKey({ cnid: fork.cnid, fork: fork.type, start: data.blocks });
    insert(op.extents, key, vol.extents.write([run]));
  }
  data.blocks += run.count;
  fork.save();
  return run;
}

export interface Cut {
  readonly keep: number; // blocks
  /** Extents that may be freed at once; the rest is another request's work. */
  readonly steps: number;
}

/** Frees blocks from the end. True when no more than `keep` are left. */
export function cutFork(op: Op, fork: Fork, { keep, steps }: Cut): boolean {
  const { data } = fork;
  for (let left = steps; data.blocks > keep; left--) {
    if (left === 0) break;
    const group = lastGroup(op, fork);
    const surplus = group.first + total(group.runs) - data.blocks;
    const last = group.runs.pop();
    if (last === undefined || surplus >= last.count)
      return fail(EUCLEAN, `${nameOf(fork)}: extents for more than ${data.blocks} blocks`);
    const free = Math.min(last.count - surplus, data.blocks - keep);
    const kept = last.count - surplus - free;
    freeRunOf(op, { start: last.start + kept, count: last.count - kept });
    if (kept > 0) group.runs.push({ start: last.start, count: kept });
    if (group.key !== undefined && group.runs.length === 0) remove(op.extents, group.key);
    else saveGroup(op, fork, group);
    data.blocks -= free;
  }
  fork.save();
  return data.blocks <= keep;
}
