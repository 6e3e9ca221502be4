// The two files of a comparison as lines, and which of those count as equal (diff -i -b -w -E -Z -B).

import { toLatin1 } from '../text/latin1.ts';
import { type Change, editScript } from './script.ts';

export interface Text {
  readonly name: string;
  /** What the head of a unified or context diff shows behind the name. */
  readonly stamp: string;
  readonly lines: readonly string[];
  /** The last line has no newline. */
  readonly unterminated: boolean;
}

export interface Equality {
  readonly ignoreCase: boolean;
  /** Blanks: all count, amounts do not, none do, those at the end do not, a tab is its blanks. */
  readonly blanks: 'count' | 'amount' | 'none' | 'end' | 'tabs';
  readonly ignoreEmpty: boolean;
  readonly stripCr: boolean;
  /** That the last line has no newline counts. */
  readonly countsEnd: boolean;
}

export function textOf(from: { name: string; stamp: string; bytes: Uint8Array }): Text {
  const { name, stamp, bytes } = from;
  const lines = toLatin1(bytes).split('\n');
  const unterminated = lines.at(-1) !== '';
  if (!unterminated) lines.pop();
  return { name, stamp, lines, unterminated };
}

/** The changes between two texts; those of empty lines alone are left out where they do not count. */
export function compareTexts(a: Text, b: Text, how: Equality): Change[] {
  const ids = new Map<string, number>();
  const number = (text: Text): Int32Array =>
    Int32Array.from(text.lines, (line, i) => {
      const last = i === text.lines.length - 1 && text.unterminated;
      const key = keyOf(line, how) + (last && how.blanks === 'count' && how.countsEnd ? '\n' : '');
      const known = ids.get(key) ?? ids.size;
      ids.set(key, known);
      return known;
    });
  const changes = editScript(number(a), number(b));
  if (!how.ignoreEmpty) return changes;
  const empty = (text: Text, start: number, count: number): boolean =>
    text.lines.slice(start, start + count).every((line) => keyOf(line, how) === '');
  return changes.filter((c) => !(empty(a, c.aStart, c.aCount) && empty(b, c.bStart, c.bCount)));
}

function keyOf(line: string, how: Equality): string {
  let key = how.stripCr ? line.replace(/\r$/, '') : line;
  if (how.blanks === 'none') key = key.replace(/[ \t\r\v\f]+/g, '');
  if (how.blanks === 'amount') key = key.replace(/[ \t\r\v\f]+$/, '').replace(/[ \t\r\v\f]+/g, ' ');
  if (how.blanks === 'end') key = key.replace(/[ \t\r\v\f]+$/, '');
  if (how.blanks === 'tabs') key = expandTabs(key);
  return how.ignoreCase ? key.toLowerCase() : key;
}

function expandTabs(line: string): string {
  let out = '';
  for (const c of line) out += c === '\t' ? ' '.repeat(8 - (out.length % 8)) : c;
  return out;
}
