// fd_fdstat_*, fd_filestat_*, path_filestat_*, fd_readdir.

import { O_APPEND, O_NONBLOCK, SEEK_SET } from '../../../kernel/abi/constants.ts';
import type { Dirent, Stat, Timespec } from '../../../kernel/abi/stat.ts';
import { encodeText } from '../../../kernel/abi/text.ts';
import {
  FDFLAGS,
  FILETYPE,
  FSTFLAGS,
  INVAL,
  NOTCAPABLE,
  NOTDIR,
  RIGHT,
  refuse,
  SYMLINK_FOLLOW,
} from '../abi.ts';
import { fileType, type WasiFile } from '../files.ts';
import { pathOf } from '../paths.ts';
import type { Wasi, WasiCalls } from '../wasi.ts';

const DIRENT_SIZE = 24;
const SYNC_FLAGS = FDFLAGS.dsync | FDFLAGS.rsync | FDFLAGS.sync;

export const statCalls: WasiCalls = {
  fd_fdstat_get: ({ sys, files, memory }: Wasi, fd: number, result: number) => {
    const file = files.get(fd);
    const flags = sys.getfl(file.fd);
    const at = result >>> 0;
    memory.bytes(at, 24).fill(0);
    memory.setU8(at, file.type);
    const kept =
      (flags & O_APPEND ? FDFLAGS.append : 0) | (flags & O_NONBLOCK ? FDFLAGS.nonblock : 0);
    memory.setU16(at + 2, kept | file.sync);
    memory.setU64(at + 8, file.base);
    memory.setU64(at + 16, file.inheriting);
  },
  fd_fdstat_set_flags: ({ sys, files }: Wasi, fd: number, flags: number) => {
    const file = files.get(fd, RIGHT.fdstatSetFlags);
    if ((flags & ~(SYNC_FLAGS | FDFLAGS.append | FDFLAGS.nonblock)) !== 0) refuse(INVAL);
    sys.setfl(file.fd, openFlags(flags));
    file.sync = flags & SYNC_FLAGS;
  },
  /** Rights are given up, never gained. */
  fd_fdstat_set_rights: ({ files }: Wasi, fd: number, base: bigint, inheriting: bigint) => {
    const file = files.get(fd);
    if ((file.base & base) !== base || (file.inheriting & inheriting) !== inheriting) {
      refuse(NOTCAPABLE);
    }
    file.base = base;
    file.inheriting = inheriting;
  },
  fd_filestat_get: ({ sys, files, memory }: Wasi, fd: number, result: number) => {
    putStat(memory, result, sys.fstat(files.get(fd, RIGHT.fdFilestatGet).fd));
  },
  fd_filestat_set_size: ({ sys, files }: Wasi, fd: number, size: bigint) => {
    sys.ftruncate(files.get(fd, RIGHT.fdFilestatSetSize).fd, Number(BigInt.asUintN(64, size)));
  },
  fd_filestat_set_times: (wasi: Wasi, fd: number, atim: bigint, mtim: bigint, flags: number) => {
    const file = wasi.files.get(fd, RIGHT.fdFilestatSetTimes);
    const path = file.path ?? wasi.sys.readlink(`/proc/self/fd/${file.fd}`);
    if (!path.startsWith('/')) refuse(INVAL);
    wasi.sys.utimens(path, { ...times(atim, mtim, flags), followSymlinks: true });
  },
  path_filestat_get: (
    wasi: Wasi,
    fd: number,
    lookup: number,
    pointer: number,
    length: number,
    result: number,
  ) => {
    const path = pathOf(wasi, fd, { pointer, length, rights: RIGHT.pathFilestatGet });
    const { sys } = wasi;
    putStat(wasi.memory, result, lookup & SYMLINK_FOLLOW ? sys.stat(path) : sys.lstat(path));
  },
  path_filestat_set_times: (
    wasi: Wasi,
    fd: number,
    lookup: number,
    pointer: number,
    length: number,
    atim: bigint,
    mtim: bigint,
    flags: number,
  ) => {
    const path = pathOf(wasi, fd, { pointer, length, rights: RIGHT.pathFilestatSetTimes });
    const followSymlinks = (lookup & SYMLINK_FOLLOW) !== 0;
    wasi.sys.utimens(path, { ...times(atim, mtim, flags), followSymlinks });
  },
  fd_readdir: (
    wasi: Wasi,
    fd: number,
    pointer: number,
    length: number,
    cookie: bigint,
    used: number,
  ) => {
    const file = wasi.files.get(fd, RIGHT.fdReaddir);
    if (file.type !== FILETYPE.directory) refuse(NOTDIR);
    const into = wasi.memory.bytes(pointer, length);
    wasi.memory.setU32(used, putEntries(into, entriesOf(wasi, file, cookie), Number(cookie)));
  },
};

/** FDFLAGS as flags of open(2). */
export const openFlags = (flags: number): number =>
  (flags & FDFLAGS.append ? O_APPEND : 0) | (flags & FDFLAGS.nonblock ? O_NONBLOCK : 0);

/** The directory as it was when reading began: a cookie is a place in this list. */
function entriesOf({ sys }: Wasi, file: WasiFile, cookie: bigint): readonly Dirent[] {
  if (cookie !== 0n && file.entries !== undefined) return file.entries;
  sys.lseek(file.fd, 0, SEEK_SET);
  const all: Dirent[] = [];
  for (let some = sys.getdents(file.fd); some.length > 0; some = sys.getdents(file.fd)) {
    all.push(...some);
  }
  file.entries = all;
  return all;
}

/** Entries from a place on; the last may be cut off: a full buffer means that there is more. */
function putEntries(into: Uint8Array, entries: readonly Dirent[], from: number): number {
  let at = 0;
  for (let i = from; i < entries.length && at < into.length; i++) {
    const { ino, type, name } = entries[i] ?? { ino: 0, type: 0, name: '' };
    const bytes = encodeText(name);
    const entry = new Uint8Array(DIRENT_SIZE + bytes.length);
    const view = new DataView(entry.buffer);
    view.setBigUint64(0, BigInt(i + 1), true);
    view.setBigUint64(8, BigInt(ino), true);
    view.setUint32(16, bytes.length, true);
    view.setUint8(20, fileType(type << 12));
    entry.set(bytes, DIRENT_SIZE);
    const piece = entry.subarray(0, into.length - at);
    into.set(piece, at);
    at += piece.length;
  }
  return at;
}

function putStat(memory: Wasi['memory'], result: number, stat: Stat): void {
  const at = result >>> 0;
  memory.bytes(at, 64).fill(0);
  memory.setU64(at, BigInt(stat.dev));
  memory.setU64(at + 8, BigInt(stat.ino));
  memory.setU8(at + 16, fileType(stat.mode));
  memory.setU64(at + 24, BigInt(stat.nlink));
  memory.setU64(at + 32, BigInt(stat.size));
  [stat.atime, stat.mtime, stat.ctime].forEach((time, i) => {
    memory.setU64(at + 40 + i * 8, nanoseconds(time));
  });
}

const nanoseconds = ({ sec, nsec }: Timespec): bigint =>
  BigInt.asUintN(64, BigInt(sec) * 1_000_000_000n + BigInt(nsec));

type When = Timespec | 'now' | 'omit';

function times(atim: bigint, mtim: bigint, flags: number): { atime: When; mtime: When } {
  const both = (set: number, now: number): boolean => (flags & set) !== 0 && (flags & now) !== 0;
  const known = FSTFLAGS.atim | FSTFLAGS.atimNow | FSTFLAGS.mtim | FSTFLAGS.mtimNow;
  if (both(FSTFLAGS.atim, FSTFLAGS.atimNow) || both(FSTFLAGS.mtim, FSTFLAGS.mtimNow)) refuse(INVAL);
  if ((flags & ~known) !== 0) refuse(INVAL);
  const time = (set: number, now: number, value: bigint): When =>
    flags & now ? 'now' : flags & set ? timespec(value) : 'omit';
  return {
    atime: time(FSTFLAGS.atim, FSTFLAGS.atimNow, atim),
    mtime: time(FSTFLAGS.mtim, FSTFLAGS.mtimNow, mtim),
  };
}

function timespec(value: bigint): Timespec {
  const ns = BigInt.asUintN(64, value);
  return { sec: Number(ns / 1_000_000_000n), nsec: Number(ns % 1_000_000_000n) };
}
