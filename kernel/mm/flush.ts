// Write-back: dirty pages go to their server in runs of up to 1 MiB, several requests in one hop. An
// inode is flushed by one task at a time. The server learns the file's mtime behind the data.

import { EIO, ENOMEM, type Errno, PosixError } from '../abi/errno.ts';
import { PAGE_SIZE } from '../abi/memlayout.ts';
import { GRANT_READ } from '../ipc/grant.ts';
import type { Task } from '../ipc/task.ts';
import { COUNTERS, EVENTS } from '../ipc/trace-events.ts';
import type { Request } from '../ninep/client.ts';
import { P9_SETATTR_MTIME, P9_SETATTR_MTIME_SET, type RMessage } from '../ninep/types.ts';
import { evictUnused, getattr, type Inode, type InodeHost, type Superblock } from '../vfs/inode.ts';
import type { Page } from './page-cache.ts';
import { clipSegments, grantable, segmentsOf } from './read.ts';

/** Pages in one Twrite: 1 MiB. */
const RUN_PAGES = 256;
/** Requests in one exchange. */
const BATCH = 8;

export interface FlushContext extends InodeHost {
  readonly log: (line: string) => void;
  /** Flushes every file of a superblock. */
  readonly flushAll: (superblock: Superblock) => Task<void>;
}

interface Run {
  readonly pages: readonly Page[];
  readonly offset: number;
  readonly length: number;
}

/** Writes all dirty pages of a file; a failure is left in `inode.writeError`. */
export function* flushInode(context: FlushContext, inode: Inode): Task<void> {
  if (inode.evicted) return;
  if (inode.dirty.size === 0 && !inode.timesDirty && !inode.flushLock.held) {
    inode.superblock.dirtyInodes.delete(inode);
    return;
  }
  yield* inode.flushLock.acquire();
  try {
    if (inode.evicted) return;
    const runs = runsOf(inode, [...inode.dirty]);
    for (let i = 0; i < runs.length; i += BATCH) {
      // While others were on their way the file may have grown, been cut off, or been written to.
      const pages = runs.slice(i, i + BATCH).flatMap((run) => run.pages);
      const now = runsOf(
        inode,
        pages.filter((page) => inode.dirty.has(page)),
      );
      if (now.length > 0) yield* writeRuns(context, inode, now);
    }
    if (inode.attr.nlink > 0) yield* exchangeAttributes(inode);
    else inode.stale = true;
    if (inode.dirty.size === 0 && !inode.timesDirty) inode.superblock.dirtyInodes.delete(inode);
  } finally {
    inode.flushLock.release();
  }
  evictUnused(context, inode);
}

/** As `flushInode`, for those who write back many files: a file that cannot be sent now stays dirty. */
export function* flushLater(context: FlushContext, inode: Inode): Task<void> {
  try {
    yield* flushInode(context, inode);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    context.log(`${inode.superblock.source}: write-back put off: ${error.message}`);
  }
}

/** Dirty pages in the order of the file, neighbours together, as far as the file goes just now. */
function runsOf(inode: Inode, pages: readonly Page[]): Run[] {
  const dirty = [...pages].sort((a, b) => a.index - b.index);
  const runs: Run[] = [];
  for (let i = 0; i < dirty.length; ) {
    let end = i + 1;
    const first = dirty[i]?.index ?? 0;
    while (end < dirty.length && end - i < RUN_PAGES && dirty[end]?.index === first + end - i)
      end++;
    const run = dirty.slice(i, end);
    const fitting = run.slice(0, grantable(run));
    const offset = first * PAGE_SIZE;
    const length = Math.min(fitting.length * PAGE_SIZE, inode.size - offset);
    if (length > 0) runs.push({ pages: fitting, offset, length });
    i += fitting.length;
  }
  return runs;
}

function* writeRuns(context: FlushContext, inode: Inode, runs: readonly Run[]): Task<void> {
  for (const page of runs.flatMap((run) => run.pages)) {
    context.pages.beginWriteback(page);
  }
  const { trace } = context.pages;
  const count = runs.reduce((sum, run) => sum + run.pages.length, 0);
  trace.count(COUNTERS.pagesFlushed, count);
  const span = trace.asyncBegin(EVENTS.pageFlush, inode.qid.path, count);
  try {
    const replies = yield* inode.superblock.client.all(runs.map((run) => request(inode, run)));
    for (const [i, run] of runs.entries()) yield* settle(context, inode, run, replies[i]);
  } catch (error) {
    // Nothing is known to be written: it is all as dirty as it was.
    for (const page of runs.flatMap((run) => run.pages)) {
      if (!page.void) context.pages.markDirty(page, inode.dirtySinceMs);
    }
    throw error;
  } finally {
    trace.asyncEnd(EVENTS.pageFlush, span);
    for (const page of runs.flatMap((run) => run.pages)) context.pages.writebackDone(page);
  }
}

function request(inode: Inode, run: Run, skip = 0): Request {
  const segments = clipSegments(segmentsOf(run.pages), skip, run.length - skip);
  const { fid } = inode;
  return {
    message: {
      name: 'Twrite',
      fid,
      offset: run.offset + skip,
      count: run.length - skip,
      data: new Uint8Array(0),
    },
    memory: { segments, rights: GRANT_READ },
  };
}

/** Writes the rest of a run that the server took in part; notes a failure. */
function* settle(
  context: FlushContext,
  inode: Inode,
  run: Run,
  first: RMessage | undefined,
): Task<void> {
  let reply = first;
  let done = 0;
  for (;;) {
    const error = errorIn(reply);
    if (error !== undefined || reply?.name !== 'Rwrite' || reply.count === 0) {
      inode.writeError = error ?? EIO;
      inode.superblock.writeError ??= inode.writeError;
      if (error === ENOMEM) keepDirty(context, run);
      const { dev, source } = inode.superblock;
      context.log(
        `${source}: inode ${inode.qid.path} (dev ${dev}): write-back of ${run.length} bytes at ${run.offset} failed: ${new PosixError(inode.writeError).message}`,
      );
      return;
    }
    done += reply.count;
    if (done >= run.length) return;
    [reply] = yield* inode.superblock.client.all([request(inode, run, done)]);
  }
}

/** The server knows nothing of it, and will take it when there is memory again. */
function keepDirty({ pages, executor }: FlushContext, run: Run): void {
  for (const page of run.pages) {
    if (!page.void) pages.markDirty(page, executor.clock.monotonicMs());
  }
}

function errorIn(reply: RMessage | undefined): Errno | undefined {
  return reply?.name === 'Rlerror' ? (reply.ecode as Errno) : undefined;
}

/**
 * Tells the server the times of the write, and learns what followed from the data: blocks and ctime.
 * An answer that others have overtaken is not taken over: then stat(2) asks again.
 */
function* exchangeAttributes(inode: Inode): Task<void> {
  const { client } = inode.superblock;
  const { fid, attr } = inode;
  const valid = P9_SETATTR_MTIME | P9_SETATTR_MTIME_SET;
  const none = { mode: 0, uid: 0, gid: 0, size: 0 };
  const times = { valid, ...none, atime: attr.atime, mtime: attr.mtime };
  const told: Request[] = inode.timesDirty
    ? [{ message: { name: 'Tsetattr', fid, attr: times } }]
    : [];
  inode.timesDirty = false;
  inode.stale = true;
  const { changes } = inode;
  const replies = yield* client.all([...told, { message: getattr(fid) }]);
  const reply = replies.at(-1);
  const newest = inode.changes === changes && !inode.timesDirty && inode.dirty.size === 0;
  if (reply?.name === 'Rgetattr' && newest) inode.merge(reply.attr);
}
