// System calls that move bytes and offsets: open, read, write and their kin, sync, getdents.

import { O_CLOEXEC } from '../abi/constants.ts';
import { EBADF, EINVAL, ENOTDIR, ESPIPE, fail } from '../abi/errno.ts';
import { PAGE_SIZE } from '../abi/memlayout.ts';
import { putDirent, SYS } from '../abi/syscall.ts';
import { GRANT_WRITE } from '../ipc/grant.ts';
import type { Task } from '../ipc/task.ts';
import type { Kernel } from '../kernel.ts';
import { flushInode } from '../mm/flush.ts';
import { fetchAhead, readyPage } from '../mm/read.ts';
import { takeError } from '../mm/write.ts';
import { decodeDirEntries } from '../ninep/codec.ts';
import type { Process } from '../proc/process.ts';
import { fallocate } from '../vfs/allocate.ts';
import { setSize } from '../vfs/attr.ts';
import type { Call } from '../vfs/call.ts';
import { type OpenFile, readAt, releaseFile, seek, writeAt } from '../vfs/file.ts';
import { open } from '../vfs/open.ts';
import { PipeEnd } from '../vfs/pipe.ts';
import { arg, type Calls, fdArg, type Request, type Result, textData } from './dispatch.ts';

export const ioCalls: Calls = {
  *[SYS.open](call, request) {
    const flags = arg(request, 0);
    const opened = open(call, { path: textData(request), flags, mode: arg(request, 1) });
    const file = yield* call.process.opening(opened);
    try {
      const r0 = call.process.install(file, { closeOnExec: (flags & O_CLOEXEC) !== 0 });
      if (file.stream) call.kernel.terminals.opened(call.process, file.stream, flags);
      return { r0 };
    } catch (error) {
      releaseFile(call.kernel, file);
      throw error;
    }
  },
  *[SYS.read](call, request) {
    return yield* read(call, request);
  },
  *[SYS.peek](call, request) {
    const { stream, readable, flags } = call.file(fdArg(request));
    const count = arg(request, 1);
    if (!(count >= 0)) fail(EINVAL);
    if (!readable) fail(EBADF);
    if (!(stream instanceof PipeEnd)) fail(ESPIPE);
    const done = yield* stream.peek(call, request.room(count).bytes, flags);
    return { r0: done, length: done };
  },
  *[SYS.pipeReady](call, request) {
    const { stream } = call.file(fdArg(request));
    if (!(stream instanceof PipeEnd)) fail(ESPIPE);
    yield* stream.ready(call);
    return {};
  },
  *[SYS.pread](call, request) {
    return yield* read(call, request, offsetArg(request));
  },
  *[SYS.load](call, request) {
    yield* load(call, request);
    return {};
  },
  *[SYS.write](call, request) {
    return { r0: yield* writeAt(call, call.file(fdArg(request)), request.source) };
  },
  *[SYS.pwrite](call, request) {
    const file = call.file(fdArg(request));
    return { r0: yield* writeAt(call, file, request.source, offsetArg(request)) };
  },
  *[SYS.lseek](call, request) {
    const file = call.file(fdArg(request));
    if (file.inode?.isDirectory) return { r0: rewind(file, arg(request, 1)) };
    const to = { offset: arg(request, 1), whence: arg(request, 2) };
    return { r0: yield* seek(call, file, to) };
  },
  *[SYS.ftruncate](call, request) {
    const file = call.file(fdArg(request));
    const inode = file.needInode();
    if (!file.writable) fail(EINVAL);
    yield* setSize(call, inode, arg(request, 1));
    return {};
  },
  *[SYS.fallocate](call, request) {
    const [mode, offset, length] = [arg(request, 1), arg(request, 2), arg(request, 3)];
    yield* fallocate(call, call.file(fdArg(request)), { mode, offset, length });
    return {};
  },
  *[SYS.fsync](call, request) {
    yield* fsync(call, call.file(fdArg(request)), arg(request, 1));
    return {};
  },
  *[SYS.getdents](call, request) {
    return yield* getdents(call, request);
  },
};

const offsetArg = (request: Request): number => {
  const offset = arg(request, 2);
  return offset >= 0 ? offset : fail(EINVAL);
};

function* read(call: Call, request: Request, offset?: number): Task<Result> {
  const file = call.file(fdArg(request));
  const count = arg(request, 1);
  if (!(count >= 0)) fail(EINVAL);
  const done = yield* readAt(call, file, request.room(count), offset);
  return { r0: done, length: done };
}

/** Brings a page of a cached file in, for a reader that copies it by itself. */
function* load(call: Call, request: Request): Task<void> {
  const file = call.file(fdArg(request));
  const [offset, count] = [arg(request, 1), arg(request, 2)];
  if (!file.readable) fail(EBADF);
  if (!(offset >= 0 && count > 0)) fail(EINVAL);
  const inode = file.needInode();
  if (!inode.isCachedFile || offset >= inode.size) return;
  const index = Math.floor(offset / PAGE_SIZE);
  const wanted = Math.ceil((offset + count) / PAGE_SIZE) - index;
  yield* readyPage(call.kernel, inode, { index, wanted, ahead: file.ahead });
}

/** A process got to its mark in a file that it reads by itself. */
export function ringForAhead(kernel: Kernel, process: Process | undefined, fd: number): void {
  const file = process?.descriptors[fd]?.file;
  const { inode } = file ?? {};
  if (file && inode?.isCachedFile && file.ahead.rung()) fetchAhead(kernel, inode, file.ahead);
}

/** A process moved bytes of a pipe by itself, and saw that somebody sleeps. */
export function pipeMoved(process: Process | undefined, fd: number): void {
  const stream = process?.descriptors[fd]?.file.stream;
  if (stream instanceof PipeEnd) stream.pipe.wake();
}

function rewind(file: OpenFile, offset: number): number {
  if (offset !== 0) fail(EINVAL);
  file.offset = 0;
  return 0;
}

/** fsync(2): pages to the server, then what the server has to the disk. */
function* fsync(call: Call, file: OpenFile, datasync: number): Task<void> {
  const inode = file.needInode();
  if (inode.isCachedFile) yield* flushInode(call.kernel, inode);
  const failed = inode.writeError;
  if (failed !== undefined) fail(takeError(inode));
  const fid = inode.isCachedFile ? inode.fid : (file.fid ?? inode.fid);
  yield* inode.superblock.client.rpc({ name: 'Tfsync', fid, datasync });
}

const SCRATCH_FRAMES = 16;
/** The longest entry of 9P: less may hold none, and would look like the end. */
const ONE_ENTRY = 512;

/** The next entries of a directory: from the server by 64 KiB, to the window as many as fit. */
function* getdents(call: Call, request: Request): Task<Result> {
  const file = call.file(fdArg(request));
  const inode = file.needInode(ENOTDIR);
  if (!inode.isDirectory) fail(ENOTDIR);
  const { frames, pages, ram } = call.kernel;
  if (frames.free < SCRATCH_FRAMES * 2) pages.reclaim(SCRATCH_FRAMES * 2);
  const room = request.room(arg(request, 1)).bytes;
  const address = frames.mustTake(SCRATCH_FRAMES, 'a directory');
  try {
    const most = Math.min(SCRATCH_FRAMES * PAGE_SIZE, Math.max(room.length, ONE_ENTRY));
    const memory = { segments: [{ address, length: most }], rights: GRANT_WRITE };
    const { client } = inode.superblock;
    const fid = file.fid ?? inode.fid;
    const message = { name: 'Treaddir', fid, offset: file.offset, count: most } as const;
    const { count, data } = yield* client.rpc(message, { memory });
    const bytes =
      data.length > 0 ? data : new Uint8Array(ram, address, Math.min(count, most)).slice();
    const entries = decodeDirEntries(bytes);
    if (typeof entries === 'number') fail(entries);
    let length = 0;
    for (const { qid, type, name, offset } of entries) {
      const size = putDirent(room.subarray(length), { ino: qid.path, type, name });
      if (size === 0) break;
      length += size;
      file.offset = offset;
    }
    if (length === 0 && entries.length > 0) fail(EINVAL);
    return { length, r0: length };
  } finally {
    frames.give(address, SCRATCH_FRAMES);
  }
}
