// Writing files: into pages, which go to the disk later (flush.ts). What write(2) has taken must not
// be lost to a full disk, so space is promised here: a superblock has a budget, learnt by Tstatfs,
// and each page newly dirtied takes its share. Near its end writes go through to the server at once,
// and ENOSPC is told at write(2).

import type { Clock } from '../abi/board.ts';
import { EFBIG, EIO, ENOMEM, PosixError } from '../abi/errno.ts';
import { PAGE_SIZE } from '../abi/memlayout.ts';
import type { Task } from '../ipc/task.ts';
import { getattr, type Inode, type Superblock } from '../vfs/inode.ts';
import { type FlushContext, flushInode } from './flush.ts';
import type { Page } from './page-cache.ts';
import { readyPage } from './read.ts';
import { throttle } from './throttle.ts';

/** Bytes of metadata that a page may cost in the worst case, besides itself. */
const METADATA_SHARE = 512;
/** Below this much room, writes go through. */
const SAFE_ROOM = 2 * 1024 * 1024;
/** What every format takes whose files have holes, and those of others; of a larger file only the server knows. */
const SURE_FILE = 16 * 1024 ** 3;
const SURE_WHOLE = 2 ** 31 - 1;
const WITHOUT_HOLES: ReadonlySet<string> = new Set(['vfat', 'exfat', 'hfs', 'hfsplus', 'hfsx']);
/** The largest file: what 9P's offsets and JS numbers hold. Servers know their own limits. */
const MAX_FILE = 2 ** 53 - 1;

export interface WriteContext extends FlushContext {
  readonly clock: Clock;
}

/** Writes `from` at `offset`; returns the bytes taken. The caller holds the inode's lock. */
export function* writeFile(
  context: WriteContext,
  at: { inode: Inode; offset: number },
  from: Uint8Array,
): Task<number> {
  const { inode, offset } = at;
  if (offset + from.length > MAX_FILE) throw new PosixError(EFBIG);
  if (inode.superblock.gone) throw new PosixError(EIO);
  let done = 0;
  while (done < from.length) {
    const sure = mayGrow(inode, { offset, end: offset + from.length });
    const through = !sure || !(yield* hasRoom(context, inode.superblock));
    // What was written before must not go with a page that may have to be taken back.
    if (through && !sure) yield* flushInode(context, inode);
    const before = inode.size;
    const rest = from.subarray(done);
    const taken = yield* copyIn(
      context,
      { inode, offset: offset + done },
      through ? rest.subarray(0, PAGE_SIZE * 16) : rest,
    );
    const kept = through
      ? yield* writeThrough(context, { inode, offset: offset + done, before, taken })
      : taken;
    done += kept;
    if (kept < taken) {
      const error = takeError(inode);
      if (done > 0) return done;
      throw new PosixError(error);
    }
    yield* throttle(context, inode.superblock);
  }
  return done;
}

/** Whether the format takes a file of that size for certain; without holes a gap costs room, too. */
function mayGrow(
  { superblock, size }: Inode,
  { offset, end }: { offset: number; end: number },
): boolean {
  if (end <= size) return true;
  if (!WITHOUT_HOLES.has(superblock.type)) return end <= SURE_FILE;
  return end <= SURE_WHOLE && offset <= size + PAGE_SIZE;
}

/** The error that a write-back left behind, told once. */
export function takeError(inode: Inode): NonNullable<Inode['writeError']> {
  const error = inode.writeError ?? EIO;
  inode.writeError = undefined;
  return error;
}

/** Copies into pages up to the end of `from`, or until many pages were made at once. */
function* copyIn(
  context: WriteContext,
  at: { inode: Inode; offset: number },
  from: Uint8Array,
): Task<number> {
  const { inode, offset } = at;
  const limit = Math.min(from.length, 64 * PAGE_SIZE);
  let done = 0;
  while (done < limit) {
    const position = offset + done;
    const index = Math.floor(position / PAGE_SIZE);
    const inPage = position - index * PAGE_SIZE;
    const count = Math.min(PAGE_SIZE - inPage, limit - done);
    const page = yield* pageToWrite(context, inode, { index, inPage, count, ahead: limit - done });
    if (page.void) continue; // truncated while we waited
    const piece = from.subarray(done, done + count);
    context.pages.change(page, (bytes) => bytes.set(piece, inPage));
    if (!inode.dirty.has(page)) inode.superblock.spaceLeft -= PAGE_SIZE + METADATA_SHARE;
    context.pages.markDirty(page, context.clock.monotonicMs());
    done += count;
    inode.attr.size = Math.max(inode.attr.size, offset + done);
  }
  inode.attr.mtime = context.clock.wallclock();
  inode.attr.ctime = inode.attr.mtime;
  inode.timesDirty = true;
  inode.superblock.dirtyInodes.add(inode);
  inode.publish();
  return done;
}

/** A page to copy into: the cached one, one read from the disk, or a new one without reading. */
function* pageToWrite(
  context: WriteContext,
  inode: Inode,
  want: { index: number; inPage: number; count: number; ahead: number },
): Task<Page> {
  const { index, inPage, count } = want;
  const start = index * PAGE_SIZE;
  const coversAll =
    (inPage === 0 && count === PAGE_SIZE) ||
    start >= inode.size ||
    (inPage === 0 && start + count >= inode.size);
  for (;;) {
    const cached = context.pages.peek(inode, index);
    if (cached && !cached.busy) return cached;
    if (cached) yield* context.pages.settled(cached);
    else if (!coversAll) return yield* readyPage(context, inode, { index, wanted: 1 });
    else return yield* freshPages(context, inode, { index, inPage, ahead: want.ahead });
  }
}

/** New pages for all that this write covers in a row, as one run of frames; returns the first. */
function* freshPages(
  context: WriteContext,
  inode: Inode,
  want: { index: number; inPage: number; ahead: number },
): Task<Page> {
  const whole = want.inPage === 0 ? Math.floor(want.ahead / PAGE_SIZE) : 1;
  let count = 1;
  while (count < whole && !inode.pages.has(want.index + count)) count++;
  const pages = yield* addPages(context, inode, { index: want.index, count });
  for (const page of pages) {
    if (whole < 1 || want.inPage !== 0) page.bytes.fill(0); // the copy leaves parts of it out
    context.pages.filled(page);
  }
  const [first] = pages;
  if (first === undefined) throw new PosixError(ENOMEM);
  return first;
}

function* addPages(
  context: WriteContext,
  inode: Inode,
  want: { index: number; count: number },
): Task<Page[]> {
  try {
    return context.pages.add(inode, want.index, want.count);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    yield* context.flushAll(inode.superblock); // all is dirty: make some of it clean
    return context.pages.add(inode, want.index, 1);
  }
}

/** Whether the superblock can promise room for a large write. Asks the server when it is unsure. */
function* hasRoom(context: WriteContext, superblock: Superblock): Task<boolean> {
  if (superblock.spaceLeft > SAFE_ROOM) return true;
  yield* context.flushAll(superblock);
  yield* learnSpace(superblock);
  return superblock.spaceLeft > SAFE_ROOM;
}

/** Asks the server how much room there is: once no page is dirty, that is what may be promised. */
export function* learnSpace(superblock: Superblock): Task<void> {
  const root = superblock.root;
  const { stat } = yield* superblock.client.rpc({ name: 'Tstatfs', fid: root.fid });
  superblock.spaceLeft = stat.bavail * stat.bsize;
}

/**
 * Sends what was just written to the server; takes back what there was no room for. Returns the
 * bytes that are kept: those by which the server says that the file grew.
 */
function* writeThrough(
  context: WriteContext,
  at: { inode: Inode; offset: number; before: number; taken: number },
): Task<number> {
  const { inode, offset, before, taken } = at;
  const { executor, pages, flushAll } = context;
  const { superblock } = inode;
  const { writeError: earlier } = superblock;
  yield* flushInode({ executor, pages, flushAll, log: tellsTheWriter }, inode);
  superblock.writeError = earlier; // this one is told by write(2) itself
  if (inode.writeError === undefined) return taken;
  context.pages.truncate(inode, Math.floor(offset / PAGE_SIZE));
  const [told] = yield* inode.superblock.client.all([{ message: getattr(inode.fid) }]);
  inode.attr.size = told?.name === 'Rgetattr' ? told.attr.size : before;
  inode.publish();
  return inode.attr.size > before ? Math.max(0, Math.min(taken, inode.attr.size - offset)) : 0;
}

/** A failure that write(2) itself tells needs no line in the log. */
const tellsTheWriter = (): void => undefined;
