// What is done to a stretch of text: delete, change, yank, shift. A stretch is whole lines, or from one
// place up to another; what is taken away or yanked goes to a register.

import { firstNonBlank, indentOf, last, next, type Place } from './chars.ts';
import type { Editor } from './editor.ts';
import type { Motion } from './motions.ts';

export interface Stretch {
  readonly from: Place;
  /** Behind its last character; a line's column does not matter when it is of whole lines. */
  readonly to: Place;
  readonly lines: boolean;
}

export interface Register {
  readonly text: readonly string[];
  readonly lines: boolean;
}

const before = (a: Place, b: Place): boolean =>
  a.line < b.line || (a.line === b.line && a.column < b.column);

/** What an operator takes with this motion from the cursor. */
export function stretchOf(vi: Editor, motion: Motion): Stretch {
  const [from, end] = before(motion.to, vi.cursor)
    ? [motion.to, vi.cursor]
    : [vi.cursor, motion.to];
  if (motion.kind === 'line') return { from, to: end, lines: true };
  if (motion.kind === 'inclusive') {
    return {
      from,
      to: { ...end, column: next(vi.buffer.line(end.line), end.column) },
      lines: false,
    };
  }
  // Up to the beginning of a line is up to the end of the one before; from a line's beginning, all of it.
  if (end.line > from.line && end.column === 0) {
    const to = { line: end.line - 1, column: vi.buffer.line(end.line - 1).length };
    const whole = from.column <= firstNonBlank(vi.buffer.line(from.line)) && from.line < end.line;
    const blank = vi.buffer.line(from.line).slice(0, from.column).trim() === '';
    return { from, to, lines: whole && blank };
  }
  return { from, to: end, lines: false };
}

export function yank(vi: Editor, stretch: Stretch): undefined {
  vi.keep(contents(vi, stretch), 'yank');
}

function contents({ buffer }: Editor, { from, to, lines }: Stretch): Register {
  const text = buffer.lines.slice(from.line, to.line + 1);
  if (lines) return { text, lines };
  const end = text.length - 1;
  text[end] = (text[end] ?? '').slice(0, to.column);
  text[0] = (text[0] ?? '').slice(from.column);
  return { text, lines };
}

export function remove(vi: Editor, stretch: Stretch): undefined {
  const { buffer } = vi;
  const { from, to } = stretch;
  vi.keep(contents(vi, stretch), 'delete');
  if (stretch.lines) {
    buffer.splice(from.line, to.line - from.line + 1, []);
    const line = Math.min(from.line, buffer.lines.length - 1);
    vi.moveTo({ line, column: firstNonBlank(buffer.line(line)) });
    return;
  }
  const joined =
    buffer.line(from.line).slice(0, from.column) + buffer.line(to.line).slice(to.column);
  buffer.splice(from.line, to.line - from.line + 1, [joined]);
  vi.cursor = from;
}

/** Takes the stretch away; what is inserted next stands in its place. */
export function change(vi: Editor, stretch: Stretch): undefined {
  const { from, to } = stretch;
  if (!stretch.lines) return remove(vi, stretch);
  vi.keep(contents(vi, stretch), 'delete');
  const indent = vi.options.autoindent ? indentOf(vi.buffer.line(from.line)) : '';
  vi.buffer.splice(from.line, to.line - from.line + 1, [indent]);
  vi.cursor = { line: from.line, column: indent.length };
}

export function shift(vi: Editor, { from, to }: Stretch, way: '<' | '>'): undefined {
  const { shiftwidth } = vi.options;
  for (let line = from.line; line <= to.line; line++) {
    const text = vi.buffer.line(line);
    if (text === '') continue;
    const indent = indentOf(text);
    const column = { line, column: indent.length };
    const width = Math.max(0, vi.view.columnOf(column) + (way === '>' ? shiftwidth : -shiftwidth));
    vi.buffer.set(line, indentation(vi, width) + text.slice(indent.length));
  }
  vi.moveTo({ line: from.line, column: firstNonBlank(vi.buffer.line(from.line)) });
}

function indentation({ options }: Editor, width: number): string {
  if (options.expandtab) return ' '.repeat(width);
  const tabs = Math.floor(width / options.tabstop);
  return '\t'.repeat(tabs) + ' '.repeat(width % options.tabstop);
}

/** Puts a register's text behind the cursor, or before it. */
export function put(vi: Editor, where: 'behind' | 'before', count: number): undefined {
  const register = vi.register();
  if (register === undefined) return vi.complain('Nothing in this register');
  const { buffer, cursor } = vi;
  const many = Array.from({ length: Math.min(count, 1000) }, () => register.text);
  if (register.lines) {
    const at = where === 'behind' ? cursor.line + 1 : cursor.line;
    buffer.splice(at, 0, many.flat());
    vi.moveTo({ line: at, column: firstNonBlank(buffer.line(at)) });
    return;
  }
  const line = buffer.line(cursor.line);
  const at = where === 'behind' && line !== '' ? next(line, cursor.column) : cursor.column;
  const inserted = many
    .map((text) => text.join('\n'))
    .join('')
    .split('\n');
  const [first = '', ...rest] = inserted;
  if (rest.length === 0) {
    buffer.set(cursor.line, line.slice(0, at) + first + line.slice(at));
    vi.moveTo({ line: cursor.line, column: Math.max(0, at + last(first)) });
    return;
  }
  const lines = [line.slice(0, at) + first, ...rest];
  lines[lines.length - 1] += line.slice(at);
  buffer.splice(cursor.line, 1, lines);
  vi.moveTo({ line: cursor.line, column: at });
}

/** J: lines become one, a blank between them unless there is one or `)` follows. */
export function join(vi: Editor, from: number, count: number): undefined {
  const { buffer } = vi;
  const most = Math.min(count, buffer.lines.length - from);
  let text = buffer.line(from);
  let column = last(text);
  for (let i = 1; i < most; i++) {
    const more = buffer.line(from + i).replace(/^[ \t]+/, '');
    column = text.length;
    const blank = more === '' || text === '' || /[ \t]$/.test(text) || more.startsWith(')');
    text += (blank ? '' : ' ') + more;
  }
  if (most < 2) return vi.complain('No line follows');
  buffer.splice(from, most, [text]);
  vi.moveTo({ line: from, column });
}

/** ~: the other case, character by character. */
export function swapCase(vi: Editor, count: number): undefined {
  const { line, column } = vi.cursor;
  const text = vi.buffer.line(line);
  let at = column;
  for (let i = 0; i < count && at < text.length; i++) at = next(text, at);
  const swapped = [...text.slice(column, at)]
    .map((char) => (char === char.toLowerCase() ? char.toUpperCase() : char.toLowerCase()))
    .join('');
  vi.buffer.set(line, text.slice(0, column) + swapped + text.slice(at));
  vi.moveTo({ line, column: column + swapped.length });
}
