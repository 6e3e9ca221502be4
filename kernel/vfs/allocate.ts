// fallocate(2), and lseek(2)'s SEEK_DATA and SEEK_HOLE. The server does whole blocks, in bounded requests
// (Tallocate, Tseek); what the page cache holds of a range is written back first, then forgotten.

import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  S_IFREG,
  SEEK_DATA,
} from '../abi/constants.ts';
import {
  EBADF,
  EFBIG,
  EINVAL,
  EIO,
  EISDIR,
  ENODEV,
  ENXIO,
  EOPNOTSUPP,
  EROFS,
  fail,
  PosixError,
} from '../abi/errno.ts';
import { PAGE_SIZE } from '../abi/memlayout.ts';
import type { Task } from '../ipc/task.ts';
import { flushInode } from '../mm/flush.ts';
import { readyPage } from '../mm/read.ts';
import type { Call } from './call.ts';
import { type OpenFile, sizeRoom } from './file.ts';
import { getattr, type Inode } from './inode.ts';

/** Requests of one call: each does at least a block. */
const REQUESTS_MAX = 2 ** 32;

export interface AllocateRequest {
  readonly mode: number;
  readonly offset: number;
  readonly length: number;
}

export function* fallocate(call: Call, file: OpenFile, request: AllocateRequest): Task<void> {
  const { mode, offset, length } = request;
  if (!file.writable) fail(EBADF);
  const inode = file.needInode();
  if (inode.isDirectory) fail(EISDIR);
  if (inode.kind !== S_IFREG) fail(ENODEV);
  const end = offset + length;
  if (!(offset >= 0 && length > 0)) fail(EINVAL);
  if (!Number.isSafeInteger(end)) fail(EFBIG);
  if (!MODES.includes(mode)) fail(EOPNOTSUPP, `fallocate mode 0x${mode.toString(16)}`);
  if (inode.superblock.readOnly) fail(EROFS);
  const grows = (mode & FALLOC_FL_KEEP_SIZE) === 0 && end > inode.attr.size;
  if (grows && sizeRoom(call, inode, end - 1) < 1) fail(EFBIG);
  if (!inode.isCachedFile) return yield* tell(inode, request);
  yield* inode.lock.acquire();
  try {
    yield* flushInode(call.kernel, inode); // nothing is written meanwhile: writers hold the lock
    yield* inode.flushLock.acquire();
    try {
      yield* changeCached(call, inode, request);
    } finally {
      inode.flushLock.release();
    }
  } finally {
    inode.lock.release();
  }
}

const MODES: readonly number[] = [
  0,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_ZERO_RANGE,
  FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
];

function* changeCached(call: Call, inode: Inode, request: AllocateRequest): Task<void> {
  const { mode, offset, length } = request;
  const end = offset + length;
  const takes = (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) !== 0;
  try {
    if (!takes) yield* tell(inode, request);
    else yield* clear(call, inode, request);
    // Where nothing lies between the edges, the server was told of no new size.
    if (takes && (mode & FALLOC_FL_KEEP_SIZE) === 0 && end > inode.size)
      yield* tell(inode, { mode: 0, offset: inode.size, length: end - inode.size });
  } finally {
    const [told] = yield* inode.superblock.client.all([{ message: getattr(inode.fid) }]);
    const { attr } = inode.superblock.client.expect('Tgetattr', told);
    inode.merge(attr);
    inode.attr.mtime = attr.mtime;
    inode.attr.size = Math.max(inode.attr.size, attr.size);
    inode.publish();
  }
}

/** Makes a range read as zeroes: whole blocks by the server, the edges through the page cache. */
function* clear(call: Call, inode: Inode, { mode, offset, length }: AllocateRequest): Task<void> {
  const unit = Math.max(PAGE_SIZE, inode.attr.blksize);
  const end = offset + length;
  const from = Math.ceil(offset / unit) * unit;
  const to = (end >= inode.size ? Math.ceil(end / unit) : Math.floor(end / unit)) * unit;
  yield* zero(call, inode, { from: offset, to: Math.min(from, end) });
  if (to > from) {
    yield* tell(inode, { mode: mode | FALLOC_FL_KEEP_SIZE, offset: from, length: to - from });
    const { pages } = call.kernel;
    for (const page of [...inode.pages.values()]) {
      if (page.index >= from / PAGE_SIZE && page.index < to / PAGE_SIZE) pages.drop(page);
    }
  }
  yield* zero(call, inode, { from: Math.max(to, from), to: end });
}

function* zero(call: Call, inode: Inode, range: { from: number; to: number }): Task<void> {
  const { pages, clock } = call.kernel;
  const to = Math.min(range.to, inode.size);
  for (let at = range.from; at < to; ) {
    const index = Math.floor(at / PAGE_SIZE);
    const stop = Math.min(to, (index + 1) * PAGE_SIZE);
    const page = yield* readyPage(call.kernel, inode, { index, wanted: 1 });
    const [first, last] = [at - index * PAGE_SIZE, stop - index * PAGE_SIZE];
    if (page.bytes.subarray(first, last).some((byte) => byte !== 0)) {
      pages.change(page, (bytes) => bytes.fill(0, first, last));
      pages.markDirty(page, clock.monotonicMs());
    }
    at = stop;
  }
}

/** The server does a part of it with each request. */
function* tell(inode: Inode, { mode, offset, length }: AllocateRequest): Task<void> {
  const { client } = inode.superblock;
  let done = 0;
  for (let i = 0; done < length && i < REQUESTS_MAX; i++) {
    const rest = { mode, offset: offset + done, length: length - done };
    const reply = yield* client.rpc({ name: 'Tallocate', fid: inode.fid, ...rest });
    if (!(reply.length > 0)) fail(EIO, `${inode.superblock.source}: Tallocate does nothing`);
    done += reply.length;
  }
}

/** SEEK_DATA and SEEK_HOLE; where a server knows no holes, all of a file is data. */
export function* seekHole(
  call: Call,
  inode: Inode,
  { offset, whence }: { offset: number; whence: number },
): Task<number> {
  if (!(offset >= 0)) fail(ENXIO);
  if (inode.isCachedFile) {
    if (offset >= inode.size) fail(ENXIO);
    yield* flushInode(call.kernel, inode); // what is only in memory yet is data, too
  }
  try {
    return yield* askServer(inode, { offset, whence });
  } catch (error) {
    if (!(error instanceof PosixError) || error.errno !== EOPNOTSUPP) throw error;
    if (whence === SEEK_DATA) return offset;
    return inode.attr.size;
  }
}

function* askServer(inode: Inode, from: { offset: number; whence: number }): Task<number> {
  const { client } = inode.superblock;
  let { offset } = from;
  for (let i = 0; i < REQUESTS_MAX; i++) {
    const message = { name: 'Tseek', fid: inode.fid, offset, whence: from.whence } as const;
    const reply = yield* client.rpc(message);
    if (reply.found !== 0) return reply.offset;
    if (reply.offset <= offset) break;
    offset = reply.offset;
  }
  return fail(EIO, `${inode.superblock.source}: Tseek gets nowhere`);
}
