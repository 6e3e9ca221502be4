// The lines of ls: names in columns, and the long listing (POSIX.1-2024 ls, "Stdout").

import {
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
} from '../../../kernel/abi/constants.ts';
import { PosixError } from '../../../kernel/abi/errno.ts';
import type { Stat, Timespec } from '../../../kernel/abi/stat.ts';
import { formatMode } from '../files/mode.ts';
import { isDirectory, isSymlink } from '../files/path.ts';
import type { Tool } from '../program.ts';
import { humanSize } from '../text/numbers.ts';
import { strftime } from '../time/date.ts';
import { columnsOf } from '../tty/width.ts';
import { Users } from '../users.ts';
import { marks, shownName } from './quoting.ts';
import { type Entry, nameTexts, type Style } from './style.ts';

export function printEntries(
  tool: Tool,
  entries: readonly Entry[],
  how: {
    style: Style;
    total: 'yes' | 'no';
    /** All that was named, directories too: columns are as wide as theirs. */
    beside?: readonly Entry[];
  },
): void {
  const { style } = how;
  if (how.total === 'yes' && (style.format === 'long' || style.blocks)) {
    const blocks = entries.reduce((sum, entry) => sum + entry.stat.blocks, 0);
    tool.out.text(`total ${blocksText(blocks, style)}${style.end}`);
  }
  if (style.format === 'long') printLong(tool, entries, { style, beside: how.beside ?? entries });
  else printNames(tool, entries, style);
}

const blocksText = (blocks: number, style: Style): string =>
  style.human
    ? humanSize(blocks * 512, style.human)
    : inUnit(blocks * 512, style.unit ?? { bytes: 1024, suffix: '' });

const blocksOf = ({ stat, isUnknown }: Entry, style: Style): string =>
  isUnknown ? '?' : blocksText(stat.blocks, style);

const inodeOf = ({ stat, isUnknown }: Entry): string => (isUnknown ? '?' : String(stat.ino));

const inUnit = (size: number, unit: { readonly bytes: number; readonly suffix: string }): string =>
  `${Math.ceil(size / unit.bytes)}${unit.suffix}`;

function indicator(stat: Stat, style: Style): string {
  if (style.indicator === 'none') return '';
  if (isDirectory(stat)) return '/';
  if (style.indicator === 'slash') return '';
  if (isSymlink(stat)) return '@';
  const type = stat.mode & S_IFMT;
  if (type === S_IFIFO) return '|';
  if (type === S_IFSOCK) return '=';
  if (style.indicator === 'classify' && type === S_IFREG && stat.mode & 0o111) return '*';
  return '';
}

function printLong(
  tool: Tool,
  entries: readonly Entry[],
  { style, beside }: { style: Style; beside: readonly Entry[] },
): void {
  const users = new Users(tool.sys);
  const now = tool.sys.now();
  const before = (style.inode ? 1 : 0) + (style.blocks ? 1 : 0);
  const rowOf = (entry: Entry): string[] => (entry.isUnknown ? unknownRow(entry) : knownRow(entry));
  const knownRow = ({ stat }: Entry): string[] => [
    ...(style.inode ? [String(stat.ino)] : []),
    ...(style.blocks ? [blocksText(stat.blocks, style)] : []),
    formatMode(stat.mode),
    String(stat.nlink),
    ...(style.owner
      ? [ownerText(style.numeric ? undefined : users.userName(stat.uid), stat.uid)]
      : []),
    ...(style.group
      ? [ownerText(style.numeric ? undefined : users.groupName(stat.gid), stat.gid)]
      : []),
    ...(style.author
      ? [ownerText(style.numeric ? undefined : users.userName(stat.uid), stat.uid)]
      : []),
    sizeText(stat, style),
    timeText(stat[style.time], now, style),
  ];
  const unknownRow = (entry: Entry): string[] =>
    knownRow(entry).map((cell, i) => (i === before ? `${cell[0]}?????????` : '?'));
  const rows = entries.map(rowOf);
  const names = style.owner || style.group || style.author;
  const left = (column: number): boolean =>
    column === before || (names && column >= before + 2 && column < (rows[0]?.length ?? 0) - 2);
  const widths = widest(beside.map(rowOf));
  const texts = nameTexts(entries, style);
  for (const [index, entry] of entries.entries()) {
    const cells = (rows[index] ?? []).map((cell, column) =>
      left(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    tool.out.text(`${cells.join(' ')} ${texts[index]}${linkText(tool, entry, style)}${style.end}`);
  }
}

const ownerText = (name: string | undefined, id: number): string => name ?? String(id);

function widest(rows: readonly (readonly string[])[]): number[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  return widths;
}

function sizeText(stat: Stat, style: Style): string {
  const type = stat.mode & S_IFMT;
  if (type === S_IFCHR || type === S_IFBLK) {
    const major = Math.floor(stat.rdev / 256) & 0xfff;
    const minor = (stat.rdev & 0xff) | ((Math.floor(stat.rdev / 4096) & 0xfff00) >>> 0);
    return `${major}, ${String(minor).padStart(3)}`;
  }
  if (style.human) return humanSize(stat.size, style.human);
  return style.unit === undefined ? String(stat.size) : inUnit(stat.size, style.unit);
}

const HALF_YEAR = 15778476; // seconds

function timeText(time: Timespec, now: Timespec, style: Style): string {
  const recent = time.sec <= now.sec && time.sec > now.sec - HALF_YEAR;
  if (style.timeStyle === 'full-iso') return strftime('%Y-%m-%d %H:%M:%S.%N %z', time);
  if (style.timeStyle === 'long-iso') return strftime('%Y-%m-%d %H:%M', time);
  if (style.timeStyle === 'iso') return strftime(recent ? '%m-%d %H:%M' : '%Y-%m-%d ', time);
  if (style.timeStyle.startsWith('+')) {
    const [old = '', fresh = old] = style.timeStyle.slice(1).split('\n');
    return strftime(recent ? fresh : old, time);
  }
  return strftime(recent ? '%b %e %H:%M' : '%b %e  %Y', time);
}

function linkText(tool: Tool, entry: Entry, style: Style): string {
  if (!isSymlink(entry.stat) || entry.isUnknown) return indicator(entry.stat, style);
  try {
    const target = tool.sys.readlink(entry.path);
    const shown = shownName(target, style.quoting, marks(style.indicator));
    if (style.indicator === 'none' || style.indicator === 'slash') return ` -> ${shown}`;
    return ` -> ${shown}${targetIndicator(tool, entry, style)}`;
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return '';
  }
}

function targetIndicator(tool: Tool, entry: Entry, style: Style): string {
  try {
    return indicator(tool.sys.stat(entry.path), style);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return ''; // a dangling link has no target to mark
  }
}

function printNames(tool: Tool, entries: readonly Entry[], style: Style): void {
  const inodes = Math.max(0, ...entries.map((entry) => inodeOf(entry).length));
  const blocks = Math.max(0, ...entries.map((entry) => blocksOf(entry, style).length));
  const aligned = style.format !== 'commas';
  const texts = nameTexts(entries, style);
  const cells = entries.map((entry, i) => {
    const inode = style.inode ? `${inodeOf(entry).padStart(aligned ? inodes : 0)} ` : '';
    const size = style.blocks ? `${blocksOf(entry, style).padStart(aligned ? blocks : 0)} ` : '';
    return inode + size + (texts[i] ?? '') + indicator(entry.stat, style);
  });
  if (style.format === 'lines') for (const cell of cells) tool.out.text(cell + style.end);
  else if (style.format === 'commas') printCommas(tool, cells, style.width);
  else printColumns(tool, cells, style);
}

function printCommas(tool: Tool, cells: readonly string[], width: number): void {
  let column = 0;
  for (const [i, cell] of cells.entries()) {
    const last = i === cells.length - 1;
    if (i > 0 && column + columnsOf(cell) + (last ? 0 : 1) + 1 > width) {
      tool.out.text('\n');
      column = 0;
    } else if (i > 0) {
      tool.out.text(' ');
      column++;
    }
    tool.out.text(last ? `${cell}\n` : `${cell},`);
    column += columnsOf(cell) + 1;
  }
}

/** As many columns as fit, each as wide as its widest name and two blanks. */
function printColumns(tool: Tool, cells: readonly string[], style: Style): void {
  if (cells.length === 0) return;
  const sizes = cells.map(columnsOf);
  const { columns, widths } = layout(sizes, style);
  const rows = Math.ceil(cells.length / columns);
  for (let row = 0; row < rows; row++) {
    let line = '';
    let at = 0; // where the line is
    let tab = 0; // where the column begins
    for (let column = 0; column < columns; column++) {
      const i = style.format === 'across' ? row * columns + column : column * rows + row;
      const cell = cells[i];
      if (cell === undefined || (style.format === 'across' && i >= cells.length)) break;
      line += indent(at, tab, style.tabs) + cell;
      at = tab + (sizes[i] ?? 0);
      tab += widths[column] ?? 0;
    }
    tool.out.text(`${line}\n`);
  }
}

/** Tabs as far as they reach, then blanks. */
function indent(from: number, to: number, tabs: number): string {
  let text = '';
  let at = from;
  while (at < to) {
    const stop = at - (at % tabs) + tabs;
    if (tabs > 0 && Math.floor(to / tabs) > Math.floor((at + 1) / tabs)) {
      text += '\t';
      at = stop;
    } else {
      text += ' ';
      at++;
    }
  }
  return text;
}

function layout(sizes: readonly number[], style: Style): { columns: number; widths: number[] } {
  const most = Math.min(sizes.length, Math.max(1, Math.floor(style.width / 3)));
  for (let columns = most; columns > 1; columns--) {
    const rows = Math.ceil(sizes.length / columns);
    const widths: number[] = [];
    for (const [i, size] of sizes.entries()) {
      const column = style.format === 'across' ? i % columns : Math.floor(i / rows);
      const last = column === columns - 1;
      widths[column] = Math.max(widths[column] ?? 0, size + (last ? 0 : 2));
    }
    if (widths.reduce((sum, width) => sum + width, 0) < style.width) return { columns, widths };
  }
  return { columns: 1, widths: [Math.max(...sizes)] };
}
