// The tokens of a program as the parser walks over them: one at a time, with the way back.

import { AwkError } from './ast.ts';
import { Lexer, type Token } from './lex.ts';

export class Tokens {
  /** The one that is next. */
  token: Token;
  readonly #lexer: Lexer;
  /** Tokens read, so that the parser can go back. */
  readonly #read: Token[] = [];
  #at = 0;

  constructor(text: string) {
    this.#lexer = new Lexer(text);
    this.token = this.#next();
  }

  advance(): void {
    this.#at++;
    this.token = this.#read[this.#at] ?? this.#next();
  }

  accept(kind: string): boolean {
    if (this.token.kind !== kind) return false;
    this.advance();
    return true;
  }

  expect(kind: string): void {
    if (!this.accept(kind)) this.unexpected(kind);
  }

  acceptName(): string | undefined {
    const { kind, text } = this.token;
    if (kind !== 'name') return undefined;
    this.advance();
    return text;
  }

  name(): string {
    return this.acceptName() ?? this.unexpected('a name');
  }

  /** Blank lines, and `more` among them. */
  skipNewlines(more = 'newline'): void {
    while (this.token.kind === 'newline' || this.token.kind === more) this.advance();
  }

  /** Reads the slash that is next as the begin of a pattern. */
  regex(): string {
    const source = this.#lexer.regex(this.token.at);
    this.#read.length = this.#at + 1;
    this.advance();
    return source;
  }

  mark(): number {
    return this.#at;
  }

  reset(to: number): void {
    this.#at = to;
    this.token = this.#read[to] ?? this.unexpected();
  }

  fail(message: string): never {
    throw new AwkError(`${this.place(this.token.at)}: ${message}`);
  }

  unexpected(wanted?: string): never {
    const { kind, text } = this.token;
    const what = kind === 'end' ? 'end of program' : kind === 'newline' ? 'end of line' : text;
    const rest = wanted === undefined ? '' : `, expected ${wanted}`;
    return this.fail(`syntax error at ${what}${rest}`);
  }

  place(at: number): string {
    return this.#lexer.place(at);
  }

  #next(): Token {
    const token = this.#lexer.next();
    this.#read.push(token);
    return token;
  }
}
