// diff -y: both texts beside each other, with a mark between what differs (GNU diffutils, "Side by Side").

import type { Text } from './lines.ts';
import type { Change } from './script.ts';

const TAB = 8;
/** Blank, mark, blank. */
const GUTTER = 3;

export interface SideStyle {
  readonly width: number;
  readonly expandsTabs: boolean;
  /** What is common is shown on both sides, on the left alone, or not at all. */
  readonly common: 'both' | 'left' | 'none';
}

interface Columns {
  readonly half: number;
  readonly second: number;
  readonly expandsTabs: boolean;
}

type Put = (text: string) => void;
interface Line {
  readonly text: string;
  readonly isEnded: boolean;
}

export function printSides(
  pair: { a: Text; b: Text },
  changes: readonly Change[],
  how: { style: SideStyle; put: Put },
): void {
  const { style, put } = how;
  const columns = columnsOf(style);
  const left = (i: number): Line | undefined => lineOf(pair.a, i);
  const right = (i: number): Line | undefined => lineOf(pair.b, i);
  const row = (a: Line | undefined, mark: string, b: Line | undefined): void =>
    put(rowOf({ a, mark, b }, columns));
  let [i, j] = [0, 0];
  const common = (aEnd: number, bEnd: number): void => {
    for (; i < aEnd && j < bEnd; i++, j++) {
      if (style.common === 'both') row(left(i), ' ', right(j));
      if (style.common === 'left') row(left(i), '(', undefined);
    }
    for (; j < bEnd; j++) if (style.common !== 'none') row(undefined, ')', right(j));
    for (; i < aEnd; i++) if (style.common !== 'none') row(left(i), '(', undefined);
  };
  for (const { aStart, aCount, bStart, bCount } of changes) {
    common(aStart, bStart);
    const [aEnd, bEnd] = [aStart + aCount, bStart + bCount];
    for (; i < aEnd && j < bEnd; i++, j++) row(left(i), '|', right(j));
    for (; j < bEnd; j++) row(undefined, '>', right(j));
    for (; i < aEnd; i++) row(left(i), '<', undefined);
  }
  common(pair.a.lines.length, pair.b.lines.length);
}

function lineOf(text: Text, i: number): Line | undefined {
  const line = text.lines[i];
  if (line === undefined) return undefined;
  return { text: line, isEnded: !text.unterminated || i < text.lines.length - 1 };
}

/** The second column begins at a tab stop, where tabs are kept. */
function columnsOf({ width, expandsTabs }: SideStyle): Columns {
  const tab = expandsTabs ? 1 : TAB;
  const both = tab + GUTTER;
  const middle = (width >> 1) + (both >> 1) + (width & both & 1);
  const start = middle - (middle % tab);
  const half = Math.max(0, Math.min(start - GUTTER, width - start));
  return { half, second: half > 0 ? start : width, expandsTabs };
}

function rowOf(
  { a, mark, b }: { a: Line | undefined; mark: string; b: Line | undefined },
  columns: Columns,
): string {
  const { half, second } = columns;
  let { text, at } = a === undefined ? { text: '', at: 0 } : halfOf(a.text, columns);
  if (mark !== ' ') {
    const middle = Math.floor((half + second - 1) / 2);
    // Which of both has no newline at its end shows in how the mark leans.
    const isUneven = mark === '|' && a?.isEnded !== b?.isEnded;
    const lean = a?.isEnded ? '/' : '\\';
    text += blanks(at, middle, columns) + (isUneven ? lean : mark);
    at = middle + 1;
  }
  if (b !== undefined && b.text !== '')
    text += blanks(at, second, columns) + halfOf(b.text, columns).text;
  return a?.isEnded || b?.isEnded ? `${text}\n` : text;
}

/** As much of a line as its half holds, and the column behind it. */
function halfOf(line: string, { half, expandsTabs }: Columns): { text: string; at: number } {
  let text = '';
  let [column, at] = [0, 0];
  for (const c of line) {
    if (c === '\t') {
      const spaces = TAB - (column % TAB);
      const stop = at + spaces;
      if (column === at && expandsTabs) {
        text += ' '.repeat(Math.max(0, Math.min(stop, half) - at));
        at = Math.max(at, Math.min(stop, half));
      } else if (column === at && stop < half) {
        text += c;
        at = stop;
      }
      column += spaces;
    } else if (c < ' ' || c === '\x7f') {
      if (column < half) text += c;
    } else if (column++ < half) {
      text += c;
      at = column;
    }
  }
  return { text, at };
}

function blanks(from: number, to: number, { expandsTabs }: Columns): string {
  let text = '';
  let at = from;
  for (let stop = at + TAB - (at % TAB); !expandsTabs && stop <= to; stop += TAB) {
    text += '\t';
    at = stop;
  }
  return text + ' '.repeat(Math.max(0, to - at));
}
