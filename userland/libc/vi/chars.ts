// Characters of a line as a cursor steps over them: a mark stays with its base. Columns are places in
// the string; how wide they are on a screen depends on tabs.

import { charWidth, clusterWidth, shown } from '../tty/width.ts';

export interface Place {
  readonly line: number;
  readonly column: number;
}

const isPlain = (code: number): boolean => code < 0x300;

/** The place behind the character at `column`; the end of the line stays where it is. */
export function next(line: string, column: number): number {
  if (column >= line.length) return line.length;
  let at = column + width16(line, column);
  while (at < line.length && isMark(line, at)) at += width16(line, at);
  return at;
}

/** The place of the character before `column`. */
export function previous(line: string, column: number): number {
  let at = column;
  do {
    at -= at >= 2 && isPair(line, at - 2) ? 2 : 1;
  } while (at > 0 && isMark(line, at));
  return Math.max(0, at);
}

export const last = (line: string): number => (line === '' ? 0 : previous(line, line.length));

const isPair = (line: string, at: number): boolean => (line.codePointAt(at) ?? 0) > 0xffff;
const width16 = (line: string, at: number): number => (isPair(line, at) ? 2 : 1);

function isMark(line: string, at: number): boolean {
  const code = line.codePointAt(at) ?? 0;
  return !isPlain(code) && charWidth(String.fromCodePoint(code)) === 0;
}

/** Columns of the screen that the character at `column` takes when it begins in column `from`. */
export function widthAt(text: string, { from, tab }: { from: number; tab: number }): number {
  return text === '\t' && tab > 0 ? tab - (from % tab) : clusterWidth(text);
}

/** A character as it is shown; a tab of 0 columns is ^I. */
export const shownAs = (text: string, options: { from: number; tab: number }): string =>
  text === '\t' && options.tab > 0 ? ' '.repeat(widthAt(text, options)) : shown(text);

export type Kind = 'blank' | 'word' | 'other';

const word = /[\p{L}\p{N}_]/u;

/** What kind of word a character belongs to; in bigger words all that is no blank is alike. */
export function kindOf(line: string, column: number, size: 'word' | 'WORD'): Kind {
  const code = line.codePointAt(column);
  if (code === undefined || code === 0x20 || code === 9) return 'blank';
  if (size === 'WORD') return 'word';
  return word.test(String.fromCodePoint(code)) ? 'word' : 'other';
}

export const firstNonBlank = (line: string): number => {
  const at = line.search(/[^ \t]/);
  return at < 0 ? last(line) : at;
};

export const indentOf = (line: string): string => /^[ \t]*/.exec(line)?.[0] ?? '';
