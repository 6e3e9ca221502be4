// Reading files through the page cache: what is missing is fetched in windows (read-ahead.ts), each one run
// of frames and one request as far as memory allows.

import { EIO, PosixError } from '../abi/errno.ts';
import { PAGE_SIZE } from '../abi/memlayout.ts';
import { GRANT_WRITE, type Segment } from '../ipc/grant.ts';
import type { Task } from '../ipc/task.ts';
import { COUNTERS, EVENTS } from '../ipc/trace-events.ts';
import { type Inode, type InodeHost, iput } from '../vfs/inode.ts';
import type { Page, PageCache } from './page-cache.ts';
import type { ReadAhead, Window } from './read-ahead.ts';

/** Copies from the file into `into`; returns the bytes, fewer only at the end of the file. */
export function* readFile(
  host: InodeHost,
  from: { inode: Inode; offset: number; ahead: ReadAhead },
  into: Uint8Array,
): Task<number> {
  const { inode, offset } = from;
  let done = 0;
  while (done < into.length && offset + done < inode.size) {
    const position = offset + done;
    const index = Math.floor(position / PAGE_SIZE);
    const wanted = Math.ceil((position - index * PAGE_SIZE + into.length - done) / PAGE_SIZE);
    const page = yield* readyPage(host, inode, { index, wanted, ahead: from.ahead });
    const at = position - index * PAGE_SIZE;
    const count = Math.min(PAGE_SIZE - at, into.length - done, inode.size - position);
    if (count <= 0) break; // cut off while we waited
    into.set(page.bytes.subarray(at, at + count), done);
    host.pages.trace.count(COUNTERS.copies);
    host.pages.trace.count(COUNTERS.copiedBytes, count);
    done += count;
  }
  return done;
}

/** The page with its content; fetches it, and the window behind it, on a miss. */
export function* readyPage(
  host: InodeHost,
  inode: Inode,
  want: { index: number; wanted: number; ahead?: ReadAhead },
): Task<Page> {
  const { index, ahead } = want;
  const cache = host.pages;
  for (;;) {
    const page = cache.peek(inode, index);
    if (page === undefined) {
      cache.misses++;
      cache.trace.count(COUNTERS.pageMisses);
      cache.trace.instant(EVENTS.pageMiss, inode.qid.path, index);
      yield* fill(cache, inode, windowFor(host, inode, want));
      continue;
    }
    if (page.busy) {
      yield* cache.settled(page);
      continue;
    }
    cache.hits++;
    cache.trace.count(COUNTERS.pageHits);
    if (ahead?.hit(index)) fetchAhead(host, inode, ahead);
    return page;
  }
}

/** What a miss fetches; when the caller will read all of it, the next window is on its way as well. */
function windowFor(
  host: InodeHost,
  inode: Inode,
  want: { index: number; wanted: number; ahead?: ReadAhead },
): Window {
  const { index, wanted, ahead } = want;
  const most = largestWindow(host, inode);
  if (ahead === undefined) return { index, count: Math.min(wanted, most) };
  const whole = Math.ceil(inode.size / PAGE_SIZE);
  const pages = whole <= host.pages.capacity / 2 ? whole : Number.POSITIVE_INFINITY;
  const window = ahead.miss({ index, wanted, most, pages });
  if (ahead.mark === index + window.count) fetchAhead(host, inode, ahead);
  return window.index < index ? fetchAround(host, inode, { index, window }) : window;
}

/** The pages missing in a row around this one are waited for; others of the window come behind them. */
function fetchAround(
  host: InodeHost,
  inode: Inode,
  { index, window }: { index: number; window: Window },
): Window {
  inode.refs++;
  host.executor.start(fillAll(host, inode, window), 'read-around');
  let from = index;
  while (from > window.index && !inode.pages.has(from - 1)) from--;
  return { index: from, count: window.index + window.count - from };
}

/** Has the next window of a reader fetched, without waiting. */
export function fetchAhead(host: InodeHost, inode: Inode, ahead: ReadAhead): void {
  const { size } = inode;
  const window = ahead.ahead({ size, most: largestWindow(host, inode) });
  if (window === undefined) return;
  if (nextMissing(inode, window) === undefined) {
    ahead.rest();
    return;
  }
  inode.refs++;
  host.executor.start(fillAll(host, inode, window), 'read-ahead');
}

/** In little memory a window is a small part of it. */
const largestWindow = ({ pages }: InodeHost, { superblock }: Inode): number =>
  Math.min(superblock.readAheadPages, Math.max(1, pages.capacity >> 4));

/** Fills what is missing in a window. Who reads an error there is told by a read of its own. */
function* fillAll(host: InodeHost, inode: Inode, window: Window): Task<void> {
  try {
    for (let at = nextMissing(inode, window); at !== undefined; at = nextMissing(inode, at)) {
      yield* fill(host.pages, inode, at);
    }
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
  } finally {
    iput(host, inode);
  }
}

/** What is left of a window from its first missing page on, inside the file. */
function nextMissing(inode: Inode, { index, count }: Window): Window | undefined {
  const end = Math.min(index + count, Math.ceil(inode.size / PAGE_SIZE));
  for (let at = index; at < end; at++) {
    if (!inode.pages.has(at)) return { index: at, count: end - at };
  }
  return undefined;
}

/** Fetches missing pages from `index` on: as many as are missing in a row, inside the file. */
function* fill(cache: PageCache, inode: Inode, range: Window): Task<void> {
  const last = Math.ceil(inode.size / PAGE_SIZE);
  let count = 1;
  while (
    count < range.count &&
    range.index + count < last &&
    !inode.pages.has(range.index + count)
  ) {
    count++;
  }
  const pages = cache.add(inode, range.index, count);
  cache.trace.count(COUNTERS.pagesFilled, pages.length);
  const span = cache.trace.asyncBegin(EVENTS.pageFill, inode.qid.path, pages.length);
  for (const page of pages) page.filling = true;
  try {
    yield* fetch(inode, pages);
  } catch (error) {
    for (const page of pages) cache.drop(page);
    throw error;
  } finally {
    cache.trace.asyncEnd(EVENTS.pageFill, span);
    for (const page of pages) cache.fillDone(page);
  }
}

/** Disk to frames, without a copy on the way: one request, unless the server gives less. */
function* fetch(inode: Inode, pages: readonly Page[]): Task<void> {
  const [first] = pages;
  if (first === undefined) return;
  const offset = first.index * PAGE_SIZE;
  const segments = segmentsOf(pages);
  const length = pages.length * PAGE_SIZE;
  let done = 0;
  do {
    const count = length - done;
    const memory = { segments: clipSegments(segments, done, count), rights: GRANT_WRITE };
    const message = { name: 'Tread', fid: inode.fid, offset: offset + done, count } as const;
    const reply = yield* inode.superblock.client.rpc(message, { memory });
    if (reply.count > count) throw new PosixError(EIO, `Rread of ${reply.count} for ${count}`);
    if (reply.count === 0) break;
    done += reply.count; // a server may give less than it has
  } while (done < length && offset + done < inode.size);
  zeroBehind(pages, done);
}

/** What lies behind the end of the file reads as zeroes. */
function zeroBehind(pages: readonly Page[], count: number): void {
  for (const [i, page] of pages.entries()) {
    const valid = Math.min(PAGE_SIZE, Math.max(0, count - i * PAGE_SIZE));
    if (valid < PAGE_SIZE) page.bytes.fill(0, valid);
  }
}

/** The frames of pages, neighbours joined. */
export function segmentsOf(pages: readonly Page[]): Segment[] {
  const out: { address: number; length: number }[] = [];
  for (const page of pages) {
    const last = out.at(-1);
    if (last && last.address + last.length === page.address) last.length += PAGE_SIZE;
    else out.push({ address: page.address, length: PAGE_SIZE });
  }
  return out;
}

/** Bytes `skip` to `skip + length` of the segments. */
export function clipSegments(
  segments: readonly { address: number; length: number }[],
  skip: number,
  length: number,
): { address: number; length: number }[] {
  const out: { address: number; length: number }[] = [];
  let before = skip;
  let left = length;
  for (const s of segments) {
    const from = Math.min(before, s.length);
    before -= from;
    const take = Math.min(s.length - from, left);
    if (take > 0) out.push({ address: s.address + from, length: take });
    left -= take;
  }
  return out;
}
