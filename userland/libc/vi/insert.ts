// Insert and replace mode: keys go into the text until ESC. The cursor stands between characters here.

import { indentOf, next, previous } from './chars.ts';
import type { Editor } from './editor.ts';

export interface Insert {
  readonly mode: 'insert' | 'replace';
  /** What was typed is there so many times. */
  readonly count: number;
}

/** Reads keys until ESC; the cursor ends on the last character that was typed. */
export function insertText(vi: Editor, { mode, count }: Insert): undefined {
  const typed: string[] = [];
  const typing = new Typing(vi, mode);
  vi.mode = mode;
  for (;;) {
    const key = vi.key();
    if (key === 'escape' || key === '^C' || key === 'end') break;
    typed.push(key);
    typing.press(key);
  }
  for (let i = 1; i < count; i++) for (const key of typed) typing.press(key);
  vi.mode = 'normal';
  typing.done();
}

class Typing {
  readonly #vi: Editor;
  readonly #mode: Insert['mode'];
  /** Where typing began in its line: erasing goes no further back. */
  #start: number;
  /** The characters that were typed over, for erasing in replace mode. */
  #replaced: string[] = [];
  #literal = false;

  constructor(vi: Editor, mode: Insert['mode']) {
    this.#vi = vi;
    this.#mode = mode;
    this.#start = vi.cursor.column;
  }

  press(key: string): undefined {
    if (this.#literal) {
      this.#literal = false;
      this.#text(asTyped(key));
    } else if ([...key].length === 1) this.#text(key);
    else this.#control(key);
  }

  /** Leaves the mode: indentation that nothing follows goes, the cursor steps back. */
  done(): undefined {
    const { line, column } = this.#vi.cursor;
    const text = this.#vi.buffer.line(line);
    if (this.#vi.options.autoindent && text.trim() === '' && column === text.length) {
      this.#vi.buffer.set(line, '');
      this.#vi.moveTo({ line, column: 0 });
    } else this.#vi.moveTo({ line, column: column > 0 ? previous(text, column) : 0 });
  }

  #control(key: string): undefined {
    switch (key) {
      case '^M':
      case '^J':
        return this.#newline();
      case '^I':
        return this.#text(this.#vi.options.expandtab ? this.#blanks() : '\t');
      case '^H':
      case '^?':
        return this.#erase(1);
      case '^W':
        return this.#eraseWord();
      case '^U':
        return this.#erase(Number.POSITIVE_INFINITY);
      case '^V':
      case '^Q':
        this.#literal = true;
        return;
      case '^T':
        return this.#indent(this.#vi.options.shiftwidth);
      case '^D':
        return this.#indent(-this.#vi.options.shiftwidth);
      default:
        if (!this.#move(key)) this.#vi.screen.bell();
    }
  }

  #text(text: string): undefined {
    const { line, column } = this.#vi.cursor;
    const before = this.#vi.buffer.line(line);
    const over = this.#mode === 'replace' && column < before.length;
    const behind = over ? next(before, column) : column;
    if (this.#mode === 'replace') this.#replaced.push(before.slice(column, behind));
    this.#vi.buffer.set(line, before.slice(0, column) + text + before.slice(behind));
    this.#vi.cursor = { line, column: column + text.length };
  }

  #newline(): undefined {
    const { line, column } = this.#vi.cursor;
    const text = this.#vi.buffer.line(line);
    const ai = this.#vi.options.autoindent;
    const indent = ai ? indentOf(text).slice(0, column) : '';
    const rest = ai ? text.slice(column).replace(/^[ \t]+/, '') : text.slice(column);
    const head = ai && text.slice(0, column).trim() === '' ? '' : text.slice(0, column);
    this.#vi.buffer.splice(line, 1, [head, indent + rest]);
    this.#vi.cursor = { line: line + 1, column: indent.length };
    this.#begin();
  }

  #blanks(): string {
    const { tabstop } = this.#vi.options;
    return ' '.repeat(tabstop - (this.#vi.view.columnOf(this.#vi.cursor) % tabstop));
  }

  /** Takes back what was typed; at the beginning of a line it becomes one with the line before. */
  #erase(count: number): undefined {
    const { buffer } = this.#vi;
    const { line, column } = this.#vi.cursor;
    if (column === 0 && line > 0 && count === 1 && this.#mode === 'insert') {
      const before = buffer.line(line - 1);
      buffer.splice(line - 1, 2, [before + buffer.line(line)]);
      this.#vi.cursor = { line: line - 1, column: before.length };
      this.#begin(0);
      return;
    }
    const least = count === 1 && this.#mode === 'insert' ? 0 : this.#start;
    for (let i = 0; i < count && this.#vi.cursor.column > least; i++) this.#eraseOne();
  }

  #eraseOne(): undefined {
    const { line, column } = this.#vi.cursor;
    const text = this.#vi.buffer.line(line);
    const to = previous(text, column);
    const old = this.#mode === 'replace' ? (this.#replaced.pop() ?? '') : '';
    this.#vi.buffer.set(line, text.slice(0, to) + old + text.slice(column));
    this.#vi.cursor = { line, column: to };
  }

  #eraseWord(): undefined {
    const before = this.#vi.buffer.line(this.#vi.cursor.line).slice(0, this.#vi.cursor.column);
    const kept = /^(.*?)(?:[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]+)?\s*$/su.exec(before)?.[1] ?? '';
    while (this.#vi.cursor.column > Math.max(kept.length, 0)) this.#eraseOne();
  }

  #indent(by: number): undefined {
    const { line, column } = this.#vi.cursor;
    const text = this.#vi.buffer.line(line);
    const indent = indentOf(text);
    const width = this.#vi.view.columnOf({ line, column: indent.length });
    const step = Math.abs(by);
    const to =
      by > 0 ? (Math.floor(width / step) + 1) * step : Math.floor((width - 1) / step) * step;
    const blanks = ' '.repeat(Math.max(0, to));
    this.#vi.buffer.set(line, blanks + text.slice(indent.length));
    this.#vi.cursor = { line, column: Math.max(0, column + blanks.length - indent.length) };
  }

  /** Arrows, Home and End; text typed behind them is begun anew. */
  #move(key: string): boolean {
    const { buffer, view } = this.#vi;
    const { line, column } = this.#vi.cursor;
    const text = buffer.line(line);
    const other = (to: number): { line: number; column: number } => {
      const at = Math.max(0, Math.min(buffer.lines.length - 1, to));
      return {
        line: at,
        column: Math.min(
          view.characterAt(at, view.columnOf(this.#vi.cursor)),
          buffer.line(at).length,
        ),
      };
    };
    if (key === 'left') this.#vi.cursor = { line, column: column > 0 ? previous(text, column) : 0 };
    else if (key === 'right') this.#vi.cursor = { line, column: next(text, column) };
    else if (key === 'up') this.#vi.cursor = other(line - 1);
    else if (key === 'down') this.#vi.cursor = other(line + 1);
    else if (key === 'home') this.#vi.cursor = { line, column: 0 };
    else if (key === 'end-key') this.#vi.cursor = { line, column: text.length };
    else if (key === 'delete')
      buffer.set(line, text.slice(0, column) + text.slice(next(text, column)));
    else return false;
    this.#begin();
    return true;
  }

  #begin(start = this.#vi.cursor.column): undefined {
    this.#start = start;
    this.#replaced = [];
  }
}

/** A key that stands for itself (^V). */
export function asTyped(key: string): string {
  if (key === 'escape') return '\x1b';
  return /^\^.$/.test(key) ? String.fromCharCode(key.charCodeAt(1) ^ 0x40) : key;
}
