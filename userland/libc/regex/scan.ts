// The search of grep through one file: blocks of whole lines are searched at once; lines are looked at
// one by one only where they are printed, counted or needed as context.

import type { Input, Output } from '../stdio.ts';
import { fromLatin1, toLatin1 } from '../text/latin1.ts';
import type { Match, Regex } from './regex.ts';

export interface ScanStyle {
  readonly invert: boolean;
  readonly numbers: boolean;
  readonly offsets: boolean;
  readonly names: boolean;
  /** What ends a name in place of `:` or `-`, when not empty. */
  readonly nameEnd: string;
  /** Names, numbers and matches in their colours. */
  readonly colours: boolean;
  /** The text begins at a tab stop. */
  readonly tab: boolean;
  /** Between groups of context; undefined = nothing. */
  readonly groupEnd: string | undefined;
  readonly only: boolean;
  readonly before: number;
  readonly after: number;
  readonly contextAsked: boolean;
  readonly limit: number;
  /** Lines are counted, not shown. */
  readonly silent: boolean;
  readonly stopAtFirst: boolean;
  readonly delimiter: 0 | 10;
  readonly binary: 'binary' | 'text' | 'skip';
  /** Told of a binary file that has selected lines, which are not shown. */
  readonly onBinary: (label: string) => void;
}

interface Line {
  readonly text: string;
  readonly number: number;
  readonly offset: number;
}

export class Scan {
  readonly #out: Output;
  readonly #regex: Regex | undefined;
  readonly #style: ScanStyle;
  readonly #delimiter: string;
  #label = '';
  #width = 0; // of numbers, at least
  #count = 0;
  #number = 0; // of the last line seen
  #offset = 0; // of the block
  #held: Line[] = []; // context before
  #owed = 0; // lines of context after that are still to print
  #lastShown = 0;
  #anyShown = false;
  #binary = false;

  constructor(out: Output, regex: Regex | undefined, style: ScanStyle) {
    this.#out = out;
    this.#regex = regex;
    this.#style = style;
    this.#delimiter = String.fromCharCode(style.delimiter);
  }

  /** Prints what is selected; returns how many lines were. `most`: bytes that the file may have. */
  file(input: Input, { label, most }: { label: string; most: bigint }): number {
    this.#label = label;
    this.#width = this.#style.tab ? String(most + (this.#style.numbers ? 1n : 0n)).length : 0;
    this.#count = 0;
    this.#number = 0;
    this.#offset = 0;
    this.#held = [];
    this.#owed = 0;
    this.#lastShown = -1;
    this.#binary = false;
    if (this.#style.limit === 0) return 0;
    const { delimiter } = this.#style;
    for (let block = input.lines(delimiter); block !== undefined; block = input.lines(delimiter)) {
      const looksBinary = delimiter === 10 && this.#style.binary !== 'text' && block.includes(0);
      if (looksBinary && this.#style.binary === 'skip') return 0;
      if (looksBinary) this.#binary = true;
      const text = toLatin1(block);
      this.#block(input.terminated ? text : text + this.#delimiter);
      this.#offset += block.length;
      if (this.#done()) break;
    }
    if (this.#binary && this.#count > 0 && !this.#style.silent) this.#style.onBinary(label);
    return this.#count;
  }

  /** Nothing that follows can change what is printed. */
  #done(): boolean {
    if (this.#count === 0) return false;
    if (this.#style.stopAtFirst || (this.#binary && !this.#style.silent)) return true;
    return this.#count >= this.#style.limit && this.#owed === 0;
  }

  #block(text: string): void {
    const { delimiter } = this.#style;
    // Newlines inside a line are ordinary bytes with -z: those lines are searched one by one.
    if (delimiter === 0) this.#lines(text, 0, text.length);
    else this.#search(text);
  }

  #search(text: string): void {
    let at = 0;
    while (at < text.length && !this.#done()) {
      const match = this.#regex?.find(text, at);
      const hit = match !== undefined && match.start < text.length;
      const start = hit ? text.lastIndexOf('\n', match.start - 1) + 1 : text.length;
      const from = match?.start === 0 ? 0 : start;
      if (from > at) this.#unmatched(text, at, from);
      if (!hit || this.#done()) return;
      const end = text.indexOf('\n', match.start);
      this.#line(text.slice(from, end), { at: from, matched: true });
      at = end + 1;
    }
  }

  /** Lines without a match. */
  #unmatched(text: string, from: number, to: number): void {
    const { invert, before, numbers } = this.#style;
    if (invert || before > 0 || this.#owed > 0 || this.#style.contextAsked) {
      let at = from;
      while (at < to && !this.#done()) {
        const end = text.indexOf('\n', at);
        this.#line(text.slice(at, end), { at, matched: false });
        at = end + 1;
      }
    } else if (numbers)
      for (let at = text.indexOf('\n', from); at >= 0 && at < to; at = text.indexOf('\n', at + 1))
        this.#number++;
  }

  #lines(text: string, from: number, to: number): void {
    let at = from;
    while (at < to && !this.#done()) {
      const end = text.indexOf(this.#delimiter, at);
      const line = text.slice(at, end);
      this.#line(line, { at, matched: this.#regex?.find(line, 0) !== undefined });
      at = end + 1;
    }
  }

  #line(text: string, where: { at: number; matched: boolean }): void {
    const line = { text, number: ++this.#number, offset: this.#offset + where.at };
    const over = this.#count >= this.#style.limit;
    if (where.matched !== this.#style.invert && !over) {
      this.#count++;
      if (this.#style.silent || this.#binary) return;
      for (const earlier of this.#held) this.#show(earlier, '-');
      this.#held = [];
      if (this.#style.only) this.#showMatches(line);
      else this.#show(line, ':');
      this.#owed = this.#style.after;
    } else if (this.#owed > 0) {
      this.#owed--;
      if (!this.#binary) this.#show(line, '-');
    } else if (this.#style.before > 0) {
      this.#held.push(line);
      if (this.#held.length > this.#style.before) this.#held.shift();
    }
  }

  #show(line: Line, mark: ':' | '-'): void {
    const gap = this.#anyShown && this.#lastShown !== line.number - 1;
    const { groupEnd, contextAsked } = this.#style;
    if (gap && contextAsked && groupEnd !== undefined)
      this.#out.text(`${this.#coloured(groupEnd, MARK_COLOUR)}\n`);
    this.#anyShown = true;
    this.#lastShown = line.number;
    this.#head(line, mark, line.offset);
    const shows = this.#style.colours && (mark === ':') !== this.#style.invert;
    this.#out.latin1((shows ? this.#marked(line.text) : line.text) + this.#delimiter);
  }

  #coloured(text: string, colour: string): string {
    return this.#style.colours ? coloured(text, colour) : text;
  }

  /** The line with what matches in its colour. */
  #marked(text: string): string {
    let out = '';
    let done = 0;
    for (const { start, end } of this.#matches(text)) {
      out += text.slice(done, start) + coloured(text.slice(start, end), MATCH_COLOUR);
      done = end;
    }
    return out + text.slice(done);
  }

  #head(line: Line, mark: ':' | '-', offset: number): void {
    const { names, nameEnd, numbers, offsets, tab } = this.#style;
    const end = this.#coloured(mark, MARK_COLOUR);
    let head = '';
    if (names) head += this.#coloured(this.#label, NAME_COLOUR) + (nameEnd || end);
    const put = (value: number): string =>
      this.#coloured(String(value).padStart(this.#width), NUMBER_COLOUR) + end;
    if (numbers) head += put(line.number);
    if (offsets) head += put(offset);
    this.#out.text(tab && head !== '' && line.text !== '' ? `${head}\t` : head);
  }

  /** -o: each part that matches, on a line of its own. */
  #showMatches(line: Line): void {
    if (this.#style.invert) return;
    for (const { start, end } of this.#matches(line.text)) {
      this.#head(line, ':', line.offset + start);
      const part = line.text.slice(start, end);
      this.#out.write(fromLatin1(this.#coloured(part, MATCH_COLOUR) + this.#delimiter));
    }
  }

  /** The parts that match, empty ones passed over. */
  *#matches(text: string): Generator<Match> {
    for (let at = 0; at <= text.length; ) {
      const match = this.#regex?.longest(text, at);
      if (match === undefined) return;
      if (match.end > match.start) yield match;
      at = match.end === match.start ? match.end + 1 : match.end;
    }
  }
}

const NAME_COLOUR = '35';
const NUMBER_COLOUR = '32';
const MARK_COLOUR = '36';
const MATCH_COLOUR = '01;31';

/** SGR, and the rest of the row cleared, as terminals that fill rows with colours want it. */
const coloured = (text: string, colour: string): string =>
  `\x1b[${colour}m\x1b[K${text}\x1b[m\x1b[K`;

export const colouredName = (label: string): string => coloured(label, NAME_COLOUR);
export const colouredMark = (mark: string): string => coloured(mark, MARK_COLOUR);
