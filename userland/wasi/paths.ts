// Paths of WASI calls: relative to a directory's descriptor and never above it (preview 1, "path
// resolution"): `..` beyond it and an absolute path are ENOTCAPABLE.
//
// DEVIATES: what a symbolic link leads to is not checked against that directory. The root is
// preopened with all rights, so that nothing is reached that was not given.

import { PATH_MAX } from '../../kernel/abi/constants.ts';
import { ENAMETOOLONG, fail, PosixError } from '../../kernel/abi/errno.ts';
import { ILSEQ, INVAL, NOTCAPABLE, refuse } from './abi.ts';
import type { WasiFile } from './files.ts';
import type { Wasi } from './wasi.ts';

/** The absolute path that a call means. */
export function pathOf(
  wasi: Wasi,
  fd: number,
  from: { pointer: number; length: number; rights: bigint },
): string {
  const directory = wasi.files.directory(fd, from.rights);
  const path = wasi.memory.text(from.pointer, from.length);
  if (from.length >= PATH_MAX) fail(ENAMETOOLONG);
  if (path.includes('\0')) refuse(ILSEQ);
  if (path === '') refuse(INVAL);
  if (path.startsWith('/') || climbs(path)) refuse(NOTCAPABLE);
  const root = directory.preopened === '.' && meansRoot(wasi, directory, { ...from, path });
  const base = root ? '/' : directory.path;
  return `${base.replace(/\/$/, '')}/${path}`;
}

/** Whether the path leaves the directory that it begins in. */
function climbs(path: string): boolean {
  let depth = 0;
  for (const part of path.split('/')) {
    if (part === '..') depth--;
    else if (part !== '' && part !== '.') depth++;
    if (depth < 0) return true;
  }
  return false;
}

/**
 * wasi-libc strips the leading '/' of a path and of a preopened name, so that `/tmp` and `tmp` arrive
 * alike at the last of '/' and '.'. DEVIATES, to tell them apart: a path whose string has a '/' just
 * before it, at its very beginning, was absolute; and so is one whose first name is in the root and
 * not in the working directory.
 */
function meansRoot(
  wasi: Wasi,
  directory: WasiFile & { readonly path: string },
  from: { pointer: number; path: string },
): boolean {
  if (directory.path === '/') return false;
  if (startsWithSlash(wasi, from.pointer)) return true;
  const first = from.path.split('/').find((part) => part !== '' && part !== '.');
  if (first === undefined || first === '..') return false;
  return !exists(wasi, `${directory.path}/${first}`) && exists(wasi, `/${first}`);
}

function startsWithSlash(wasi: Wasi, pointer: number): boolean {
  const { memory } = wasi;
  let distance = 1;
  while (memory.before(pointer, distance) === 0x2f) distance++;
  return distance > 1 && (memory.before(pointer, distance) ?? 0) < 0x20;
}

function exists({ sys }: Wasi, path: string): boolean {
  try {
    sys.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof PosixError) return false;
    throw error;
  }
}
