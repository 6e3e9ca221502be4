// Open file descriptions (POSIX.1-2024 XBD §3.240): what a descriptor refers to. Shared by dup and
// by inheritance, with one offset. Reading and writing goes three ways: cached files through the
// page cache, pipes and terminals by themselves, everything else to its server.

import {
  O_ACCMODE,
  O_APPEND,
  O_RDONLY,
  O_WRONLY,
  RLIMIT_FSIZE,
  S_IFREG,
  SEEK_CUR,
  SEEK_DATA,
  SEEK_END,
  SEEK_HOLE,
  SEEK_SET,
  SIGXFSZ,
} from '../abi/constants.ts';
import {
  EBADF,
  EFBIG,
  EINVAL,
  EISDIR,
  type Errno,
  ESPIPE,
  fail,
  PosixError,
} from '../abi/errno.ts';
import { GRANT_READ, GRANT_WRITE, type Segment } from '../ipc/grant.ts';
import { Lock, type Task } from '../ipc/task.ts';
import type { Kernel } from '../kernel.ts';
import { readFile } from '../mm/read.ts';
import { ReadAhead } from '../mm/read-ahead.ts';
import { writeFile } from '../mm/write.ts';
import type { Process } from '../proc/process.ts';
import { sendSignal } from '../proc/signal.ts';
import { seekHole } from './allocate.ts';
import type { Call } from './call.ts';
import { lastPageOf, type OffsetCell, tellMark } from './descriptors.ts';
import { clunkLater, type Inode, iput, shareInode, unshareInode } from './inode.ts';
import type { Path } from './mount.ts';
import type { Stream } from './stream.ts';

export class OpenFile {
  /** As in open(2); fcntl changes O_APPEND and O_NONBLOCK. */
  flags: number;
  readonly path: Path | undefined;
  readonly inode: Inode | undefined;
  readonly stream: Stream | undefined;
  /** A fid of this description alone: directories and files that are not cached. */
  readonly fid: number | undefined;
  readonly ahead = new ReadAhead({
    lastPage: () => lastPageOf(this),
    mark: (page) => tellMark(this, page),
  });
  /** Held while a read moves the offset: two sharers never read the same bytes. */
  readonly offsetLock = new Lock('offset');
  /** The descriptors that refer to it (descriptors.ts). */
  readonly holders: { readonly process: Process; readonly fd: number }[] = [];
  refs = 1;
  #offset = 0;
  #cell: OffsetCell | undefined;

  constructor(from: {
    flags: number;
    path?: Path;
    inode?: Inode;
    stream?: Stream;
    fid?: number;
  }) {
    this.flags = from.flags;
    this.path = from.path;
    this.inode = from.inode;
    this.stream = from.stream;
    this.fid = from.fid;
  }

  get offset(): number {
    return this.#cell ? (this.#cell.doubles[this.#cell.at] ?? 0) : this.#offset;
  }

  set offset(bytes: number) {
    if (this.#cell) this.#cell.doubles[this.#cell.at] = bytes;
    else this.#offset = bytes;
  }

  /** From now on the offset lies in this cell of a process's table, or with the kernel. */
  keepOffset(cell: OffsetCell | undefined): void {
    if (this.#cell?.doubles === cell?.doubles && this.#cell?.at === cell?.at) return;
    const { offset } = this;
    this.#cell = cell;
    this.offset = offset;
  }

  get readable(): boolean {
    return (this.flags & O_ACCMODE) !== O_WRONLY;
  }

  get writable(): boolean {
    return (this.flags & O_ACCMODE) !== O_RDONLY;
  }

  /** The inode, for calls that make no sense on a stream. */
  needInode(errno: Errno = EINVAL): Inode {
    return this.stream === undefined ? (this.inode ?? fail(errno)) : fail(errno);
  }
}

/** Makes a description of an inode; the inode and its dentry stay until the last release. */
export function newFile(
  kernel: Kernel,
  from: { flags: number; path: Path; inode: Inode; fid?: number; stream?: Stream },
): OpenFile {
  from.inode.refs++;
  if (from.inode.opens++ === 0) shareInode(kernel, from.inode);
  kernel.dcache.pin(from.path.dentry);
  return new OpenFile(from);
}

/** Drops a reference; the last one closes. */
export function releaseFile(kernel: Kernel, file: OpenFile): void {
  if (--file.refs > 0) {
    if (file.holders.length === 0) file.stream?.abandoned?.();
    return;
  }
  file.stream?.close();
  const { inode } = file;
  if (inode === undefined) return;
  if (file.fid !== undefined) clunkLater(kernel.executor, inode.superblock, file.fid);
  if (file.path) kernel.dcache.unpin(file.path.dentry);
  if (--inode.opens === 0) unshareInode(kernel, inode);
  iput(kernel, inode);
}

/** Bytes in `ram`: where a read puts, and a write takes, its data. */
export interface Buffer {
  readonly segment: Segment;
  readonly bytes: Uint8Array;
}

/** Reads at `offset`, or at the file's own offset, which moves. Returns the bytes; 0 at the end. */
export function* readAt(call: Call, file: OpenFile, into: Buffer, offset?: number): Task<number> {
  if (!file.readable) fail(EBADF);
  if (file.stream) {
    if (offset !== undefined) fail(ESPIPE);
    return yield* file.stream.read(call, into.bytes, file.flags);
  }
  const inode = file.needInode();
  if (inode.isDirectory) fail(EISDIR);
  const { ahead } = file;
  if (!inode.isCachedFile) {
    const at = offset ?? file.offset;
    const count = yield* readDirect(file, inode, { offset: at, into });
    if (offset === undefined) file.offset = at + count;
    return count;
  }
  if (offset !== undefined)
    return yield* readFile(call.kernel, { inode, offset, ahead }, into.bytes);
  yield* file.offsetLock.acquire();
  try {
    const count = yield* readFile(call.kernel, { inode, offset: file.offset, ahead }, into.bytes);
    file.offset += count;
    return count;
  } finally {
    file.offsetLock.release();
  }
}

function* readDirect(
  file: OpenFile,
  inode: Inode,
  request: { offset: number; into: Buffer },
): Task<number> {
  const { client } = inode.superblock;
  const fid = file.fid ?? inode.fid;
  const { segment } = request.into;
  const memory = { segments: [segment], rights: GRANT_WRITE };
  const message = { name: 'Tread', fid, offset: request.offset, count: segment.length } as const;
  const { count } = yield* client.rpc(message, { memory });
  return Math.min(count, segment.length);
}

/** Writes all of `from` unless the server takes less; returns the bytes. */
export function* writeAt(call: Call, file: OpenFile, from: Buffer, offset?: number): Task<number> {
  if (!file.writable) fail(EBADF);
  if (file.stream) {
    if (offset !== undefined) fail(ESPIPE);
    return yield* file.stream.write(call, from.bytes, file.flags);
  }
  const inode = file.needInode();
  if (!inode.isCachedFile) {
    if (yield* call.kernel.disks.takes(file.path, from.bytes)) return from.bytes.length;
    return yield* writeDirect(call, file, { offset, from });
  }
  yield* inode.lock.acquire();
  try {
    const append = (file.flags & O_APPEND) !== 0;
    const at = append ? inode.size : (offset ?? file.offset);
    const room = sizeRoom(call, inode, at);
    const bytes = room < from.bytes.length ? from.bytes.subarray(0, room) : from.bytes;
    const count = yield* writeFile(call.kernel, { inode, offset: at }, bytes);
    if (offset === undefined) file.offset = at + count;
    return count;
  } finally {
    inode.lock.release();
  }
}

/** Bytes that RLIMIT_FSIZE allows from `at` on; SIGXFSZ and EFBIG when there are none. */
export function sizeRoom(call: Call, inode: Inode, at: number): number {
  const most = call.process.limits.soft(RLIMIT_FSIZE);
  if (most === Number.POSITIVE_INFINITY || inode.kind !== S_IFREG) return most;
  if (at < most) return most - at;
  sendSignal(call.kernel, call.process, SIGXFSZ);
  return fail(EFBIG);
}

function* writeDirect(
  call: Call,
  file: OpenFile,
  request: { offset: number | undefined; from: Buffer },
): Task<number> {
  const inode = file.needInode();
  const { client } = inode.superblock;
  const fid = file.fid ?? inode.fid;
  const append = (file.flags & O_APPEND) !== 0;
  const at = append ? yield* sizeOf(inode) : (request.offset ?? file.offset);
  const { address } = request.from.segment;
  const length = Math.min(request.from.segment.length, sizeRoom(call, inode, at));
  let done = 0;
  while (done < length) {
    const segments = [{ address: address + done, length: length - done }];
    const memory = { segments, rights: GRANT_READ };
    const data = new Uint8Array(0);
    const message = { name: 'Twrite', fid, offset: at + done, count: length - done, data } as const;
    try {
      const { count } = yield* client.rpc(message, { memory });
      if (count === 0) break;
      done += Math.min(count, length - done);
    } catch (error) {
      if (done === 0 || !(error instanceof PosixError)) throw error;
      break;
    }
  }
  if (request.offset === undefined) file.offset = at + done;
  return done;
}

function* sizeOf(inode: Inode): Task<number> {
  const { attr } = yield* inode.superblock.client.rpc({
    name: 'Tgetattr',
    fid: inode.fid,
    requestMask: 0x7ff,
  });
  return attr.size;
}

/** lseek(2). */
export function* seek(
  call: Call,
  file: OpenFile,
  { offset, whence }: { offset: number; whence: number },
): Task<number> {
  const inode = file.needInode(ESPIPE);
  let base = 0;
  if (whence === SEEK_CUR) base = file.offset;
  else if (whence === SEEK_END) base = inode.isCachedFile ? inode.size : yield* sizeOf(inode);
  else if (whence === SEEK_DATA || whence === SEEK_HOLE)
    base = (yield* seekHole(call, inode, { offset, whence })) - offset;
  else if (whence !== SEEK_SET) fail(EINVAL);
  const at = base + offset;
  if (!Number.isSafeInteger(at) || at < 0) fail(EINVAL);
  file.offset = at;
  return at;
}
