// Handlers of the messages that open files and move their bytes: Tlopen, Tlcreate, Tread, Twrite,
// Treaddir, Tfsync, Tallocate, Tseek. Payload lies in granted segments, or inline in the message.

import {
  O_ACCMODE,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_RDONLY,
  O_TRUNC,
  O_WRONLY,
  SEEK_DATA,
  SEEK_HOLE,
} from '../../abi/constants.ts';
import {
  EBADF,
  EEXIST,
  EINVAL,
  EISDIR,
  ELOOP,
  ENOENT,
  ENOSPC,
  ENOTDIR,
  EROFS,
  fail,
  PosixError,
} from '../../abi/errno.ts';
import type { Task } from '../../ipc/task.ts';
import { putDirEntry } from '../codec.ts';
import { Cursor } from '../cursor.ts';
import type { Fid } from '../fids.ts';
import {
  checkName,
  checkWritable,
  directory,
  isDirectory,
  need,
  notDirectory,
  type Session,
  settle,
} from '../session.ts';
import { type MessageOf, QTSYMLINK, type RMessage } from '../types.ts';
import { fresh, leave } from './walk.ts';

/** Granted memory, in order; undefined: the data travels in the message. */
export type Payload = readonly Uint8Array[] | undefined;

const NOTHING = new Uint8Array(0);
const READ_HEADER = 11; // bytes of Rread and Rreaddir before their data

export function* Tlopen<N, C>(s: Session<N, C>, ctx: C, m: MessageOf<'Tlopen'>): Task<RMessage> {
  const entry = s.fids.get(m.fid);
  if (entry.open || entry.xattr) throw new PosixError(EINVAL, `fid ${m.fid} is open already`);
  checkOpen(s, entry, m.flags);
  const opened = yield* open(s, ctx, entry, m.flags);
  keepOpened(s, ctx, { fid: m.fid, was: entry, opened });
  return { name: 'Rlopen', qid: opened.qid, iounit: 0 };
}

function checkOpen<N, C>(s: Session<N, C>, { qid }: Fid<N>, flags: number): void {
  const writes = (flags & O_ACCMODE) !== O_RDONLY || (flags & O_TRUNC) !== 0;
  if ((flags & O_ACCMODE) === O_ACCMODE) throw new PosixError(EINVAL, 'access mode 3');
  if ((qid.type & QTSYMLINK) !== 0) throw new PosixError(ELOOP, 'a symbolic link is not opened');
  if (isDirectory(qid) && writes) throw new PosixError(EISDIR, 'a directory is not written');
  if (!isDirectory(qid) && (flags & O_DIRECTORY) !== 0) throw new PosixError(ENOTDIR);
  if (writes && s.fs.readOnly) throw new PosixError(EROFS);
}

function* open<N, C>(s: Session<N, C>, ctx: C, entry: Fid<N>, flags: number): Task<Fid<N>> {
  const handle = (yield* settle(s.fs.open(ctx, entry.node, flags))) ?? entry.node;
  return { ...entry, handle, qid: s.fs.qid(ctx, entry.node), open: true, flags };
}

/** The opening may have waited: the fid must still be what it was, or the opening is undone. */
function keepOpened<N, C>(
  s: Session<N, C>,
  ctx: C,
  { fid, was, opened }: { fid: number; was: Fid<N>; opened: Fid<N> },
): void {
  if (s.fids.find(fid) === was) {
    s.fids.set(fid, opened);
    return;
  }
  s.fs.clunk?.(ctx, opened.handle, true);
  if (s.fids.uses(opened.qid.path) === 0) s.fs.forget?.(ctx, opened.node);
  throw new PosixError(EBADF, `fid ${fid} went while it was being opened`);
}

/** The fid of a directory becomes the fid of a file made in it, open. */
export function* Tlcreate<N, C>(
  s: Session<N, C>,
  ctx: C,
  m: MessageOf<'Tlcreate'>,
): Task<RMessage> {
  const dir = directory(s, m.fid);
  if (dir.open || dir.xattr) throw new PosixError(EINVAL, `fid ${m.fid} is open already`);
  checkWritable(s);
  checkName(m.filename);
  const name = { dir: dir.node, dirPath: dir.qid.path, filename: m.filename };
  const { node, flags } = createOrFind(s, ctx, dir.node, m);
  const entry: Fid<N> = { ...fresh(node, s.fs.qid(ctx, node)), name };
  checkOpen(s, entry, flags);
  const opened = yield* open(s, ctx, entry, flags);
  if (s.fids.find(m.fid) === dir) leave(s, ctx, dir, opened);
  keepOpened(s, ctx, { fid: m.fid, was: dir, opened });
  return { name: 'Rlcreate', qid: opened.qid, iounit: 0 };
}

/** A name that is there is opened as it is, unless it must be new. */
function createOrFind<N, C>(
  s: Session<N, C>,
  ctx: C,
  dir: N,
  m: MessageOf<'Tlcreate'>,
): { node: N; flags: number } {
  need(s.fs.create, 'create');
  const { filename, flags, mode, gid } = m;
  const openFlags = flags & ~(O_CREAT | O_EXCL);
  try {
    const request = { name: filename, flags, mode, gid };
    const node = s.fs.create?.(ctx, dir, request) as N;
    return { node, flags: openFlags & ~O_TRUNC };
  } catch (error) {
    const exists = error instanceof PosixError && error.errno === EEXIST;
    if (!exists || (flags & O_EXCL) !== 0) throw error;
  }
  return { node: s.fs.walk(ctx, dir, filename) ?? fail(ENOENT, filename), flags: openFlags };
}

export function* Tread<N, C>(
  s: Session<N, C>,
  ctx: C,
  { m, payload }: { m: MessageOf<'Tread'>; payload: Payload },
): Task<RMessage> {
  const entry = s.fids.get(m.fid);
  const count = Math.min(m.count, room(s, payload));
  const into = payload ?? [new Uint8Array(count)];
  const done = yield* eachSegment(into, count, function* (segment, at) {
    if (entry.xattr) return readXattr(entry, m.offset + at, segment);
    checkReadable(entry, m.fid);
    return yield* settle(s.fs.read(ctx, entry.handle, m.offset + at, segment));
  });
  const data = payload ? NOTHING : (into[0] ?? NOTHING).subarray(0, done);
  return { name: 'Rread', count: done, data };
}

/** Bytes that fit the reply. */
function room<N, C>(s: Session<N, C>, payload: Payload): number {
  if (payload === undefined) return s.msize - READ_HEADER;
  return payload.reduce((sum, segment) => sum + segment.length, 0);
}

function checkReadable<N>(entry: Fid<N>, fid: number): void {
  notDirectory(entry.qid, `fid ${fid} is a directory: Treaddir reads it`);
  if (!entry.open || (entry.flags & O_ACCMODE) === O_WRONLY) {
    throw new PosixError(EBADF, `fid ${fid} is not open for reading`);
  }
}

function readXattr<N>(entry: Fid<N>, offset: number, into: Uint8Array): number {
  if (entry.xattr?.mode !== 'read') throw new PosixError(EBADF, 'the attribute is being written');
  const part = entry.xattr.value.subarray(offset, offset + into.length);
  into.set(part);
  return part.length;
}

/**
 * Moves up to `count` bytes segment by segment, until one comes up short. A fault behind the first
 * bytes is a short count: the next request will meet it again.
 */
function* eachSegment(
  segments: readonly Uint8Array[],
  count: number,
  move: (segment: Uint8Array, at: number) => Task<number>,
): Task<number> {
  let done = 0;
  for (const segment of segments) {
    const part = segment.subarray(0, count - done);
    if (part.length === 0 && done > 0) break;
    try {
      const moved = yield* move(part, done);
      done += moved;
      if (moved < part.length) break;
    } catch (error) {
      if (done > 0 && error instanceof PosixError) break;
      throw error;
    }
  }
  return done;
}

export function* Twrite<N, C>(
  s: Session<N, C>,
  ctx: C,
  { m, payload }: { m: MessageOf<'Twrite'>; payload: Payload },
): Task<RMessage> {
  const entry = s.fids.get(m.fid);
  if (entry.xattr) {
    const from = payload ? gather(payload, m.count) : m.data;
    return { name: 'Rwrite', count: writeXattr(entry, m.offset, from) };
  }
  if (!entry.open || (entry.flags & O_ACCMODE) === O_RDONLY) {
    throw new PosixError(EBADF, `fid ${m.fid} is not open for writing`);
  }
  checkWritable(s);
  need(s.fs.write, 'write');
  const count = yield* eachSegment(payload ?? [m.data], m.count, function* (segment, at) {
    return yield* settle(s.fs.write?.(ctx, entry.handle, m.offset + at, segment) ?? 0);
  });
  return { name: 'Rwrite', count };
}

function gather(segments: readonly Uint8Array[], count: number): Uint8Array {
  const size = segments.reduce((sum, segment) => sum + segment.length, 0);
  const bytes = new Uint8Array(Math.min(count, size));
  let at = 0;
  for (const segment of segments) {
    const part = segment.subarray(0, bytes.length - at);
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The value comes in order, from its start; writing the same bytes twice does no harm. */
function writeXattr<N>({ xattr }: Fid<N>, offset: number, from: Uint8Array): number {
  if (xattr?.mode !== 'write') throw new PosixError(EBADF, 'the attribute is being read');
  if (offset > xattr.written) throw new PosixError(EINVAL, 'a gap in the value of an attribute');
  if (offset + from.length > xattr.value.length) {
    throw new PosixError(ENOSPC, `value beyond its ${xattr.value.length} bytes`);
  }
  xattr.value.set(from, offset);
  xattr.written = Math.max(xattr.written, offset + from.length);
  return from.length;
}

export function Treaddir<N, C>(
  s: Session<N, C>,
  ctx: C,
  { m, payload }: { m: MessageOf<'Treaddir'>; payload: Payload },
): RMessage {
  const entry = directory(s, m.fid);
  if (!entry.open) throw new PosixError(EBADF, `fid ${m.fid} is not open`);
  const count = Math.min(m.count, room(s, payload));
  const single = payload?.length === 1 ? payload[0] : undefined;
  const bytes = (single ?? new Uint8Array(count)).subarray(0, count);
  const cursor = new Cursor(bytes);
  let refused = false;
  s.fs.readdir(ctx, entry.handle, m.offset, {
    add: (item) => {
      refused ||= !putDirEntry(cursor, item); // one refused, all behind it are: order is kept
      return !refused;
    },
  });
  if (refused && cursor.at === 0) throw new PosixError(EINVAL, `no entry fits ${count} bytes`);
  if (payload === undefined) {
    return { name: 'Rreaddir', count: cursor.at, data: bytes.subarray(0, cursor.at) };
  }
  if (single === undefined) scatter(bytes.subarray(0, cursor.at), payload);
  return { name: 'Rreaddir', count: cursor.at, data: NOTHING };
}

function scatter(bytes: Uint8Array, segments: readonly Uint8Array[]): void {
  let at = 0;
  for (const segment of segments) {
    const part = bytes.subarray(at, at + segment.length);
    segment.set(part);
    at += part.length;
  }
}

export function Tallocate<N, C>(s: Session<N, C>, ctx: C, m: MessageOf<'Tallocate'>): RMessage {
  const { node, qid } = s.fids.get(m.fid);
  checkWritable(s);
  notDirectory(qid, 'a directory has no room to reserve');
  need(s.fs.allocate, 'allocate');
  if (m.length === 0 || !Number.isSafeInteger(m.offset + m.length)) fail(EINVAL, 'an empty range');
  const { mode, offset, length } = m;
  return { name: 'Rallocate', length: s.fs.allocate?.(ctx, node, { mode, offset, length }) ?? 0 };
}

export function Tseek<N, C>(s: Session<N, C>, ctx: C, m: MessageOf<'Tseek'>): RMessage {
  const { node, qid } = s.fids.get(m.fid);
  notDirectory(qid, 'a directory has no holes');
  need(s.fs.seek, 'seek');
  if (m.whence !== SEEK_DATA && m.whence !== SEEK_HOLE) fail(EINVAL, `whence ${m.whence}`);
  const { offset = 0, found = true } = s.fs.seek?.(ctx, node, m) ?? {};
  return { name: 'Rseek', offset, found: found ? 1 : 0 };
}

/** A server without fsync has nothing that could be lost. */
export function* Tfsync<N, C>(s: Session<N, C>, ctx: C, m: MessageOf<'Tfsync'>): Task<RMessage> {
  const entry = s.fids.get(m.fid);
  yield* settle(s.fs.fsync?.(ctx, entry.handle, m.datasync !== 0) ?? undefined);
  return { name: 'Rfsync' };
}
