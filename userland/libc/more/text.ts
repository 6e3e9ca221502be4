// The file that more shows: rows from a place on, and the places of rows, lines and matches.

import { EINTR, PosixError } from '../../../kernel/abi/errno.ts';
import { Lines } from '../less/lines.ts';
import { type Row, Rows } from '../less/rows.ts';
import type { Finder } from '../less/search.ts';
import type { Source } from '../less/source.ts';

export interface TextOptions {
  readonly columns: number;
  readonly squeeze: boolean;
  /** Called now and then while much is read; may throw Interrupt. */
  readonly check: () => void;
}

export class Text {
  readonly source: Source;
  readonly lines: Lines;
  readonly #rows: Rows;

  constructor(source: Source, { columns, squeeze, check }: TextOptions) {
    this.source = source;
    this.lines = new Lines(source, check);
    this.#rows = new Rows(this.lines, {
      ...{ columns, squeeze, tab: 8, raw: true, chop: false, numbers: false, shift: 0 },
      ...{ highlight: undefined, filter: undefined },
    });
  }

  /** The next row that is shown, the rest of its line read where it comes by a pipe. */
  row(at: number): Row | undefined {
    for (;;) {
      const place = this.#rows.shown(at);
      const row = place === undefined ? undefined : this.#rows.row(place);
      if (row?.ends || (row !== undefined && row.to < this.source.size)) return row;
      if (!this.#pull()) return row;
    }
  }

  atEnd(at: number): boolean {
    return this.row(at) === undefined;
  }

  /** So many rows back. */
  back(at: number, rows: number): number {
    let place = at;
    for (let i = 0; i < rows; i++) place = this.#rows.before(place) ?? 0;
    return place;
  }

  /** So many lines on. */
  after(at: number, lines: number): number {
    let place = at;
    for (let i = 0; i < lines && !this.atEnd(place); i++) {
      while (this.lines.newline(place) === undefined && this.#pull());
      place = this.lines.after(place);
    }
    return place;
  }

  /** Where the line of this number begins; the last line when there are fewer. */
  line(number: number): number {
    let place = this.lines.place(number);
    while (place === undefined && this.#pull()) place = this.lines.place(number);
    return place ?? this.lines.start(Math.max(0, this.source.size - 1));
  }

  /** The last so many rows. */
  last(rows: number): number {
    while (this.#pull());
    return this.back(this.source.size, rows);
  }

  /** The line with the match that is so many matches on. */
  find(finder: Finder, from: number, count: number): number | undefined {
    let place: number | undefined = from;
    for (let i = 0; i < count && place !== undefined; i++)
      place = this.#next(finder, i === 0 ? place : this.lines.after(place));
    return place;
  }

  findBack(finder: Finder, before: number, count: number): number | undefined {
    let place: number | undefined = before;
    for (let i = 0; i < count && place !== undefined; i++)
      place = finder.backward(this.lines, this.lines.start(place));
    return place;
  }

  #next(finder: Finder, from: number): number | undefined {
    for (let start = from; ; ) {
      const found = finder.forward(this.lines, start);
      if (found !== undefined) return found;
      start = Math.max(from, this.lines.start(this.source.size));
      if (!this.#pull()) return undefined;
    }
  }

  /** Reads on; false at the end. */
  #pull(): boolean {
    if (this.source.complete) return false;
    try {
      this.source.pull();
    } catch (error) {
      if (!(error instanceof PosixError) || error.errno !== EINTR) throw error;
    }
    this.lines.number(0); // looks whether Ctrl-C was pressed
    return true;
  }
}
