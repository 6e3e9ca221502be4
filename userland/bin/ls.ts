// ls: lists directories. POSIX.1-2024 ls -1AaCdFfghHiLlnopRrSstux, with GNU's -h, -G, -U, -X, -v,
// --time-style, --full-time, --group-directories-first, --block-size of k.

import { DT_DIR, DT_LNK, DT_UNKNOWN } from '../../kernel/abi/constants.ts';
import { ENOENT, fail, PosixError, strerror } from '../../kernel/abi/errno.ts';
import type { Dirent, Stat } from '../../kernel/abi/stat.ts';
import { isDirectory, isDirectoryAt, isSymlink, join, listDirectory } from '../libc/files/path.ts';
import { printEntries } from '../libc/listing/print.ts';
import { shownName } from '../libc/listing/quoting.ts';
import { type Entry, type Style, sortEntries, styleOf } from '../libc/listing/style.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import type { BatchResult } from '../libc/runtime/batch.ts';
import { quoted } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: '[OPTION]... [FILE]...\nList the FILEs (the current directory by default).',
    short: '1AaBbCcdFfgGhHI:iklLmnNopqQRrSstT:uUvw:xXZ',
    long: {
      all: 'a',
      'almost-all': 'A',
      'ignore-backups': 'B',
      directory: 'd',
      'classify=?': 'F',
      'file-type': 'file-type',
      'no-group': 'G',
      'human-readable': 'h',
      'dereference-command-line': 'H',
      inode: 'i',
      dereference: 'L',
      'numeric-uid-gid': 'n',
      literal: 'N',
      'quote-name': 'Q',
      'hide-control-chars': 'q',
      reverse: 'r',
      recursive: 'R',
      size: 's',
      'sort=': 'sort',
      'time=': 'time',
      'time-style=': 'time-style',
      'full-time': 'full-time',
      'width=': 'w',
      'color=?': 'color',
      'indicator-style=': 'indicator',
      'group-directories-first': 'directories-first',
      'format=': 'format',
      si: 'si',
      kibibytes: 'k',
      zero: 'zero',
      escape: 'b',
      author: 'author',
      'show-control-chars': 'show',
      'tabsize=': 'T',
      'ignore=': 'I',
      'hide=': 'hide',
      'quoting-style=': 'quoting',
      'block-size=': 'block-size',
    },
    trouble: 2,
  },
  (tool, options) => {
    const style = styleOf(tool, options);
    const roots = rootEntries(tool, options, style);
    const isListed = (entry: Entry): boolean => !style.directory && isDirectory(entry.stat);
    const files = roots.filter((entry) => !isListed(entry));
    const directories = roots.filter(isListed);
    printEntries(tool, sortEntries(files, style), { style, total: 'no', beside: roots });
    const titled = style.recursive || options.operands.length > 1;
    const run: Run = { style, titled, first: files.length === 0 };
    for (const entry of sortEntries(directories, style)) listTree(tool, entry.name, run);
  },
);

function rootEntries(tool: Tool, options: Options, style: Style): Entry[] {
  const entries: Entry[] = [];
  const names = options.operands.length > 0 ? options.operands : ['.'];
  // Without -l, -d and -F a symlink to a directory that is named is listed as that directory.
  const bare = !style.directory && style.format !== 'long' && style.indicator !== 'classify';
  const follow = style.follow || style.followRoots ? 'always' : bare ? 'to directories' : 'never';
  for (const name of names) {
    try {
      entries.push(
        entryOf(tool, {
          name,
          path: name,
          follow,
          group: style.directoriesFirst,
        }),
      );
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      tool.warn(`cannot access ${quoted(name)}: ${strerror(error.errno)}`, 2);
    }
  }
  return entries;
}

function entryOf(
  tool: Tool,
  at: { name: string; path: string; follow: Follow; group: boolean; seen?: BatchResult },
): Entry {
  const { name, path } = at;
  const told = at.seen?.stat ?? (at.seen?.errno ? fail(at.seen.errno) : undefined);
  const stat = told ?? statOf(tool, path, at.follow);
  const leadsToDirectory =
    isDirectory(stat) || (at.group && isSymlink(stat) && isDirectoryAt(tool.sys, path));
  return { name, path, stat, leadsToDirectory };
}

type Follow = 'always' | 'to directories' | 'never';

function statOf(tool: Tool, path: string, follow: Follow): Stat {
  if (follow === 'never') return tool.sys.lstat(path);
  if (follow === 'always') return tool.sys.stat(path);
  const stat = followed(tool, path);
  return isDirectory(stat) ? stat : tool.sys.lstat(path);
}

/** The type is all that a plain listing shows. */
const bareStat = (type: number): Stat => ({ ...noStat, mode: type << 12 });
const never = { sec: 0, nsec: 0 };
const noStat: Stat = {
  dev: 0,
  ino: 0,
  mode: 0,
  nlink: 0,
  uid: 0,
  gid: 0,
  rdev: 0,
  size: 0,
  blksize: 0,
  blocks: 0,
  atime: never,
  mtime: never,
  ctime: never,
};

/** A symlink that leads nowhere is shown itself; a loop is a fault. */
function followed(tool: Tool, path: string): Stat {
  try {
    return tool.sys.stat(path);
  } catch (error) {
    if (!(error instanceof PosixError) || error.errno !== ENOENT) throw error;
    return tool.sys.lstat(path);
  }
}

interface Run {
  readonly style: Style;
  readonly titled: boolean;
  first: boolean;
}

/** One directory and, with -R, those in it: an explicit stack, the next on top. */
function listTree(tool: Tool, root: string, run: Run): void {
  const stack = [root];
  for (let path = stack.pop(); path !== undefined; path = stack.pop()) {
    const entries = read(tool, path, { run, atRoot: path === root });
    if (entries === undefined) continue;
    if (!run.first) tool.out.text('\n');
    run.first = false;
    if (run.titled) tool.out.text(`${shownName(path, run.style.quoting, ':')}:\n`);
    const sorted = sortEntries(entries, run.style);
    printEntries(tool, sorted, { style: run.style, total: 'yes' });
    if (!run.style.recursive) continue;
    for (const entry of sorted.reverse())
      if (isDirectory(entry.stat) && entry.name !== '.' && entry.name !== '..')
        stack.push(entry.path);
  }
}

function read(tool: Tool, path: string, how: { run: Run; atRoot: boolean }): Entry[] | undefined {
  const { style } = how.run;
  const fault = (error: unknown): undefined => {
    if (!(error instanceof PosixError)) throw error;
    const status = how.atRoot ? 2 : 1;
    tool.warn(`cannot open directory ${quoted(path)}: ${strerror(error.errno)}`, status);
    return undefined;
  };
  try {
    const listed = listDirectory(tool.sys, path);
    if (style.hidden === 'all')
      listed.push({ name: '.', type: DT_DIR, ino: 0 }, { name: '..', type: DT_DIR, ino: 0 });
    const shown = listed.filter(
      ({ name }) =>
        !(name.startsWith('.') && style.hidden === 'none') &&
        !style.ignored.some((glob) => glob.test(name)),
    );
    const isThrough = ({ type }: Dirent): boolean => style.looksThrough && type === DT_LNK;
    const bare = (one: Dirent): boolean =>
      !style.needsStat && one.type !== DT_UNKNOWN && !isThrough(one);
    const stats = style.follow
      ? undefined
      : lookAt(
          tool,
          path,
          shown.filter((one) => !bare(one)),
        );
    const entries: Entry[] = [];
    for (const one of shown) {
      const { name, type } = one;
      const full = join(path, name);
      if (bare(one)) {
        entries.push({ name, path: full, stat: bareStat(type), leadsToDirectory: false });
        continue;
      }
      const seen = stats?.get(name);
      const entry = tool.attempt(`cannot access ${quoted(full)}`, () =>
        entryOf(tool, {
          ...{ name, path: full, follow: style.follow ? 'always' : 'never' },
          group: style.directoriesFirst,
          ...(seen && { seen }),
        }),
      );
      // A link that leads nowhere is listed, though nothing more is known of it.
      if (entry === undefined && style.follow) entries.push(unknown(one, full));
      if (entry !== undefined) entries.push(entry);
    }
    return entries;
  } catch (error) {
    return fault(error);
  }
}

const unknown = ({ name, type }: Dirent, path: string): Entry => ({
  ...{ name, path, stat: bareStat(type), leadsToDirectory: false, isUnknown: true },
});

/** The attributes of all entries, in as few submissions as that takes. */
function lookAt(tool: Tool, path: string, entries: readonly Dirent[]): Map<string, BatchResult> {
  const calls = entries.map(({ name }) => ({ call: 'lstat', path: join(path, name) }) as const);
  const results = tool.sys.batch(calls);
  return new Map(entries.map(({ name }, i) => [name, results[i] as BatchResult]));
}
