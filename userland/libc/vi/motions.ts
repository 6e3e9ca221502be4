// Motions (POSIX.1-2024 XCU vi): from the cursor to another place, for moving and for operators.

import { firstNonBlank, kindOf, last, next, type Place, previous } from './chars.ts';
import type { Editor } from './editor.ts';
import { bracketMatch, paragraph } from './regions.ts';

export interface Motion {
  readonly to: Place;
  /** What an operator takes: whole lines, up to the place, or the character there, too. */
  readonly kind: 'line' | 'exclusive' | 'inclusive';
  /** The column that j and k keep to. */
  readonly wanted?: number;
}

export interface Asked {
  /** 1 unless given. */
  readonly count: number;
  readonly counted: boolean;
  /** Waits behind an operator. */
  readonly operator: string;
}

type MotionOf = (vi: Editor, asked: Asked) => Motion | undefined;

const lineMotion = (vi: Editor, line: number): Motion | undefined => {
  if (line < 0 || line >= vi.buffer.lines.length) return undefined;
  return { to: { line, column: firstNonBlank(vi.buffer.line(line)) }, kind: 'line' };
};

const repeated = (
  vi: Editor,
  { count }: Asked,
  step: (at: Place) => Place | undefined,
): Place | undefined => {
  let at: Place = vi.cursor;
  for (let i = 0; i < count; i++) {
    const to = step(at);
    if (to === undefined) return i > 0 ? at : undefined;
    at = to;
  }
  return at;
};

const exclusive = (to: Place | undefined): Motion | undefined =>
  to && { to, kind: 'exclusive' as const };
const inclusive = (to: Place | undefined): Motion | undefined =>
  to && { to, kind: 'inclusive' as const };

function left(vi: Editor, { count }: Asked): Motion | undefined {
  const { line, column } = vi.cursor;
  let at = column;
  for (let i = 0; i < count && at > 0; i++) at = previous(vi.buffer.line(line), at);
  return at === column ? undefined : exclusive({ line, column: at });
}

function right(vi: Editor, { count, operator }: Asked): Motion | undefined {
  const { line, column } = vi.cursor;
  const text = vi.buffer.line(line);
  const end = operator === '' ? last(text) : text.length;
  let at = column;
  for (let i = 0; i < count && at < end; i++) at = next(text, at);
  return at === column ? undefined : exclusive({ line, column: at });
}

function vertical(vi: Editor, by: number): Motion | undefined {
  const line = vi.cursor.line + by;
  if (line < 0 || line >= vi.buffer.lines.length) return undefined;
  const column = vi.view.characterAt(line, vi.wanted);
  return { to: { line, column }, kind: 'line', wanted: vi.wanted };
}

/** The beginning of the next word; an empty line is one. */
function wordForward(vi: Editor, at: Place, size: 'word' | 'WORD'): Place | undefined {
  const { lines } = vi.buffer;
  let { line, column } = at;
  let text = vi.buffer.line(line);
  const kind = kindOf(text, column, size);
  while (column < text.length && kind !== 'blank' && kindOf(text, column, size) === kind) {
    column = next(text, column);
  }
  for (;;) {
    while (column < text.length && kindOf(text, column, size) === 'blank') {
      column = next(text, column);
    }
    if (column < text.length) return { line, column };
    if (line + 1 >= lines.length) {
      const end = { line, column: text.length };
      return at.column >= last(text) && at.line === line ? undefined : end;
    }
    text = vi.buffer.line(++line);
    column = 0;
    if (text === '') return { line, column };
  }
}

function wordEnd(vi: Editor, at: Place, size: 'word' | 'WORD'): Place | undefined {
  let { line } = at;
  let text = vi.buffer.line(line);
  let column = next(text, at.column);
  for (;;) {
    while (column < text.length && kindOf(text, column, size) === 'blank') {
      column = next(text, column);
    }
    if (column < text.length) break;
    if (line + 1 >= vi.buffer.lines.length) return undefined;
    text = vi.buffer.line(++line);
    column = 0;
  }
  const kind = kindOf(text, column, size);
  for (let to = next(text, column); to < text.length && kindOf(text, to, size) === kind; ) {
    column = to;
    to = next(text, column);
  }
  return { line, column };
}

function wordBack(vi: Editor, at: Place, size: 'word' | 'WORD'): Place | undefined {
  let { line, column } = at;
  let text = vi.buffer.line(line);
  for (;;) {
    while (column > 0 && kindOf(text, previous(text, column), size) === 'blank') {
      column = previous(text, column);
    }
    if (column > 0) break;
    if (line === 0) return at.column === 0 && at.line === 0 ? undefined : { line, column };
    text = vi.buffer.line(--line);
    column = text.length;
    if (text === '') return { line, column: 0 };
  }
  const kind = kindOf(text, previous(text, column), size);
  while (column > 0 && kindOf(text, previous(text, column), size) === kind) {
    column = previous(text, column);
  }
  return { line, column };
}

/** `w`; behind an operator it does not go over to the next line. */
function word(vi: Editor, asked: Asked, size: 'word' | 'WORD'): Motion | undefined {
  const { cursor } = vi;
  const text = vi.buffer.line(cursor.line);
  const onWord = kindOf(text, cursor.column, size) !== 'blank' && text !== '';
  if (asked.operator === 'c' && onWord) {
    const back = { line: cursor.line, column: previous(text, cursor.column) };
    const start = cursor.column === 0 ? { line: cursor.line, column: -1 } : back;
    let first = true;
    return inclusive(
      repeated(vi, asked, (at) => {
        const from = first ? wordEndFrom(vi, start, size) : wordEnd(vi, at, size);
        first = false;
        return from;
      }),
    );
  }
  const to = repeated(vi, asked, (at) => wordForward(vi, at, size));
  if (to === undefined) {
    return asked.operator === '' ? undefined : exclusive({ ...cursor, column: text.length });
  }
  if (asked.operator === '' || to.line === cursor.line) {
    return exclusive(asked.operator === '' ? onCharacter(vi, to) : to);
  }
  const before = vi.buffer.line(to.line).slice(0, to.column);
  if (before.trim() !== '') return exclusive(to);
  return exclusive({ line: to.line - 1, column: vi.buffer.line(to.line - 1).length });
}

/** The end of the word that begins behind `at`, which may be before the line's first character. */
const wordEndFrom = (vi: Editor, at: Place, size: 'word' | 'WORD'): Place | undefined => {
  const text = vi.buffer.line(at.line);
  let column = at.column < 0 ? 0 : next(text, at.column);
  const kind = kindOf(text, column, size);
  for (let to = next(text, column); to < text.length && kindOf(text, to, size) === kind; ) {
    column = to;
    to = next(text, column);
  }
  return { line: at.line, column };
};

const onCharacter = (vi: Editor, { line, column }: Place): Place => ({
  line,
  column: Math.min(column, last(vi.buffer.line(line))),
});

/** f t F T: a character of the line. */
function findIn(
  vi: Editor,
  asked: Asked,
  what: { kind: string; char: string },
): Motion | undefined {
  const { line, column } = vi.cursor;
  const text = vi.buffer.line(line);
  const forward = what.kind === 'f' || what.kind === 't';
  let at = column;
  for (let i = 0; i < asked.count; i++) {
    at = forward ? text.indexOf(what.char, next(text, at)) : text.lastIndexOf(what.char, at - 1);
    if (at < 0 || (!forward && at >= column)) return undefined;
  }
  if (what.kind === 't') at = previous(text, at);
  if (what.kind === 'T') at = next(text, at);
  return forward ? inclusive({ line, column: at }) : exclusive({ line, column: at });
}

const find =
  (kind: string): MotionOf =>
  (vi, asked) => {
    const char = vi.character();
    if (char === undefined) return undefined;
    vi.found = { kind, char };
    return findIn(vi, asked, vi.found);
  };

const opposite: Readonly<Record<string, string>> = { f: 'F', F: 'f', t: 'T', T: 't' };

function scrolled(vi: Editor, lines: number): Motion | undefined {
  const count = vi.buffer.lines.length;
  const line = Math.max(0, Math.min(count - 1, vi.cursor.line + lines));
  if (line === vi.cursor.line) return undefined;
  vi.view.top = Math.max(0, Math.min(count - 1, vi.view.top + lines));
  return lineMotion(vi, line);
}

const pageLines = (vi: Editor): number => Math.max(1, vi.view.height - 2);

function toMark(vi: Editor, kind: 'line' | 'exclusive'): Motion | undefined {
  const name = vi.key();
  const mark = vi.buffer.marks.get(name === '`' ? "'" : name);
  if (mark === undefined || mark.line >= vi.buffer.lines.length) {
    vi.complain('Mark not set');
    return undefined;
  }
  vi.noteJump();
  if (kind === 'line') return lineMotion(vi, mark.line);
  return exclusive(onCharacter(vi, mark));
}

const jumped = (vi: Editor, motion: Motion | undefined): Motion | undefined => {
  if (motion !== undefined) vi.noteJump();
  return motion;
};

const down: MotionOf = (vi, { count }) => vertical(vi, count);
const up: MotionOf = (vi, { count }) => vertical(vi, -count);

export const motions: Readonly<Record<string, MotionOf>> = {
  ...{ h: left, left, '^H': left, '^?': left, l: right, ' ': right, right },
  ...{ j: down, down, '^N': down, '^J': down, k: up, up, '^P': up },
  '+': (vi, { count }) => lineMotion(vi, vi.cursor.line + count),
  '^M': (vi, { count }) => lineMotion(vi, vi.cursor.line + count),
  '-': (vi, { count }) => lineMotion(vi, vi.cursor.line - count),
  _: (vi, { count }) => lineMotion(vi, vi.cursor.line + count - 1),
  '0': (vi) => exclusive({ line: vi.cursor.line, column: 0 }),
  home: (vi) => exclusive({ line: vi.cursor.line, column: 0 }),
  '^': (vi) => exclusive({ ...vi.cursor, column: firstNonBlank(vi.buffer.line(vi.cursor.line)) }),
  $: (vi, { count }) => endOfLine(vi, vi.cursor.line + count - 1),
  'end-key': (vi, { count }) => endOfLine(vi, vi.cursor.line + count - 1),
  '|': (vi, { count }) =>
    exclusive({ ...vi.cursor, column: vi.view.characterAt(vi.cursor.line, count - 1) }),
  w: (vi, asked) => word(vi, asked, 'word'),
  W: (vi, asked) => word(vi, asked, 'WORD'),
  e: (vi, asked) => inclusive(repeated(vi, asked, (at) => wordEnd(vi, at, 'word'))),
  E: (vi, asked) => inclusive(repeated(vi, asked, (at) => wordEnd(vi, at, 'WORD'))),
  b: (vi, asked) => exclusive(repeated(vi, asked, (at) => wordBack(vi, at, 'word'))),
  B: (vi, asked) => exclusive(repeated(vi, asked, (at) => wordBack(vi, at, 'WORD'))),
  ...{ f: find('f'), F: find('F'), t: find('t'), T: find('T') },
  ';': (vi, asked) => vi.found && findIn(vi, asked, vi.found),
  ',': (vi, asked) =>
    vi.found && findIn(vi, asked, { ...vi.found, kind: opposite[vi.found.kind] ?? 'f' }),
  G: (vi, { count, counted }) =>
    jumped(vi, lineMotion(vi, counted ? count - 1 : vi.buffer.lines.length - 1)),
  g: (vi, { count }) => (vi.key() === 'g' ? jumped(vi, lineMotion(vi, count - 1)) : undefined),
  H: (vi, { count }) => lineMotion(vi, Math.min(vi.view.bottom, vi.view.top + count - 1)),
  L: (vi, { count }) => lineMotion(vi, Math.max(vi.view.top, vi.view.bottom - count + 1)),
  M: (vi) => lineMotion(vi, Math.floor((vi.view.top + vi.view.bottom) / 2)),
  '%': (vi) => jumped(vi, inclusive(bracketMatch(vi.buffer, vi.cursor))),
  '{': (vi, asked) =>
    jumped(vi, exclusive(repeated(vi, asked, (at) => paragraph(vi.buffer, at, -1)))),
  '}': (vi, asked) =>
    jumped(vi, exclusive(repeated(vi, asked, (at) => paragraph(vi.buffer, at, 1)))),
  '^F': (vi, { count }) => scrolled(vi, count * pageLines(vi)),
  '^B': (vi, { count }) => scrolled(vi, -count * pageLines(vi)),
  'page-down': (vi, { count }) => scrolled(vi, count * pageLines(vi)),
  'page-up': (vi, { count }) => scrolled(vi, -count * pageLines(vi)),
  '^D': (vi, { count, counted }) => scrolled(vi, counted ? count : Math.ceil(vi.view.height / 2)),
  '^U': (vi, { count, counted }) =>
    scrolled(vi, -(counted ? count : Math.ceil(vi.view.height / 2))),
  "'": (vi) => toMark(vi, 'line'),
  '`': (vi) => toMark(vi, 'exclusive'),
  '/': (vi, asked) => exclusive(repeatedSearch(vi, asked, vi.askPattern('forward'))),
  '?': (vi, asked) => exclusive(repeatedSearch(vi, asked, vi.askPattern('backward'))),
  n: (vi, asked) => exclusive(repeatedSearch(vi, asked, vi.searchWay)),
  N: (vi, asked) =>
    exclusive(
      repeatedSearch(
        vi,
        asked,
        vi.searchWay === 'forward' ? 'backward' : vi.searchWay && 'forward',
      ),
    ),
  '*': (vi, asked) => {
    const text = vi.buffer.line(vi.cursor.line);
    const found = [...text.matchAll(/[\p{L}\p{N}_]+/gu)].find(
      (match) => match.index + match[0].length > vi.cursor.column,
    );
    if (found === undefined || !vi.setPattern(`\\<${found[0]}\\>`)) return undefined;
    vi.searchWay = 'forward';
    return exclusive(repeatedSearch(vi, asked, 'forward'));
  },
};

function endOfLine(vi: Editor, line: number): Motion | undefined {
  if (line >= vi.buffer.lines.length) return undefined;
  const column = last(vi.buffer.line(line));
  return { to: { line, column }, kind: 'inclusive', wanted: Number.MAX_SAFE_INTEGER };
}

function repeatedSearch(
  vi: Editor,
  asked: Asked,
  way: 'forward' | 'backward' | undefined,
): Place | undefined {
  if (way === undefined) return undefined;
  const to = repeated(vi, asked, (at) => vi.search(at, way));
  if (to === undefined) vi.complain('Pattern not found');
  else vi.noteJump();
  return to;
}
