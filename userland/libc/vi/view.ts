// What the screen shows of a text: lines from `top` on, long ones on as many rows as they take, `~` behind
// the end and `@` where a line does not fit any more; the last row is for messages and commands.

import type { Buffer } from './buffer.ts';
import { next, type Place, shownAs, widthAt } from './chars.ts';

export interface ViewOptions {
  readonly tabstop: number;
  readonly number: boolean;
  readonly list: boolean;
}

interface Size {
  readonly rows: number;
  readonly columns: number;
}

export interface Painted {
  readonly rows: string[];
  readonly cursor: { row: number; column: number };
}

const NUMBER_WIDTH = 8;

export class View {
  /** The first line on the screen. */
  top = 0;
  readonly #buffer: Buffer;
  #size: Size = { rows: 24, columns: 80 };
  #options: ViewOptions = { tabstop: 8, number: false, list: false };

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  /** Rows for text. */
  get height(): number {
    return Math.max(1, this.#size.rows - 1);
  }

  configure(size: Size, options: ViewOptions): undefined {
    this.#size = size;
    this.#options = options;
  }

  /** The rows and the cursor; moves the text so far that the cursor is seen. `status` is the last row. */
  paint(cursor: Place, status: string, marked: (place: Place) => boolean): Painted {
    this.#follow(cursor);
    const rows: string[] = [];
    let at = { row: 0, column: 0 };
    let line = this.top;
    for (; line < this.#buffer.lines.length && rows.length < this.height; line++) {
      const room = this.height - rows.length;
      const laid = this.#lay(line, { cursor, marked, most: line === cursor.line ? 1e6 : room + 1 });
      const skip = line === cursor.line ? Math.max(0, laid.cursor.row - this.height + 1) : 0;
      if (line === cursor.line) {
        at = { row: rows.length + laid.cursor.row - skip, column: laid.cursor.column };
      }
      if (laid.rows.length > room && line !== this.top) break;
      rows.push(...laid.rows.slice(skip, skip + room));
    }
    const filler = line < this.#buffer.lines.length ? '@' : '~';
    while (rows.length < this.height) rows.push(filler);
    return { rows: [...rows, status], cursor: at };
  }

  /** The last line that is wholly on the screen. */
  get bottom(): number {
    let rows = 0;
    for (let line = this.top; line < this.#buffer.lines.length; line++) {
      rows += this.#height(line);
      if (rows > this.height) return Math.max(this.top, line - 1);
    }
    return this.#buffer.lines.length - 1;
  }

  /** Puts a line at the top, in the middle or at the bottom. */
  place(line: number, where: 'top' | 'middle' | 'bottom'): undefined {
    const above = { top: 0, middle: Math.floor(this.height / 2), bottom: this.height - 1 }[where];
    this.top = this.#back(line, above);
  }

  /** The screen column of a place, for j and k. */
  columnOf({ line, column }: Place): number {
    const text = this.#buffer.line(line);
    let width = 0;
    for (let i = 0; i < column && i < text.length; i = next(text, i)) {
      width += this.#width(text.slice(i, next(text, i)), width);
    }
    return width;
  }

  /** The character of a line that is on this screen column, the last one if it is shorter. */
  characterAt(line: number, wanted: number): number {
    const text = this.#buffer.line(line);
    let width = 0;
    for (let i = 0; i < text.length; i = next(text, i)) {
      width += this.#width(text.slice(i, next(text, i)), width);
      if (width > wanted || next(text, i) >= text.length) return i;
    }
    return 0;
  }

  #width(text: string, from: number): number {
    return widthAt(text, { from, tab: this.#options.list ? 0 : this.#options.tabstop });
  }

  #follow(cursor: Place): undefined {
    const far = Math.floor(this.height / 2);
    if (cursor.line < this.top) {
      if (this.top - cursor.line > far) this.place(cursor.line, 'middle');
      else this.top = cursor.line;
    } else if (cursor.line > this.bottom) {
      if (cursor.line - this.bottom > far) this.place(cursor.line, 'middle');
      else this.top = this.#back(cursor.line, this.height - this.#height(cursor.line));
    }
  }

  /** The line that begins at most so many rows above another. */
  #back(line: number, rows: number): number {
    let [at, left] = [line, rows];
    while (at > 0 && this.#height(at - 1) <= left) left -= this.#height(--at);
    return at;
  }

  /** Rows that a line takes; beyond a screen the number does not matter. */
  #height(line: number): number {
    const { length } = this.#buffer.line(line);
    if (length === 0) return 1;
    const nowhere = { line: -1, column: 0 };
    const laid = this.#lay(line, { cursor: nowhere, marked: () => false, most: this.height + 1 });
    return laid.rows.length;
  }

  #lay(
    line: number,
    how: { cursor: Place; marked: (place: Place) => boolean; most: number },
  ): { rows: string[]; cursor: { row: number; column: number } } {
    const text = this.#buffer.line(line);
    const { number, list, tabstop } = this.#options;
    const tab = list ? 0 : tabstop;
    const prefix = number ? NUMBER_WIDTH : 0;
    const room = Math.max(2, this.#size.columns - prefix);
    const rows = [number ? `${String(line + 1).padStart(NUMBER_WIDTH - 2)}  ` : ''];
    let cursor = { row: 0, column: prefix };
    let [width, used] = [0, 0];
    for (let i = 0; i <= text.length && rows.length <= how.most; i = next(text, i) || i + 1) {
      const character = text.slice(i, next(text, i)) || (list ? '$' : '');
      let shown = shownAs(character, { from: width, tab });
      const wide = character === '' ? 0 : this.#width(character, width);
      if (used + wide > room) {
        rows.push(' '.repeat(prefix));
        used = 0;
      }
      if (line === how.cursor.line && i === how.cursor.column) {
        const end = character === '\t' && !list && how.cursor.column < text.length;
        const at = used + (end ? wide - 1 : 0);
        cursor = { row: rows.length - 1 + Math.floor(at / room), column: prefix + (at % room) };
      }
      if (how.marked({ line, column: i })) shown = `\x1b[7m${shown || ' '}\x1b[m`;
      rows[rows.length - 1] += shown;
      width += wide;
      used += wide;
      if (i >= text.length) break;
    }
    if (cursor.row >= rows.length) rows.push('');
    return { rows, cursor };
  }
}
