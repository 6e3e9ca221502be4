// Sys: the system calls as a native program sees them. Each blocks until it is done and throws
// PosixError with its errno. Names and meanings are POSIX's and Linux's man-pages section 2;
// runtime.ts implements it over the process's ring to the kernel.

import type { Dirent, Stat, StatFs, Timespec } from '../../kernel/abi/stat.ts';
import type { PollEntry } from '../../kernel/abi/syscall.ts';
import type { Termios, Winsize } from '../../kernel/abi/termios.ts';
import type { BatchCall, BatchResult } from './runtime/batch.ts';

/** A native program: takes its system calls, returns its exit status 0..255. */
export type Program = (sys: Sys) => number;

/** What to do with a descriptor in a new process, in order, before it runs. */
export type FdAction =
  | { readonly op: 'dup2'; readonly from: number; readonly to: number }
  | { readonly op: 'close'; readonly fd: number }
  | {
      readonly op: 'open';
      readonly fd: number;
      readonly path: string;
      readonly flags: number;
      readonly mode: number;
    };

export interface SpawnRequest {
  /** Path of the program; no search in PATH (stdlib.ts has `findProgram`). */
  readonly path: string;
  readonly argv: readonly string[];
  readonly env: ReadonlyMap<string, string>;
  /** The child inherits all descriptors that are not close-on-exec, then these are applied. */
  readonly fdActions?: readonly FdAction[];
  readonly cwd?: string;
  /** 0 = a new process group led by the child, otherwise the group to join; default: the parent's. */
  readonly pgid?: number;
  /** The child leads a new session, before its fdActions: a terminal opened there controls it. */
  readonly setsid?: boolean;
  /** A terminal of ours: the child's group becomes its foreground group before the child runs. */
  readonly foreground?: number;
  /** Signals ignored in the child besides those that the parent ignores. */
  readonly ignore?: readonly number[];
  /** Signals set back to their default in the child. */
  readonly defaults?: readonly number[];
}

/** What a signal does: a function runs between two system calls of the program. */
export type Disposition = 'default' | 'ignore' | ((signal: number) => void);

export interface WaitResult {
  readonly pid: number;
  readonly status: number; // WIFEXITED, WEXITSTATUS, WTERMSIG of kernel/abi/constants.ts
}

export interface Utsname {
  readonly sysname: string;
  readonly nodename: string;
  readonly release: string;
  readonly version: string;
  readonly machine: string;
}

export interface UtimeRequest {
  readonly atime: Timespec | 'now' | 'omit';
  readonly mtime: Timespec | 'now' | 'omit';
  readonly followSymlinks: boolean;
}

export interface Sys {
  readonly argv: readonly string[]; // argv[0] is the program's name
  readonly env: Map<string, string>; // changes stay in this process

  // Files. Paths are relative to the working directory unless they begin with '/'.
  open(path: string, flags: number, mode?: number): number;
  close(fd: number): void;
  /** Reads up to into.length bytes; 0 = end of file. Short reads are usual on pipes and terminals. */
  read(fd: number, into: Uint8Array): number;
  /** As `read`, from a pipe, but what it gives is still there to be read; ESPIPE on anything else. */
  peek(fd: number, into: Uint8Array): number;
  /** Writes all of it, however long; a signal handler may run in between. */
  write(fd: number, from: Uint8Array): number;
  pread(fd: number, into: Uint8Array, offset: number): number;
  pwrite(fd: number, from: Uint8Array, offset: number): number;
  lseek(fd: number, offset: number, whence: number): number;
  stat(path: string): Stat;
  lstat(path: string): Stat;
  fstat(fd: number): Stat;
  statfs(path: string): StatFs;
  /** The next entries, '.' and '..' among them; an empty array at the end. */
  getdents(fd: number): Dirent[];
  mkdir(path: string, mode: number): void;
  rmdir(path: string): void;
  link(target: string, path: string): void; // does not follow a symlink at target
  symlink(target: string, path: string): void;
  readlink(path: string): string;
  unlink(path: string): void;
  rename(from: string, to: string): void;
  truncate(path: string, size: number): void;
  ftruncate(fd: number, size: number): void;
  /** FALLOC_FL_* of kernel/abi/constants.ts; EOPNOTSUPP where the file system cannot. */
  fallocate(fd: number, mode: number, range: { offset: number; length: number }): void;
  chmod(path: string, mode: number): void;
  chown(path: string, uid: number, gid: number): void; // -1 leaves one as it is
  lchown(path: string, uid: number, gid: number): void;
  utimens(path: string, times: UtimeRequest): void;
  access(path: string, mode: number): void;
  mknod(path: string, mode: number, rdev: number): void;
  fsync(fd: number): void;
  fdatasync(fd: number): void;
  sync(): void;
  getxattr(path: string, name: string): Uint8Array;
  setxattr(path: string, name: string, value: Uint8Array, flags: number): void;
  listxattr(path: string): string[];
  removexattr(path: string, name: string): void;

  /**
   * Many calls in one submission, for programs that ask the same of many files: made in any order,
   * each succeeds or fails for itself. The results are in the order of the calls.
   */
  batch(calls: readonly BatchCall[]): BatchResult[];

  // Descriptors.
  dup(fd: number): number;
  /** The lowest free descriptor at or above `min`, close-on-exec (F_DUPFD_CLOEXEC). */
  dupAbove(fd: number, min: number): number;
  dup2(from: number, to: number): number;
  setCloexec(fd: number, closeOnExec: boolean): void;
  pipe(): { read: number; write: number };
  isatty(fd: number): boolean;
  /** The flags of open(2), as they are now (F_GETFL). */
  getfl(fd: number): number;
  /** Sets O_APPEND and O_NONBLOCK, for all who share the open file (F_SETFL). */
  setfl(fd: number, flags: number): void;
  /**
   * Waits until one of the descriptors is ready or `timeoutMs` have passed (-1 = for ever); the
   * same entries with their `revents`. EINTR when a signal came. A negative fd is left out.
   */
  poll(entries: readonly PollRequest[], timeoutMs: number): PollEntry[];
  /** Terminals: termios(3), tcsetpgrp(3), pty(7). ENOTTY on anything else. */
  readonly tty: TtyCalls;

  // Processes.
  spawn(request: SpawnRequest): number; // pid
  /** Replaces this program by another: never returns, throws when the program cannot be loaded. */
  exec(request: Pick<SpawnRequest, 'path' | 'argv' | 'env'>): never;
  /**
   * pid > 0: that child; -1: any; 0: of the caller's group; < -1: of that group. With WUNTRACED and
   * WCONTINUED stopped and continued ones are told, too. With WNOHANG and nothing to tell: pid 0.
   * ECHILD without children. When SIGCHLD is ignored, children leave nothing to wait for.
   */
  wait(pid: number, options?: number): WaitResult;
  exit(status: number): never;
  kill(pid: number, signal: number): void;
  getpid(): number;
  getppid(): number;
  getpgid(pid: number): number;
  setpgid(pid: number, pgid: number): void;
  /** Makes the caller the leader of a new session, without a terminal; EPERM for a group leader. */
  setsid(): number;
  getsid(pid: number): number;
  getuid(): number;
  geteuid(): number;
  getgid(): number;
  getegid(): number;
  setuid(uid: number): void;
  setgid(gid: number): void;
  umask(mask: number): number;
  chdir(path: string): void;
  getcwd(): string;
  /** Was the signal ignored before? */
  sigaction(signal: number, disposition: Disposition): boolean;
  /** SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK; bit N is signal N. Returns the bits before. */
  sigprocmask(how: number, bits: number): number;
  /** SIGALRM after `ms`, then every `intervalMs`; 0 = none. Returns the milliseconds that were left. */
  setitimer(ms: number, intervalMs: number): number;
  sleep(ms: number): void; // EINTR when a signal came
  /** What the process may use and has used: getrlimit(2), nice(2), getrusage(2), getgroups(2). */
  readonly resources: ResourceCalls;

  // The system.
  mount(request: { source: string; target: string; type: string; options: string }): void;
  umount(target: string): void;
  uname(): Utsname;
  now(): Timespec;
  monotonicMs(): number;
  getrandom(into: Uint8Array): void;
}

export type PollRequest = Pick<PollEntry, 'fd' | 'events'>;

/** Terminals (POSIX.1-2024 XBD §11). A background process that changes one is stopped by SIGTTOU. */
export interface TtyCalls {
  getattr(fd: number): Termios;
  /** `when`: TCSANOW, TCSADRAIN, TCSAFLUSH of kernel/abi/termios.ts; `raw(SANE)` is there, too. */
  setattr(fd: number, when: number, termios: Termios): void;
  /** Forgets input (TCIFLUSH), output (TCOFLUSH) or both. */
  flush(fd: number, queue: number): void;
  /** The foreground group; 0 when there is none. ENOTTY unless it is the caller's own terminal. */
  getpgrp(fd: number): number;
  setpgrp(fd: number, pgid: number): void;
  getsid(fd: number): number;
  getwinsize(fd: number): Winsize;
  /** The foreground group gets SIGWINCH when the size changed. */
  setwinsize(fd: number, size: Winsize): void;
  /** `/dev/pts/0` */
  name(fd: number): string;
  /** The name of the terminal behind a master, opened from /dev/ptmx. */
  ptsname(fd: number): string;
  /** Makes it the terminal of the session that the caller leads (TIOCSCTTY). */
  acquire(fd: number): void;
}

export interface Rlimit {
  readonly soft: number;
  readonly hard: number;
}

export interface ResourceCalls {
  /** RLIMIT_* of kernel/abi/constants.ts; no limit is Infinity. */
  getrlimit(resource: number): Rlimit;
  setrlimit(resource: number, limit: Rlimit): void;
  /** -20 (favoured) … 19; pid 0 = the caller. */
  getpriority(pid: number): number;
  setpriority(pid: number, nice: number): void;
  /** CPU time of the process, or of its children that were waited for. */
  getrusage(who: 'self' | 'children'): { readonly userMs: number; readonly systemMs: number };
  getgroups(): number[];
  setgroups(groups: readonly number[]): void;
  /**
   * Tells each call of a process as a TracedCall in a pipe; pid 0: of all that the caller starts. With
   * `follow` of what they start, too; fd -1: no more.
   */
  trace(pid: number, fd: number, follow: 'follow' | 'alone'): void;
}
