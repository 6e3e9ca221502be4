// A Sys over the host's files, for tests alone: programs run inside the test's process, in a directory
// of the host, and are compared with the host's own tools. Children run at once, in spawn.

import fs from 'node:fs';
import os from 'node:os';
import {
  exitStatus,
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  SEEK_CUR,
  SEEK_END,
  SEEK_SET,
  SIGPIPE,
} from '../../../kernel/abi/constants.ts';
import {
  EBADF,
  ECHILD,
  EINVAL,
  ENOENT,
  ENOSYS,
  ENOTDIR,
  EOPNOTSUPP,
  ESPIPE,
  fail,
} from '../../../kernel/abi/errno.ts';
import type { Dirent, Stat, StatFs, Timespec } from '../../../kernel/abi/stat.ts';
import { decodeText, encodeText } from '../../../kernel/abi/text.ts';
import type { FdAction, Program, SpawnRequest, Sys, UtimeRequest, WaitResult } from '../sys.ts';
import { batchOneByOne } from './host-batch.ts';
import { hostControl, hostResources, hostTty } from './host-control.ts';
import { direntType, guarded, type OpenFile, openFile, statOf } from './host-shapes.ts';

export interface HostRun {
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly status: number;
}

/** Thrown by exit and exec to leave a program. */
class Left {
  readonly status: number;

  constructor(status: number) {
    this.status = status;
  }
}

export interface HostRequest {
  readonly programs: Readonly<Record<string, Program>>;
  readonly argv: readonly string[];
  readonly cwd: string;
  /** A file of the host that is standard input. */
  readonly stdin: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly now?: Timespec;
}

export function runOnHost(request: HostRequest): HostRun {
  const out: Uint8Array[] = [];
  const err: Uint8Array[] = [];
  const stdin = fs.openSync(request.stdin, 'r');
  const fds = new Map<number, OpenFile>([
    [0, openFile({ fd: stdin, path: request.stdin })],
    [1, openFile({ sink: out })],
    [2, openFile({ sink: err })],
  ]);
  const env = new Map(Object.entries(request.env ?? { PATH: '/bin' }));
  const sys = new HostSys(request, { fds, env, argv: request.argv, cwd: request.cwd });
  const status = runProgram(request.programs, sys);
  fs.closeSync(stdin);
  return { stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString('latin1'), status };
}

function runProgram(programs: HostRequest['programs'], sys: HostSys): number {
  const name = sys.argv[0]?.split('/').at(-1) ?? '';
  const main = programs[name];
  if (main === undefined) return 127;
  try {
    return main(sys);
  } catch (error) {
    if (error instanceof Left) return error.status;
    throw error;
  }
}

interface Process {
  readonly fds: Map<number, OpenFile>;
  readonly env: Map<string, string>;
  readonly argv: readonly string[];
  cwd: string;
}

class HostSys implements Sys {
  readonly argv: readonly string[];
  readonly env: Map<string, string>;
  readonly tty = hostTty;
  readonly resources = hostResources;
  readonly #request: HostRequest;
  readonly #fds: Map<number, OpenFile>;
  readonly #ended: WaitResult[] = [];
  #cwd: string;
  #nextPid = 100;

  constructor(request: HostRequest, process: Process) {
    this.#request = request;
    this.argv = process.argv;
    this.env = process.env;
    this.#fds = process.fds;
    this.#cwd = process.cwd;
  }

  /** Bytes, since names need not be UTF-8. */
  #host(path: string): Buffer {
    if (path === '') fail(ENOENT);
    return Buffer.from(encodeText(path.startsWith('/') ? path : `${this.#cwd}/${path}`));
  }

  #file(fd: number): OpenFile {
    return this.#fds.get(fd) ?? fail(EBADF);
  }

  #install(file: OpenFile, least = 0): number {
    let fd = least;
    while (this.#fds.has(fd)) fd++;
    this.#fds.set(fd, file);
    return fd;
  }

  open(path: string, flags: number, mode = 0o666): number {
    const c = fs.constants;
    const access = flags & 3;
    let host = access === O_RDWR ? c.O_RDWR : access === O_WRONLY ? c.O_WRONLY : c.O_RDONLY;
    if (flags & O_CREAT) host |= c.O_CREAT;
    if (flags & O_EXCL) host |= c.O_EXCL;
    if (flags & O_TRUNC) host |= c.O_TRUNC;
    if (flags & O_DIRECTORY) host |= c.O_DIRECTORY;
    if (flags & O_APPEND) host |= c.O_APPEND;
    const fd = guarded(() => fs.openSync(this.#host(path), host, mode));
    const absolute = path.startsWith('/') ? path : `${this.#cwd}/${path}`;
    return this.#install(openFile({ fd, path: absolute, append: (flags & O_APPEND) !== 0 }));
  }

  close(fd: number): void {
    const file = this.#file(fd);
    this.#fds.delete(fd);
    if (file.fd > 2 && ![...this.#fds.values()].includes(file)) fs.closeSync(file.fd);
  }

  read(fd: number, into: Uint8Array): number {
    const file = this.#file(fd);
    if (file.fd < 0) fail(EBADF);
    const position = this.#seekable(file) ? file.position : null;
    const count = guarded(() => fs.readSync(file.fd, into, 0, into.length, position));
    file.position += count;
    return count;
  }

  #seekable(file: OpenFile): boolean {
    const stat = fs.fstatSync(file.fd);
    return stat.isFile() || stat.isBlockDevice();
  }

  peek(): number {
    return fail(ESPIPE);
  }

  write(fd: number, from: Uint8Array): number {
    const file = this.#file(fd);
    if (file.sink !== undefined) {
      file.sink.push(from.slice());
      return from.length;
    }
    const position = this.#seekable(file) && !file.append ? file.position : null;
    const count = guarded(() => fs.writeSync(file.fd, from, 0, from.length, position));
    file.position += count;
    return count;
  }

  pread(fd: number, into: Uint8Array, offset: number): number {
    return guarded(() => fs.readSync(this.#file(fd).fd, into, 0, into.length, offset));
  }

  pwrite(fd: number, from: Uint8Array, offset: number): number {
    return guarded(() => fs.writeSync(this.#file(fd).fd, from, 0, from.length, offset));
  }

  lseek(fd: number, offset: number, whence: number): number {
    const file = this.#file(fd);
    if (file.fd < 0 || !this.#seekable(file)) fail(ESPIPE);
    if (![SEEK_SET, SEEK_CUR, SEEK_END].includes(whence)) fail(EINVAL); // Node tells nothing of holes
    const base =
      whence === SEEK_SET ? 0 : whence === SEEK_CUR ? file.position : this.fstat(fd).size;
    file.position = base + offset;
    return file.position;
  }

  stat(path: string): Stat {
    return guarded(() => statOf(fs.statSync(this.#host(path), { bigint: true })));
  }

  lstat(path: string): Stat {
    return guarded(() => statOf(fs.lstatSync(this.#host(path), { bigint: true })));
  }

  fstat(fd: number): Stat {
    const file = this.#file(fd);
    if (file.fd < 0) return statOf(fs.statSync('/dev/null', { bigint: true }));
    return guarded(() => statOf(fs.fstatSync(file.fd, { bigint: true })));
  }

  statfs(path: string): StatFs {
    const s = guarded(() => fs.statfsSync(this.#host(path)));
    return { ...s, fsid: 0, namelen: 255 };
  }

  getdents(fd: number): Dirent[] {
    const file = this.#file(fd);
    if (file.listed) return [];
    file.listed = true;
    const entries = guarded(() =>
      fs.readdirSync(Buffer.from(encodeText(file.path)), {
        withFileTypes: true,
        encoding: 'buffer',
      }),
    ) as unknown as fs.Dirent<Buffer>[];
    const listed = entries.map((entry) => ({
      ino: 1,
      type: direntType(entry),
      name: decodeText(entry.name),
    }));
    return [{ ino: 1, type: 4, name: '.' }, { ino: 1, type: 4, name: '..' }, ...listed];
  }

  mkdir(path: string, mode: number): void {
    guarded(() => fs.mkdirSync(this.#host(path), { mode }));
  }

  rmdir(path: string): void {
    guarded(() => fs.rmdirSync(this.#host(path)));
  }

  link(target: string, path: string): void {
    guarded(() => fs.linkSync(this.#host(target), this.#host(path)));
  }

  symlink(target: string, path: string): void {
    guarded(() => fs.symlinkSync(Buffer.from(encodeText(target)), this.#host(path)));
  }

  readlink(path: string): string {
    return guarded(() => decodeText(fs.readlinkSync(this.#host(path), { encoding: 'buffer' })));
  }

  unlink(path: string): void {
    guarded(() => fs.unlinkSync(this.#host(path)));
  }

  rename(from: string, to: string): void {
    guarded(() => fs.renameSync(this.#host(from), this.#host(to)));
  }

  truncate(path: string, size: number): void {
    guarded(() => fs.truncateSync(this.#host(path), size));
  }

  fallocate(): void {
    fail(ENOSYS);
  }

  ftruncate(fd: number, size: number): void {
    guarded(() => fs.ftruncateSync(this.#file(fd).fd, size));
  }

  chmod(path: string, mode: number): void {
    guarded(() => fs.chmodSync(this.#host(path), mode));
  }

  chown(path: string, uid: number, gid: number): void {
    const stat = this.stat(path);
    guarded(() =>
      fs.chownSync(this.#host(path), uid < 0 ? stat.uid : uid, gid < 0 ? stat.gid : gid),
    );
  }

  lchown(path: string, uid: number, gid: number): void {
    const stat = this.lstat(path);
    guarded(() =>
      fs.lchownSync(this.#host(path), uid < 0 ? stat.uid : uid, gid < 0 ? stat.gid : gid),
    );
  }

  utimens(path: string, times: UtimeRequest): void {
    const stat = times.followSymlinks ? this.stat(path) : this.lstat(path);
    const seconds = (time: Timespec | 'now' | 'omit', old: Timespec): number => {
      const value = time === 'omit' ? old : time === 'now' ? this.now() : time;
      return value.sec + value.nsec / 1e9;
    };
    const set = times.followSymlinks ? fs.utimesSync : fs.lutimesSync;
    guarded(() =>
      set(this.#host(path), seconds(times.atime, stat.atime), seconds(times.mtime, stat.mtime)),
    );
  }

  access(path: string, mode: number): void {
    guarded(() => fs.accessSync(this.#host(path), mode));
  }

  mknod(): void {
    fail(ENOSYS);
  }

  fsync(fd: number): void {
    const file = this.#file(fd);
    if (file.fd >= 0) guarded(() => fs.fsyncSync(file.fd));
  }

  fdatasync(fd: number): void {
    this.fsync(fd);
  }

  sync(): void {}

  getxattr(): Uint8Array {
    return fail(EOPNOTSUPP);
  }

  setxattr(): void {
    fail(EOPNOTSUPP);
  }

  listxattr(): string[] {
    return fail(EOPNOTSUPP);
  }

  removexattr(): void {
    fail(EOPNOTSUPP);
  }

  batch = batchOneByOne;

  dup(fd: number): number {
    return this.#install(this.#file(fd));
  }

  dupAbove(fd: number, min: number): number {
    return this.#install(this.#file(fd), min);
  }

  dup2(from: number, to: number): number {
    const file = this.#file(from);
    if (from !== to && this.#fds.has(to)) this.close(to);
    this.#fds.set(to, file);
    return to;
  }

  setCloexec(): void {}

  pipe(): { read: number; write: number } {
    return fail(ENOSYS);
  }

  isatty(): boolean {
    return false;
  }

  getfl = hostControl.getfl;
  setfl = hostControl.setfl;
  poll = hostControl.poll;
  setsid = hostControl.setsid;
  getsid = hostControl.getsid;
  sigprocmask = hostControl.sigprocmask;
  setitimer = hostControl.setitimer;

  /** Runs the child to its end. Programs of the registry answer to /bin/NAME. */
  spawn(request: SpawnRequest): number {
    const fds = new Map(this.#fds);
    const child = new HostSys(this.#request, {
      fds,
      env: new Map(request.env),
      argv: request.argv,
      cwd: request.cwd ?? this.#cwd,
    });
    for (const action of request.fdActions ?? []) child.#apply(action);
    const pid = this.#nextPid++;
    this.#ended.push({ pid, status: exitStatus(this.#start(request.path, child)) });
    return pid;
  }

  #start(path: string, child: HostSys): number {
    const name = path.split('/').at(-1) ?? '';
    if (this.#request.programs[name] === undefined) fail(ENOENT);
    return runProgram(this.#request.programs, child);
  }

  #apply(action: FdAction): void {
    if (action.op === 'close') this.close(action.fd);
    else if (action.op === 'dup2') this.dup2(action.from, action.to);
    else {
      const fd = this.open(action.path, action.flags, action.mode);
      if (fd !== action.fd) {
        this.dup2(fd, action.fd);
        this.close(fd);
      }
    }
  }

  exec(request: Pick<SpawnRequest, 'path' | 'argv' | 'env'>): never {
    const child = new HostSys(this.#request, {
      fds: this.#fds,
      env: new Map(request.env),
      argv: request.argv,
      cwd: this.#cwd,
    });
    throw new Left(this.#start(request.path, child));
  }

  wait(pid: number): WaitResult {
    const at = this.#ended.findIndex((ended) => pid === -1 || ended.pid === pid);
    return this.#ended.splice(at < 0 ? this.#ended.length : at, 1)[0] ?? fail(ECHILD);
  }

  exit(status: number): never {
    throw new Left(status);
  }

  kill(pid: number, signal: number): void {
    if (signal === SIGPIPE) return;
    guarded(() => process.kill(pid, signal));
  }

  getpid = (): number => process.pid;
  getppid = (): number => process.ppid;
  getpgid = (): number => process.pid;
  setpgid(): void {}
  getuid = (): number => process.getuid?.() ?? 0;
  geteuid = (): number => process.geteuid?.() ?? 0;
  getgid = (): number => process.getgid?.() ?? 0;
  getegid = (): number => process.getegid?.() ?? 0;
  setuid(): void {}
  setgid(): void {}

  umask(mask: number): number {
    return process.umask(mask);
  }

  chdir(path: string): void {
    if ((this.stat(path).mode & 0o170000) !== 0o040000) fail(ENOTDIR);
    this.#cwd = fs.realpathSync(this.#host(path).toString());
  }

  getcwd(): string {
    return fs.realpathSync(this.#cwd);
  }

  sigaction = (): boolean => false;
  sleep(): void {}

  mount(): void {
    fail(ENOSYS);
  }

  umount(): void {
    fail(ENOSYS);
  }

  uname(): ReturnType<Sys['uname']> {
    return {
      sysname: os.type(),
      nodename: os.hostname(),
      release: os.release(),
      version: os.version(),
      machine: os.machine(),
    };
  }

  now(): Timespec {
    const ms = Date.now();
    return this.#request.now ?? { sec: Math.floor(ms / 1000), nsec: (ms % 1000) * 1e6 };
  }

  monotonicMs(): number {
    return performance.now();
  }

  getrandom(into: Uint8Array): void {
    into.set(crypto.getRandomValues(new Uint8Array(into.length)));
  }
}
