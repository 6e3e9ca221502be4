// A Sys over the host, for tests of the shell without a machine: descriptors are a table of its own,
// pipes are FIFOs, children are host processes whose end is noted in a file. Not for anything else.

import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import {
  O_CLOEXEC,
  S_IFIFO,
  S_IFMT,
  SEEK_CUR,
  SEEK_END,
  SEEK_SET,
  WNOHANG,
} from '../../../kernel/abi/constants.ts';
import {
  EBADF,
  ECHILD,
  ENOENT,
  ENOEXEC,
  ESPIPE,
  fail,
  PosixError,
  toErrno,
} from '../../../kernel/abi/errno.ts';
import type { Dirent, Stat, Timespec } from '../../../kernel/abi/stat.ts';
import type { Disposition, FdAction, SpawnRequest, Sys, WaitResult } from '../../libc/sys.ts';

interface OpenFile {
  readonly fd: number;
  references: number;
  offset: number | undefined; // undefined: a pipe or device, which has none
  readonly append: boolean;
  entries?: Dirent[];
}

class Exited extends Error {
  readonly status: number;

  constructor(status: number) {
    super('exit');
    this.status = status;
  }
}

/** Node's errors carry errno negated. */
function host<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    const { errno, message } = error as NodeJS.ErrnoException;
    if (typeof errno !== 'number') throw error;
    throw new PosixError(toErrno(Math.abs(errno)), message);
  }
}

const timespec = (ns: bigint): Timespec => ({
  sec: Number(ns / 1_000_000_000n),
  nsec: Number(ns % 1_000_000_000n),
});

function stat(from: fs.BigIntStats): Stat {
  return {
    dev: Number(from.dev),
    ino: Number(from.ino),
    mode: Number(from.mode),
    nlink: Number(from.nlink),
    uid: Number(from.uid),
    gid: Number(from.gid),
    rdev: Number(from.rdev),
    size: Number(from.size),
    blksize: Number(from.blksize),
    blocks: Number(from.blocks),
    atime: timespec(from.atimeNs),
    mtime: timespec(from.mtimeNs),
    ctime: timespec(from.ctimeNs),
  };
}

export interface HostOptions {
  readonly argv: readonly string[];
  readonly env: ReadonlyMap<string, string>;
  /** Descriptors of this process that become 0, 1, 2 and so on. */
  readonly fds: readonly number[];
  /** The program that stands for /bin/sh: a compiled module taking the arguments. */
  readonly shellModule: string;
  readonly scratch: string;
}

let childCount = 0;

export class HostSys {
  readonly argv: readonly string[];
  readonly env: Map<string, string>;
  private readonly options: HostOptions;
  private readonly files: (OpenFile | undefined)[] = [];
  private readonly cloexec = new Set<number>();
  private readonly children = new Map<number, string>();
  private readonly handlers = new Map<number, Disposition>();

  constructor(options: HostOptions) {
    this.options = options;
    this.argv = options.argv;
    this.env = new Map(options.env);
    for (const fd of options.fds) this.files.push(this.file(fd, 0));
  }

  private file(fd: number, flags: number): OpenFile {
    const { mode } = fs.fstatSync(fd);
    const regular = (mode & S_IFMT) === 0o100000;
    const append = (flags & fs.constants.O_APPEND) !== 0;
    return { fd, references: 1, offset: regular ? 0 : undefined, append };
  }

  private at(fd: number): OpenFile {
    return this.files[fd] ?? fail(EBADF);
  }

  private place(file: OpenFile, min = 0): number {
    let fd = min;
    while (this.files[fd] !== undefined) fd++;
    this.files[fd] = file;
    return fd;
  }

  open(name: string, flags: number, mode = 0o666): number {
    const fd = host(() => fs.openSync(name, flags & ~O_CLOEXEC, mode));
    const placed = this.place(this.file(fd, flags));
    if (flags & O_CLOEXEC) this.cloexec.add(placed);
    return placed;
  }

  close(fd: number): void {
    const file = this.at(fd);
    this.files[fd] = undefined;
    this.cloexec.delete(fd);
    if (--file.references === 0 && !this.options.fds.includes(file.fd)) fs.closeSync(file.fd);
  }

  read(fd: number, into: Uint8Array): number {
    const file = this.at(fd);
    const count = host(() => fs.readSync(file.fd, into, 0, into.length, file.offset ?? null));
    if (file.offset !== undefined) file.offset += count;
    return count;
  }

  peek = (): number => fail(ESPIPE);

  write(fd: number, from: Uint8Array): number {
    const file = this.at(fd);
    const end = file.append && file.offset !== undefined ? fs.fstatSync(file.fd).size : file.offset;
    const count = host(() => fs.writeSync(file.fd, from, 0, from.length, end ?? null));
    if (end !== undefined) file.offset = end + count;
    return count;
  }

  lseek(fd: number, offset: number, whence: number): number {
    const file = this.at(fd);
    if (file.offset === undefined) return fail(ESPIPE);
    if (whence === SEEK_SET) file.offset = offset;
    else if (whence === SEEK_CUR) file.offset += offset;
    else if (whence === SEEK_END) file.offset = fs.fstatSync(file.fd).size + offset;
    return file.offset;
  }

  stat = (name: string): Stat => host(() => stat(fs.statSync(name, { bigint: true })));
  lstat = (name: string): Stat => host(() => stat(fs.lstatSync(name, { bigint: true })));
  fstat = (fd: number): Stat => stat(fs.fstatSync(this.at(fd).fd, { bigint: true }));
  access = (name: string, mode: number): void => host(() => fs.accessSync(name, mode));
  unlink = (name: string): void => host(() => fs.unlinkSync(name));
  chdir = (name: string): void => host(() => process.chdir(name));
  getcwd = (): string => process.cwd();
  umask = (mask: number): number => process.umask(mask);

  getdents(fd: number): Dirent[] {
    const file = this.at(fd);
    if (file.entries !== undefined) return [];
    const names = host(() => fs.readdirSync(`/proc/self/fd/${file.fd}`));
    file.entries = ['.', '..', ...names].map((name) => ({ ino: 1, type: 0, name }));
    return file.entries;
  }

  dup2(from: number, to: number): number {
    const file = this.at(from);
    if (from === to) return to;
    file.references++;
    if (this.files[to] !== undefined) this.close(to);
    this.files[to] = file;
    return to;
  }

  dupAbove(fd: number, min: number): number {
    const file = this.at(fd);
    file.references++;
    const placed = this.place(file, min);
    this.cloexec.add(placed);
    return placed;
  }

  setCloexec(fd: number, closeOnExec: boolean): void {
    if (closeOnExec) this.cloexec.add(fd);
    else this.cloexec.delete(fd);
  }

  pipe(): { read: number; write: number } {
    const name = path.join(this.options.scratch, `fifo-${process.pid}-${childCount++}`);
    spawnSync('mkfifo', [name]);
    const opener = fs.openSync(name, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    const write = fs.openSync(name, 'w');
    const read = fs.openSync(name, 'r');
    fs.closeSync(opener);
    fs.unlinkSync(name);
    const [r, w] = [this.file(read, 0), this.file(write, 0)];
    const ends = { read: this.place(r), write: this.place(w) };
    this.cloexec.add(ends.read).add(ends.write);
    return ends;
  }

  isatty = (): boolean => false;

  spawn(request: SpawnRequest): number {
    const table = this.childTable(request.fdActions ?? []);
    const note = path.join(this.options.scratch, `status-${process.pid}-${childCount++}`);
    const shell = request.path === '/bin/sh';
    const program = shell ? process.execPath : request.path;
    const args = shell
      ? [this.options.shellModule, ...request.argv.slice(1)]
      : request.argv.slice(1);
    if (!shell) this.check(request.path);
    // The wrapper notes the status: without the event loop node cannot tell it.
    const wrapper = '"$@"; echo $? > "$NOTE.new"; mv "$NOTE.new" "$NOTE"';
    const child = spawn('/bin/dash', ['-c', wrapper, 'w', program, ...args], {
      stdio: table as ('ignore' | number)[],
      env: { ...Object.fromEntries(request.env), NOTE: note, FDS: String(table.length) },
      cwd: process.cwd(),
    });
    child.on('error', () => fs.writeFileSync(note, '127'));
    const pid = child.pid ?? fail(ENOENT);
    child.unref();
    this.children.set(pid, note);
    return pid;
  }

  private check(name: string): void {
    const { mode } = this.stat(name);
    if ((mode & 0o111) === 0 || (mode & S_IFMT) === S_IFIFO) fail(13);
    const head = Buffer.alloc(2);
    const fd = fs.openSync(name, 'r');
    fs.readSync(fd, head, 0, 2, 0);
    fs.closeSync(fd);
    if (head.toString('latin1') !== '#!' && head[0] !== 0x7f) fail(ENOEXEC);
  }

  private childTable(actions: readonly FdAction[]): ('ignore' | number)[] {
    const table = this.files.map((file, fd) => (this.cloexec.has(fd) ? undefined : file?.fd));
    const source = (fd: number): number | undefined => table[fd] ?? this.files[fd]?.fd;
    for (const action of actions) {
      if (action.op === 'close') table[action.fd] = undefined;
      else if (action.op === 'dup2') table[action.to] = source(action.from);
      else table[action.fd] = fs.openSync(action.path, action.flags, action.mode);
    }
    const last = table.findLastIndex((fd) => fd !== undefined);
    return Array.from(table.slice(0, last + 1), (fd) => fd ?? 'ignore');
  }

  wait(pid: number, options = 0): WaitResult {
    const note = this.children.get(pid);
    if (note === undefined) return fail(ECHILD);
    while (!fs.existsSync(note)) {
      if (options & WNOHANG) return { pid: 0, status: 0 };
      spawnSync('sleep', ['0.001']);
    }
    const code = Number(fs.readFileSync(note, 'utf8'));
    fs.unlinkSync(note);
    this.children.delete(pid);
    return { pid, status: code > 128 && code < 160 ? code - 128 : code << 8 };
  }

  exec(request: Pick<SpawnRequest, 'path' | 'argv' | 'env'>): never {
    const { status } = this.wait(this.spawn(request));
    throw new Exited((status & 0x7f) === 0 ? status >> 8 : 128 + (status & 0x7f));
  }

  exit(status: number): never {
    throw new Exited(status);
  }

  kill(pid: number, signal: number): void {
    const handler = this.handlers.get(signal);
    if (pid !== process.pid) host(() => process.kill(pid, signal));
    else if (typeof handler === 'function') handler(signal);
    else if (handler !== 'ignore' && signal !== 0) throw new Exited(128 + signal);
  }

  sigaction(signal: number, disposition: Disposition): boolean {
    const ignored = this.handlers.get(signal) === 'ignore';
    this.handlers.set(signal, disposition);
    return ignored;
  }

  getpid = (): number => process.pid;
  getppid = (): number => process.ppid;
  geteuid = (): number => process.geteuid?.() ?? 0;
  getegid = (): number => process.getegid?.() ?? 0;
  monotonicMs = (): number => performance.now();
}

/** Runs a program on the host; its exit status. The working directory is put back. */
export function runOnHost(program: (sys: Sys) => number, options: HostOptions): number {
  const cwd = process.cwd();
  const mask = process.umask();
  try {
    // The system calls that a shell does not make are missing.
    return program(new HostSys(options) as unknown as Sys);
  } catch (error) {
    if (error instanceof Exited) return error.status;
    throw error;
  } finally {
    process.chdir(cwd);
    process.umask(mask);
  }
}
