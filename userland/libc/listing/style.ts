// What ls was asked to show and in which order.

import { compareTimespec, type Stat, type Timespec } from '../../../kernel/abi/stat.ts';
import { encodeText } from '../../../kernel/abi/text.ts';
import type { Options } from '../options.ts';
import type { Tool } from '../program.ts';
import { compareVersions } from '../text/compare.ts';
import { globRegExp } from '../text/glob.ts';
import { parseSize } from '../text/numbers.ts';
import { quotedArgument } from '../text/quote.ts';
import { type Quoting, quotingOf } from './quoting.ts';

export interface Entry {
  readonly name: string;
  readonly path: string;
  readonly stat: Stat;
  /** A directory or a symlink to one: for --group-directories-first. */
  readonly leadsToDirectory: boolean;
}

export type TimeField = 'mtime' | 'atime' | 'ctime';

export interface Style {
  readonly format: 'long' | 'lines' | 'columns' | 'across' | 'commas';
  readonly hidden: 'all' | 'almost' | 'none';
  readonly sort: 'name' | 'time' | 'size' | 'extension' | 'version' | 'width' | 'none';
  readonly time: TimeField;
  readonly timeStyle: string;
  readonly reverse: boolean;
  readonly directory: boolean;
  readonly directoriesFirst: boolean;
  readonly recursive: boolean;
  readonly follow: boolean;
  readonly followRoots: boolean;
  /** Names that are not listed: -B, -I, and --hide unless -a or -A. */
  readonly ignored: readonly RegExp[];
  readonly indicator: 'none' | 'slash' | 'file-type' | 'classify';
  readonly human: 1024 | 1000 | undefined;
  readonly inode: boolean;
  readonly blocks: boolean;
  readonly owner: boolean;
  readonly group: boolean;
  readonly numeric: boolean;
  readonly author: boolean;
  readonly quoting: Quoting;
  /** Bytes that a size is told in; undefined = as it is. */
  readonly unit: { readonly bytes: number; readonly suffix: string } | undefined;
  readonly width: number;
  /** 0 = blanks only. */
  readonly tabs: number;
  readonly end: string;
  /** Names and types alone do not do. */
  readonly needsStat: boolean;
}

export function styleOf(tool: Tool, options: Options): Style {
  const tty = tool.sys.isatty(1);
  const format = formatOf(options, tty);
  const style: Omit<Style, 'needsStat'> = {
    format,
    hidden:
      options.has('f') || options.last('a', 'A') === 'a'
        ? 'all'
        : options.has('A')
          ? 'almost'
          : 'none',
    sort: sortOf(tool, options, format),
    time: timeOf(options),
    timeStyle: options.has('full-time') ? 'full-iso' : (options.value('time-style') ?? 'locale'),
    reverse: options.has('r'),
    directory: options.has('d'),
    directoriesFirst: options.has('directories-first'),
    recursive: options.has('R') && !options.has('d'),
    follow: options.has('L'),
    followRoots: options.has('H'),
    ignored: ignoredNames(options),
    indicator: indicatorOf(options),
    human: options.has('si') ? 1000 : options.has('h') ? 1024 : undefined,
    inode: options.has('i'),
    blocks: options.has('s'),
    owner: !options.has('g'),
    group: !options.has('G', 'o'),
    numeric: options.has('n'),
    author: options.has('author'),
    quoting: quotingOf(tool, options, tty),
    unit: unitOf(tool, options),
    width: widthOf(tool, options),
    tabs: tabsOf(tool, options),
    end: options.has('zero') ? '\0' : '\n',
  };
  return { ...style, needsStat: needsStat(style) };
}

const needsStat = (style: Omit<Style, 'needsStat'>): boolean =>
  style.format === 'long' ||
  style.sort === 'time' ||
  style.sort === 'size' ||
  style.indicator === 'classify' ||
  style.inode ||
  style.blocks ||
  style.follow ||
  style.directoriesFirst;

function formatOf(options: Options, tty: boolean): Style['format'] {
  const words: Readonly<Record<string, Style['format']>> = {
    long: 'long',
    verbose: 'long',
    'single-column': 'lines',
    vertical: 'columns',
    across: 'across',
    horizontal: 'across',
    commas: 'commas',
  };
  const long = options.has('l', 'g', 'o', 'n', 'full-time');
  const last = options.last('l', 'g', 'o', 'n', 'full-time', 'C', 'x', 'm', '1', 'format', 'zero');
  if (last === 'format') return words[options.value('format') ?? ''] ?? 'lines';
  if (last === '1') return long ? 'long' : 'lines';
  if (last === 'zero') return long ? 'long' : 'lines';
  if (last === 'C') return 'columns';
  if (last === 'x') return 'across';
  if (last === 'm') return 'commas';
  if (last !== undefined) return 'long';
  return tty ? 'columns' : 'lines';
}

function sortOf(tool: Tool, options: Options, format: Style['format']): Style['sort'] {
  const last = options.last('t', 'S', 'X', 'v', 'U', 'f', 'sort');
  if (last === 't') return 'time';
  if (last === 'S') return 'size';
  if (last === 'X') return 'extension';
  if (last === 'v') return 'version';
  if (last === 'U' || last === 'f') return 'none';
  if (last === 'sort') {
    const word = options.value('sort') ?? '';
    const sorts: readonly Style['sort'][] = [
      ...(['none', 'time', 'size', 'extension', 'version', 'width'] as const),
    ];
    const sort = word === 'name' ? 'name' : sorts.find((known) => known === word);
    const list = ['none', 'time', 'size', 'extension', 'version', 'width'];
    const valid = list.map((name) => `\n  - '${name}'`).join('');
    const message = `invalid argument ${quotedArgument(word)} for '--sort'`;
    return sort ?? tool.misuse(`${message}\nValid arguments are:${valid}`, 1);
  }
  // -u and -c alone sort by that time, unless a long listing shows it.
  return options.has('u', 'c') && format !== 'long' ? 'time' : 'name';
}

function timeOf(options: Options): TimeField {
  const last = options.last('u', 'c', 'time');
  const word = last === 'time' ? options.value('time') : last;
  if (word === 'u' || word === 'atime' || word === 'access' || word === 'use') return 'atime';
  if (word === 'c' || word === 'ctime' || word === 'status') return 'ctime';
  return 'mtime';
}

function indicatorOf(options: Options): Style['indicator'] {
  const last = options.last('F', 'p', 'file-type', 'indicator');
  if (last === 'F') return 'classify';
  if (last === 'p') return 'slash';
  if (last === 'file-type') return 'file-type';
  const word = options.value('indicator');
  return last === undefined || word === 'none'
    ? 'none'
    : word === 'slash'
      ? 'slash'
      : word === 'classify'
        ? 'classify'
        : 'file-type';
}

function ignoredNames(options: Options): RegExp[] {
  const hidden = options.has('a', 'A', 'f') ? [] : options.values('hide');
  const backups = options.has('B') ? ['*~', '.*~'] : [];
  return [...hidden, ...options.values('I'), ...backups].map((pattern) => globRegExp(pattern));
}

/** -k counts blocks only, as --block-size counts both blocks and sizes. */
function unitOf(tool: Tool, options: Options): Style['unit'] {
  const text = options.value('block-size');
  if (text === undefined || options.last('block-size', 'h', 'si') !== 'block-size')
    return undefined;
  const size = parseSize(/^[KMGTPEZY]/.test(text) ? `1${text}` : text.replace(/^'/, ''));
  if (!size) return tool.die(`invalid --block-size argument ${quotedArgument(text)}`);
  // A unit without a number is told with each size.
  return { bytes: size, suffix: /^[KMGTPEZY]/.test(text) ? text.replace('KB', 'kB') : '' };
}

function tabsOf(tool: Tool, options: Options): number {
  const text = options.value('T') ?? '8';
  if (!/^\d+$/.test(text)) tool.die(`invalid tab size: ${quotedArgument(text)}`, 2);
  return Number(text);
}

function widthOf(tool: Tool, options: Options): number {
  const text = options.value('w') ?? tool.sys.env.get('COLUMNS') ?? '80';
  if (/^\d+$/.test(text)) return Number(text) === 0 ? Number.MAX_SAFE_INTEGER : Number(text);
  if (options.value('w') === undefined) return 80;
  return tool.die(`invalid line width: ${quotedArgument(text)}`);
}

/** Byte order, which is that of UTF-16 units but for surrogates, and names have few of those. */
const compareNames = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export function sortEntries(entries: readonly Entry[], style: Style): Entry[] {
  const out = [...entries];
  if (style.sort === 'none') return out;
  const newest = (a: Timespec, b: Timespec): number => compareTimespec(b, a);
  const extension = (name: string): string => {
    const dot = name.lastIndexOf('.');
    return dot < 0 ? '' : name.slice(dot);
  };
  const compare = (a: Entry, b: Entry): number => {
    let order = 0;
    if (style.sort === 'time') order = newest(a.stat[style.time], b.stat[style.time]);
    else if (style.sort === 'width') order = byteCount(a.name) - byteCount(b.name);
    else if (style.sort === 'size') order = b.stat.size - a.stat.size;
    else if (style.sort === 'version') order = compareVersions(a.name, b.name);
    else if (style.sort === 'extension') order = compareNames(extension(a.name), extension(b.name));
    return order || compareNames(a.name, b.name);
  };
  out.sort(compare);
  if (style.reverse) out.reverse();
  if (!style.directoriesFirst) return out;
  return [
    ...out.filter((entry) => entry.leadsToDirectory),
    ...out.filter((entry) => !entry.leadsToDirectory),
  ];
}

const byteCount = (name: string): number => encodeText(name).length;
