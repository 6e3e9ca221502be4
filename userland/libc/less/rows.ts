// Rows of a screen: a line is one row cut off (-S), or as many as it takes. A row is known by the place
// of its first byte; going back means going forward from the beginning of its line.

import { type Cell, cellAt, sgrAt } from './cells.ts';
import type { Lines } from './lines.ts';
import type { Finder } from './search.ts';

export interface RowOptions {
  columns: number;
  tab: number;
  raw: boolean;
  chop: boolean;
  squeeze: boolean;
  numbers: boolean;
  /** Columns that are left of the screen, with -S. */
  shift: number;
  /** Matches of it are shown in reverse video. */
  highlight: Finder | undefined;
  /** Only lines that it finds something in, or nothing, are shown. */
  filter: { readonly finder: Finder; readonly wants: 'match' | 'none' } | undefined;
}

export interface Row {
  readonly from: number;
  /** Where the next row begins, whether it is shown or not. */
  readonly to: number;
  readonly text: string;
  /** The line has its newline, or the source has no more. */
  readonly ends: boolean;
}

const NUMBER_WIDTH = 8;
/** Bytes that one row is made of at most; more are invisible. */
const ROW_MOST = 65_536;
/** How far before a row colours that still hold are looked for, and matches begin. */
const CONTEXT = 16_384;
const NEWLINE = 10;

export class Rows {
  readonly lines: Lines;
  readonly options: RowOptions;

  constructor(lines: Lines, options: RowOptions) {
    this.lines = lines;
    this.options = options;
  }

  /** The row that begins at `at`; undefined when nothing is known there. */
  row(at: number): Row | undefined {
    if (at >= this.lines.source.size) return undefined;
    const line = this.lines.start(at);
    const bytes = this.lines.bytes(at, at + ROW_MOST);
    const { cells, length } = this.#cells(bytes);
    const ended = bytes[length] === NEWLINE;
    const to = this.options.chop ? this.lines.after(at) : at + length + (ended ? 1 : 0);
    const text = this.#prefix(at, line) + this.#text(cells, { at, line });
    return { from: at, to, text, ends: ended || this.lines.source.complete };
  }

  /** The first row at or after this beginning of a row whose line is shown. */
  shown(at: number): number | undefined {
    const { size } = this.lines.source;
    for (let place = at; place < size; place = this.lines.after(place)) {
      const start = this.lines.start(place);
      if (this.#isShown(start)) return place;
    }
    return undefined;
  }

  /** Where the row before the one at `at` begins; undefined at the top. */
  before(at: number): number | undefined {
    for (let place = at; place > 0; ) {
      const start = this.lines.start(place - 1);
      if (this.#isShown(start)) return this.#lastRow(start, place);
      place = start;
    }
    return undefined;
  }

  get width(): number {
    return Math.max(1, this.options.columns - (this.options.numbers ? NUMBER_WIDTH : 0));
  }

  #lastRow(start: number, end: number): number {
    if (this.options.chop) return start;
    for (let at = start; ; ) {
      const { length } = this.#cells(this.lines.bytes(at, Math.min(end, at + ROW_MOST)));
      const next = at + length;
      if (length === 0 || next >= end) return at;
      if (next === end - 1 && this.lines.source.piece(next)[0] === NEWLINE) return at;
      at = next;
    }
  }

  #isShown(start: number): boolean {
    const { squeeze, filter } = this.options;
    if (squeeze && start > 0) {
      const [here, before] = [start, start - 2].map((at) => this.lines.source.piece(at)[0]);
      if (here === NEWLINE && (before === NEWLINE || start === 1)) return false;
    }
    if (filter === undefined) return true;
    const end = Math.min(this.lines.after(start), start + (1 << 20));
    const found = filter.finder.in(this.lines.bytes(start, end)).length > 0;
    return found === (filter.wants === 'match');
  }

  /** What fits into a row, and how many bytes that is. */
  #cells(bytes: Uint8Array): { cells: Cell[]; length: number } {
    const { chop, shift, tab, raw } = this.options;
    const [first, last] = chop ? [shift, shift + this.width] : [0, this.width];
    const cells: Cell[] = [];
    let column = 0;
    let at = 0;
    for (;;) {
      const cell = cellAt(bytes, at, { column, tab, raw });
      if (cell === undefined) break;
      if (column + cell.width > last) {
        if (cell.width < this.width || cells.length > 0) break;
      }
      if (column >= first || cell.width === 0) cells.push(cell);
      else if (column + cell.width > first) cells.push(cutLeft(cell, column + cell.width - first));
      column += cell.width;
      at = cell.to;
    }
    return { cells, length: at };
  }

  #prefix(at: number, line: number): string {
    if (!this.options.numbers) return '';
    return at === line
      ? `\x1b[1m${String(this.lines.number(at)).padStart(NUMBER_WIDTH - 1)}\x1b[m `
      : ' '.repeat(NUMBER_WIDTH);
  }

  #text(cells: readonly Cell[], { at, line }: { at: number; line: number }): string {
    const matches = this.#matches(at, line, cells.at(-1)?.to ?? 0);
    let colour = this.options.raw ? this.#colourBefore(at, line) : '';
    let out = colour;
    let style = '';
    for (const cell of cells) {
      if (cell.width === 0 && cell.text.startsWith('\x1b')) {
        colour = isReset(cell.text) ? '' : colour + cell.text;
        out += cell.text;
        style = '';
        continue;
      }
      const inMatch = matches.some(({ from, to }) => cell.to > from && cell.from < to);
      const wanted = inMatch ? (cell.style === '7' ? '1;7' : '7') : cell.style;
      if (wanted !== style) out += `\x1b[m${colour}${wanted === '' ? '' : `\x1b[${wanted}m`}`;
      style = wanted;
      out += cell.text;
    }
    return style === '' && colour === '' && !out.includes('\x1b') ? out : `${out}\x1b[m`;
  }

  /** In places of the row's bytes. */
  #matches(at: number, line: number, length: number): { from: number; to: number }[] {
    const finder = this.options.highlight;
    if (finder === undefined || length === 0) return [];
    const from = Math.max(line, at - CONTEXT);
    const end = Math.min(this.lines.newline(at) ?? this.lines.source.size, at + length + CONTEXT);
    return finder
      .in(this.lines.bytes(from, end))
      .map((match) => ({ from: match.from + from - at, to: match.to + from - at }));
  }

  /** The colours that the line has set up to here. */
  #colourBefore(at: number, line: number): string {
    const bytes = this.lines.bytes(Math.max(line, at - CONTEXT), at);
    let colour = '';
    for (let i = bytes.indexOf(27); i >= 0; i = bytes.indexOf(27, i + 1)) {
      const sequence = sgrAt(bytes, i);
      colour = isReset(sequence) ? '' : colour + sequence;
    }
    return colour;
  }
}

/** The sequence that takes all colours away. */
const isReset = (sequence: string): boolean => /^\[0*m$/.test(sequence.slice(1));

/** The right part of a cell whose left is not on the screen. */
const cutLeft = (cell: Cell, width: number): Cell => ({
  ...cell,
  text: cell.text.length === cell.width ? cell.text.slice(-width) : ' '.repeat(width),
  width,
});
