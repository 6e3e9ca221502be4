// du: space that trees take. POSIX.1-2024 du -a -k -s -x -H -L, with GNU's -b -c -d -h -l -m -S -0,
// --apparent-size. Files with several links count once.

import { strerror } from '../../kernel/abi/errno.ts';
import { isDirectory } from '../libc/files/path.ts';
import { walk } from '../libc/files/walk.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { humanSize, parseSize } from '../libc/text/numbers.ts';
import { quoted, quotedArgument } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: '[-abchHklLmsSx0] [-d DEPTH] [-B SIZE] [FILE]...',
    short: 'abB:cd:DhHklLmsSx0P',
    long: {
      all: 'a',
      'apparent-size': 'apparent',
      bytes: 'b',
      'block-size=': 'B',
      total: 'c',
      'max-depth=': 'd',
      'dereference-args': 'D',
      dereference: 'L',
      'count-links': 'l',
      'human-readable': 'h',
      'one-file-system': 'x',
      'separate-dirs': 'S',
      summarize: 's',
      null: '0',
    },
  },
  (tool, options) => {
    const style = styleOf(tool, options);
    let total = 0;
    for (const root of options.operands.length > 0 ? options.operands : ['.'])
      total += measure(tool, root, style);
    if (options.has('c')) print(tool, total, { path: 'total', style });
  },
);

interface Style {
  readonly follow: 'never' | 'root' | 'always';
  readonly oneFileSystem: boolean;
  readonly apparent: boolean;
  readonly unit: number | 'human' | 'si';
  readonly depth: number;
  readonly all: boolean;
  readonly separate: boolean;
  readonly countLinks: boolean;
  readonly end: string;
  /** dev:ino of the files with several links that were counted. */
  readonly counted: Set<string>;
}

function styleOf(tool: Tool, options: Options): Style {
  const depthText = options.value('d');
  if (depthText !== undefined && !/^\d+$/.test(depthText))
    tool.misuse(`invalid maximum depth ${quotedArgument(depthText)}`);
  if (options.has('s') && options.has('a'))
    tool.misuse('cannot both summarize and show all entries');
  const text = options.value('B') ?? '1024';
  const last = options.last('h', 'k', 'm', 'b', 'B');
  const units = { h: 'human', k: 1024, m: 1024 * 1024, b: 1 } as const;
  const size = parseSize(/^[KMGTP]/.test(text) ? `1${text}` : text);
  return {
    follow: options.has('L') ? 'always' : options.has('D', 'H') ? 'root' : 'never',
    oneFileSystem: options.has('x'),
    apparent: options.has('apparent', 'b'),
    unit:
      last === 'B' || last === undefined
        ? size || tool.die(`invalid -B argument ${quotedArgument(text)}`)
        : units[last as keyof typeof units],
    depth: options.has('s')
      ? 0
      : depthText === undefined
        ? Number.POSITIVE_INFINITY
        : Number(depthText),
    all: options.has('a'),
    separate: options.has('S'),
    countLinks: options.has('l'),
    end: options.has('0') ? '\0' : '\n',
    counted: new Set(),
  };
}

/** Prints what lies below `root` and returns its size. */
function measure(tool: Tool, root: string, style: Style): number {
  const sums: { own: number; below: number }[] = [];
  let result = 0;
  const visits = walk(tool.sys, {
    root,
    follow: style.follow,
    oneFileSystem: style.oneFileSystem,
    ahead: true,
    onFault: (path, error, what) =>
      tool.warn(
        `cannot ${what === 'open' ? 'read directory' : 'access'} ${quoted(path)}: ${strerror(error.errno)}`,
      ),
  });
  let device: number | undefined;
  for (const { path, depth, stat, phase } of visits) {
    device ??= stat.dev;
    if (style.oneFileSystem && stat.dev !== device) continue;
    const directory = isDirectory(stat);
    if (phase === 'pre') {
      const id = `${stat.dev}:${stat.ino}`;
      const again = !directory && stat.nlink > 1 && !style.countLinks && style.counted.has(id);
      if (!directory && stat.nlink > 1) style.counted.add(id);
      const size = again ? 0 : sizeOf(stat, style);
      if (directory) {
        sums.push({ own: size, below: 0 });
        continue;
      }
      const parent = sums.at(-1);
      if (parent === undefined) result = size;
      else parent.own += size;
      if (!again && (depth === 0 || (style.all && depth <= style.depth)))
        print(tool, size, { path, style });
    } else {
      const sum = sums.pop() ?? { own: 0, below: 0 };
      const whole = sum.own + sum.below;
      if (depth <= style.depth) print(tool, style.separate ? sum.own : whole, { path, style });
      const parent = sums.at(-1);
      if (parent === undefined) result = whole;
      else parent.below += whole;
    }
  }
  return result;
}

const sizeOf = (stat: { size: number; blocks: number; mode: number }, style: Style): number =>
  style.apparent ? stat.size : stat.blocks * 512;

function print(tool: Tool, size: number, at: { path: string; style: Style }): void {
  const { unit, end } = at.style;
  const text =
    unit === 'human'
      ? humanSize(size)
      : unit === 'si'
        ? humanSize(size, 1000)
        : String(Math.ceil(size / unit));
  tool.out.text(`${text}\t${at.path}${end}`);
}
