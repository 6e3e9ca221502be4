// The tokens of awk (POSIX.1-2024 XCU awk, "Lexical Conventions"). A slash is a division until the
// parser, which knows what may come, asks to read it as a pattern. Text is bytes (latin1.ts).

import { AwkError } from './ast.ts';

export interface Token {
  /** `number`, `string`, `name`, `function name` (its `(` follows at once), `builtin`, `newline`, `end`, or the token itself. */
  readonly kind: string;
  readonly text: string;
  readonly value: number;
  readonly at: number;
}

const keywords = new Set([
  ...['BEGIN', 'END', 'function', 'func', 'if', 'else', 'while', 'for', 'do', 'break', 'continue'],
  ...['next', 'nextfile', 'exit', 'return', 'delete', 'in', 'getline', 'print', 'printf'],
]);

const builtins = new Set([
  ...['atan2', 'cos', 'sin', 'exp', 'log', 'sqrt', 'int', 'rand', 'srand', 'gsub', 'index'],
  ...['length', 'match', 'split', 'sprintf', 'sub', 'substr', 'tolower', 'toupper', 'close'],
  ...['fflush', 'system'],
]);

/** The longest first. */
const operators = [
  ...['**=', '&&', '||', '++', '--', '+=', '-=', '*=', '/=', '%=', '^=', '==', '<=', '>=', '!='],
  ...['>>', '!~', '**', '{', '}', '(', ')', '[', ']', ';', ',', '+', '-', '*', '/', '%', '^', '!'],
  ...['>', '<', '|', '?', ':', '~', '$', '='],
];

export class Lexer {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  next(): Token {
    this.#skipBlanks();
    const at = this.#at;
    const c = this.#text[at];
    if (c === undefined) return this.#token('end', at);
    if (c === '\n') return this.#token('newline', ++this.#at - 1);
    if (c === '"') return this.#string();
    if (/[0-9.]/.test(c)) {
      const number = this.#number();
      if (number) return number;
    }
    if (/[A-Za-z_]/.test(c)) return this.#word();
    const operator = operators.find((one) => this.#text.startsWith(one, at));
    if (operator === undefined)
      throw new AwkError(`${this.place(at)}: unexpected character '${c}'`);
    this.#at += operator.length;
    return this.#token(operator.replace('**', '^'), at);
  }

  /** Reads the pattern whose first slash is at `at`. */
  regex(at: number): string {
    let source = '';
    let bracket = false;
    for (let i = at + 1; ; i++) {
      const c = this.#text[i];
      if (c === undefined || c === '\n')
        throw new AwkError(`${this.place(at)}: unterminated regular expression`);
      if (c === '\\' && this.#text[i + 1] !== undefined) {
        source += c + this.#text[++i];
        continue;
      }
      if (c === '[' && !bracket) {
        bracket = true;
        const start = /^\^?\]?/.exec(this.#text.slice(i + 1, i + 3))?.[0] ?? '';
        // A `]` at once is one of the set, if another one closes it.
        const rest = this.#text.slice(i + 1 + start.length).split('\n', 1)[0] ?? '';
        const whole = start.endsWith(']') && !rest.includes(']') ? start.slice(0, -1) : start;
        source += c + whole;
        i += whole.length;
        continue;
      }
      if (bracket && c === '[' && /[:.=]/.test(this.#text[i + 1] ?? '')) {
        const end = this.#text.indexOf(`${this.#text[i + 1]}]`, i + 2);
        if (end > 0) {
          source += this.#text.slice(i, end + 2);
          i = end + 1;
          continue;
        }
      }
      if (c === ']') bracket = false;
      if (c === '/' && !bracket) {
        this.#at = i + 1;
        return source;
      }
      source += c;
    }
  }

  /** `line 3`, of the byte at `at`. */
  place(at: number): string {
    return `line ${this.#text.slice(0, at).split('\n').length}`;
  }

  #token(kind: string, at: number, more: { text?: string; value?: number } = {}): Token {
    return { kind, at, text: more.text ?? kind, value: more.value ?? 0 };
  }

  #skipBlanks(): void {
    for (;;) {
      const blanks = /^(?:[ \t\r]+|\\\r?\n|#[^\n]*)/.exec(
        this.#text.slice(this.#at, this.#at + 4096),
      );
      if (blanks === null) return;
      this.#at += blanks[0].length;
    }
  }

  #number(): Token | undefined {
    const at = this.#at;
    const found = /^(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/.exec(this.#text.slice(at, at + 512));
    if (found === null) return undefined;
    this.#at += found[0].length;
    return this.#token('number', at, { text: found[0], value: Number(found[0]) });
  }

  #word(): Token {
    const at = this.#at;
    while (/[A-Za-z0-9_]/.test(this.#text[this.#at] ?? '')) this.#at++;
    const text = this.#text.slice(at, this.#at);
    if (keywords.has(text)) return this.#token(text === 'func' ? 'function' : text, at);
    if (builtins.has(text)) return this.#token('builtin', at, { text });
    const called = this.#text[this.#at] === '(';
    return this.#token(called ? 'function name' : 'name', at, { text });
  }

  #string(): Token {
    const at = this.#at;
    let i = at + 1;
    while (this.#text[i] !== '"') {
      const c = this.#text[i];
      if (c === undefined || c === '\n')
        throw new AwkError(`${this.place(at)}: unterminated string`);
      i += c === '\\' ? 2 : 1;
    }
    this.#at = i + 1;
    return this.#token('string', at, { text: unescaped(this.#text.slice(at + 1, i)) });
  }
}

const letters: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** The escapes of strings, of -v and of assignments among the operands. */
export function unescaped(text: string): string {
  return text.replace(/\\(?:([0-7]{1,3})|(\r?\n)|([\s\S]))/g, (whole, octal, newline, letter) => {
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff);
    if (newline !== undefined) return '';
    return letters[letter] ?? whole;
  });
}
