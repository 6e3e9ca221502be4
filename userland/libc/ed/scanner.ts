// A command line of ed as it is read: what is left of it, its addresses, patterns and suffixes.
// POSIX.1-2024 ed, "Addresses in ed".

import { Regex } from '../regex/regex.ts';
import { PatternError } from '../regex/syntax.ts';
import type { Buffer } from './buffer.ts';

/** What ed answers with `?`; the message is for h and H. */
export class EdError {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

export const refuse = (message: string): never => {
  throw new EdError(message);
};

export class Scanner {
  #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  peek(): string {
    return this.#text[this.#at] ?? '';
  }

  take(): string {
    return this.#text[this.#at++] ?? '';
  }

  rest(): string {
    const rest = this.#text.slice(this.#at);
    this.#at = this.#text.length;
    return rest;
  }

  /** The line goes on with `text`. */
  append(text: string): void {
    this.#text += text;
  }

  skipBlanks(): void {
    while (/^[ \t\v\f\r]$/.test(this.peek())) this.#at++;
  }

  digits(): string {
    const found = /^\d+/.exec(this.#text.slice(this.#at, this.#at + 20))?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  /** Up to the delimiter, which is taken, or to the end; brackets and backslashes are respected. */
  pattern(delimiter: string): { text: string; closed: boolean } {
    let text = '';
    while (this.#at < this.#text.length) {
      const c = this.take();
      if (c === delimiter) return { text, closed: true };
      if (c === '\\') {
        const next = this.take();
        text += next === delimiter ? next : c + next;
      } else if (c === '[') text += c + this.#bracket();
      else text += c;
    }
    return { text, closed: false };
  }

  #bracket(): string {
    const found = /^\^?\]?(?:\[[:.=](?:(?![:.=]\])[^\n])*[:.=]\]|[^\]\n])*\]/.exec(
      this.#text.slice(this.#at),
    );
    if (found === null) return refuse('Unbalanced brackets ([])');
    this.#at += found[0].length;
    return found[0];
  }

  /** The replacement of s, its escapes kept; an escaped newline is part of it. */
  replacement(delimiter: string): { text: string; closed: boolean } {
    let text = '';
    while (this.#at < this.#text.length) {
      const c = this.take();
      if (c === delimiter) return { text, closed: true };
      text += c === '\\' ? c + this.take() : c;
    }
    return { text, closed: false };
  }
}

/** The pattern that an empty one stands for. */
export class Patterns {
  last: Regex | undefined;
  readonly #dialect: 'basic' | 'extended';

  constructor(dialect: 'basic' | 'extended') {
    this.#dialect = dialect;
  }

  compile(source: string, ignoreCase: boolean): Regex {
    if (source === '') return this.last ?? refuse('No previous pattern');
    try {
      this.last = new Regex([source], { dialect: this.#dialect, whole: true, ignoreCase });
      return this.last;
    } catch (error) {
      if (error instanceof PatternError) return refuse(error.message);
      throw error;
    }
  }
}

export interface Range {
  readonly first: number;
  readonly last: number;
  /** How many addresses were given: 0, 1 or 2. */
  readonly given: number;
}

/** Any number of addresses; the last two count. */
export function readRange(scanner: Scanner, buffer: Buffer, patterns: Patterns): Range {
  let first = buffer.current;
  let last = buffer.current;
  let given = 0;
  scanner.skipBlanks();
  let address = readAddress(scanner, buffer, patterns);
  if (address !== undefined) {
    first = address;
    last = address;
    given = 1;
  }
  for (;;) {
    scanner.skipBlanks();
    const separator = scanner.peek();
    if (separator !== ',' && separator !== ';' && separator !== '%') break;
    if (separator === '%' && given > 0) break;
    scanner.take();
    if (separator === ';' && given > 0) buffer.current = checked(last, buffer);
    const before = given > 0 ? last : separator === ';' ? buffer.current : 1;
    scanner.skipBlanks();
    address = readAddress(scanner, buffer, patterns);
    first = before;
    last = address ?? (given > 0 && separator !== '%' ? before : buffer.last);
    given = 2;
  }
  return { first, last, given };
}

const checked = (number: number, buffer: Buffer): number =>
  number >= 0 && number <= buffer.last ? number : refuse('Invalid address');

function readAddress(scanner: Scanner, buffer: Buffer, patterns: Patterns): number | undefined {
  let value = base(scanner, buffer, patterns);
  for (;;) {
    scanner.skipBlanks();
    const sign = scanner.peek();
    if (/[-+^]/.test(sign) && sign !== '') {
      scanner.take();
      scanner.skipBlanks();
      const digits = scanner.digits();
      const step = digits === '' ? 1 : Number(digits);
      value = (value ?? buffer.current) + (sign === '+' ? step : -step);
    } else if (/\d/.test(sign) && value !== undefined) value += Number(scanner.digits());
    else break;
  }
  return value === undefined ? undefined : checked(value, buffer);
}

function base(scanner: Scanner, buffer: Buffer, patterns: Patterns): number | undefined {
  const c = scanner.peek();
  if (/\d/.test(c)) return Number(scanner.digits());
  switch (c) {
    case '.':
    case '$':
      scanner.take();
      return c === '.' ? buffer.current : buffer.last;
    case "'": {
      scanner.take();
      const letter = scanner.take();
      if (!/^[a-z]$/.test(letter)) refuse('Invalid mark character');
      return buffer.marked(letter) || refuse('Invalid address');
    }
    case '/':
    case '?': {
      scanner.take();
      const { text, closed } = scanner.pattern(c);
      const ignoreCase = closed && c === '/' && scanner.peek() === 'I';
      if (ignoreCase) scanner.take();
      return search(buffer, patterns.compile(text, ignoreCase), c === '/' ? 1 : -1);
    }
    default:
      return undefined;
  }
}

/** From the line next to the current one, around the end, to the current one itself. */
function search(buffer: Buffer, regex: Regex, step: 1 | -1): number {
  const count = buffer.last;
  let at = buffer.current;
  for (let n = 0; n < count; n++) {
    at += step;
    if (at > count) at = 1;
    if (at < 1) at = count;
    if (regex.find(buffer.text(at), 0) !== undefined) return at;
  }
  return refuse('No match');
}
