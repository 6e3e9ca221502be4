// du: space that trees take. POSIX.1-2024 du -a -k -s -x -H -L, with GNU's -b -c -d -h -l -m -S -0,
// --apparent-size. Files with several links count once.

import { strerror } from '../../kernel/abi/errno.ts';
import { compareTimespec, type Stat, type Timespec } from '../../kernel/abi/stat.ts';
import { decodeText } from '../../kernel/abi/text.ts';
import { isDirectory, isSymlink } from '../libc/files/path.ts';
import { walk } from '../libc/files/walk.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { globRegExp } from '../libc/text/glob.ts';
import { humanSize, parseSize } from '../libc/text/numbers.ts';
import { quoted, quotedArgument } from '../libc/text/quote.ts';
import { strftime } from '../libc/time/date.ts';

export const main = program(
  {
    usage: `[-abcDhHklLmPsSx0] [-d DEPTH] [-B SIZE] [-t SIZE] [-X FILE] [FILE]...
  -a  files, too    -b  bytes of content    -c  a total    -d  no deeper    -h --si  in units    -l  each link counts
  -s  sums only    -S  without what lies in directories    -t  no smaller; -SIZE: no larger    -x  one file system
  --apparent-size --inodes --exclude=PATTERN --time[=atime|ctime] --time-style=STYLE`,
    short: 'abB:cd:DhHklLmsSt:x0PX:',
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
      'threshold=': 't',
      'exclude=': 'exclude',
      'exclude-from=': 'X',
      inodes: 'inodes',
      si: 'si',
      'time=?': 'time',
      'time-style=': 'time-style',
      'no-dereference': 'P',
    },
  },
  (tool, options) => {
    const style = styleOf(tool, options);
    const total = nothing();
    for (const root of options.operands.length > 0 ? options.operands : ['.'])
      add(total, measure(tool, root, style));
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
  /** dev:ino of what was counted, as far as it could come up again. */
  readonly counted: Set<string>;
  /** It could, with any number of links: there are several roots, or links are followed. */
  readonly countsAll: boolean;
  /** Files are counted, not what they take. */
  readonly inodes: boolean;
  /** What is smaller is not told; negative: what is larger. */
  readonly least: number;
  readonly excluded: readonly RegExp[];
  /** The newest time of what a line stands for is shown: which, and how. */
  readonly time:
    | { readonly field: 'mtime' | 'atime' | 'ctime'; readonly format: string }
    | undefined;
}

function threshold(tool: Tool, text: string | undefined): number {
  if (text === undefined) return 0;
  const size = parseSize(text.replace(/^-/, ''));
  if (size === undefined || text === '-0')
    return tool.die(`invalid --threshold argument ${quotedArgument(text)}`);
  return text.startsWith('-') ? -size : size;
}

function exclusions(tool: Tool, options: Options): RegExp[] {
  const patterns = options.values('exclude');
  tool.eachInput(options.has('X') ? options.values('X') : ['/dev/null'], (input) => {
    for (let line = input.line(); line !== undefined; line = input.line())
      patterns.push(decodeText(line));
  });
  return patterns.map((pattern) => globRegExp(pattern));
}

/** A pattern holds for a whole path and for what begins behind any slash of it. */
const isExcluded = (path: string, { excluded }: Style): boolean =>
  excluded.length > 0 &&
  path
    .split('/')
    .some((_, from, parts) => excluded.some((glob) => glob.test(parts.slice(from).join('/'))));

const TIME_FORMATS: Readonly<Record<string, string>> = {
  'full-iso': '%Y-%m-%d %H:%M:%S.%N %z',
  'long-iso': '%Y-%m-%d %H:%M',
  iso: '%Y-%m-%d',
};

function timeOf(tool: Tool, options: Options): Style['time'] {
  if (!options.has('time')) return undefined;
  const word = options.value('time') ?? '';
  const field = /^(atime|access|use)$/.test(word)
    ? 'atime'
    : /^(ctime|status)$/.test(word)
      ? 'ctime'
      : word === ''
        ? 'mtime'
        : tool.misuse(`invalid argument ${quotedArgument(word)} for '--time'`);
  const style = options.value('time-style') ?? 'long-iso';
  const format = style.startsWith('+') ? style.slice(1) : TIME_FORMATS[style];
  return {
    field,
    format: format ?? tool.misuse(`invalid argument ${quotedArgument(style)} for 'time style'`),
  };
}

function styleOf(tool: Tool, options: Options): Style {
  const depthText = options.value('d');
  if (depthText !== undefined && !/^\d+$/.test(depthText))
    tool.misuse(`invalid maximum depth ${quotedArgument(depthText)}`);
  if (options.has('s') && options.has('a'))
    tool.misuse('cannot both summarize and show all entries');
  if (options.has('s') && Number(depthText ?? 0) > 0)
    tool.misuse(`warning: summarizing conflicts with --max-depth=${Number(depthText)}`);
  if (options.has('s') && depthText !== undefined)
    tool.note('warning: summarizing is the same as using --max-depth=0');
  if (options.has('inodes') && options.has('apparent', 'b'))
    tool.note('warning: options --apparent-size and -b are ineffective with --inodes');
  const text = options.value('B') ?? '1024';
  const last = options.last('h', 'si', 'k', 'm', 'b', 'B');
  const units = { h: 'human', si: 'si', k: 1024, m: 1024 * 1024, b: 1 } as const;
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
    countsAll: options.has('L') || options.operands.length > 1,
    inodes: options.has('inodes'),
    least: threshold(tool, options.value('t')),
    excluded: exclusions(tool, options),
    time: timeOf(tool, options),
  };
}

interface Sum {
  size: number;
  newest: Timespec;
}

const nothing = (): Sum => ({ size: 0, newest: { sec: Number.NEGATIVE_INFINITY, nsec: 0 } });

function add(to: Sum, { size, newest }: Sum): void {
  to.size += size;
  if (compareTimespec(newest, to.newest) > 0) to.newest = newest;
}

/** Prints what lies below `root` and returns its size. */
function measure(tool: Tool, root: string, style: Style): Sum {
  const sums: ({ own: Sum; below: Sum } | undefined)[] = [];
  const result = nothing();
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
  for (const visit of visits) {
    const { path, depth, stat, phase } = visit;
    device ??= stat.dev;
    if (style.oneFileSystem && stat.dev !== device) continue;
    if (isExcluded(path, style)) {
      visit.prune = true;
      continue;
    }
    if (phase === 'post') {
      const { own, below } = sums.pop() ?? {};
      if (own === undefined || below === undefined) continue; // it was counted before
      const whole = { ...own };
      add(whole, below);
      if (depth <= style.depth) print(tool, style.separate ? own : whole, { path, style });
      add(sums.at(-1)?.below ?? result, whole);
      continue;
    }
    if (style.follow === 'always' && isSymlink(stat)) {
      tool.warn(`cannot access ${quoted(path)}`);
      continue;
    }
    const sum = seen(stat, style);
    if (isDirectory(stat)) {
      visit.prune = sum === undefined;
      sums.push(sum && { own: sum, below: nothing() });
    } else if (sum !== undefined) {
      add(sums.at(-1)?.own ?? result, sum);
      if (depth === 0 || (style.all && depth <= style.depth)) print(tool, sum, { path, style });
    }
  }
  return result;
}

/** What a file counts; undefined when it was counted under another name. */
function seen(stat: Stat, style: Style): Sum | undefined {
  const returns = style.countsAll || (!isDirectory(stat) && stat.nlink > 1);
  if (returns && !style.countLinks) {
    const id = `${stat.dev}:${stat.ino}`;
    if (style.counted.has(id)) return undefined;
    style.counted.add(id);
  }
  const newest = stat[style.time?.field ?? 'mtime'];
  if (style.inodes) return { size: 1, newest };
  return { size: style.apparent ? stat.size : stat.blocks * 512, newest };
}

function print(tool: Tool, sum: Sum, { path, style }: { path: string; style: Style }): void {
  const { unit, end, inodes, least, time } = style;
  const { size } = sum;
  if (least < 0 ? size > -least : size < least) return;
  const scaled =
    unit === 'human'
      ? humanSize(size)
      : unit === 'si'
        ? humanSize(size, 1000)
        : String(Math.ceil(size / (inodes ? 1 : unit)));
  const shown = time === undefined ? '' : `\t${strftime(time.format, sum.newest)}`;
  tool.out.text(`${scaled}${shown}\t${path}${end}`);
}
