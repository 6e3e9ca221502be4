// What a pager's screen shows of one source: a first row, and what follows it. Moving means finding
// another first row; the rows below are laid out when the screen is painted.

import type { Lines } from './lines.ts';
import type { Row, Rows } from './rows.ts';

export class View {
  readonly rows: Rows;
  readonly lines: Lines;
  /** Where the first row begins. */
  top = 0;
  height: number;
  /** Waits until there is more of the source than `at`; false when there is not, or nobody wants to wait. */
  readonly #wants: (at: number) => boolean;

  constructor(rows: Rows, options: { height: number; wants: (at: number) => boolean }) {
    this.rows = rows;
    this.lines = rows.lines;
    this.height = options.height;
    this.#wants = options.wants;
  }

  /** The rows of the screen, fewer at the end. */
  page(): Row[] {
    const out: Row[] = [];
    for (let at: number | undefined = this.top; out.length < this.height; ) {
      const row = this.#row(at);
      if (row === undefined) break;
      out.push(row);
      at = row.to;
    }
    return out;
  }

  /** Whether nothing follows what the screen shows. */
  get atEnd(): boolean {
    const last = this.page().at(-1);
    const next = last?.to ?? this.top;
    return this.lines.source.complete && this.rows.shown(next) === undefined;
  }

  /** Moves down by so many rows, not beyond the last screen. */
  down(count: number): 'moved' | 'end' {
    let moved: 'moved' | 'end' = 'end';
    const page = this.page();
    let next: number | undefined = page.at(-1)?.to;
    if (page.length < this.height) return this.#wants(this.lines.source.size) ? 'moved' : 'end';
    for (let i = 0; i < count && next !== undefined; i++) {
      const row = this.#row(next);
      const first = page.shift();
      if (row === undefined || first === undefined) break;
      page.push(row);
      next = row.to;
      this.top = page[0]?.from ?? this.top;
      moved = 'moved';
    }
    return moved;
  }

  up(count: number): 'moved' | 'end' {
    let moved: 'moved' | 'end' = 'end';
    for (let i = 0; i < count; i++) {
      const at = this.rows.before(this.top);
      if (at === undefined) break;
      this.top = at;
      moved = 'moved';
    }
    return moved;
  }

  /** The last screen. */
  toEnd(): void {
    while (this.#wants(this.lines.source.size));
    this.top = this.lines.source.size;
    this.up(this.height);
  }

  /** The line at this place becomes the first row, with no less than a full screen where there is one. */
  toLine(at: number): void {
    this.top = this.rows.shown(this.lines.start(at)) ?? this.top;
    const missing = this.height - this.page().length;
    if (missing > 0 && this.lines.source.complete) this.up(missing);
  }

  /** The line at this place becomes the first row, whatever follows. */
  show(at: number): void {
    this.top = at;
  }

  /** The first row is where a row of this width begins; the line that was seen is seen still. */
  relaid(): void {
    const start = this.lines.start(this.top);
    let at = start;
    for (let row = this.rows.row(at); row !== undefined && row.to <= this.top; ) {
      at = row.to;
      row = this.rows.row(at);
    }
    this.top = at;
  }

  /** The next row that is shown, a part of it that is known while the rest is not. */
  #row(at: number): Row | undefined {
    for (;;) {
      const place = this.rows.shown(at);
      const row = place === undefined ? undefined : this.rows.row(place);
      if (row?.ends || (row !== undefined && row.to - row.from > 0 && this.#isFull(row)))
        return row;
      if (!this.#wants(this.lines.source.size)) return row;
    }
  }

  /** A row that ends before its line does. */
  #isFull(row: Row): boolean {
    return row.to < this.lines.source.size;
  }
}
