// What ls was asked to show and in which order.

import { compareTimespec, type Stat, type Timespec } from '../../../kernel/abi/stat.ts';
import type { Options } from '../options.ts';
import type { Tool } from '../program.ts';
import { choose } from '../text/choice.ts';
import { compareVersions } from '../text/compare.ts';
import { globRegExp } from '../text/glob.ts';
import { parseSize } from '../text/numbers.ts';
import { quotedArgument } from '../text/quote.ts';
import { columnsOf } from '../tty/width.ts';
import { marks, type Quoting, quotesSome, quotingOf, shownName } from './quoting.ts';

export interface Entry {
  readonly name: string;
  readonly path: string;
  readonly stat: Stat;
  /** A directory or a symlink to one: for --group-directories-first. */
  readonly leadsToDirectory: boolean;
  /** It could not be looked at: its type is all that is known. */
  readonly isUnknown?: boolean;
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
  /** The types of links are those of what they lead to. */
  readonly looksThrough: boolean;
}

export function styleOf(tool: Tool, options: Options): Style {
  const tty = tool.sys.isatty(1);
  const format = formatOf(tool, options);
  for (const word of options.values('color')) isWanted(tool, '--color', word);
  const style: Omit<Style, 'needsStat' | 'looksThrough'> = {
    format,
    hidden:
      options.has('f') || options.last('a', 'A') === 'a'
        ? 'all'
        : options.has('A')
          ? 'almost'
          : 'none',
    sort: sortOf(tool, options, format),
    time: timeOf(tool, options),
    timeStyle: format === 'long' ? timeStyleOf(tool, options) : 'locale',
    reverse: options.has('r'),
    directory: options.has('d'),
    directoriesFirst: options.has('directories-first'),
    recursive: options.has('R') && !options.has('d'),
    follow: options.has('L'),
    followRoots: options.has('H'),
    ignored: ignoredNames(options),
    indicator: indicatorOf(tool, options),
    human: humanOf(options),
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
  const needsType =
    style.recursive || style.indicator !== 'none' || style.directoriesFirst || style.inode;
  return { ...style, needsStat: needsStat(style), looksThrough: style.follow && needsType };
}

const needsStat = (style: Omit<Style, 'needsStat' | 'looksThrough'>): boolean =>
  style.format === 'long' ||
  style.sort === 'time' ||
  style.sort === 'size' ||
  style.indicator === 'classify' ||
  style.inode ||
  style.blocks ||
  style.directoriesFirst;

const TIME_STYLES = ['full-iso', 'long-iso', 'iso', 'locale'] as const;

function timeStyleOf(tool: Tool, options: Options): string {
  if (options.last('full-time', 'time-style') === 'full-time') return 'full-iso';
  const text = options.value('time-style') ?? 'locale';
  if (text.startsWith('+')) return text;
  const known = TIME_STYLES.find((style) => style === text.replace(/^(posix-)+/, ''));
  if (known !== undefined) return text.startsWith('posix-') ? 'locale' : known;
  const valid = [...TIME_STYLES, '+FORMAT'].map((style) => `\n  - [posix-]${style}`).join('');
  return tool.misuse(
    `invalid argument ${quotedArgument(text)} for 'time style'\nValid arguments are:${valid}`,
  );
}

const FORMATS = {
  ...({ verbose: 'long', long: 'long', commas: 'commas', horizontal: 'across' } as const),
  ...({ across: 'across', vertical: 'columns', 'single-column': 'lines' } as const),
} as const;

function formatOf(tool: Tool, options: Options): Style['format'] {
  const long = options.has('l', 'g', 'o', 'n', 'full-time');
  const last = options.last('l', 'g', 'o', 'n', 'full-time', 'C', 'x', 'm', '1', 'format', 'zero');
  const valid = Object.keys(FORMATS) as (keyof typeof FORMATS)[];
  const words = options
    .values('format')
    .map((word) => choose(tool, word, { option: '--format', valid }));
  if (last === 'format') return FORMATS[words.at(-1) ?? 'long'];
  if (last === '1') return long ? 'long' : 'lines';
  if (last === 'zero') return long ? 'long' : 'lines';
  if (last === 'C') return 'columns';
  if (last === 'x') return 'across';
  if (last === 'm') return 'commas';
  if (last !== undefined) return 'long';
  return tool.sys.isatty(1) ? 'columns' : 'lines';
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
  // -u, -c and --time alone sort by that time, unless a long listing shows it.
  return options.has('u', 'c', 'time') && format !== 'long' ? 'time' : 'name';
}

const ACCESS = ['atime', 'access', 'use'] as const;
const STATUS = ['ctime', 'status'] as const;

function timeOf(tool: Tool, options: Options): TimeField {
  const last = options.last('u', 'c', 'time');
  if (last === 'u') return 'atime';
  if (last === 'c') return 'ctime';
  if (last === undefined) return 'mtime';
  const valid = [...ACCESS, ...STATUS] as const;
  const word = choose(tool, options.value('time') ?? '', { option: '--time', valid });
  return ACCESS.some((one) => one === word) ? 'atime' : 'ctime';
}

const WHEN = [
  ...(['always', 'yes', 'force'] as const),
  ...(['never', 'no', 'none'] as const),
  ...(['auto', 'tty', 'if-tty'] as const),
] as const;
const INDICATORS = ['none', 'slash', 'file-type', 'classify'] as const;

/** Whether `--color[=WHEN]` and its like ask for it. */
export function isWanted(tool: Tool, option: string, word: string): boolean {
  const when = choose(tool, word || 'always', { option, valid: WHEN });
  const at = WHEN.indexOf(when);
  return at < 3 || (at >= 6 && tool.sys.isatty(1));
}

function indicatorOf(tool: Tool, options: Options): Style['indicator'] {
  let indicator: Style['indicator'] = 'none';
  for (const { name, value } of options.list) {
    if (name === 'F' && isWanted(tool, '--classify', value)) indicator = 'classify';
    if (name === 'p') indicator = 'slash';
    if (name === 'file-type') indicator = 'file-type';
    if (name === 'indicator')
      indicator = choose(tool, value, { option: '--indicator-style', valid: INDICATORS });
  }
  return indicator;
}

function humanOf(options: Options): Style['human'] {
  const last = options.last('h', 'si', 'block-size');
  const word = last === 'block-size' ? options.value('block-size') : last;
  if (word === 'si') return 1000;
  return word === 'h' || word === 'human-readable' ? 1024 : undefined;
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
  if (text === 'human-readable' || text === 'si') return undefined;
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
  const texts = style.sort === 'width' ? nameTexts(entries, style) : [];
  const widths = new Map(entries.map((entry, i) => [entry, columnsOf(texts[i] ?? '')]));
  const compare = (a: Entry, b: Entry): number => {
    let order = 0;
    if (style.sort === 'time') order = newest(a.stat[style.time], b.stat[style.time]);
    else if (style.sort === 'width') order = (widths.get(a) ?? 0) - (widths.get(b) ?? 0);
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

/** The names as they are shown; where some are quoted, the others stand below what is in the quotes. */
export function nameTexts(entries: readonly Entry[], style: Style): string[] {
  const names = entries.map(({ name }) => shownName(name, style.quoting, marks(style.indicator)));
  const aligns = style.format === 'long' || style.format === 'columns' || style.format === 'across';
  if (!aligns || !quotesSome(style.quoting)) return names;
  const isQuoted = names.map((name, i) => name !== entries[i]?.name);
  if (!isQuoted.includes(true)) return names;
  return names.map((name, i) => (isQuoted[i] ? name : ` ${name}`));
}
