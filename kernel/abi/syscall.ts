// System calls on the wire between a process and the kernel: one ring each way of small slots, and
// a window, a run of frames that carries strings and data. The layouts here are the contract between
// userland/libc/runtime/runtime.ts, the host's process in index.ts and kernel/syscall.
//
//   request slot                         reply slot
//   +0  number  u32                      +0  tag      u32
//   +4  tag     u32, echoed              +4  errno    u32, 0 = done, DIED = unwind to `ready`
//   +8  data    u32, offset in window    +8  length   u32, bytes of data in the window
//   +12 length  u32, bytes of data       +12 signals  u32, pending signals that have a handler
//   +16 a0..a4  f64                      +16 r0, r1   f64
//
// Data of a request is bytes (write), strings (a path; several are joined by NUL) or JSON (spawn).
// Data of a reply lies at the same offset: bytes (read), a string, or the structures below. A
// process that waits for each reply uses offset 0; the host's process has many calls under way and
// gives each its own part of the window.

import type { Dirent, Stat, StatFs } from './stat.ts';
import { decodeText, encodeText } from './text.ts';

export const SYSCALL_SLOTS = 16;
export const SYSCALL_SLOT_SIZE = 128;
/** Bytes of a process's window: the most that one read or write moves. */
export const WINDOW_SIZE = 256 * 1024;

/** In place of an errno: the process is dead. Its worker unwinds and calls `ready`. */
export const DIED = 0xffff;

export const SYS = {
  // The worker's own: waits until it is a process; the reply's data is a Start.
  ready: 0,
  exit: 1, // a0 status; the reply is DIED
  open: 2, // path; a0 flags, a1 mode → fd
  close: 3, // a0 fd
  read: 4, // a0 fd, a1 count → count, data
  write: 5, // a0 fd, data → count
  pread: 6, // a0 fd, a1 count, a2 offset → count, data
  pwrite: 7, // a0 fd, a2 offset, data → count
  lseek: 8, // a0 fd, a1 offset, a2 whence → offset
  stat: 9, // path → data Stat
  lstat: 10,
  fstat: 11, // a0 fd → data Stat
  statfs: 12, // path → data StatFs
  getdents: 13, // a0 fd, a1 count → data Dirents; length 0 at the end
  mkdir: 14, // path; a0 mode
  rmdir: 15,
  link: 16, // target, path
  symlink: 17, // target, path
  readlink: 18, // path → data string
  unlink: 19,
  rename: 20, // from, to
  truncate: 21, // path; a0 size
  ftruncate: 22, // a0 fd, a1 size
  chmod: 23, // path; a0 mode
  chown: 24, // path; a0 uid, a1 gid (-1 = leave), a2 1 = do not follow
  utimens: 25, // path; a0 1 = do not follow; data: path, NUL, JSON UtimeRequest
  access: 26, // path; a0 mode
  mknod: 27, // path; a0 mode, a1 rdev
  fsync: 28, // a0 fd, a1 1 = data only
  sync: 29,
  getxattr: 30, // path, name → data
  setxattr: 31, // path, NUL, name, NUL, value; a0 flags
  listxattr: 32, // path → data, NUL-ended names
  removexattr: 33, // path, name
  dup: 34, // a0 fd, a1 lowest → fd; a2 1 = close on exec
  dup2: 35, // a0 from, a1 to → fd
  setCloexec: 36, // a0 fd, a1 0 or 1
  pipe: 37, // → r0 read fd, r1 write fd
  isatty: 38, // a0 fd → 1; ENOTTY
  spawn: 39, // data JSON Spawn → pid
  exec: 40, // data JSON Exec → data Start
  wait: 41, // a0 pid, a1 options → r0 pid, r1 status
  kill: 42, // a0 pid, a1 signal
  getpgid: 43, // a0 pid → pgid
  setpgid: 44, // a0 pid, a1 pgid
  setuid: 45, // a0 uid
  setgid: 46, // a0 gid
  umask: 47, // a0 mask → the old one
  chdir: 48, // path
  getcwd: 49, // → data string
  sigaction: 50, // a0 signal, a1 0 default, 1 ignore, 2 handler → what it was before
  takeSignals: 51, // → r0 bits of pending signals with handlers, which are pending no more
  sleep: 52, // a0 milliseconds; EINTR
  mount: 53, // source, target, type, options
  umount: 54, // target
  uname: 55, // → data: sysname, nodename, release, version, machine joined by NUL
  tcsetpgrp: 56, // a0 fd of a terminal, a1 pgid
  getppid: 57,
  spawnStdio: 58, // the host alone: as spawn, with nothing inherited from the host's own descriptors
  shutdown: 59, // the host alone: sync, unmount everything, end all processes
  fchdir: 60, // a0 fd
  load: 61, // a0 fd, a1 offset, a2 count: the page there is cached when it returns, the rest on its way
  readAhead: 62, // a0 fd: a reader got to its mark; nobody waits for an answer, and there is none
  peek: 63, // a0 fd of a pipe, a1 count → r0, data: what read would give, which it still will
  batch: 64, // a0 count; data: a table of calls and what they need (batch.ts) → data, answered in place
  pipeReady: 65, // a0 fd: waits until the end of a pipe can move bytes, or never will; wakes who waits for it
  pipeMoved: 66, // a0 fd: bytes were moved while somebody slept; nobody waits for an answer
  fallocate: 67, // a0 fd, a1 FALLOC_FL_*, a2 offset, a3 length
  trace: 68, // a0 pid, 0 = what the caller starts; a1 fd of a pipe, -1 = no more; a2 1 = and what that starts
  // Terminals and sessions.
  setsid: 70, // → sid
  getsid: 71, // a0 pid → sid
  tcgetpgrp: 72, // a0 fd → pgid
  tcgetsid: 73, // a0 fd → sid
  tcgetattr: 74, // a0 fd → data termios (termios.ts)
  tcsetattr: 75, // a0 fd, a1 TCSA*, data termios
  tcflush: 76, // a0 fd, a1 TC*FLUSH
  tcgetwinsize: 77, // a0 fd → r0 columns, r1 rows
  tcsetwinsize: 78, // a0 fd, a1 columns, a2 rows
  ttyname: 79, // a0 fd → data string
  ptsname: 80, // a0 fd of a master → data string
  setControllingTerminal: 81, // a0 fd (TIOCSCTTY)
  // Descriptors.
  getfl: 82, // a0 fd → flags (fcntl F_GETFL)
  setfl: 83, // a0 fd, a1 flags: O_APPEND and O_NONBLOCK (fcntl F_SETFL)
  poll: 84, // a0 milliseconds or -1, data PollEntries → r0 how many are ready, data PollEntries
  // Signals and resources.
  sigprocmask: 85, // a0 SIG_BLOCK …, a1 bits → the old bits
  setitimer: 86, // a0 milliseconds to SIGALRM or 0, a1 interval → r0, r1 what was left
  getrlimit: 87, // a0 resource → r0 soft, r1 hard
  setrlimit: 88, // a0 resource, a1 soft, a2 hard
  getpriority: 89, // a0 pid → nice value
  setpriority: 90, // a0 pid, a1 nice value
  getrusage: 91, // a0 0 self, 1 children → r0 user, r1 system milliseconds
  getgroups: 92, // → data u32s
  setgroups: 93, // data u32s
} as const;

export type SyscallName = keyof typeof SYS;

const names: ReadonlyMap<number, string> = new Map(
  Object.entries(SYS).map(([name, number]) => [number, name]),
);

/** The name of a call, for people. */
export const syscallName = (number: number): string => names.get(number) ?? `number ${number}`;

/** What a fresh process starts with. */
export interface Start {
  readonly pid: number;
  readonly ppid: number;
  readonly program: string; // a name in userland/bin/registry.ts
  /** In place of a native program: the path of a WebAssembly file. */
  readonly module?: string;
  readonly argv: readonly string[];
  readonly env: readonly (readonly [string, string])[];
  readonly uid: number;
  readonly gid: number;
}

/** Data of `exec`. */
export interface ExecData {
  readonly path: string;
  readonly argv: readonly string[];
  readonly env: readonly (readonly [string, string])[];
}

/** Data of `spawn`: ExecData and the rest of a SpawnRequest (userland/libc/sys.ts). */
export interface SpawnData extends ExecData {
  readonly fdActions?: readonly FdActionData[];
  readonly cwd?: string;
  readonly pgid?: number;
  readonly setsid?: boolean;
  readonly foreground?: number;
  readonly ignore?: readonly number[];
  readonly defaults?: readonly number[];
}

/** Data of `spawnStdio`: descriptors of the host's process that become the child's 0, 1 and 2. */
export interface SpawnStdioData extends ExecData {
  readonly stdio: readonly [number, number, number];
  readonly cwd?: string;
  readonly pgid?: number;
  readonly setsid?: boolean;
  readonly ignore?: readonly number[];
  readonly defaults?: readonly number[];
}

/** One step of `fdActions`, in order, before the program runs. */
export type FdActionData =
  | { readonly op: 'dup2'; readonly from: number; readonly to: number }
  | { readonly op: 'close'; readonly fd: number }
  | {
      readonly op: 'open';
      readonly fd: number;
      readonly path: string;
      readonly flags: number;
      readonly mode: number;
    };

const STAT_WORDS = 16;
export const STAT_SIZE = STAT_WORDS * 8;

/** Writes a Stat at the start of `view` as 16 f64; returns the bytes. */
export function putStat(view: DataView, s: Stat): number {
  const words = [
    ...[s.dev, s.ino, s.mode, s.nlink, s.uid, s.gid, s.rdev, s.size, s.blksize, s.blocks],
    ...[s.atime.sec, s.atime.nsec, s.mtime.sec, s.mtime.nsec, s.ctime.sec, s.ctime.nsec],
  ];
  words.forEach((word, i) => {
    view.setFloat64(i * 8, word, true);
  });
  return STAT_SIZE;
}

export function getStat(view: DataView): Stat {
  const at = (i: number): number => view.getFloat64(i * 8, true);
  return {
    dev: at(0),
    ino: at(1),
    mode: at(2),
    nlink: at(3),
    uid: at(4),
    gid: at(5),
    rdev: at(6),
    size: at(7),
    blksize: at(8),
    blocks: at(9),
    atime: { sec: at(10), nsec: at(11) },
    mtime: { sec: at(12), nsec: at(13) },
    ctime: { sec: at(14), nsec: at(15) },
  };
}

export const STATFS_SIZE = 9 * 8;

export function putStatFs(view: DataView, s: StatFs): number {
  const words = [s.type, s.bsize, s.blocks, s.bfree, s.bavail, s.files, s.ffree, s.fsid, s.namelen];
  words.forEach((word, i) => {
    view.setFloat64(i * 8, word, true);
  });
  return STATFS_SIZE;
}

export function getStatFs(view: DataView): StatFs {
  const at = (i: number): number => view.getFloat64(i * 8, true);
  return {
    type: at(0),
    bsize: at(1),
    blocks: at(2),
    bfree: at(3),
    bavail: at(4),
    files: at(5),
    ffree: at(6),
    fsid: at(7),
    namelen: at(8),
  };
}

/** ino f64, type u8, name length u16, name; returns the bytes, 0 when `into` is too short for it. */
export function putDirent(into: Uint8Array, entry: Dirent): number {
  const name = encodeText(entry.name);
  const size = 11 + name.length;
  if (size > into.length) return 0;
  const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
  view.setFloat64(0, entry.ino, true);
  view.setUint8(8, entry.type);
  view.setUint16(9, name.length, true);
  into.set(name, 11);
  return size;
}

export function getDirents(from: Uint8Array): Dirent[] {
  const view = new DataView(from.buffer, from.byteOffset, from.byteLength);
  const entries: Dirent[] = [];
  for (let at = 0; at + 11 <= from.length; ) {
    const end = at + 11 + view.getUint16(at + 9, true);
    entries.push({
      ino: view.getFloat64(at, true),
      type: view.getUint8(at + 8),
      name: decodeText(from.slice(at + 11, end)),
    });
    at = end;
  }
  return entries;
}

/** Several strings as the data of a request. */
export const joinStrings = (...strings: string[]): Uint8Array => encodeText(strings.join('\0'));

/** One descriptor of a poll: fd i32, events u16, revents u16. */
export const POLL_ENTRY_SIZE = 8;

export interface PollEntry {
  readonly fd: number;
  /** POLLIN, POLLOUT wanted. */
  readonly events: number;
  /** What is so; POLLERR, POLLHUP and POLLNVAL unasked. */
  readonly revents: number;
}

/** Writes the entries at the start of `into`; returns the bytes. */
export function putPollEntries(into: Uint8Array, entries: readonly PollEntry[]): number {
  const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
  entries.forEach(({ fd, events, revents }, i) => {
    view.setInt32(i * POLL_ENTRY_SIZE, fd, true);
    view.setUint16(i * POLL_ENTRY_SIZE + 4, events, true);
    view.setUint16(i * POLL_ENTRY_SIZE + 6, revents, true);
  });
  return entries.length * POLL_ENTRY_SIZE;
}

export function getPollEntries(from: Uint8Array): PollEntry[] {
  const view = new DataView(from.buffer, from.byteOffset, from.byteLength);
  const count = Math.floor(from.length / POLL_ENTRY_SIZE);
  return Array.from({ length: count }, (_, i) => ({
    fd: view.getInt32(i * POLL_ENTRY_SIZE, true),
    events: view.getUint16(i * POLL_ENTRY_SIZE + 4, true),
    revents: view.getUint16(i * POLL_ENTRY_SIZE + 6, true),
  }));
}

/**
 * One call of a traced process, as a line of JSON in its tracer's pipe: kernel/proc/tracing.ts writes it,
 * userland/bin/strace.ts reads it.
 */
export interface TracedCall {
  readonly pid: number;
  /** SYS of syscall.ts. */
  readonly number: number;
  readonly args: readonly number[];
  /** The beginning of what the caller gave: paths joined by NUL, or bytes. */
  readonly data: string;
  /** How much it gave in all. */
  readonly length: number;
  readonly errno: number;
  readonly r0: number;
  readonly r1: number;
  /** The beginning of what it got: bytes read, a path. */
  readonly answer: string;
  readonly answerLength: number;
  readonly beganMs: number;
  readonly tookMs: number;
}
