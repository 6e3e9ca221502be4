// ln: links, hard and symbolic. POSIX.1-2024 ln -f -s -L -P, with GNU's -b -n -r -S -t -T -v.

import { EEXIST, PosixError, strerror } from '../../kernel/abi/errno.ts';
import type { Stat } from '../../kernel/abi/stat.ts';
import { backupLong, backupOf } from '../libc/files/backup.ts';
import {
  basename,
  dirname,
  isDirectory,
  isDirectoryAt,
  isSymlink,
  join,
  lstatIfThere,
  realpath,
  statIfThere,
} from '../libc/files/path.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { maybeQuoted, quoted, quotedArgument } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: '[-fLnPrsTv] TARGET [LINK_NAME]\n  or: ln [OPTION]... TARGET... DIRECTORY',
    short: 'bfiLnPrsS:t:Tv',
    long: {
      ...backupLong,
      force: 'f',
      interactive: 'i',
      logical: 'L',
      physical: 'P',
      'no-dereference': 'n',
      relative: 'r',
      symbolic: 's',
      'target-directory=': 't',
      'no-target-directory': 'T',
      verbose: 'v',
    },
  },
  (tool, options) => {
    const made = new Set<string>();
    const numbered = /^(t|nu)/.test(options.value('backup') ?? '');
    const guards = options.has('f') && !options.has('s') && !numbered;
    for (const { target, path } of pairs(tool, options)) {
      // Only a hard link can be the last name of what another operand has just linked.
      if (guards && made.has(path))
        tool.warn(`will not overwrite just-created ${quoted(path)} with ${quoted(target)}`);
      else link(tool, { target, path, options });
      made.add(path);
    }
  },
);

interface Pair {
  readonly target: string;
  readonly path: string;
}

function pairs(tool: Tool, options: Options): Pair[] {
  const { operands } = options;
  const [first, second] = operands;
  if (first === undefined) return tool.misuse('missing file operand');
  if (options.has('r') && !options.has('s')) tool.die('cannot do --relative without --symbolic');
  const into = options.value('t');
  const inside = (directory: string, targets: readonly string[]): Pair[] =>
    targets.map((target) => ({ target, path: join(directory, basename(target)) }));
  if (into !== undefined) return inside(into, operands);
  if (options.has('T')) {
    if (second === undefined)
      tool.misuse(`missing destination file operand after ${quotedArgument(first)}`);
    if (operands[2] !== undefined) tool.misuse(`extra operand ${quotedArgument(operands[2])}`);
    return [{ target: first, path: second ?? '' }];
  }
  if (second === undefined) return inside('.', operands);
  const last = operands.at(-1) ?? '';
  const directory = options.has('n') ? isRealDirectory(tool, last) : isDirectoryAt(tool.sys, last);
  if (directory) return inside(last, operands.slice(0, -1));
  if (operands.length > 2) {
    const there = lstatIfThere(tool.sys, last) !== undefined;
    tool.die(`target ${quoted(last)}: ${there ? 'Not a directory' : 'No such file or directory'}`);
  }
  return [{ target: first, path: second }];
}

const isRealDirectory = (tool: Tool, path: string): boolean => {
  const stat = lstatIfThere(tool.sys, path);
  return stat !== undefined && isDirectory(stat);
};

function link(tool: Tool, { target, path, options }: Pair & { options: Options }): void {
  const symbolic = options.has('s');
  const { sys } = tool;
  const source = options.last('L', 'P') === 'L' && !symbolic ? followed(tool, target) : target;
  const text = symbolic && options.has('r') ? relative(tool, target, path) : source;
  try {
    if (!symbolic) {
      const stat = tool.attempt(`failed to access ${quoted(target)}`, () => sys.lstat(text));
      if (stat === undefined) return;
      if (isDirectory(stat)) {
        tool.warn(`${maybeQuoted(target)}: hard link not allowed for directory`);
        return;
      }
    }
    const keep = backupOf(tool, options);
    let backup: string | undefined;
    if (options.has('f') || keep !== undefined) {
      const there = lstatIfThere(sys, path);
      if (there !== undefined && isDirectory(there)) {
        tool.warn(`${quoted(path)}: cannot overwrite directory`);
        return;
      }
      // A symbolic link may be made to what has gone to its backup: it leads to itself then.
      const mustStay = there !== undefined && !(symbolic && keep !== undefined);
      if (mustStay && wouldLose(tool, { target, text, path, symbolic })) {
        tool.warn(`${quoted(target)} and ${quoted(path)} are the same file`);
        return;
      }
      if (there !== undefined && keep !== undefined) {
        backup = keep(path);
        sys.rename(path, backup);
      } else if (there !== undefined) {
        if (!symbolic && isSame(sys.lstat(text), there)) return; // another name of it: done already
        sys.unlink(path);
      }
    }
    if (symbolic) sys.symlink(text, path);
    else sys.link(text, path);
    if (options.has('v'))
      tool.out.text(
        `${backup === undefined ? '' : `${quoted(backup)} ~ `}${quoted(path)} ${symbolic ? '->' : '=>'} ${quoted(text)}\n`,
      );
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    const kind = symbolic ? 'symbolic' : 'hard';
    const arrow = symbolic || error.errno === EEXIST ? '' : ` => ${quoted(text)}`;
    tool.warn(`failed to create ${kind} link ${quoted(path)}${arrow}: ${strerror(error.errno)}`);
  }
}

const followed = (tool: Tool, target: string): string => {
  const stat = lstatIfThere(tool.sys, target);
  return stat !== undefined && isSymlink(stat) ? realpath(tool.sys, target) : target;
};

const isSame = (a: Stat, b: Stat): boolean => a.ino === b.ino && a.dev === b.dev;

/** What the link is to lead to is what stands in its way, under no other name. */
function wouldLose(
  tool: Tool,
  {
    target,
    text,
    path,
    symbolic,
  }: { target: string; text: string; path: string; symbolic: boolean },
): boolean {
  const { sys } = tool;
  const source = symbolic ? statIfThere(sys, target) : lstatIfThere(sys, text);
  const there = lstatIfThere(sys, path);
  if (source === undefined || there === undefined || !isSame(source, there)) return false;
  if (source.nlink === 1) return true;
  if (basename(target) !== basename(path)) return false;
  return realpath(sys, dirname(target), 'none') === realpath(sys, dirname(path), 'none');
}

function relative(tool: Tool, target: string, path: string): string {
  const from = realpath(tool.sys, dirname(path), 'none').split('/').filter(Boolean);
  const to = realpath(tool.sys, target, 'none').split('/').filter(Boolean);
  while (from.length > 0 && from[0] === to[0]) {
    from.shift();
    to.shift();
  }
  return [...from.map(() => '..'), ...to].join('/') || '.';
}
