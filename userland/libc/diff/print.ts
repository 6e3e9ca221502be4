// The forms in which diff writes changes: normal, unified, context, an ed script, RCS
// (POSIX.1-2024 XCU diff, "STDOUT").

import type { Text } from './lines.ts';
import type { Change } from './script.ts';
import { printSides, type SideStyle } from './sides.ts';

export type Style = 'normal' | 'unified' | 'context' | 'ed' | 'forward' | 'rcs' | 'sides';

export interface Shape {
  readonly style: Style;
  readonly context: number;
  /** Heads of hunks name the function that they are in (-p). */
  readonly functions: boolean;
  readonly sides: SideStyle;
}

interface Pair {
  readonly a: Text;
  readonly b: Text;
}

type Put = (text: string) => void;

export function printChanges(
  pair: Pair,
  changes: readonly Change[],
  to: Shape & { put: Put },
): void {
  const { style, context, put } = to;
  switch (style) {
    case 'normal':
      for (const change of changes) normal(pair, change, put);
      return;
    case 'ed':
      for (const change of changes.toReversed()) edScript(pair, change, put);
      return;
    case 'sides':
      printSides(pair, changes, { style: to.sides, put });
      return;
    case 'forward':
    case 'rcs':
      for (const change of changes) (style === 'rcs' ? rcs : forward)(pair, change, put);
      return;
    case 'unified':
    case 'context': {
      const [old, fresh] = style === 'unified' ? ['---', '+++'] : ['***', '---'];
      put(`${old} ${heading(pair.a)}\n${fresh} ${heading(pair.b)}\n`);
      for (const hunk of hunksOf(changes, context)) {
        (style === 'unified' ? unifiedHunk : contextHunk)(
          pair,
          { hunk, context, functions: to.functions },
          put,
        );
      }
    }
  }
}

const heading = ({ name, stamp }: Text): string => (stamp === '' ? name : `${name}\t${stamp}`);

function putLine(put: Put, mark: string, from: { text: Text; index: number }): void {
  const { text, index } = from;
  put(`${mark}${text.lines[index] ?? ''}\n`);
  if (text.unterminated && index === text.lines.length - 1) put('\\ No newline at end of file\n');
}

/** `3`, or `3,5`: the lines from `start` on, counted from 1; of none the line before. */
const range = (start: number, count: number): string =>
  count <= 1 ? String(count === 0 ? start : start + 1) : `${start + 1},${start + count}`;

const letterOf = (change: Change): string =>
  change.aCount === 0 ? 'a' : change.bCount === 0 ? 'd' : 'c';

function normal({ a, b }: Pair, change: Change, put: Put): void {
  const { aStart, aCount, bStart, bCount } = change;
  put(`${range(aStart, aCount)}${letterOf(change)}${range(bStart, bCount)}\n`);
  for (let i = 0; i < aCount; i++) putLine(put, '< ', { text: a, index: aStart + i });
  if (aCount > 0 && bCount > 0) put('---\n');
  for (let i = 0; i < bCount; i++) putLine(put, '> ', { text: b, index: bStart + i });
}

/** A line that is a dot alone would end the text: it is written as two and cut afterwards. */
function edScript({ b }: Pair, change: Change, put: Put): void {
  const { aStart, aCount, bStart, bCount } = change;
  put(`${range(aStart, aCount)}${letterOf(change)}\n`);
  if (bCount === 0) return;
  let open = true;
  for (const line of b.lines.slice(bStart, bStart + bCount)) {
    if (!open) put('a\n');
    open = line !== '.';
    put(open ? `${line}\n` : '..\n.\ns/.//\n');
  }
  if (open) put('.\n');
}

function forward({ b }: Pair, change: Change, put: Put): void {
  const { aStart, aCount, bStart, bCount } = change;
  put(`${letterOf(change)}${range(aStart, aCount).replace(',', ' ')}\n`);
  if (bCount === 0) return;
  for (const line of b.lines.slice(bStart, bStart + bCount)) put(`${line}\n`);
  put('.\n');
}

function rcs({ b }: Pair, change: Change, put: Put): void {
  const { aStart, aCount, bStart, bCount } = change;
  if (aCount > 0) put(`d${aStart + 1} ${aCount}\n`);
  if (bCount === 0) return;
  put(`a${aStart + aCount} ${bCount}\n`);
  for (let i = bStart; i < bStart + bCount; i++) {
    const last = b.unterminated && i === b.lines.length - 1;
    put(`${b.lines[i]}${last ? '' : '\n'}`);
  }
}

/** Changes whose context would touch stand together. */
function hunksOf(changes: readonly Change[], context: number): Change[][] {
  const hunks: Change[][] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const change of changes) {
    const hunk = hunks.at(-1);
    if (hunk && change.aStart - end <= 2 * context) hunk.push(change);
    else hunks.push([change]);
    end = change.aStart + change.aCount;
  }
  return hunks;
}

interface Hunk {
  readonly hunk: readonly Change[];
  readonly context: number;
  readonly functions: boolean;
}

/** The last line above that begins with a letter, `_` or `$`: where a function of C begins. */
function functionAbove({ a }: Pair, start: number, { functions }: Hunk): string {
  for (let i = start - 1; functions && i >= 0; i--) {
    const line = a.lines[i] ?? '';
    if (/^[A-Za-z$_]/.test(line)) return ` ${line.slice(0, 40).trimEnd()}`;
  }
  return '';
}

/** The lines of both texts that a hunk spans, its context included. */
function spanOf({ a, b }: Pair, { hunk, context }: Hunk) {
  const [first, last] = [hunk[0] as Change, hunk.at(-1) as Change];
  const before = Math.min(context, first.aStart);
  const lastEnd = last.aStart + last.aCount;
  const after = Math.min(context, a.lines.length - lastEnd);
  const bEnd = last.bStart + last.bCount + after;
  return {
    a: { start: first.aStart - before, count: lastEnd + after - first.aStart + before },
    b: {
      start: first.bStart - before,
      count: Math.min(bEnd, b.lines.length) - first.bStart + before,
    },
  };
}

/** `3,7`: start and count; a count of 1 is left out, of 0 the line before is named. */
const unifiedRange = (start: number, count: number): string =>
  count === 1 ? `${start + 1}` : `${count === 0 ? start : start + 1},${count}`;

function unifiedHunk(pair: Pair, from: Hunk, put: Put): void {
  const span = spanOf(pair, from);
  const { a, b } = span;
  put(
    `@@ -${unifiedRange(a.start, a.count)} +${unifiedRange(b.start, b.count)} @@${functionAbove(pair, a.start, from)}\n`,
  );
  let at = a.start;
  const common = (to: number): void => {
    for (; at < to; at++) putLine(put, ' ', { text: pair.a, index: at });
  };
  for (const { aStart, aCount, bStart, bCount } of from.hunk) {
    common(aStart);
    for (; at < aStart + aCount; at++) putLine(put, '-', { text: pair.a, index: at });
    for (let i = 0; i < bCount; i++) putLine(put, '+', { text: pair.b, index: bStart + i });
  }
  common(a.start + a.count);
}

/** `3,7`: first and last line. */
const contextRange = (start: number, count: number): string =>
  count <= 1 ? String(start + count) : `${start + 1},${start + count}`;

function contextHunk(pair: Pair, from: Hunk, put: Put): void {
  const span = spanOf(pair, from);
  put(`***************${functionAbove(pair, span.a.start, from)}\n`);
  put(`*** ${contextRange(span.a.start, span.a.count)} ****\n`);
  const sides = [
    { text: pair.a, span: span.a, start: 'aStart', count: 'aCount', mark: '- ' },
    { text: pair.b, span: span.b, start: 'bStart', count: 'bCount', mark: '+ ' },
  ] as const;
  for (const side of sides) {
    if (side.text === pair.b) put(`--- ${contextRange(span.b.start, span.b.count)} ----\n`);
    if (from.hunk.every((change) => change[side.count] === 0)) continue;
    const marks = new Map<number, string>();
    for (const change of from.hunk) {
      const mark = change.aCount > 0 && change.bCount > 0 ? '! ' : side.mark;
      for (let i = 0; i < change[side.count]; i++) marks.set(change[side.start] + i, mark);
    }
    for (let i = side.span.start; i < side.span.start + side.span.count; i++)
      putLine(put, marks.get(i) ?? '  ', { text: side.text, index: i });
  }
}
