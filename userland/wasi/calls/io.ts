// fd_read, fd_write and their kin, fd_seek, fd_tell, fd_sync, fd_close, fd_renumber, fd_prestat_*.

import { SEEK_CUR, SEEK_END, SEEK_SET } from '../../../kernel/abi/constants.ts';
import { EFBIG, ENAMETOOLONG, fail } from '../../../kernel/abi/errno.ts';
import { encodeText } from '../../../kernel/abi/text.ts';
import { BADF, FILETYPE, INVAL, IS_DIRECTORY, RIGHT, refuse } from '../abi.ts';
import type { WasiFile } from '../files.ts';
import type { Wasi, WasiCalls } from '../wasi.ts';

/** What several buffers move at a time. */
const PIECE = 256 * 1024;
const WHENCE = [SEEK_SET, SEEK_CUR, SEEK_END];
const ADVICES = 6;

export const ioCalls: WasiCalls = {
  fd_read: (
    { sys, files, memory }: Wasi,
    fd: number,
    iovs: number,
    count: number,
    size: number,
  ) => {
    const file = readable(files.get(fd, RIGHT.fdRead));
    const done = scatter(memory.iovecs(iovs, count), (into) => sys.read(file.fd, into));
    memory.setU32(size, done);
  },
  fd_pread: (wasi: Wasi, fd: number, iovs: number, count: number, at: bigint, size: number) => {
    const { sys, memory } = wasi;
    const file = readable(wasi.files.get(fd, RIGHT.fdRead | RIGHT.fdSeek));
    const offset = offsetOf(at);
    const done = scatter(memory.iovecs(iovs, count), (into) => sys.pread(file.fd, into, offset));
    memory.setU32(size, done);
  },
  fd_write: (wasi: Wasi, fd: number, iovs: number, count: number, size: number) => {
    const { sys, memory } = wasi;
    const file = wasi.files.get(fd, RIGHT.fdWrite);
    const done = gather(memory.iovecs(iovs, count), (from) => sys.write(file.fd, from));
    settle(wasi, file);
    memory.setU32(size, done);
  },
  fd_pwrite: (wasi: Wasi, fd: number, iovs: number, count: number, at: bigint, size: number) => {
    const { sys, memory } = wasi;
    const file = wasi.files.get(fd, RIGHT.fdWrite | RIGHT.fdSeek);
    const offset = offsetOf(at);
    const done = gather(memory.iovecs(iovs, count), (from, moved) =>
      sys.pwrite(file.fd, from, offset + moved),
    );
    settle(wasi, file);
    memory.setU32(size, done);
  },
  fd_seek: (wasi: Wasi, fd: number, offset: bigint, whence: number, result: number) => {
    const { sys, files, memory } = wasi;
    const telling = offset === 0n && WHENCE[whence] === SEEK_CUR;
    const file = files.get(fd, telling ? RIGHT.fdTell : RIGHT.fdSeek | RIGHT.fdTell);
    const from = WHENCE[whence] ?? refuse(INVAL);
    memory.setU64(result, BigInt(sys.lseek(file.fd, Number(offset), from)));
  },
  fd_tell: ({ sys, files, memory }: Wasi, fd: number, result: number) => {
    memory.setU64(result, BigInt(sys.lseek(files.get(fd, RIGHT.fdTell).fd, 0, SEEK_CUR)));
  },
  fd_sync: ({ sys, files }: Wasi, fd: number) => {
    sys.fsync(files.get(fd, RIGHT.fdSync).fd);
  },
  fd_datasync: ({ sys, files }: Wasi, fd: number) => {
    sys.fdatasync(files.get(fd, RIGHT.fdDatasync).fd);
  },
  fd_advise: ({ files }: Wasi, fd: number, _at: bigint, _length: bigint, advice: number) => {
    files.get(fd, RIGHT.fdAdvise);
    if (!(advice >= 0 && advice < ADVICES)) refuse(INVAL); // heeding it is not promised
  },
  /** DEVIATES: the size grows, but blocks are not reserved: a write may still find no space. */
  fd_allocate: ({ sys, files }: Wasi, fd: number, at: bigint, length: bigint) => {
    const file = files.get(fd, RIGHT.fdAllocate);
    if (length === 0n) refuse(INVAL);
    const end = offsetOf(at) + offsetOf(length);
    if (!Number.isSafeInteger(end)) fail(EFBIG);
    if (sys.fstat(file.fd).size < end) sys.ftruncate(file.fd, end);
  },
  fd_close: ({ files }: Wasi, fd: number) => {
    files.close(fd);
  },
  fd_renumber: ({ files }: Wasi, from: number, to: number) => {
    files.renumber(from, to);
  },
  fd_prestat_get: ({ files, memory }: Wasi, fd: number, result: number) => {
    const { preopened = refuse(BADF) } = files.get(fd);
    memory.setU32(result, 0); // a directory
    memory.setU32((result >>> 0) + 4, encodeText(preopened).length);
  },
  fd_prestat_dir_name: ({ files, memory }: Wasi, fd: number, path: number, length: number) => {
    const name = encodeText(files.get(fd).preopened ?? refuse(BADF));
    if (name.length > length >>> 0) fail(ENAMETOOLONG);
    memory.bytes(path, name.length).set(name);
  },
};

const readable = (file: WasiFile): WasiFile =>
  file.type === FILETYPE.directory ? refuse(IS_DIRECTORY) : file;

/** What was asked to be on the disk when the call returns. */
function settle({ sys }: Wasi, file: WasiFile): void {
  if (file.sync !== 0) sys.fdatasync(file.fd);
}

function offsetOf(value: bigint): number {
  const offset = Number(BigInt.asUintN(64, value));
  return Number.isSafeInteger(offset) ? offset : refuse(INVAL);
}

/** Fills the buffers by one read, so that a second one never waits for more than is there. */
function scatter(
  buffers: readonly Uint8Array<ArrayBuffer>[],
  read: (into: Uint8Array) => number,
): number {
  const filled = buffers.filter(({ length }) => length > 0);
  const [only = new Uint8Array(0)] = filled;
  if (filled.length <= 1) return read(only);
  const total = filled.reduce((sum, { length }) => sum + length, 0);
  const bytes = new Uint8Array(Math.min(total, PIECE));
  const count = read(bytes);
  let at = 0;
  for (const buffer of filled) {
    buffer.set(bytes.subarray(at, Math.min(count, at + buffer.length)));
    at = Math.min(count, at + buffer.length);
  }
  return count;
}

/** Writes the buffers in order, small ones in one piece: what fits PIPE_BUF stays whole. */
function gather(
  buffers: readonly Uint8Array<ArrayBuffer>[],
  write: (from: Uint8Array, moved: number) => number,
): number {
  const total = buffers.reduce((sum, { length }) => sum + length, 0);
  const [only] = buffers;
  if (buffers.length === 1 && only !== undefined) return write(only, 0);
  let done = 0;
  if (total > PIECE) {
    for (const buffer of buffers) done += write(buffer, done);
    return done;
  }
  const bytes = new Uint8Array(total);
  let at = 0;
  for (const buffer of buffers) {
    bytes.set(buffer, at);
    at += buffer.length;
  }
  return write(bytes, 0);
}
