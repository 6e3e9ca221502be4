// Visual mode (not of POSIX): what lies between its beginning and the cursor is shown, and taken by the
// next operator.

import { firstNonBlank, next, type Place } from './chars.ts';
import type { Editor } from './editor.ts';
import { exLine } from './ex/line.ts';
import { motions } from './motions.ts';
import { applyOperator } from './normal.ts';
import { join, put, remove, type Stretch } from './operators.ts';

export type Visual = 'characters' | 'lines';

export function visual(vi: Editor, first: Visual): undefined {
  const start = vi.cursor;
  let kind = first;
  for (;;) {
    const stretch = between(vi, start, kind);
    vi.selection = stretch;
    let key = vi.key();
    let digits = '';
    while (/^[1-9]$/.test(key) || (key === '0' && digits !== '')) {
      digits += key;
      key = vi.key();
    }
    if (key === 'signal') continue;
    if (key === 'v' || key === 'V') {
      const wanted = key === 'v' ? 'characters' : 'lines';
      if (wanted === kind) break;
      kind = wanted;
      continue;
    }
    const asked = { count: Number(digits || 1), counted: digits !== '', operator: '' };
    const motion = Object.hasOwn(motions, key) ? motions[key]?.(vi, asked) : undefined;
    if (motion !== undefined) {
      vi.moveTo(motion.to, motion.wanted);
      continue;
    }
    vi.selection = undefined;
    if (Object.hasOwn(motions, key)) vi.refuse();
    else {
      operate(vi, key, stretch);
      break;
    }
  }
  vi.selection = undefined;
}

function between(vi: Editor, start: Place, kind: Visual): Stretch {
  const { cursor } = vi;
  const later =
    cursor.line > start.line || (cursor.line === start.line && cursor.column >= start.column);
  const [from, end] = later ? [start, cursor] : [cursor, start];
  if (kind === 'lines') return { from, to: end, lines: true };
  const column = next(vi.buffer.line(end.line), end.column);
  return { from, to: { line: end.line, column }, lines: false };
}

function operate(vi: Editor, key: string, stretch: Stretch): undefined {
  const whole = { ...stretch, lines: true };
  const { from, to } = stretch;
  if (key === 'd' || key === 'x' || key === 'delete') applyOperator(vi, 'd', stretch);
  else if (key === 'D' || key === 'X') applyOperator(vi, 'd', whole);
  else if (key === 'c' || key === 's') applyOperator(vi, 'c', stretch);
  else if (key === 'C' || key === 'S') applyOperator(vi, 'c', whole);
  else if (key === 'y') applyOperator(vi, 'y', stretch);
  else if (key === 'Y') applyOperator(vi, 'y', whole);
  else if (key === '<' || key === '>') applyOperator(vi, key, whole);
  else if (key === 'J') join(vi, from.line, Math.max(2, to.line - from.line + 1));
  else if (key === ':') exLine(vi, `${from.line + 1},${to.line + 1}`);
  else if (key === '~') swap(vi, stretch);
  else if (key === 'p') {
    const register = vi.register();
    remove(vi, stretch);
    if (register !== undefined) vi.keep(register, 'yank');
    put(vi, 'before', 1);
  } else if (key !== 'escape' && key !== '^C') vi.refuse();
}

function swap(vi: Editor, { from, to, lines }: Stretch): undefined {
  for (let line = from.line; line <= to.line; line++) {
    const text = vi.buffer.line(line);
    const start = !lines && line === from.line ? from.column : 0;
    const end = !lines && line === to.line ? to.column : text.length;
    const swapped = [...text.slice(start, end)].map((char) =>
      char === char.toLowerCase() ? char.toUpperCase() : char.toLowerCase(),
    );
    vi.buffer.set(line, text.slice(0, start) + swapped.join('') + text.slice(end));
  }
  vi.moveTo(lines ? { line: from.line, column: firstNonBlank(vi.buffer.line(from.line)) } : from);
}
