// The scanner of fault rules: words and signs with their columns.

/** Thrown inside the parser alone; parseRule turns it into a plain answer. */
export class SyntaxProblem {
  readonly column: number;
  readonly message: string;

  constructor(column: number, message: string) {
    this.column = column;
    this.message = message;
  }
}

const SHOWN = 24;

export class Scanner {
  readonly text: string;
  #at = 0;

  constructor(text: string) {
    this.text = text;
    this.#blanks();
  }

  /** The column of what comes next. */
  mark(): number {
    return this.#at + 1;
  }

  /** Throws: `expected WHAT, found …`; at what was taken from `mark` on, or at what comes next. */
  fail(what: string, mark = this.mark()): never {
    throw new SyntaxProblem(mark, `expected ${what}, found ${this.#found(mark)}`);
  }

  /** What matches a sticky pattern here, taken; undefined when nothing does. */
  matching(sticky: RegExp): string | undefined {
    sticky.lastIndex = this.#at;
    const [found] = sticky.exec(this.text) ?? [];
    if (found === undefined) return undefined;
    this.#at += found.length;
    this.#blanks();
    return found;
  }

  /** Characters of a class, one at least. */
  word(what: string, characters: RegExp): string {
    const word = this.matching(new RegExp(`(?:${characters.source})+`, 'y'));
    return word ?? this.fail(what);
  }

  takeKeyword(word: string): boolean {
    return this.matching(new RegExp(`${word}(?=\\s|$)`, 'y')) !== undefined;
  }

  keyword(word: string, what: string): void {
    if (!this.takeKeyword(word)) this.fail(what);
  }

  take(sign: string): boolean {
    if (!this.text.startsWith(sign, this.#at)) return false;
    this.#at += sign.length;
    this.#blanks();
    return true;
  }

  expect(sign: string): void {
    if (!this.take(sign)) this.fail(`'${sign}'`);
  }

  end(what: string): void {
    if (this.#at < this.text.length) this.fail(what);
  }

  /** A whole number; with `units` behind it, in the smallest of them. */
  number(what: string, units: Readonly<Record<string, number>> = {}): number {
    const start = this.#at;
    const digits = this.matching(/\d{1,15}(?:\.\d{1,6})?/y);
    if (digits === undefined) return this.fail(what);
    if (start + digits.length !== this.#at) return this.#scaled(digits, 1, { what, start });
    const unit = this.matching(/[A-Za-z%]+/y);
    if (unit === undefined) return this.#scaled(digits, 1, { what, start });
    const scale = units[unit];
    if (scale === undefined) return this.fail(what, start + 1);
    return this.#scaled(digits, scale, { what, start });
  }

  #scaled(digits: string, scale: number, at: { what: string; start: number }): number {
    const value = Number(digits) * scale;
    const whole = Math.round(value);
    const exact = scale !== 1 || value === whole;
    return exact && Number.isSafeInteger(whole) ? whole : this.fail(at.what, at.start + 1);
  }

  #blanks(): void {
    while (this.text[this.#at] === ' ' || this.text[this.#at] === '\t') this.#at++;
  }

  #found(mark: number): string {
    const rest = this.text.slice(mark - 1);
    if (rest === '') return 'the end';
    const [word = ''] = /^(?:[\w.*{}-]+|.)/s.exec(rest) ?? [];
    return `'${word.length > SHOWN ? `${word.slice(0, SHOWN)}…` : word}'`;
  }
}

/** Units of sizes, in bytes. */
export const SIZES: Readonly<Record<string, number>> = {
  ...{ B: 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 },
};

/** Units of times, in milliseconds. */
export const TIMES: Readonly<Record<string, number>> = {
  ...{ ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 },
};
