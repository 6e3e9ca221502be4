// Searching the lines of a source, forward and back, many lines at a time. What overstriking and colours
// put between the characters of a line is not seen.

import { Regex } from '../regex/regex.ts';
import { toLatin1 } from '../text/latin1.ts';
import { sgrAt } from './cells.ts';
import type { Lines } from './lines.ts';

export interface Span {
  readonly from: number;
  readonly to: number;
}

const BACKSPACE = 8;
const ESC = 27;
const NEWLINE = 10;
/** Bytes that are searched at once. */
const STRETCH = 1 << 18;

export class Finder {
  readonly #regex: Regex;

  /** Throws PatternError. */
  constructor(pattern: string, caseOf: 'exact' | 'ignore') {
    const options = { dialect: 'extended', utf8: true, ignoreCase: caseOf === 'ignore' } as const;
    this.#regex = new Regex([pattern], options);
  }

  /** All matches in bytes that may be many lines, none of them empty. */
  in(bytes: Uint8Array): Span[] {
    const { text, places } = plain(bytes);
    const found: Span[] = [];
    for (let at = 0; at <= text.length; ) {
      const match = this.#regex.longest(text, at);
      if (match === undefined) break;
      const [from, to] = places
        ? [places[match.start] ?? 0, places[match.end] ?? bytes.length]
        : [match.start, match.end];
      if (match.end > match.start) found.push({ from, to });
      at = Math.max(match.end, at + 1, match.start + 1);
    }
    return found;
  }

  /** The beginning of the first line at or after the line at `from` that has a match, or has none. */
  forward(lines: Lines, from: number, wants: 'match' | 'none' = 'match'): number | undefined {
    for (let at = from; at < lines.source.size; ) {
      const end = stretchEnd(lines, at);
      const found = this.#linesIn(lines, { from: at, to: end }, wants);
      if (found[0] !== undefined) return found[0];
      at = end;
    }
    return undefined;
  }

  /** The last such line that begins before `before`. */
  backward(lines: Lines, before: number, wants: 'match' | 'none' = 'match'): number | undefined {
    for (let end = before; end > 0; ) {
      const from = lines.start(Math.max(0, end - STRETCH));
      const found = this.#linesIn(lines, { from, to: end }, wants).at(-1);
      if (found !== undefined) return found;
      end = Math.min(from, end - 1);
      lines.number(0); // looks whether Ctrl-C was pressed
    }
    return undefined;
  }

  #linesIn(lines: Lines, { from, to }: Span, wants: 'match' | 'none'): number[] {
    const bytes = lines.bytes(from, to);
    if (wants === 'match' && !this.#test(bytes)) return [];
    const found: number[] = [];
    for (let at = 0; at < bytes.length; ) {
      const newline = bytes.indexOf(NEWLINE, at);
      const end = newline < 0 ? bytes.length : newline;
      if (this.#test(bytes.subarray(at, end)) === (wants === 'match')) found.push(from + at);
      at = end + 1;
    }
    return found;
  }

  #test(bytes: Uint8Array): boolean {
    return this.#regex.find(plain(bytes).text, 0) !== undefined;
  }
}

/** Behind the last line that begins in the next stretch. */
function stretchEnd(lines: Lines, at: number): number {
  const end = at + STRETCH;
  if (end >= lines.source.size) return lines.source.size;
  const start = lines.start(end);
  return start > at ? start : lines.after(end);
}

/** The text as it is seen; `places` tells where each of its characters comes from, if not from there. */
function plain(bytes: Uint8Array): { text: string; places?: number[] } {
  if (!bytes.includes(BACKSPACE) && !bytes.includes(ESC)) return { text: toLatin1(bytes) };
  const places: number[] = [];
  let text = '';
  for (let at = 0; at < bytes.length; at++) {
    const sequence = sgrAt(bytes, at);
    if (sequence !== '') {
      at += sequence.length - 1;
    } else if (bytes[at] === BACKSPACE && places.length > 0) {
      places.pop();
      text = text.slice(0, -1);
    } else {
      places.push(at);
      text += String.fromCharCode(bytes[at] ?? 0);
    }
  }
  return { text, places };
}
