// The system calls of a native program (sys.ts) over its process's channel to the kernel.
// Data longer than the window goes in pieces. Signal handlers run between two calls of the program.

import type { Board } from '../../../kernel/abi/board.ts';
import { NSIG } from '../../../kernel/abi/constants.ts';
import { EINVAL, fail, PosixError } from '../../../kernel/abi/errno.ts';
import type { Dirent, Stat, StatFs, Timespec } from '../../../kernel/abi/stat.ts';
import {
  type ExecData,
  getDirents,
  getPollEntries,
  getStat,
  getStatFs,
  type PollEntry,
  putPollEntries,
  type SpawnData,
  type Start,
  SYS,
} from '../../../kernel/abi/syscall.ts';
import { encodeText } from '../../../kernel/abi/text.ts';
import type {
  Disposition,
  PollRequest,
  SpawnRequest,
  Sys,
  UtimeRequest,
  Utsname,
  WaitResult,
} from '../sys.ts';
import { type BatchCall, type BatchResult, runBatch } from './batch.ts';
import type { Channel } from './channel.ts';
import { readOn } from './reading.ts';
import { ResourceRuntime } from './runtime-resources.ts';
import { TtyRuntime } from './runtime-tty.ts';

const LEAVE = -1;

export class Runtime implements Sys {
  readonly argv: readonly string[];
  readonly env: Map<string, string>;
  readonly tty: TtyRuntime;
  readonly resources: ResourceRuntime;
  /** What `exec` replaced the program with. */
  replacement: Start | undefined;
  readonly #channel: Channel;
  readonly #board: Board;
  readonly #pid: number;
  readonly #handlers = new Map<number, (signal: number) => void>();
  #uid: number;
  #gid: number;

  constructor(board: Board, channel: Channel, start: Start) {
    this.#board = board;
    this.#channel = channel;
    this.tty = new TtyRuntime(channel);
    this.resources = new ResourceRuntime(channel);
    this.argv = start.argv;
    this.env = new Map(start.env);
    this.#pid = start.pid;
    this.#uid = start.uid;
    this.#gid = start.gid;
    channel.onSignals = (bits) => this.#runHandlers(bits);
  }

  open(path: string, flags: number, mode = 0o666): number {
    return this.#path(SYS.open, path, flags, mode);
  }

  close(fd: number): void {
    this.#channel.call(SYS.close, 0, fd);
  }

  read(fd: number, into: Uint8Array): number {
    const { cached, pipes } = this.#channel;
    const done = cached?.read(fd, into) ?? 0;
    if (cached?.complete) return done;
    const piped = cached?.missing === undefined ? pipes?.read(fd, into) : undefined;
    return piped ?? readOn(this.#channel, into, { fd, done });
  }

  peek(fd: number, into: Uint8Array): number {
    const { window } = this.#channel;
    const count = this.#channel.call(SYS.peek, 0, fd, Math.min(into.length, window.length));
    into.set(window.subarray(0, count));
    return count;
  }

  pread(fd: number, into: Uint8Array, offset: number): number {
    const { cached } = this.#channel;
    const done = cached?.pread(fd, into, offset) ?? 0;
    return cached?.complete ? done : readOn(this.#channel, into, { fd, done, offset });
  }

  write(fd: number, from: Uint8Array): number {
    const moved = this.#channel.pipes?.write(fd, from) ?? 0;
    if (moved > 0 && moved === from.length) return moved;
    const rest = moved > 0 ? from.subarray(moved) : from;
    const write = (length: number) => this.#channel.callThrough(SYS.write, length, fd);
    return moved + this.#writeAll(rest, write);
  }

  pwrite(fd: number, from: Uint8Array, offset: number): number {
    return this.#writeAll(from, (length, done) =>
      this.#channel.callThrough(SYS.pwrite, length, fd, 0, offset + done),
    );
  }

  lseek(fd: number, offset: number, whence: number): number {
    const moved = this.#channel.cached?.lseek(fd, offset, whence);
    return moved ?? this.#channel.call(SYS.lseek, 0, fd, offset, whence);
  }

  stat(path: string): Stat {
    this.#path(SYS.stat, path);
    return getStat(this.#channel.view);
  }

  lstat(path: string): Stat {
    this.#path(SYS.lstat, path);
    return getStat(this.#channel.view);
  }

  fstat(fd: number): Stat {
    const known = this.#channel.cached?.fstat(fd);
    if (known !== undefined) return known;
    this.#channel.call(SYS.fstat, 0, fd);
    return getStat(this.#channel.view);
  }

  statfs(path: string): StatFs {
    this.#path(SYS.statfs, path);
    return getStatFs(this.#channel.view);
  }

  getdents(fd: number): Dirent[] {
    const { window } = this.#channel;
    this.#channel.call(SYS.getdents, 0, fd, window.length);
    return getDirents(window.subarray(0, this.#channel.length));
  }

  mkdir(path: string, mode: number): void {
    this.#path(SYS.mkdir, path, mode);
  }

  rmdir(path: string): void {
    this.#path(SYS.rmdir, path);
  }

  link(target: string, path: string): void {
    this.#paths(SYS.link, target, path);
  }

  symlink(target: string, path: string): void {
    this.#paths(SYS.symlink, target, path);
  }

  readlink(path: string): string {
    this.#path(SYS.readlink, path);
    return this.#channel.text();
  }

  unlink(path: string): void {
    this.#path(SYS.unlink, path);
  }

  rename(from: string, to: string): void {
    this.#paths(SYS.rename, from, to);
  }

  truncate(path: string, size: number): void {
    this.#path(SYS.truncate, path, size);
  }

  ftruncate(fd: number, size: number): void {
    this.#channel.call(SYS.ftruncate, 0, fd, size);
  }

  fallocate(
    fd: number,
    mode: number,
    { offset, length }: { offset: number; length: number },
  ): void {
    this.#channel.call(SYS.fallocate, 0, fd, mode, offset, length);
  }

  chmod(path: string, mode: number): void {
    this.#path(SYS.chmod, path, mode);
  }

  chown(path: string, uid: number, gid: number): void {
    this.#path(SYS.chown, path, uid, gid);
  }

  lchown(path: string, uid: number, gid: number): void {
    this.#path(SYS.chown, path, uid, gid, 1);
  }

  utimens(path: string, times: UtimeRequest): void {
    this.#paths(SYS.utimens, path, JSON.stringify(times), times.followSymlinks ? 0 : 1);
  }

  access(path: string, mode: number): void {
    this.#path(SYS.access, path, mode);
  }

  mknod(path: string, mode: number, rdev: number): void {
    this.#path(SYS.mknod, path, mode, rdev);
  }

  fsync(fd: number): void {
    this.#channel.call(SYS.fsync, 0, fd);
  }

  fdatasync(fd: number): void {
    this.#channel.call(SYS.fsync, 0, fd, 1);
  }

  sync(): void {
    this.#channel.call(SYS.sync, 0);
  }

  getxattr(path: string, name: string): Uint8Array {
    this.#paths(SYS.getxattr, path, name);
    return this.#channel.window.slice(0, this.#channel.length);
  }

  setxattr(path: string, name: string, value: Uint8Array, flags: number): void {
    const { window } = this.#channel;
    const at = this.#channel.strings(noNul(path), noNul(name)) + 1; // a NUL lies there
    if (at + value.length > window.length) fail(EINVAL, `${name}: value is too long`);
    window.set(value, at);
    this.#channel.call(SYS.setxattr, at + value.length, flags);
  }

  listxattr(path: string): string[] {
    this.#path(SYS.listxattr, path);
    const names = this.#channel.text();
    return names === '' ? [] : names.replace(/\0$/, '').split('\0');
  }

  removexattr(path: string, name: string): void {
    this.#paths(SYS.removexattr, path, name);
  }

  batch(calls: readonly BatchCall[]): BatchResult[] {
    return runBatch(this.#channel, calls);
  }

  dup(fd: number): number {
    return this.#channel.call(SYS.dup, 0, fd);
  }

  dupAbove(fd: number, min: number): number {
    return this.#channel.call(SYS.dup, 0, fd, min, 1);
  }

  dup2(from: number, to: number): number {
    return this.#channel.call(SYS.dup2, 0, from, to);
  }

  setCloexec(fd: number, closeOnExec: boolean): void {
    this.#channel.call(SYS.setCloexec, 0, fd, closeOnExec ? 1 : 0);
  }

  pipe(): { read: number; write: number } {
    this.#channel.call(SYS.pipe, 0);
    return { read: this.#channel.r0, write: this.#channel.r1 };
  }

  isatty(fd: number): boolean {
    return this.#channel.try(SYS.isatty, 0, fd) === 0;
  }

  getfl(fd: number): number {
    return this.#channel.call(SYS.getfl, 0, fd);
  }

  setfl(fd: number, flags: number): void {
    this.#channel.call(SYS.setfl, 0, fd, flags);
  }

  poll(entries: readonly PollRequest[], timeoutMs: number): PollEntry[] {
    const { window } = this.#channel;
    const asked = entries.map((entry) => ({ ...entry, revents: 0 }));
    this.#channel.call(SYS.poll, putPollEntries(window, asked), timeoutMs);
    return getPollEntries(window.subarray(0, this.#channel.length));
  }

  spawn(request: SpawnRequest): number {
    const data: SpawnData = { ...request, env: [...request.env] };
    return this.#channel.call(SYS.spawn, this.#channel.json(data));
  }

  exec(request: Pick<SpawnRequest, 'path' | 'argv' | 'env'>): never {
    const { path, argv, env } = request;
    const data: ExecData = { path, argv, env: [...env] };
    this.#channel.call(SYS.exec, this.#channel.json(data));
    this.replacement = JSON.parse(this.#channel.text()) as Start;
    throw this.#channel.unwind();
  }

  wait(pid: number, options = 0): WaitResult {
    this.#channel.call(SYS.wait, 0, pid, options);
    return { pid: this.#channel.r0, status: this.#channel.r1 };
  }

  exit(status: number): never {
    this.#channel.call(SYS.exit, 0, status & 0xff);
    throw new Error('exit returned');
  }

  kill(pid: number, signal: number): void {
    this.#channel.call(SYS.kill, 0, pid, signal);
  }

  getpid(): number {
    return this.#pid;
  }

  getppid(): number {
    return this.#channel.call(SYS.getppid, 0);
  }

  getpgid(pid: number): number {
    return this.#channel.call(SYS.getpgid, 0, pid);
  }

  setpgid(pid: number, pgid: number): void {
    this.#channel.call(SYS.setpgid, 0, pid, pgid);
  }

  setsid(): number {
    return this.#channel.call(SYS.setsid, 0);
  }

  getsid(pid: number): number {
    return this.#channel.call(SYS.getsid, 0, pid);
  }

  getuid(): number {
    return this.#uid;
  }

  geteuid(): number {
    return this.#uid;
  }

  getgid(): number {
    return this.#gid;
  }

  getegid(): number {
    return this.#gid;
  }

  setuid(uid: number): void {
    this.#channel.call(SYS.setuid, 0, uid);
    if (uid !== LEAVE) this.#uid = uid;
  }

  setgid(gid: number): void {
    this.#channel.call(SYS.setgid, 0, gid);
    if (gid !== LEAVE) this.#gid = gid;
  }

  umask(mask: number): number {
    return this.#channel.call(SYS.umask, 0, mask);
  }

  chdir(path: string): void {
    this.#path(SYS.chdir, path);
  }

  getcwd(): string {
    this.#channel.call(SYS.getcwd, 0);
    return this.#channel.text();
  }

  sigaction(signal: number, disposition: Disposition): boolean {
    const kind = disposition === 'default' ? 0 : disposition === 'ignore' ? 1 : 2;
    // The handler first: the signal may come in the answer to this very call.
    const before = this.#handlers.get(signal);
    if (typeof disposition === 'function') this.#handlers.set(signal, disposition);
    const errno = this.#channel.try(SYS.sigaction, 0, signal, kind);
    const ignored = this.#channel.r0 === 1;
    if (errno !== 0) {
      if (before) this.#handlers.set(signal, before);
      else this.#handlers.delete(signal);
      throw new PosixError(errno);
    }
    if (typeof disposition !== 'function') this.#handlers.delete(signal);
    return ignored;
  }

  sigprocmask(how: number, bits: number): number {
    return this.#channel.call(SYS.sigprocmask, 0, how, bits);
  }

  setitimer(ms: number, intervalMs: number): number {
    return this.#channel.call(SYS.setitimer, 0, ms, intervalMs);
  }

  sleep(ms: number): void {
    this.#channel.call(SYS.sleep, 0, ms);
  }

  mount(request: { source: string; target: string; type: string; options: string }): void {
    const { source, target, type, options } = request;
    const length = this.#channel.strings(...[source, target, type, options].map(noNul));
    this.#channel.call(SYS.mount, length);
  }

  umount(target: string): void {
    this.#path(SYS.umount, target);
  }

  uname(): Utsname {
    this.#channel.call(SYS.uname, 0);
    const [sysname = '', nodename = '', release = '', version = '', machine = ''] = this.#channel
      .text()
      .split('\0');
    return { sysname, nodename, release, version, machine };
  }

  now(): Timespec {
    return this.#board.clock.wallclock();
  }

  monotonicMs(): number {
    return this.#board.clock.monotonicMs();
  }

  getrandom(into: Uint8Array): void {
    this.#board.random(into);
  }

  #path(number: number, path: string, a0 = 0, a1 = 0, a2 = 0): number {
    return this.#channel.call(number, this.#channel.strings(noNul(path)), a0, a1, a2);
  }

  #paths(number: number, first: string, second: string, a0 = 0): void {
    this.#channel.call(number, this.#channel.strings(noNul(first), noNul(second)), a0);
  }

  /** Hands the data to `write` in windows until all of it is taken. */
  #writeAll(from: Uint8Array, write: (length: number, done: number) => number): number {
    const { window } = this.#channel;
    let done = 0;
    do {
      const piece = from.subarray(done, done + window.length);
      window.set(piece);
      done += write(piece.length, done);
    } while (done < from.length);
    return done;
  }

  #runHandlers(bits: number): void {
    for (let signal = 1; signal < NSIG; signal++) {
      if ((bits & (1 << signal)) !== 0) this.#handlers.get(signal)?.(signal);
    }
  }
}

/** NUL ends a string in the kernel: what holds one names nothing. */
function noNul(text: string): string {
  if (text.includes('\0')) fail(EINVAL, 'NUL byte in a path');
  return text;
}

/** Writes to standard error what nobody else will tell; a closed one has no reader to miss it. */
export function lastWords(sys: Sys, text: string): void {
  try {
    sys.write(2, encodeText(text));
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
  }
}
