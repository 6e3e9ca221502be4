// POSIX basic and extended regular expressions (POSIX.1-2024 §9.3, §9.4) with GNU's additions
// (\| \+ \? in BREs, \w \W \s \S \b \B \< \>, back-references in EREs), read into a tree over bytes.

export type Dialect = 'basic' | 'extended';

export type Node =
  | { readonly kind: 'set'; readonly set: ByteSet }
  | { readonly kind: 'assert'; readonly what: '^' | '$' | '`' | "'" | 'b' | 'B' | '<' | '>' }
  | { readonly kind: 'cat'; readonly parts: readonly Node[] }
  | { readonly kind: 'alt'; readonly parts: readonly Node[] }
  | { readonly kind: 'group'; readonly index: number; readonly body: Node }
  | { readonly kind: 'repeat'; readonly body: Node; readonly min: number; readonly max: number }
  | { readonly kind: 'backref'; readonly index: number };

/** 256 marks, one a byte. */
export type ByteSet = Uint8Array;

/** A wrong pattern; its message is that of regerror(3). */
export class PatternError {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

const MOST_REPEATS = 32767;

/** Reads `source` (one character a byte, latin1.ts). Groups are numbered from `firstGroup`. */
export function parsePattern(source: string, how: PatternStyle): Node {
  return new Parser(source, how).parse();
}

export interface PatternStyle {
  readonly dialect: Dialect;
  readonly firstGroup: number;
  /** Sets hold both cases of their letters. */
  readonly ignoreCase?: boolean;
  /** The byte that ends a line: `.` and negated sets do not match it. */
  readonly delimiter?: number;
}

function byteSet(test: (byte: number) => boolean): ByteSet {
  const set = new Uint8Array(256);
  for (let byte = 0; byte < 256; byte++) set[byte] = test(byte) ? 1 : 0;
  return set;
}

const isWord = (c: number): boolean =>
  (c >= 48 && c <= 57) || (c >= 65 && c <= 90) || (c >= 97 && c <= 122) || c === 95;
const isSpace = (c: number): boolean => c === 32 || (c >= 9 && c <= 13);

const classTests: Readonly<Record<string, (c: number) => boolean>> = {
  alnum: (c) => isWord(c) && c !== 95,
  alpha: (c) => isWord(c) && c !== 95 && c > 57,
  blank: (c) => c === 32 || c === 9,
  cntrl: (c) => c < 32 || c === 127,
  digit: (c) => c >= 48 && c <= 57,
  graph: (c) => c > 32 && c < 127,
  lower: (c) => c >= 97 && c <= 122,
  print: (c) => c >= 32 && c < 127,
  punct: (c) => c > 32 && c < 127 && (!isWord(c) || c === 95),
  space: isSpace,
  upper: (c) => c >= 65 && c <= 90,
  xdigit: (c) => (c >= 48 && c <= 57) || (c >= 65 && c <= 70) || (c >= 97 && c <= 102),
};

class Parser {
  readonly #source: string;
  readonly #extended: boolean;
  readonly #firstGroup: number;
  readonly #delimiter: number;
  readonly #ignoreCase: boolean;
  #at = 0;
  #groups: number;
  /** Groups that are closed: the ones a back-reference may name. */
  readonly #closed = new Set<number>();
  #depth = 0;

  constructor(source: string, how: PatternStyle) {
    this.#source = source;
    this.#extended = how.dialect === 'extended';
    this.#firstGroup = how.firstGroup;
    this.#groups = how.firstGroup;
    this.#delimiter = how.delimiter ?? 10;
    this.#ignoreCase = how.ignoreCase ?? false;
  }

  parse(): Node {
    const node = this.#alternatives();
    if (this.#at < this.#source.length) throw new PatternError('Unmatched ) or \\)');
    return node;
  }

  /** The operator here: `(`, `|`, `*` … whatever way the dialect spells it; '' = an ordinary byte. */
  #operator(): string {
    const c = this.#source[this.#at] ?? '';
    if (c === '*') return '*';
    if (this.#extended) return c !== '' && '()|+?{'.includes(c) ? c : '';
    const next = this.#source[this.#at + 1] ?? '';
    return c === '\\' && next !== '' && '()|+?{'.includes(next) ? next : '';
  }

  #skip(operator: string): void {
    this.#at += this.#extended || operator === '*' ? 1 : 2;
  }

  #alternatives(): Node {
    const parts = [this.#sequence()];
    while (this.#operator() === '|') {
      this.#skip('|');
      parts.push(this.#sequence());
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind: 'alt', parts };
  }

  #sequence(): Node {
    const parts: Node[] = [];
    while (this.#at < this.#source.length) {
      const operator = this.#operator();
      if (operator === '|') break;
      if (operator === ')' && (this.#depth > 0 || !this.#extended)) break;
      const node = this.#atom(parts.length === 0);
      parts.push(this.#repeated(node));
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind: 'cat', parts };
  }

  #atom(first: boolean): Node {
    const operator = this.#operator();
    if (operator === ')') {
      this.#at++; // an ERE's `)` without its `(` stands for itself
      return literal(')');
    }
    if (operator === '(') return this.#group();
    const c = this.#source[this.#at] ?? '';
    if (operator !== '' && first) {
      // Nothing to repeat: in a BRE (and for GNU in an ERE) the star stands for itself.
      if (this.#extended && operator !== '{') {
        this.#at++;
        return operator === '*' ? this.#sequenceAfterStar() : { kind: 'cat', parts: [] };
      }
      if (!this.#extended && operator === '{')
        throw new PatternError('Invalid preceding regular expression');
    }
    if (c === '\\' && (operator === '' || operator === '+' || operator === '?'))
      return this.#escape();
    this.#at++;
    if (c === '.') return { kind: 'set', set: byteSet((byte) => byte !== this.#delimiter) };
    if (c === '[') return { kind: 'set', set: this.#bracket() };
    if (c === '^' && (this.#extended || first)) return { kind: 'assert', what: '^' };
    if (c === '$' && (this.#extended || this.#atEnd())) return { kind: 'assert', what: '$' };
    return literal(c);
  }

  /** A leading `*` in an ERE repeats nothing. */
  #sequenceAfterStar(): Node {
    return { kind: 'cat', parts: [] };
  }

  /** In a BRE `$` is an anchor at the end of the pattern or of a group alone. */
  #atEnd(): boolean {
    const rest = this.#source.slice(this.#at, this.#at + 2);
    return rest === '' || rest === '\\)' || rest === '\\|';
  }

  #group(): Node {
    this.#skip('(');
    if (this.#depth > 200) throw new PatternError('Memory exhausted');
    const index = this.#groups++;
    this.#depth++;
    const body = this.#alternatives();
    this.#depth--;
    if (this.#operator() !== ')') throw new PatternError('Unmatched ( or \\(');
    this.#skip(')');
    this.#closed.add(index);
    return { kind: 'group', index, body };
  }

  #escape(): Node {
    const c = this.#source[this.#at + 1];
    this.#at += 2;
    if (c === undefined) throw new PatternError('Trailing backslash');
    if (c === 'w') return { kind: 'set', set: byteSet(isWord) };
    if (c === 'W')
      return { kind: 'set', set: byteSet((byte) => !isWord(byte) && byte !== this.#delimiter) };
    if (c === 's')
      return { kind: 'set', set: byteSet((byte) => isSpace(byte) && byte !== this.#delimiter) };
    if (c === 'S') return { kind: 'set', set: byteSet((byte) => !isSpace(byte)) };
    if (c === 'b' || c === 'B' || c === '<' || c === '>') return { kind: 'assert', what: c };
    if (c === '`' || c === "'") return { kind: 'assert', what: c };
    if (!/[1-9]/.test(c)) return literal(c);
    const index = this.#firstGroup + Number(c) - 1;
    if (!this.#closed.has(index)) throw new PatternError('Invalid back reference');
    return { kind: 'backref', index };
  }

  #repeated(node: Node): Node {
    let result = node;
    for (;;) {
      const operator = this.#operator();
      if (operator === '*') result = { kind: 'repeat', body: result, min: 0, max: Infinity };
      else if (operator === '+') result = { kind: 'repeat', body: result, min: 1, max: Infinity };
      else if (operator === '?') result = { kind: 'repeat', body: result, min: 0, max: 1 };
      else if (operator === '{') {
        const interval = this.#interval();
        if (interval === undefined) return result;
        result = { kind: 'repeat', body: result, ...interval };
        continue;
      } else return result;
      this.#skip(operator);
    }
  }

  /** `{2}`, `{2,}`, `{,5}`, `{2,5}`; an ERE's brace that is none stands for itself. */
  #interval(): { min: number; max: number } | undefined {
    const end = this.#extended ? '\\}' : '\\\\\\}';
    const from = this.#at + (this.#extended ? 1 : 2);
    const match = new RegExp(`^(\\d*)(,?)(\\d*)${end}`).exec(this.#source.slice(from));
    if (match === null || (match[1] === '' && match[2] === '')) {
      if (this.#extended) return undefined;
      const closed = this.#source.indexOf('\\}', from) >= 0;
      throw new PatternError(closed ? 'Invalid content of \\{\\}' : 'Unmatched \\{');
    }
    this.#at = from + match[0].length;
    const min = Number(match[1] || 0);
    const max = match[2] === '' ? min : match[3] === '' ? Infinity : Number(match[3]);
    if (min > max) throw new PatternError('Invalid content of \\{\\}');
    if (min > MOST_REPEATS || (max !== Infinity && max > MOST_REPEATS))
      throw new PatternError('Regular expression too big');
    return { min, max };
  }

  /** A bracket expression (§9.3.5), the `[` behind us. */
  #bracket(): ByteSet {
    const unmatched = (): never => {
      throw new PatternError('Unmatched [, [^, [:, [., or [=');
    };
    const negated = this.#source[this.#at] === '^';
    if (negated) this.#at++;
    const set = new Uint8Array(256);
    for (let first = true; ; first = false) {
      const c = this.#source[this.#at];
      if (c === undefined) return unmatched();
      if (c === ']' && !first) break;
      const named = /^\[:([a-z]*):\]/.exec(this.#source.slice(this.#at, this.#at + 20));
      if (named !== null) {
        const test = classTests[named[1] ?? ''];
        if (test === undefined) throw new PatternError('Invalid character class name');
        for (let byte = 0; byte < 256; byte++) if (test(byte)) set[byte] = 1;
        this.#at += named[0].length;
        continue;
      }
      const from = this.#element(unmatched);
      const dash = this.#source[this.#at] === '-' && this.#source[this.#at + 1] !== ']';
      if (!dash || this.#source[this.#at + 1] === undefined) {
        set[from] = 1;
        continue;
      }
      this.#at++;
      const to = this.#element(unmatched);
      if (to < from) throw new PatternError('Invalid range end');
      set.fill(1, from, to + 1);
    }
    this.#at++;
    if (this.#ignoreCase) foldSet(set); // before it is negated
    // No line holds its delimiter, whatever the classes and ranges say.
    const wanted = negated ? 0 : 1;
    return byteSet((byte) => set[byte] === wanted && byte !== this.#delimiter);
  }

  /** A byte, `[.x.]` or `[=x=]`. */
  #element(unmatched: () => never): number {
    const symbol = /^\[([.=])([\s\S])\1\]/.exec(this.#source.slice(this.#at, this.#at + 5));
    if (symbol !== null) {
      this.#at += symbol[0].length;
      return symbol[2]?.charCodeAt(0) ?? 0;
    }
    if (this.#at >= this.#source.length) return unmatched();
    return this.#source.charCodeAt(this.#at++);
  }
}

/** A letter in either case brings in the other. */
export function foldSet(set: ByteSet): void {
  for (let c = 65; c <= 90; c++)
    if (set[c] || set[c + 32]) set.fill(1, c, c + 1).fill(1, c + 32, c + 33);
}

const literal = (c: string): Node => ({
  kind: 'set',
  set: byteSet((byte) => byte === c.charCodeAt(0)),
});
