// Write-back: dirty pages go to their server in runs of up to 1 MiB, several requests in one hop; small
// files go together. An inode is flushed by one task at a time.

import { PosixError } from '../abi/errno.ts';
import type { Task } from '../ipc/task.ts';
import { evictUnused, type Inode, type Superblock } from '../vfs/inode.ts';
import { type Part, type Run, runsOf, type SendContext, sendParts } from './send-pages.ts';

/** Runs and pages in one exchange, and exchanges of one file at a time: the server always has some to do. */
const BATCH_RUNS = 24;
const BATCH_PAGES = 1024;
const BATCHES = 2;
/** Files of at most so many dirty pages go together, so many files and pages in one exchange. */
const SMALL = 16;
const GROUP_FILES = 64;
const GROUP_PAGES = 256;
/** Groups and large files written back at a time. */
const FLUSHES = 4;

export interface FlushContext extends SendContext {
  /** Flushes every file of a superblock. */
  readonly flushAll: (superblock: Superblock) => Task<void>;
}

/** Writes all dirty pages of a file; a failure is left in `inode.writeError`. */
export function* flushInode(context: FlushContext, inode: Inode): Task<void> {
  if (inode.evicted) return;
  if (inode.dirty.size === 0 && !inode.timesDirty && !inode.flushLock.held) {
    inode.superblock.dirtyInodes.delete(inode);
    return;
  }
  yield* inode.flushLock.acquire();
  yield* flushLocked(context, inode);
}

/** Writes back many files of one server; those that cannot be sent now stay dirty. */
export function* flushMany(context: FlushContext, inodes: readonly Inode[]): Task<void> {
  yield* context.executor.each(groupsOf(inodes), FLUSHES, (group) => flushGroup(context, group));
}

/** The caller has acquired the inode's flush lock; it is given back. */
function* flushLocked(context: FlushContext, inode: Inode): Task<void> {
  try {
    if (inode.evicted || (inode.dirty.size === 0 && !inode.timesDirty)) return;
    const batches = batchesOf(runsOf(inode, inode.dirty));
    const behind = batches.pop() ?? [];
    yield* sendAll(context, inode, batches);
    yield* sendBatch(context, inode, { runs: behind, last: true });
  } finally {
    settled(inode);
    inode.flushLock.release();
  }
  evictUnused(context, inode);
}

function batchesOf(runs: readonly Run[]): Run[][] {
  const batches: Run[][] = [];
  let pages = 0;
  for (const run of runs) {
    const batch = batches.at(-1);
    pages += run.pages.length;
    if (batch && batch.length < BATCH_RUNS && pages <= BATCH_PAGES) batch.push(run);
    else {
      batches.push([run]);
      pages = run.pages.length;
    }
  }
  return batches;
}

/** Several exchanges beside each other; after one that could not be made none is begun. */
function* sendAll(context: FlushContext, inode: Inode, batches: readonly Run[][]): Task<void> {
  let problem: PosixError | undefined;
  yield* context.executor.each(batches, BATCHES, function* (runs) {
    try {
      if (problem === undefined) yield* sendBatch(context, inode, { runs, last: false });
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      problem = error;
    }
  });
  if (problem) throw problem;
}

/** While others were on their way the file may have grown, been cut off, or been written to. */
function* sendBatch(
  context: FlushContext,
  inode: Inode,
  { runs, last }: { runs: readonly Run[]; last: boolean },
): Task<void> {
  const pages = runs.flatMap((run) => run.dirty.filter((page) => inode.dirty.has(page)));
  yield* sendParts(context, [{ inode, runs: runsOf(inode, pages), last }]);
}

function settled(inode: Inode): void {
  if (inode.dirty.size === 0 && !inode.timesDirty) inode.superblock.dirtyInodes.delete(inode);
}

/** Small files in groups, every other for itself. */
function groupsOf(inodes: readonly Inode[]): Inode[][] {
  const groups: Inode[][] = [];
  let group: Inode[] = [];
  let pages = 0;
  for (const inode of inodes) {
    const { size } = inode.dirty;
    if (size > SMALL) {
      groups.push([inode]);
      continue;
    }
    if (group.length === GROUP_FILES || pages + size > GROUP_PAGES) {
      groups.push(group);
      group = [];
      pages = 0;
    }
    group.push(inode);
    pages += size;
  }
  return group.length > 0 ? [...groups, group] : groups;
}

function* flushGroup(context: FlushContext, group: readonly Inode[]): Task<void> {
  try {
    const [only, ...others] = group;
    if (only !== undefined && others.length === 0) yield* flushInode(context, only);
    else yield* flushTogether(context, group);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    const source = group[0]?.superblock.source ?? '';
    context.log(`${source}: write-back put off: ${error.message}`);
  }
}

/** Those that somebody else writes back just now, or that have grown, go by themselves. */
function* flushTogether(context: FlushContext, group: readonly Inode[]): Task<void> {
  const alone: Inode[] = [];
  const parts: Part[] = [];
  for (const inode of group) {
    if (inode.flushLock.held || inode.dirty.size > SMALL) alone.push(inode);
    else if (!inode.evicted && (inode.dirty.size > 0 || inode.timesDirty)) {
      yield* inode.flushLock.acquire(); // it is free: nobody is waited for
      parts.push({ inode, runs: runsOf(inode, inode.dirty), last: true });
    }
  }
  try {
    yield* sendParts(context, parts);
    for (const { inode } of parts) settled(inode);
  } finally {
    for (const { inode } of parts) inode.flushLock.release();
  }
  for (const { inode } of parts) evictUnused(context, inode);
  for (const inode of alone) yield* flushInode(context, inode);
}
