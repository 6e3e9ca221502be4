// mv: renames, and moves to other file systems by copying and removing. POSIX.1-2024 mv -f -i, with
// GNU's -b -n -u -v -S -t -T.

import { ENOENT, EXDEV, PosixError, strerror } from '../../kernel/abi/errno.ts';
import type { Stat } from '../../kernel/abi/stat.ts';
import { backupLong, backupOf, refuseBackupWithNoClobber } from '../libc/files/backup.ts';
import { copyTree } from '../libc/files/copy-tree.ts';
import { destinations } from '../libc/files/destinations.ts';
import {
  isDirectory,
  isSymlink,
  join,
  listDirectory,
  lstatIfThere,
  realpath,
  statIfThere,
  trimmed,
} from '../libc/files/path.ts';
import { Questions } from '../libc/files/question.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { quoted } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: '[-finuvT] SOURCE DEST\n  or: mv [OPTION]... SOURCE... DIRECTORY',
    short: 'bfinS:t:Tuv',
    long: {
      ...backupLong,
      force: 'f',
      interactive: 'i',
      'no-clobber': 'n',
      'strip-trailing-slashes': 'strip',
      'target-directory=': 't',
      'no-target-directory': 'T',
      update: 'u',
      verbose: 'v',
    },
  },
  (tool, options) => {
    backupOf(tool, options); // says what is wrong with the command line first
    const pairs = destinations(tool, options);
    refuseBackupWithNoClobber(tool, options, ['n', 'f', 'i']);
    const ask = options.last('f', 'i', 'n') === 'i' ? new Questions(tool) : undefined;
    for (const { from, to } of pairs)
      move(tool, { from: options.has('strip') ? trimmed(from) : from, to }, { options, ask });
  },
);

interface Pair {
  readonly from: string;
  readonly to: string;
}

interface How {
  readonly options: Options;
  readonly ask: Questions | undefined;
}

function move(tool: Tool, { from, to }: Pair, how: How): void {
  const { sys } = tool;
  const { options } = how;
  const stat = tool.attempt(`cannot stat ${quoted(from)}`, () => sys.lstat(from));
  if (stat === undefined) return;
  try {
    const there = lstatIfThere(sys, to);
    const keep = backupOf(tool, options);
    const isKept = keep !== undefined;
    if (there !== undefined && !mayReplace(tool, { from, to, stat, there, isKept }, how)) return;
    const backup = there === undefined ? undefined : keep?.(to);
    if (backup !== undefined) sys.rename(to, backup);
    sys.rename(from, to);
    const kept = backup === undefined ? '' : ` (backup: ${quoted(backup)})`;
    if (options.has('v')) tool.out.text(`renamed ${quoted(from)} -> ${quoted(to)}${kept}\n`);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    if (error.errno === EXDEV) moveAcross(tool, { from, to, stat }, options);
    else if (isDirectory(stat) && intoItself(tool, from, to))
      tool.warn(`cannot move ${quoted(from)} to a subdirectory of itself, ${quoted(to)}`);
    else tool.warn(`cannot move ${quoted(from)} to ${quoted(to)}: ${strerror(error.errno)}`);
  }
}

function mayReplace(
  tool: Tool,
  pair: Pair & { stat: Stat; there: Stat; isKept: boolean },
  { options, ask }: How,
): boolean {
  const { from, to, stat, there } = pair;
  if (options.last('f', 'i', 'n') === 'n') return false;
  if (isSame(tool, pair)) {
    tool.warn(`${quoted(from)} and ${quoted(to)} are the same file`);
    return false;
  }
  if (options.has('u') && !isDirectory(stat)) {
    const newer = stat.mtime.sec - there.mtime.sec || stat.mtime.nsec - there.mtime.nsec;
    if (newer <= 0) return false;
  }
  if (ask?.agrees(`overwrite ${quoted(to)}`) === false) return false;
  // What has gone to its backup is not overwritten.
  if (pair.isKept) return true;
  if (isDirectory(there) && !isDirectory(stat)) {
    tool.warn(`cannot overwrite directory ${quoted(to)} with non-directory`);
    return false;
  }
  if (!isDirectory(there) && isDirectory(stat)) {
    tool.warn(`cannot overwrite non-directory ${quoted(to)} with directory ${quoted(from)}`);
    return false;
  }
  return true;
}

/** A symlink that took the place of what it leads to would lead to itself. */
function isSame(tool: Tool, pair: Pair & { stat: Stat; there: Stat; isKept: boolean }): boolean {
  const { from, stat, there } = pair;
  const isOne = (one: Stat): boolean => one.ino === there.ino && one.dev === there.dev;
  if (isOne(stat)) return true;
  if (pair.isKept || !isSymlink(stat) || isSymlink(there)) return false;
  const target = statIfThere(tool.sys, from);
  return target !== undefined && isOne(target);
}

function intoItself(tool: Tool, from: string, to: string): boolean {
  try {
    const source = realpath(tool.sys, from);
    return `${realpath(tool.sys, to, 'none')}/`.startsWith(`${source}/`);
  } catch (error) {
    if (error instanceof PosixError) return false;
    throw error;
  }
}

/** Another file system: a whole copy first, then the source goes. */
function moveAcross(tool: Tool, pair: Pair & { stat: Stat }, options: Options): void {
  const { from, to } = pair;
  const { sys } = tool;
  try {
    const there = lstatIfThere(sys, to);
    if (there !== undefined) (isDirectory(there) ? sys.rmdir : sys.unlink).call(sys, to);
  } catch (error) {
    if (error instanceof PosixError && error.errno === ENOENT) return;
    tool.fault(
      `inter-device move failed: ${quoted(from)} to ${quoted(to)}; unable to remove target`,
      error,
    );
    return;
  }
  const copied = copyTree(tool, from, to, {
    recursive: true,
    follow: 'never',
    keep: { mode: true, ownership: true, times: true, xattrs: true },
    keepLinks: true,
    force: false,
    removeFirst: false,
    clobber: 'yes',
    verbose: false,
    sparse: 'auto',
    as: 'copy',
    oneFileSystem: false,
    backup: undefined,
    umask: 0,
    seen: new Map(),
    written: new Set(),
  });
  if (!copied) return;
  if (options.has('v')) tool.out.text(`copied ${quoted(from)} -> ${quoted(to)}\n`);
  removeTree(tool, from, pair.stat);
  if (options.has('v')) tool.out.text(`removed ${quoted(from)}\n`);
}

function removeTree(tool: Tool, path: string, stat: Stat): void {
  tool.attempt(`cannot remove ${quoted(path)}`, () => {
    if (!isDirectory(stat)) {
      tool.sys.unlink(path);
      return;
    }
    for (const entry of listDirectory(tool.sys, path)) {
      const child = join(path, entry.name);
      removeTree(tool, child, tool.sys.lstat(child));
    }
    tool.sys.rmdir(path);
  });
}
