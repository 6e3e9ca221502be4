// Command mode: a register, a number, an operator and a motion, or a command of its own. What changed
// the text last is remembered by its keys, and `.` presses them again.

import { firstNonBlank, last, next, previous } from './chars.ts';
import type { Editor } from './editor.ts';
import { exLine } from './ex/line.ts';
import { insertText } from './insert.ts';
import { type Asked, motions } from './motions.ts';
import {
  change,
  join,
  put,
  remove,
  type Stretch,
  shift,
  stretchOf,
  swapCase,
  yank,
} from './operators.ts';
import { visual } from './visual.ts';

/** Commands that change the text, so that `.` repeats them; operators but y belong to them, too. */
const CHANGES = 'acdiopxrsACDIJOPRSXY~<>'.replace('Y', '');

/** Reads one command and does it. */
export function command(vi: Editor): undefined {
  vi.wantedRegister = undefined;
  let key = vi.key();
  let digits = '';
  while (key === '"' || /^[1-9]$/.test(key) || (key === '0' && digits !== '')) {
    if (key === '"') vi.wantedRegister = vi.key();
    else digits = (digits + key).slice(0, 9);
    key = vi.key();
  }
  if (key === 'signal') return;
  if (key === '.') return repeat(vi, digits);
  const before = vi.cursor;
  const asked = { count: Number(digits || 1), counted: digits !== '', operator: '' };
  vi.recorded = [];
  perform(vi, key, asked);
  if (CHANGES.includes(key) && !vi.replaying) {
    vi.lastChange = { key, keys: vi.recorded, ...asked, register: vi.wantedRegister };
  }
  vi.buffer.commit(before);
}

function repeat(vi: Editor, digits: string): undefined {
  const { lastChange } = vi;
  if (lastChange === undefined) return vi.complain('Nothing to repeat');
  const before = vi.cursor;
  const counted = digits !== '' || lastChange.counted;
  const count = Number(digits || lastChange.count);
  vi.wantedRegister = lastChange.register;
  vi.replay(lastChange.keys, () => {
    perform(vi, lastChange.key, { count, counted, operator: '' });
  });
  vi.lastChange = { ...lastChange, count, counted };
  vi.buffer.commit(before);
}

function perform(vi: Editor, key: string, asked: Asked): undefined {
  if ('cdy<>'.includes(key) && key.length === 1) return operate(vi, key, asked);
  const own = Object.hasOwn(commands, key) ? commands[key] : undefined;
  if (own !== undefined) {
    own(vi, asked);
    return;
  }
  const motion = Object.hasOwn(motions, key) ? motions[key] : undefined;
  const to = motion?.(vi, asked);
  if (to === undefined) return vi.refuse();
  vi.moveTo(to.to, to.wanted);
}

/** An operator waits for a motion; pressed twice it takes lines. */
function operate(vi: Editor, operator: string, asked: Asked): undefined {
  let key = vi.key();
  let digits = '';
  while (/^[1-9]$/.test(key) || (key === '0' && digits !== '')) {
    digits += key;
    key = vi.key();
  }
  const count = asked.count * Number(digits || 1);
  const stretch = stretchFor(vi, key, { count, counted: asked.counted || digits !== '', operator });
  if (stretch === undefined) return vi.refuse();
  applyOperator(vi, operator, stretch);
}

export function applyOperator(vi: Editor, operator: string, stretch: Stretch): undefined {
  if (operator === 'd') remove(vi, stretch);
  else if (operator === '<' || operator === '>') shift(vi, stretch, operator);
  else if (operator === 'y') {
    yank(vi, stretch);
    vi.moveTo(stretch.lines ? { ...vi.cursor, line: stretch.from.line } : stretch.from);
  } else {
    change(vi, stretch);
    insertText(vi, { mode: 'insert', count: 1 });
  }
}

function stretchFor(vi: Editor, key: string, asked: Asked): Stretch | undefined {
  const { line } = vi.cursor;
  if (key === asked.operator) {
    const to = line + asked.count - 1;
    if (to >= vi.buffer.lines.length) return undefined;
    return { from: vi.cursor, to: { line: to, column: 0 }, lines: true };
  }
  const motion = Object.hasOwn(motions, key) ? motions[key]?.(vi, asked) : undefined;
  if (motion === undefined) return undefined;
  const stretch = stretchOf(vi, motion);
  return '<>'.includes(asked.operator) ? { ...stretch, lines: true } : stretch;
}

const insert = (vi: Editor, count: number, mode: 'insert' | 'replace' = 'insert'): void =>
  insertText(vi, { mode, count });

/** Part of the cursor's line. */
const inLine = (vi: Editor, from: number, to: number): Stretch => ({
  from: { line: vi.cursor.line, column: from },
  to: { line: vi.cursor.line, column: to },
  lines: false,
});

const wholeLines = (vi: Editor, count: number): Stretch => {
  const to = Math.min(vi.cursor.line + count, vi.buffer.lines.length) - 1;
  return { from: vi.cursor, to: { line: to, column: 0 }, lines: true };
};

const line = (vi: Editor): string => vi.buffer.line(vi.cursor.line);

function ahead(vi: Editor, count: number): number {
  let at = vi.cursor.column;
  for (let i = 0; i < count && at < line(vi).length; i++) at = next(line(vi), at);
  return at;
}

function behind(vi: Editor, count: number): number {
  let at = vi.cursor.column;
  for (let i = 0; i < count && at > 0; i++) at = previous(line(vi), at);
  return at;
}

/** To the end of the line, and of more lines when there is a count. */
const toEnd = (vi: Editor, count: number): Stretch => {
  const to = Math.min(vi.cursor.line + count, vi.buffer.lines.length) - 1;
  return { from: vi.cursor, to: { line: to, column: vi.buffer.line(to).length }, lines: false };
};

function openLine(vi: Editor, at: number, count: number): undefined {
  const indent = vi.options.autoindent ? (/^[ \t]*/.exec(line(vi))?.[0] ?? '') : '';
  vi.buffer.splice(at, 0, [indent]);
  vi.cursor = { line: at, column: indent.length };
  insert(vi, count);
}

function replaceCharacters(vi: Editor, count: number): undefined {
  const char = vi.character();
  const { line: at, column } = vi.cursor;
  const text = line(vi);
  if (char === undefined) return;
  let end = column;
  for (let i = 0; i < count; i++) {
    if (end >= text.length) return vi.refuse();
    end = next(text, end);
  }
  if (char === '\n' || char === '\r') {
    vi.buffer.splice(at, 1, [text.slice(0, column), text.slice(end)]);
    return vi.moveTo({ line: at + 1, column: 0 });
  }
  vi.buffer.set(at, text.slice(0, column) + char.repeat(count) + text.slice(end));
  vi.moveTo({ line: at, column: column + char.length * (count - 1) });
}

function undo(vi: Editor, way: 'undo' | 'redo', count: number): undefined {
  for (let i = 0; i < count; i++) {
    const to = way === 'undo' ? vi.buffer.undo() : vi.buffer.redo();
    if (to === undefined)
      return vi.complain(`Already at the ${way === 'undo' ? 'oldest' : 'newest'} change`);
    vi.moveTo(to);
  }
}

function scrollLine(vi: Editor, by: number): undefined {
  const { view } = vi;
  const top = Math.max(0, Math.min(vi.buffer.lines.length - 1, view.top + by));
  view.top = top;
  const at = Math.max(top, Math.min(view.bottom, vi.cursor.line));
  if (at !== vi.cursor.line) vi.moveTo({ line: at, column: firstNonBlank(vi.buffer.line(at)) });
}

type Command = (vi: Editor, asked: Asked) => void;

const commands: Readonly<Record<string, Command>> = {
  i: (vi, { count }) => insert(vi, count),
  insert: (vi, { count }) => insert(vi, count),
  I: (vi, { count }) => {
    const text = line(vi);
    const column = text.trim() === '' ? text.length : firstNonBlank(text);
    vi.cursor = { ...vi.cursor, column };
    insert(vi, count);
  },
  a: (vi, { count }) => {
    vi.cursor = { ...vi.cursor, column: next(line(vi), vi.cursor.column) };
    insert(vi, count);
  },
  A: (vi, { count }) => {
    vi.cursor = { ...vi.cursor, column: line(vi).length };
    insert(vi, count);
  },
  o: (vi, { count }) => openLine(vi, vi.cursor.line + 1, count),
  O: (vi, { count }) => openLine(vi, vi.cursor.line, count),
  R: (vi, { count }) => insert(vi, count, 'replace'),
  r: (vi, { count }) => replaceCharacters(vi, count),
  x: (vi, { count }) => erase(vi, inLine(vi, vi.cursor.column, ahead(vi, count))),
  delete: (vi, { count }) => erase(vi, inLine(vi, vi.cursor.column, ahead(vi, count))),
  X: (vi, { count }) => erase(vi, inLine(vi, behind(vi, count), vi.cursor.column)),
  D: (vi, { count }) => applyOperator(vi, 'd', toEnd(vi, count)),
  C: (vi, { count }) => applyOperator(vi, 'c', toEnd(vi, count)),
  s: (vi, { count }) => applyOperator(vi, 'c', inLine(vi, vi.cursor.column, ahead(vi, count))),
  S: (vi, { count }) => applyOperator(vi, 'c', wholeLines(vi, count)),
  Y: (vi, { count }) => applyOperator(vi, 'y', wholeLines(vi, count)),
  p: (vi, { count }) => put(vi, 'behind', count),
  P: (vi, { count }) => put(vi, 'before', count),
  J: (vi, { count }) => join(vi, vi.cursor.line, Math.max(2, count)),
  '~': (vi, { count }) => swapCase(vi, count),
  u: (vi, { count }) => undo(vi, 'undo', count),
  '^R': (vi, { count }) => undo(vi, 'redo', count),
  U: (vi) => {
    if (!vi.buffer.restoreLine(vi.cursor.line)) vi.complain('Nothing to restore in this line');
    vi.moveTo({ ...vi.cursor, column: 0 });
  },
  m: (vi) => {
    const name = vi.key();
    if (/^[a-z]$/.test(name)) vi.buffer.marks.set(name, vi.cursor);
    else vi.refuse();
  },
  v: (vi) => visual(vi, 'characters'),
  V: (vi) => visual(vi, 'lines'),
  ':': (vi, { counted, count }) => exLine(vi, counted ? `.,.+${count - 1}` : ''),
  Z: (vi) => {
    if (vi.key() === 'Z') vi.run('x');
    else vi.refuse();
  },
  z: (vi) => {
    const where = vi.key();
    const { line: at } = vi.cursor;
    if (where === '^M' || where === 't' || where === '+') vi.view.place(at, 'top');
    else if (where === '.' || where === 'z') vi.view.place(at, 'middle');
    else if (where === '-' || where === 'b') vi.view.place(at, 'bottom');
    else vi.refuse();
  },
  '^E': (vi, { count }) => scrollLine(vi, count),
  '^Y': (vi, { count }) => scrollLine(vi, -count),
  '&': (vi) => vi.run('s'),
  '^L': (vi) => vi.screen.measure(),
  '^G': (vi) => vi.run('f'),
  '^Z': (vi) => vi.screen.suspend(),
  '^C': (vi) => vi.tell('Type  :q!  and Enter to leave without saving'),
  escape: () => {},
  end: () => {},
};

function erase(vi: Editor, stretch: Stretch): undefined {
  if (stretch.from.column === stretch.to.column) return vi.refuse();
  remove(vi, stretch);
  const text = line(vi);
  if (vi.cursor.column >= text.length) vi.moveTo({ ...vi.cursor, column: last(text) });
}
