// The files of the running system in the shape of node:fs/promises. Paths are strings that begin with
// '/'; modes, flags, options and errors are Node's.

import {
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
} from '../kernel/abi/constants.ts';
import type { Timespec } from '../kernel/abi/stat.ts';
import { SYS } from '../kernel/abi/syscall.ts';
import type { CallReply, HostCalls } from './calls.ts';
import { openFd, pathCall, readDirectory, readLink, statPath, statVolume } from './file-calls.ts';
import { FileHandle } from './file-handle.ts';
import { named } from './fs-error.ts';
import { copyFile, makeTemporary, realPath, removeTree } from './fs-trees.ts';
import { type Dirent, type Stats, type StatsFs, toDirent, toStats } from './stats.ts';

const FLAGS: Readonly<Record<string, number>> = {
  r: O_RDONLY,
  'r+': O_RDWR,
  w: O_WRONLY | O_CREAT | O_TRUNC,
  wx: O_WRONLY | O_CREAT | O_EXCL,
  'w+': O_RDWR | O_CREAT | O_TRUNC,
  'wx+': O_RDWR | O_CREAT | O_EXCL,
  a: O_WRONLY | O_CREAT | O_APPEND,
  ax: O_WRONLY | O_CREAT | O_APPEND | O_EXCL,
  'a+': O_RDWR | O_CREAT | O_APPEND,
  'ax+': O_RDWR | O_CREAT | O_APPEND | O_EXCL,
};

/** 'r', 'w+' …, or the O_* numbers of Linux. */
export type Flags = string | number;
export type Encoding = 'utf8' | { readonly encoding: 'utf8' };
export type Time = Date | number | string;

export interface WriteOptions {
  readonly mode?: number;
  readonly flag?: Flags;
}

export interface ReaddirOptions {
  readonly withFileTypes?: boolean;
  readonly recursive?: boolean;
}

export class FileSystem {
  readonly #calls: HostCalls;

  constructor(calls: HostCalls) {
    this.#calls = calls;
  }

  async open(path: string, flags: Flags = 'r', mode = 0o666): Promise<FileHandle> {
    const number = typeof flags === 'number' ? flags : FLAGS[flags];
    if (number === undefined) throw new TypeError(`unknown file open flag: ${flags}`);
    const opening = openFd(this.#calls, path, { flags: number, mode });
    return new FileHandle(this.#calls, await named({ syscall: 'open', path }, opening), path);
  }

  readFile(path: string): Promise<Uint8Array>;
  readFile(path: string, encoding: Encoding): Promise<string>;
  async readFile(path: string, encoding?: Encoding): Promise<string | Uint8Array> {
    await using file = await this.open(path, 'r');
    return encoding === undefined ? await file.readFile() : await file.readFile('utf8');
  }

  async writeFile(
    path: string,
    data: string | Uint8Array,
    options: WriteOptions = {},
  ): Promise<void> {
    await using file = await this.open(path, options.flag ?? 'w', options.mode);
    await file.write(data);
  }

  async appendFile(
    path: string,
    data: string | Uint8Array,
    options: WriteOptions = {},
  ): Promise<void> {
    await this.writeFile(path, data, { flag: 'a', ...options });
  }

  readdir(path: string, options?: ReaddirOptions & { withFileTypes?: false }): Promise<string[]>;
  readdir(path: string, options: ReaddirOptions & { withFileTypes: true }): Promise<Dirent[]>;
  async readdir(path: string, options: ReaddirOptions = {}): Promise<string[] | Dirent[]> {
    const found: Dirent[] = [];
    const directories = [path];
    for (let at = directories.pop(); at !== undefined; at = directories.pop()) {
      const entries = await this.#entries(at);
      found.push(...entries);
      if (!options.recursive) break;
      const below = entries.filter((entry) => entry.isDirectory());
      directories.push(...below.map((entry) => join(entry.parentPath, entry.name)).reverse());
    }
    if (options.withFileTypes) return found;
    const prefix = path.endsWith('/') ? path.length : path.length + 1;
    return found.map((entry) => join(entry.parentPath, entry.name).slice(prefix));
  }

  async stat(path: string): Promise<Stats> {
    const stat = statPath(this.#calls, SYS.stat, path);
    return toStats(await named({ syscall: 'stat', path }, stat));
  }

  async lstat(path: string): Promise<Stats> {
    const stat = statPath(this.#calls, SYS.lstat, path);
    return toStats(await named({ syscall: 'lstat', path }, stat));
  }

  /** With `recursive`, also the directories above; one that is there already is no fault then. */
  async mkdir(path: string, options: { recursive?: boolean; mode?: number } = {}): Promise<void> {
    const { recursive = false, mode = 0o777 } = options;
    if (!recursive) return this.#do('mkdir', [path], [mode]);
    for (const above of prefixes(path)) {
      const there = await this.stat(above).then(
        (stats) => stats.isDirectory(),
        (error: unknown) => (isCode(error, 'ENOENT') ? false : Promise.reject(error)),
      );
      if (there) continue;
      await this.#do('mkdir', [above], [mode]).catch((error: unknown) => {
        // Somebody else may have made it meanwhile; a file in its place is a fault.
        if (!isCode(error, 'EEXIST') || above === path) throw error;
      });
    }
  }

  /** A file; with `recursive` a whole tree; with `force` a missing one is no fault. */
  async rm(path: string, options: { recursive?: boolean; force?: boolean } = {}): Promise<void> {
    try {
      if (options.recursive) await removeTree(this, path);
      else await this.#do('unlink', [path]);
    } catch (error) {
      if (!options.force || !isCode(error, 'ENOENT')) throw error;
    }
  }

  rmdir(path: string): Promise<void> {
    return this.#do('rmdir', [path]);
  }

  unlink(path: string): Promise<void> {
    return this.#do('unlink', [path]);
  }

  rename(path: string, dest: string): Promise<void> {
    return this.#do('rename', [path, dest]);
  }

  link(path: string, dest: string): Promise<void> {
    return this.#do('link', [path, dest]);
  }

  /** `target` is what the new link at `path` holds. */
  symlink(target: string, path: string): Promise<void> {
    return this.#do('symlink', [target, path]);
  }

  readlink(path: string): Promise<string> {
    return named({ syscall: 'readlink', path }, readLink(this.#calls, path));
  }

  /** The path without symbolic links, '.' and '..'. */
  realpath(path: string): Promise<string> {
    return realPath(this, path);
  }

  chmod(path: string, mode: number): Promise<void> {
    return this.#do('chmod', [path], [mode]);
  }

  chown(path: string, uid: number, gid: number): Promise<void> {
    return this.#do('chown', [path], [uid, gid]);
  }

  lchown(path: string, uid: number, gid: number): Promise<void> {
    const call = pathCall(this.#calls, SYS.chown, [path], [uid, gid, 1]);
    return named({ syscall: 'lchown', path }, call.then(nothing));
  }

  /** Times as Dates, or as seconds since 1970. */
  async utimes(path: string, atime: Time, mtime: Time): Promise<void> {
    const request = { atime: toTimespec(atime), mtime: toTimespec(mtime), followSymlinks: true };
    const call = pathCall(this.#calls, SYS.utimens, [path, JSON.stringify(request)]);
    await named({ syscall: 'utime', path }, call);
  }

  truncate(path: string, size = 0): Promise<void> {
    return this.#do('truncate', [path], [size]);
  }

  /** What the volume of the file has, and has free: in blocks of `bsize` bytes. */
  statfs(path: string): Promise<StatsFs> {
    return named({ syscall: 'statfs', path }, statVolume(this.#calls, path));
  }

  /** Rejects when the file may not be used so; `mode` as R_OK | W_OK | X_OK. */
  access(path: string, mode = 0): Promise<void> {
    return this.#do('access', [path], [mode]);
  }

  /** The bytes and the mode; `dest` is replaced. */
  copyFile(path: string, dest: string): Promise<void> {
    return copyFile(this, path, dest);
  }

  /** Makes a directory whose name begins with `prefix` and resolves with it. */
  mkdtemp(prefix: string): Promise<string> {
    return makeTemporary(this, prefix, (into) => this.#calls.random(into));
  }

  async #entries(path: string): Promise<Dirent[]> {
    const what = { syscall: 'scandir', path };
    const how = { flags: O_RDONLY | O_DIRECTORY, mode: 0 };
    const fd = await named(what, openFd(this.#calls, path, how));
    await using _file = new FileHandle(this.#calls, fd, path);
    const entries = await named(what, readDirectory(this.#calls, fd));
    return entries.map(({ name, type }) => toDirent(name, path, type));
  }

  async #do(
    syscall: keyof typeof SYS,
    paths: readonly [string, string?],
    args: readonly number[] = [],
  ): Promise<void> {
    const [path, dest] = paths;
    const strings = dest === undefined ? [path] : [path, dest];
    const call = pathCall(this.#calls, SYS[syscall], strings, args);
    await named({ syscall, path, ...(dest === undefined ? {} : { dest }) }, call);
  }
}

const nothing = (_: CallReply): void => {};

const join = (directory: string, name: string): string =>
  directory.endsWith('/') ? directory + name : `${directory}/${name}`;

/** `/a`, `/a/b`, `/a/b/c`. */
function prefixes(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '');
  const root = path.startsWith('/') ? '/' : '';
  return parts.map((_, i) =>
    i === parts.length - 1 ? path : root + parts.slice(0, i + 1).join('/'),
  );
}

export const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

function toTimespec(time: Time): Timespec {
  const ms = time instanceof Date ? time.getTime() : Number(time) * 1000;
  if (!Number.isFinite(ms)) throw new TypeError(`invalid time: ${time}`);
  const sec = Math.floor(ms / 1000);
  return { sec, nsec: Math.min(999_999_999, Math.round((ms - sec * 1000) * 1e6)) };
}
