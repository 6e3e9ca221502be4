// Paths as text: parts, joining, and realpath by following every symlink. POSIX.1-2024 §4.16.

import {
  O_DIRECTORY,
  O_RDONLY,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  SYMLOOP_MAX,
} from '../../../kernel/abi/constants.ts';
import { ELOOP, ENOENT, ENOTDIR, fail, PosixError } from '../../../kernel/abi/errno.ts';
import type { Dirent, Stat } from '../../../kernel/abi/stat.ts';
import type { Sys } from '../sys.ts';

/** The last part: `usr/lib/` → `lib`, `/` → `/`. */
export function basename(path: string): string {
  const end = trimmed(path);
  return end === '' && path !== '' ? '/' : end.slice(end.lastIndexOf('/') + 1);
}

/** All but the last part: `usr/lib/` → `usr`, `lib` → `.`, `/lib` → `/`. */
export function dirname(path: string): string {
  const end = trimmed(path);
  if (end === '') return path.startsWith('/') ? '/' : '.';
  const slash = end.lastIndexOf('/');
  if (slash < 0) return '.';
  return trimmed(end.slice(0, slash)) || '/';
}

export function trimmed(path: string): string {
  let end = path.length;
  while (end > 0 && path[end - 1] === '/') end--;
  return path.slice(0, end);
}

export const join = (directory: string, name: string): string =>
  directory.endsWith('/') ? directory + name : `${directory}/${name}`;

export const isDirectory = (stat: Stat): boolean => (stat.mode & S_IFMT) === S_IFDIR;
export const isSymlink = (stat: Stat): boolean => (stat.mode & S_IFMT) === S_IFLNK;

/** stat, or undefined when nothing is there. Other faults are thrown. */
export function statIfThere(sys: Sys, path: string): Stat | undefined {
  return ifThere(() => sys.stat(path));
}

export function lstatIfThere(sys: Sys, path: string): Stat | undefined {
  return ifThere(() => sys.lstat(path));
}

function ifThere<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (error instanceof PosixError && (error.errno === ENOENT || error.errno === ENOTDIR))
      return undefined;
    throw error;
  }
}

/** Whatever cannot be looked at is no directory. */
export const isDirectoryAt = (sys: Sys, path: string): boolean => {
  try {
    return isDirectory(sys.stat(path));
  } catch (error) {
    if (error instanceof PosixError) return false;
    throw error;
  }
};

export const isRoot = (sys: Sys, path: string): boolean => {
  const [stat, root] = [statIfThere(sys, path), sys.stat('/')];
  return stat !== undefined && stat.dev === root.dev && stat.ino === root.ino;
};

/** The entries of a directory without `.` and `..`, in the order the file system gives them. */
export function listDirectory(sys: Sys, path: string): Dirent[] {
  const fd = sys.open(path, O_RDONLY | O_DIRECTORY);
  try {
    const entries: Dirent[] = [];
    for (;;) {
      const some = sys.getdents(fd);
      if (some.length === 0) return entries;
      for (const entry of some) if (entry.name !== '.' && entry.name !== '..') entries.push(entry);
    }
  } finally {
    sys.close(fd);
  }
}

/** Which parts of a path must exist: all, all but the last, or none. */
export type Existence = 'all' | 'parent' | 'none';

/** The absolute path without symlinks, `.` and `..`. */
export const realpath = (sys: Sys, path: string, must: Existence = 'all'): string =>
  canonical(sys, path, { must, links: 'followed' });

/** The absolute path without `.` and `..`; symlinks stay what they are called. */
export const absolutePath = (sys: Sys, path: string, must: Existence): string =>
  canonical(sys, path, { must, links: 'kept' });

interface Canon {
  readonly must: Existence;
  readonly links: 'followed' | 'kept';
}

function canonical(sys: Sys, path: string, how: Canon): string {
  if (path === '') fail(ENOENT);
  let done = path.startsWith('/') ? '' : trimmed(sys.getcwd());
  const ahead = path.split('/').reverse();
  let links = 0;
  while (ahead.length > 0) {
    const part = ahead.pop() ?? '';
    if (part === '' || part === '.') continue;
    if (part === '..') {
      done = done.slice(0, Math.max(0, done.lastIndexOf('/')));
      continue;
    }
    const here = `${done}/${part}`;
    let target = targetOf(sys, { here, ahead }, how);
    if (target !== undefined && ++links > SYMLOOP_MAX) {
      if (how.must !== 'none') fail(ELOOP);
      target = undefined;
    }
    if (target === undefined) done = here;
    else {
      if (target.startsWith('/')) done = '';
      ahead.push(...target.split('/').reverse());
    }
  }
  return done || '/';
}

interface Place {
  readonly here: string;
  /** The parts that follow, the next one last. */
  readonly ahead: readonly string[];
}

/** Where a symlink leads; undefined when it is none, or kept, or not there and need not be. */
function targetOf(sys: Sys, { here, ahead }: Place, { must, links }: Canon): string | undefined {
  try {
    if (links === 'followed' && isSymlink(sys.lstat(here))) return sys.readlink(here);
    if (must === 'none') return undefined;
    if (isDirectoryMeant(ahead)) {
      if (!isDirectory(sys.stat(here))) fail(ENOTDIR);
    } else if (links === 'kept' && ahead.length === 0) sys.stat(here);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    const isLast = ahead.every((part) => part === '');
    const mayMiss = must === 'none' || (must === 'parent' && isLast && error.errno === ENOENT);
    if (!mayMiss) throw error;
  }
  return undefined;
}

/** By a slash at the end, or a `.` there, or `..` anywhere before the next name. */
function isDirectoryMeant(ahead: readonly string[]): boolean {
  const next = ahead.findLast((part) => part !== '' && part !== '.');
  return next === undefined ? ahead.length > 0 : next === '..';
}
