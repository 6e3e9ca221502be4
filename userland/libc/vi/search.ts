// Searching in lines of text: patterns work on bytes, places are those of the strings.

import { decodeText, encodeText } from '../../../kernel/abi/text.ts';
import { Regex } from '../regex/regex.ts';
import { fromLatin1, toLatin1 } from '../text/latin1.ts';
import type { Place } from './chars.ts';

export interface Found {
  readonly start: number;
  readonly end: number;
  readonly groups: readonly (string | undefined)[];
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant.
const ascii = /^[\x00-\x7f]*$/;

export class Pattern {
  readonly #regex: Regex;

  /** Throws PatternError. */
  constructor(text: string, caseOf: 'exact' | 'ignore') {
    const bytes = toLatin1(encodeText(text));
    const options = { dialect: 'basic', whole: true, utf8: true } as const;
    this.#regex = new Regex([bytes], { ...options, ignoreCase: caseOf === 'ignore' });
  }

  /** The first match that begins at or behind `from`. */
  in(line: string, from: number): Found | undefined {
    if (ascii.test(line)) return this.#regex.longest(line, from);
    const bytes = toLatin1(encodeText(line));
    const match = this.#regex.longest(bytes, encodeText(line.slice(0, from)).length);
    if (match === undefined) return undefined;
    const text = (latin1: string): string => decodeText(fromLatin1(latin1));
    const start = text(bytes.slice(0, match.start)).length;
    const end = start + text(bytes.slice(match.start, match.end)).length;
    return { start, end, groups: match.groups.map((group) => group && text(group)) };
  }
}

/** The next match behind a place, around the end of the text. */
export function findForward(
  lines: readonly string[],
  pattern: Pattern,
  from: Place,
): Place | undefined {
  const behind = pattern.in(lines[from.line] ?? '', from.column + 1);
  const rest = (lines[from.line] ?? '').length;
  if (behind !== undefined && (behind.start < rest || rest === 0)) {
    if (behind.start > from.column) return { line: from.line, column: behind.start };
  }
  for (let i = 1; i <= lines.length; i++) {
    const line = (from.line + i) % lines.length;
    const match = pattern.in(lines[line] ?? '', 0);
    if (match !== undefined) return { line, column: match.start };
  }
  return undefined;
}

export function findBackward(
  lines: readonly string[],
  pattern: Pattern,
  from: Place,
): Place | undefined {
  for (let i = 0; i <= lines.length; i++) {
    const line = (from.line - i + lines.length) % lines.length;
    const text = lines[line] ?? '';
    let found: number | undefined;
    for (let match = pattern.in(text, 0); match !== undefined; ) {
      if (i === 0 && match.start >= from.column) break;
      found = match.start;
      if (match.start >= text.length) break;
      match = pattern.in(text, match.start + 1);
    }
    if (found !== undefined) return { line, column: found };
  }
  return undefined;
}
