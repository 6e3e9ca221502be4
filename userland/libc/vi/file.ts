// Reading and writing the file under edit. Writing loses nothing: the new text is written to a file beside
// it and takes its place; where that cannot be, the old file is overwritten while the new one still lies there.

import {
  O_CREAT,
  O_EXCL,
  O_RDONLY,
  O_TRUNC,
  O_WRONLY,
  S_IFDIR,
  S_IFMT,
  S_IFREG,
} from '../../../kernel/abi/constants.ts';
import { EFBIG, EISDIR, ENOENT, EOPNOTSUPP, fail, PosixError } from '../../../kernel/abi/errno.ts';
import type { Stat } from '../../../kernel/abi/stat.ts';
import { decodeText, encodeText } from '../../../kernel/abi/text.ts';
import { dirname, realpath, statIfThere } from '../files/path.ts';
import type { Sys } from '../sys.ts';

const NEWLINE = 10;
/** More is not taken into memory. */
const MOST = 256 * 1024 * 1024;
const PIECE = 1 << 18;

export interface Text {
  readonly lines: string[];
  readonly bytes: number;
  /** There is no newline at its end. */
  readonly unterminated: boolean;
}

export function readText(sys: Sys, path: string): Text & { readonly stat: Stat } {
  const fd = sys.open(path, O_RDONLY);
  try {
    const stat = sys.fstat(fd);
    if ((stat.mode & S_IFMT) === S_IFDIR) fail(EISDIR);
    return { ...linesOf(readAll(sys, fd, stat.size)), stat };
  } finally {
    sys.close(fd);
  }
}

export function readAll(sys: Sys, fd: number, expected: number): Uint8Array {
  let bytes = new Uint8Array(Math.min(MOST, expected + 1));
  let used = 0;
  for (;;) {
    if (used === bytes.length) {
      if (used >= MOST) fail(EFBIG);
      const larger = new Uint8Array(Math.min(MOST, Math.max(PIECE, used * 2)));
      larger.set(bytes);
      bytes = larger;
    }
    const count = sys.read(fd, bytes.subarray(used));
    if (count === 0) return bytes.subarray(0, used);
    used += count;
  }
}

export function linesOf(bytes: Uint8Array): Text {
  const lines: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    const newline = bytes.indexOf(NEWLINE, at);
    const end = newline < 0 ? bytes.length : newline;
    lines.push(decodeText(bytes.subarray(at, end)));
    at = end + 1;
  }
  return { lines, bytes: bytes.length, unterminated: at > bytes.length };
}

export interface Write {
  readonly path: string;
  readonly lines: readonly string[];
  readonly unterminated: boolean;
}

/** Writes the file, all of it or nothing; how many bytes it has. */
export function writeText(sys: Sys, what: Write): number {
  const path = statIfThere(sys, what.path) === undefined ? what.path : realpath(sys, what.path);
  const before = statIfThere(sys, path);
  if (before !== undefined && (before.mode & S_IFMT) !== S_IFREG) return put(sys, path, what, 0);
  const beside = openBeside(sys, path, before);
  if (beside === undefined) return put(sys, path, what, 0);
  try {
    const size = putLines(sys, beside.fd, what);
    sys.fsync(beside.fd);
    if (before === undefined || mayReplace(sys, path, { before, now: sys.fstat(beside.fd) })) {
      sys.rename(beside.path, path);
    } else overwrite(sys, path, { what, spare: beside.path });
    return size;
  } catch (error) {
    if (!(error instanceof Spared)) quietly(() => sys.unlink(beside.path));
    throw error instanceof Spared ? error.cause : error;
  } finally {
    sys.close(beside.fd);
  }
}

/** Appends to a file that is there. */
export function put(sys: Sys, path: string, what: Write, flags: number): number {
  const fd = sys.open(path, O_WRONLY | O_CREAT | (flags === 0 ? O_TRUNC : flags), 0o666);
  try {
    return putLines(sys, fd, what);
  } finally {
    sys.close(fd);
  }
}

function openBeside(
  sys: Sys,
  path: string,
  before: Stat | undefined,
): { fd: number; path: string } | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const beside = `${dirname(path)}/.${name.slice(0, 200)}.vi~`;
  const mode = before === undefined ? 0o666 : before.mode & 0o7777;
  try {
    return { fd: sys.open(beside, O_WRONLY | O_CREAT | O_EXCL, mode), path: beside };
  } catch (error) {
    if (!(error instanceof PosixError) || error.errno === ENOENT) throw error;
    return undefined; // no right to make files there, or one is left from before: it may hold a text
  }
}

/** Whether a new file can stand for the old one: its owner and mode made the same, no other name of it. */
function mayReplace(sys: Sys, path: string, files: { before: Stat; now: Stat }): boolean {
  const { before, now } = files;
  if (before.nlink !== 1) return false;
  const beside = `${dirname(path)}/.${path.slice(path.lastIndexOf('/') + 1).slice(0, 200)}.vi~`;
  try {
    if (sys.listxattr(path).length > 0) return false;
  } catch (error) {
    if (!(error instanceof PosixError) || error.errno !== EOPNOTSUPP) return false;
  }
  try {
    if (now.uid !== before.uid || now.gid !== before.gid) {
      sys.chown(beside, before.uid, before.gid);
    }
    sys.chmod(beside, before.mode & 0o7777);
    return true;
  } catch (error) {
    if (error instanceof PosixError) return false;
    throw error;
  }
}

/** The new text is left in the file beside. */
class Spared {
  readonly cause: unknown;

  constructor(cause: unknown) {
    this.cause = cause;
  }
}

/** Writes into the old file. If that fails half-way, the new text is left beside it. */
function overwrite(
  sys: Sys,
  path: string,
  { what, spare }: { what: Write; spare: string },
): undefined {
  try {
    put(sys, path, what, 0);
  } catch (cause) {
    throw new Spared(cause);
  }
  sys.unlink(spare);
}

function putLines(sys: Sys, fd: number, { lines, unterminated }: Write): number {
  let pending: string[] = [];
  let [size, waiting] = [0, 0];
  const flush = (end: string): void => {
    const bytes = encodeText(pending.join('\n') + end);
    sys.write(fd, bytes);
    size += bytes.length;
    pending = [];
    waiting = 0;
  };
  for (const line of lines) {
    if (waiting > PIECE) flush('\n');
    pending.push(line);
    waiting += line.length + 1;
  }
  if (pending.length > 0) flush(unterminated ? '' : '\n');
  return size;
}

function quietly(action: () => void): undefined {
  try {
    action();
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
  }
}
