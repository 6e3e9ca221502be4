// Copying one file: data with holes kept, and attributes. Used by cp and by mv across file systems.

import {
  O_CREAT,
  O_EXCL,
  O_RDONLY,
  O_TRUNC,
  O_WRONLY,
  S_IFMT,
  S_IFREG,
  SEEK_CUR,
  SEEK_DATA,
  SEEK_SET,
} from '../../../kernel/abi/constants.ts';
import {
  ENODATA,
  ENOSYS,
  ENOTDIR,
  ENXIO,
  EOPNOTSUPP,
  EPERM,
  fail,
  PosixError,
  strerror,
} from '../../../kernel/abi/errno.ts';
import type { Stat } from '../../../kernel/abi/stat.ts';
import type { Tool } from '../program.ts';
import { errorOf } from '../runtime/batch.ts';
import { COPY_BYTES } from '../stdio.ts';
import type { Sys } from '../sys.ts';
import { quoted } from '../text/quote.ts';
import { isSymlink } from './path.ts';

export interface Keep {
  readonly mode: boolean;
  readonly ownership: boolean;
  readonly times: boolean;
  readonly xattrs: boolean;
}

export type Sparse = 'auto' | 'always' | 'never';

const HOLE_BYTES = 4096;

export interface FileCopy {
  readonly from: string;
  readonly to: string;
  readonly stat: Stat;
  readonly exists: boolean;
  readonly sparse: Sparse;
  /** The permissions of a new file. */
  readonly mode: number;
}

/** Copies the bytes of a file; false (and a message) when that failed. */
export function copyData(tool: Tool, copy: FileCopy): boolean {
  const { sys } = tool;
  const source = attempt(tool, `cannot open ${quoted(copy.from)} for reading`, () =>
    sys.open(copy.from, O_RDONLY),
  );
  if (source === undefined) return false;
  const flags = O_WRONLY | (copy.exists ? O_TRUNC : O_CREAT | O_EXCL);
  const target = attempt(
    tool,
    copy.exists
      ? `cannot open ${quoted(copy.to)} for writing`
      : `cannot create regular file ${quoted(copy.to)}`,
    () => {
      if (!copy.exists && copy.to.endsWith('/')) fail(ENOTDIR);
      return sys.open(copy.to, flags, copy.mode);
    },
  );
  const done = target !== undefined && pump(tool, copy, { source, target });
  if (target === undefined) {
    sys.close(source);
    return false;
  }
  const [, closed] = sys.batch([
    { call: 'close', fd: source },
    { call: 'close', fd: target },
  ]);
  const error = closed && errorOf(closed);
  if (error) tool.warn(`failed to close ${quoted(copy.to)}: ${strerror(error.errno)}`);
  return done && !error;
}

function attempt<T>(tool: Tool, what: string, action: () => T, result?: T): T | undefined;
function attempt(
  tool: Tool,
  what: string,
  action: () => void,
  result: boolean,
): boolean | undefined;
function attempt(tool: Tool, what: string, action: () => unknown, result?: unknown): unknown {
  try {
    const value = action();
    return result === undefined ? value : result;
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    tool.warn(`${what}: ${strerror(error.errno)}`);
    return undefined;
  }
}

/** The bytes from where the source stands to where the target does; false, and a message, when that failed. */
export function pump(tool: Tool, copy: FileCopy, fds: { source: number; target: number }): boolean {
  const { sys } = tool;
  const regular = (copy.stat.mode & S_IFMT) === S_IFREG;
  const holes =
    copy.sparse === 'always' ||
    (copy.sparse === 'auto' && regular && copy.stat.blocks * 512 < copy.stat.size);
  const buffer = new Uint8Array(COPY_BYTES);
  let size = 0;
  let hole = false;
  let skips = holes && regular;
  for (;;) {
    const hidden: number = skips ? holeAt(sys, fds.source) : 0;
    if (hidden > 0) {
      size += hidden;
      hole = true;
      sys.lseek(fds.target, hidden, SEEK_CUR);
    } else if (hidden < 0) skips = false;
    const count = attempt(tool, `error reading ${quoted(copy.from)}`, () =>
      sys.read(fds.source, buffer),
    );
    if (count === undefined) return false;
    if (count === 0) break;
    const data = buffer.subarray(0, count);
    const wrote = attempt(tool, `error writing ${quoted(copy.to)}`, () => {
      if (holes) hole = writeSparse(sys, fds.target, data);
      else sys.write(fds.target, data);
      return true;
    });
    if (!wrote) return false;
    size += count;
  }
  if (!hole) return true;
  return (
    attempt(
      tool,
      `failed to extend ${quoted(copy.to)}`,
      () => sys.ftruncate(fds.target, size),
      true,
    ) ?? false
  );
}

/** Steps over a hole in the source; its bytes, or -1 when nobody knows of holes there. */
function holeAt(sys: Sys, fd: number): number {
  const at = sys.lseek(fd, 0, SEEK_CUR);
  try {
    return sys.lseek(fd, at, SEEK_DATA) - at;
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    if (error.errno !== ENXIO) return -1;
    const end = sys.fstat(fd).size;
    if (end > at) sys.lseek(fd, end, SEEK_SET);
    return Math.max(0, end - at);
  }
}

/** Steps over blocks of zeros; whether the data ended with one. */
function writeSparse(sys: Sys, fd: number, data: Uint8Array): boolean {
  let at = 0;
  let zeros = false;
  while (at < data.length) {
    zeros = isZero(data, at);
    let end = Math.min(at + HOLE_BYTES, data.length);
    while (end < data.length && isZero(data, end) === zeros)
      end = Math.min(end + HOLE_BYTES, data.length);
    if (zeros) sys.lseek(fd, end - at, SEEK_CUR);
    else sys.write(fd, data.subarray(at, end));
    at = end;
  }
  return zeros;
}

function isZero(data: Uint8Array, at: number): boolean {
  const end = Math.min(at + HOLE_BYTES, data.length);
  for (let i = at; i < end; i++) if (data[i] !== 0) return false;
  return true;
}

/** Gives `to` the attributes of what was copied. Ownership that may not be given is let go. */
export function copyAttributes(
  tool: Tool,
  copy: { from: string; to: string; stat: Stat; keep: Keep },
): void {
  const { sys } = tool;
  const { to, stat, keep } = copy;
  const link = isSymlink(stat);
  if (keep.xattrs && !link) copyXattrs(tool, copy);
  if (keep.ownership) {
    try {
      sys.lchown(to, stat.uid, stat.gid);
    } catch (error) {
      if (!(error instanceof PosixError) || error.errno !== EPERM)
        tool.fault(`failed to preserve ownership for ${quoted(to)}`, error);
    }
  }
  if (keep.mode && !link)
    tool.attempt(`preserving permissions for ${quoted(to)}`, () =>
      sys.chmod(to, stat.mode & 0o7777),
    );
  if (keep.times)
    tool.attempt(`preserving times for ${quoted(to)}`, () =>
      sys.utimens(to, { atime: stat.atime, mtime: stat.mtime, followSymlinks: !link }),
    );
}

function copyXattrs(tool: Tool, copy: { from: string; to: string }): void {
  const { sys } = tool;
  try {
    for (const name of sys.listxattr(copy.from))
      sys.setxattr(copy.to, name, sys.getxattr(copy.from, name), 0);
  } catch (error) {
    const none = [EOPNOTSUPP, ENOSYS, ENODATA, EPERM] as number[];
    if (!(error instanceof PosixError) || !none.includes(error.errno))
      tool.fault(`setting attributes for ${quoted(copy.to)}`, error);
  }
}
