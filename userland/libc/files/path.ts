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
export function realpath(sys: Sys, path: string, must: Existence = 'all'): string {
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
    const last = ahead.every((rest) => rest === '');
    const target = linkTarget(sys, here, { must, last });
    if (target === undefined) done = here;
    else {
      if (++links > SYMLOOP_MAX) fail(ELOOP);
      if (target.startsWith('/')) done = '';
      ahead.push(...target.split('/').reverse());
    }
  }
  if (path.endsWith('/') && must === 'all' && !isDirectory(sys.stat(done || '/'))) fail(ENOTDIR);
  return done || '/';
}

function linkTarget(
  sys: Sys,
  path: string,
  how: { must: Existence; last: boolean },
): string | undefined {
  try {
    const stat = sys.lstat(path);
    if (isSymlink(stat)) return sys.readlink(path);
    if (!how.last && !isDirectory(stat) && how.must !== 'none') fail(ENOTDIR);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    if (how.must === 'all' || (how.must === 'parent' && !how.last)) throw error;
    if (how.must === 'parent' && error.errno !== ENOENT) throw error;
  }
  return undefined;
}
