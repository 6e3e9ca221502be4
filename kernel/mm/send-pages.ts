// Sends dirty pages to their server: runs of neighbours as one Twrite each, with the few clean pages that lie
// between them; the runs of several files in one exchange, and the files' times behind them. What the server
// says of the files comes back with it.

import { EIO, ENOMEM, type Errno, PosixError } from '../abi/errno.ts';
import { PAGE_SIZE } from '../abi/memlayout.ts';
import { GRANT_READ, GRANT_SEGMENTS } from '../ipc/grant.ts';
import type { Task } from '../ipc/task.ts';
import { COUNTERS, EVENTS } from '../ipc/trace-events.ts';
import type { Request } from '../ninep/client.ts';
import { P9_SETATTR_MTIME, P9_SETATTR_MTIME_SET, type RMessage } from '../ninep/types.ts';
import { getattr, type Inode, type InodeHost } from '../vfs/inode.ts';
import type { Page } from './page-cache.ts';
import { clipSegments, segmentsOf } from './read.ts';

/** Pages in one Twrite: 1 MiB. */
const RUN_PAGES = 256;
/**
 * So many clean pages between two dirty ones go along: a run of its own costs kernel, volume, driver and disk
 * more than they do.
 */
const GAP_PAGES = 8;

export interface SendContext extends InodeHost {
  readonly log: (line: string) => void;
}

/** What one exchange has to say of one file. */
export interface Part {
  readonly inode: Inode;
  readonly runs: readonly Run[];
  /** Nothing more follows: the server is told the times, and asked what followed from the data. */
  readonly last: boolean;
}

export interface Run {
  readonly pages: readonly Page[];
  /** Those of them that must go; the others lie between them. */
  readonly dirty: readonly Page[];
  readonly offset: number;
  readonly length: number;
}

/** Dirty pages in the order of the file, neighbours together, as far as the file goes just now. */
export function runsOf(inode: Inode, pages: Iterable<Page>, most = GAP_PAGES): Run[] {
  const dirty = [...pages].sort((a, b) => a.index - b.index);
  const runs: Run[] = [];
  for (let i = 0; i < dirty.length; ) {
    const run = runFrom(inode, dirty, { from: i, most });
    const offset = (dirty[i]?.index ?? 0) * PAGE_SIZE;
    const length = Math.min(run.pages.length * PAGE_SIZE, inode.size - offset);
    if (length > 0) runs.push({ ...run, offset, length });
    i += run.dirty.length;
  }
  return runs;
}

/** As many pages as one Twrite and its grant carry. */
function runFrom(
  inode: Inode,
  sorted: readonly Page[],
  { from, most }: { from: number; most: number },
): Pick<Run, 'pages' | 'dirty'> {
  const first = sorted[from] as Page;
  const run = { pages: [first], dirty: [first] };
  let last = first;
  let segments = 1;
  for (let i = from + 1; i < sorted.length; i++) {
    const page = sorted[i] as Page;
    const more = page.index === last.index + 1 ? [page] : between(inode, { last, page, most });
    if (more === undefined || run.pages.length + more.length > RUN_PAGES) break;
    for (const next of more) {
      if (next.address !== last.address + PAGE_SIZE) segments++;
      last = next;
    }
    if (segments > GRANT_SEGMENTS) break;
    run.pages.push(...more);
    run.dirty.push(page);
  }
  return run;
}

/** The clean pages behind `last`, and `page`; undefined where they do not all go along. */
function between(
  inode: Inode,
  { last, page, most }: { last: Page; page: Page; most: number },
): Page[] | undefined {
  if (page.index - last.index - 1 > most) return undefined;
  const more: Page[] = [];
  for (let index = last.index + 1; index < page.index; index++) {
    const clean = inode.pages.get(index);
    if (clean === undefined || !clean.onDisk || clean.busy || clean.writeback) return undefined;
    more.push(clean);
  }
  return [...more, page];
}

/** Sends the parts, all of one server; the caller holds the files' flush locks. */
export function* sendParts(context: SendContext, parts: readonly Part[]): Task<void> {
  const [first] = parts;
  if (first === undefined) return;
  const pages = parts.flatMap(({ runs }) => runs.flatMap((run) => run.pages));
  const dirty = parts.flatMap(({ runs }) => runs.flatMap((run) => run.dirty));
  for (const page of pages) context.pages.beginWriteback(page);
  const { trace } = context.pages;
  trace.count(COUNTERS.pagesFlushed, pages.length);
  const span = trace.asyncBegin(EVENTS.pageFlush, first.inode.qid.path, pages.length);
  try {
    yield* exchange(context, first.inode.superblock.client, parts);
  } catch (error) {
    // Nothing is known to be written: it is all as dirty as it was.
    for (const { inode } of parts) inode.timesDirty = true;
    for (const page of dirty) {
      if (!page.void) context.pages.markDirty(page, page.inode.dirtySinceMs);
    }
    throw error;
  } finally {
    trace.asyncEnd(EVENTS.pageFlush, span);
    for (const page of pages) context.pages.writebackDone(page);
  }
}

/**
 * All writes first, so that they reach the server together. Of one file what follows goes with them, as a
 * server orders what is of one fid; of many files it follows in a second exchange, and nothing waits there.
 */
function* exchange(
  context: SendContext,
  client: Inode['superblock']['client'],
  parts: readonly Part[],
): Task<void> {
  const together = parts.length > 1;
  const writes = parts.flatMap(({ inode, runs }) => runs.map((run) => request(inode, run)));
  const first = together ? [...(yield* client.all(writes))] : [];
  const asked = parts.map(({ inode, last }) => (last ? question(inode) : undefined));
  const told = asked.flatMap((question) => question?.requests ?? []);
  const replies = together ? first : [...(yield* client.all([...writes, ...told]))];
  const answers = together ? [...(yield* client.all(told))] : replies.splice(writes.length);
  let at = 0;
  let answered = 0;
  for (const [i, { inode, runs }] of parts.entries()) {
    const whole = yield* settleAll(context, inode, runs, replies.slice(at, at + runs.length));
    at += runs.length;
    const question = asked[i];
    if (question === undefined) continue;
    answered += question.requests.length;
    if (whole) learn(inode, question, answers[answered - 1]);
    else yield* tellTimes(inode);
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

interface Question {
  readonly requests: readonly Request[];
  readonly changes: number; // of the inode, as it was asked
}

/** The times, which the data has changed on the server, and what else is new there. */
function question(inode: Inode): Question {
  inode.timesDirty = false;
  inode.stale = true;
  if (inode.attr.nlink === 0) return { requests: [], changes: inode.changes };
  const { fid, attr } = inode;
  const valid = P9_SETATTR_MTIME | P9_SETATTR_MTIME_SET;
  const none = { mode: 0, uid: 0, gid: 0, size: 0 };
  const times = { valid, ...none, atime: attr.atime, mtime: attr.mtime };
  const requests = [
    { message: { name: 'Tsetattr', fid, attr: times } as const },
    { message: getattr(fid) },
  ];
  return { requests, changes: inode.changes };
}

/** An answer that others have overtaken is not taken over: then stat(2) asks again. */
function learn(inode: Inode, { changes }: Question, reply: RMessage | undefined): void {
  const newest = inode.changes === changes && !inode.timesDirty && inode.dirty.size === 0;
  if (reply?.name === 'Rgetattr' && newest) inode.merge(reply.attr);
}

/** Once more: a part of the data came later than the times. */
function* tellTimes(inode: Inode): Task<void> {
  const asked = question(inode);
  const replies = yield* inode.superblock.client.all(asked.requests);
  learn(inode, asked, replies.at(-1));
}

/** Whether the server took every run as a whole. */
function* settleAll(
  context: SendContext,
  inode: Inode,
  runs: readonly Run[],
  replies: readonly RMessage[],
): Task<boolean> {
  let whole = true;
  for (const [i, run] of runs.entries()) {
    const reply = replies[i];
    whole &&= reply?.name === 'Rwrite' && reply.count >= run.length;
    if (reply?.name === 'Rlerror' && run.dirty.length < run.pages.length) {
      yield* sendDirty(context, inode, run);
    } else yield* settle(context, inode, run, reply);
  }
  return whole;
}

/** Once more without the clean pages: what is wrong with their place is no business of this write. */
function* sendDirty(context: SendContext, inode: Inode, { dirty }: Run): Task<void> {
  for (const run of runsOf(inode, dirty, 0)) {
    const [reply] = yield* inode.superblock.client.all([request(inode, run)]);
    yield* settle(context, inode, run, reply);
  }
}

/** Writes the rest of a run that the server took in part; notes a failure. */
function* settle(
  context: SendContext,
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
    if (done >= run.length) {
      for (const [i, page] of run.pages.entries()) page.onDisk = (i + 1) * PAGE_SIZE <= run.length;
      return;
    }
    [reply] = yield* inode.superblock.client.all([request(inode, run, done)]);
  }
}

/** The server knows nothing of it, and will take it when there is memory again. */
function keepDirty({ pages, executor }: SendContext, run: Run): void {
  for (const page of run.dirty) {
    if (!page.void) pages.markDirty(page, executor.clock.monotonicMs());
  }
}

function errorIn(reply: RMessage | undefined): Errno | undefined {
  return reply?.name === 'Rlerror' ? (reply.ecode as Errno) : undefined;
}
