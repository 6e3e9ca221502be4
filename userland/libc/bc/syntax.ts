// bc's language read into a tree (POSIX.1-2024 XCU bc, "Grammar" and "Lexical Conventions"), with
// GNU's else, print, halt, continue, last and the logical operators.

import { BcError } from './number.ts';

export type Place =
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'special'; readonly name: 'scale' | 'ibase' | 'obase' | 'last' }
  | { readonly kind: 'element'; readonly name: string; readonly index: Expr };

export type Expr =
  | { readonly kind: 'number'; readonly text: string }
  | Place
  | { readonly kind: 'group'; readonly body: Expr }
  | { readonly kind: 'assign'; readonly op: string; readonly to: Place; readonly value: Expr }
  | { readonly kind: 'step'; readonly by: 1 | -1; readonly prefix: boolean; readonly to: Place }
  | { readonly kind: 'negate' | 'not'; readonly body: Expr }
  | { readonly kind: 'binary'; readonly op: string; readonly left: Expr; readonly right: Expr }
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly args: readonly (Expr | ArrayArgument)[];
    };

export interface ArrayArgument {
  readonly kind: 'array';
  readonly name: string;
}

export type Statement =
  | { readonly kind: 'expr'; readonly expr: Expr }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'print'; readonly items: readonly (Expr | string)[] }
  | { readonly kind: 'block'; readonly body: readonly Statement[] }
  | {
      readonly kind: 'if';
      readonly test: Expr;
      readonly yes: Statement;
      readonly no: Statement | undefined;
    }
  | { readonly kind: 'while'; readonly test: Expr; readonly body: Statement }
  | {
      readonly kind: 'for';
      readonly first: Expr | undefined;
      readonly test: Expr | undefined;
      readonly next: Expr | undefined;
      readonly body: Statement;
    }
  | { readonly kind: 'return'; readonly value: Expr | undefined }
  | { readonly kind: 'break' | 'continue' | 'halt' }
  | {
      readonly kind: 'define';
      readonly name: string;
      /** Nothing is shown where it is called. */
      readonly isVoid: boolean;
      /** Its brace stands behind the parameters, and a new line behind the brace. */
      readonly isOnLines: boolean;
      readonly params: readonly Local[];
      readonly autos: readonly Local[];
      readonly body: Statement;
    };

export interface Local {
  readonly name: string;
  readonly isArray: boolean;
}

interface Token {
  readonly kind: 'number' | 'string' | 'name' | 'word' | 'op' | 'newline' | 'end';
  readonly text: string;
}

const words = new Set([
  ...[
    'auto',
    'break',
    'continue',
    'define',
    'else',
    'for',
    'halt',
    'ibase',
    'if',
    'last',
    'length',
  ],
  ...['obase', 'print', 'quit', 'return', 'scale', 'sqrt', 'while', 'void'],
]);
const token =
  /[ \t\r]+|\\\r?\n|\/\*[\s\S]*?\*\/|#[^\n]*|(\n)|([0-9A-F]+\.?[0-9A-F]*|\.[0-9A-F]+)|"([^"]*)"|([a-z][a-z0-9_]*)|(&&|\|\||[-+*%^]=|\/=|[<>=!]=|\+\+|--|[-+*%^=<>!()[\]{};,.]|\/(?!\*))/gy;

/** Whether the text ends inside of something: the reader waits for the rest. */
export class Unfinished {}

/** Thrown by quit and halt: the program ends. */
export class Quit {}

const MOST_DEPTH = 500;

export class BcParser {
  readonly #tokens: Token[] = [];
  #at = 0;
  #depth = 0;

  /** `partial`: text that may go on; throws Unfinished where it must. */
  constructor(text: string, partial: boolean) {
    for (let at = 0; at < text.length; at = token.lastIndex) {
      token.lastIndex = at;
      const found = token.exec(text);
      if (found === null) {
        const open = text.startsWith('/*', at) || text[at] === '"';
        if (partial && open) throw new Unfinished();
        throw new BcError(`illegal character: ${text[at]}`);
      }
      const [, newline, number, string, word, op] = found;
      if (newline !== undefined) this.#tokens.push({ kind: 'newline', text: 'newline' });
      else if (number !== undefined) this.#tokens.push({ kind: 'number', text: number });
      else if (string !== undefined) this.#tokens.push({ kind: 'string', text: string });
      else if (op !== undefined) this.#tokens.push({ kind: 'op', text: op });
      else if (word !== undefined)
        this.#tokens.push({ kind: words.has(word) ? 'word' : 'name', text: word });
    }
    this.#partial = partial;
  }

  readonly #partial: boolean;

  /** The statements of the next line; undefined at the end. */
  line(): Statement[] | undefined {
    while (this.#accept('newline') || this.#accept(';'));
    if (this.#ended) return undefined;
    const list: Statement[] = [];
    while (!this.#accept('newline') && !this.#ended) {
      if (this.#accept(';')) continue;
      list.push(this.#is('define') ? this.#define() : this.#statement());
      if (!this.#is(';') && !this.#is('newline') && !this.#ended) this.#wrong();
    }
    return list;
  }

  get #next(): Token {
    return this.#tokens[this.#at] ?? { kind: 'end', text: 'end of file' };
  }

  get #ended(): boolean {
    return this.#at >= this.#tokens.length;
  }

  #is(text: string): boolean {
    const { kind, text: here } = this.#next;
    return here === text && kind !== 'string' && kind !== 'number';
  }

  #accept(text: string): boolean {
    if (!this.#is(text)) return false;
    this.#at++;
    return true;
  }

  #expect(text: string): void {
    if (!this.#accept(text)) this.#wrong();
  }

  #wrong(): never {
    if (this.#next.kind === 'end' && this.#partial) throw new Unfinished();
    throw new BcError(`syntax error at ${this.#next.text}`);
  }

  #newlines(): void {
    while (this.#accept('newline'));
  }

  #name(): string {
    const { kind, text } = this.#next;
    if (kind !== 'name') this.#wrong();
    this.#at++;
    return text;
  }

  #define(): Statement {
    this.#expect('define');
    const isVoid = this.#accept('void');
    const name = this.#name();
    this.#expect('(');
    const params = this.#locals(')');
    this.#expect(')');
    const isBehind = this.#is('{');
    this.#newlines();
    this.#expect('{');
    const isOnLines = isBehind && this.#is('newline');
    while (this.#accept('newline') || this.#accept(';'));
    const autos = this.#accept('auto') ? this.#locals('newline') : [];
    return { kind: 'define', name, isVoid, isOnLines, params, autos, body: this.#blockRest() };
  }

  #locals(end: string): Local[] {
    const list: Local[] = [];
    while (!this.#is(end) && !this.#is(';')) {
      if (list.length > 0) this.#expect(',');
      const name = this.#name();
      const isArray = this.#accept('[');
      if (isArray) this.#expect(']');
      list.push({ name, isArray });
    }
    return list;
  }

  #blockRest(): Statement {
    const body: Statement[] = [];
    for (;;) {
      while (this.#accept('newline') || this.#accept(';'));
      if (this.#accept('}')) return { kind: 'block', body };
      body.push(this.#statement());
      if (!this.#is(';') && !this.#is('newline') && !this.#is('}')) this.#wrong();
    }
  }

  #statement(): Statement {
    const { kind, text } = this.#next;
    if (kind === 'string') {
      this.#at++;
      return { kind: 'string', text };
    }
    if (this.#accept('{')) return this.#nested(() => this.#blockRest());
    switch (kind === 'word' ? text : '') {
      case 'break':
      case 'continue':
      case 'halt':
        this.#at++;
        return { kind: text as 'break' };
      case 'quit': // when it is read, not when it is its turn
        throw new Quit();
      case 'return':
        this.#at++;
        return { kind: 'return', value: this.#endsHere() ? undefined : this.#expression() };
      case 'print':
        this.#at++;
        return this.#print();
      case 'if':
        return this.#nested(() => this.#if());
      case 'while': {
        this.#at++;
        const test = this.#condition();
        return { kind: 'while', test, body: this.#nested(() => this.#body()) };
      }
      case 'for':
        return this.#nested(() => this.#for());
      default:
        return { kind: 'expr', expr: this.#expression() };
    }
  }

  #nested<T>(read: () => T): T {
    if (++this.#depth > MOST_DEPTH) throw new BcError('nested too deep');
    const result = read();
    this.#depth--;
    return result;
  }

  #endsHere(): boolean {
    return ['newline', 'end'].includes(this.#next.kind) || this.#is(';') || this.#is('}');
  }

  #print(): Statement {
    const items: (Expr | string)[] = [];
    do {
      const { kind, text } = this.#next;
      if (kind === 'string') this.#at++;
      items.push(kind === 'string' ? text : this.#expression());
    } while (this.#accept(','));
    return { kind: 'print', items };
  }

  #condition(): Expr {
    this.#expect('(');
    const test = this.#expression();
    this.#expect(')');
    return test;
  }

  #body(): Statement {
    this.#newlines();
    return this.#statement();
  }

  #if(): Statement {
    this.#at++;
    const test = this.#condition();
    const yes = this.#body();
    const before = this.#at;
    if (this.#is(';')) this.#at++;
    if (!this.#accept('else')) {
      this.#at = before;
      return { kind: 'if', test, yes, no: undefined };
    }
    return { kind: 'if', test, yes, no: this.#body() };
  }

  #for(): Statement {
    this.#at++;
    this.#expect('(');
    const part = (end: string): Expr | undefined => {
      const expr = this.#is(end) ? undefined : this.#expression();
      this.#expect(end);
      return expr;
    };
    const [first, test, next] = [part(';'), part(';'), part(')')];
    return { kind: 'for', first, test, next, body: this.#body() };
  }

  #expression(): Expr {
    return this.#nested(() => this.#or());
  }

  #or(): Expr {
    let left = this.#and();
    while (this.#accept('||')) left = { kind: 'binary', op: '||', left, right: this.#and() };
    return left;
  }

  #and(): Expr {
    let left = this.#not();
    while (this.#accept('&&')) left = { kind: 'binary', op: '&&', left, right: this.#not() };
    return left;
  }

  #not(): Expr {
    return this.#accept('!') ? { kind: 'not', body: this.#not() } : this.#comparison();
  }

  #comparison(): Expr {
    let left = this.#additive();
    for (;;) {
      const { text } = this.#next;
      if (!['<', '<=', '==', '!=', '>=', '>'].some((op) => this.#is(op))) return left;
      this.#at++;
      left = { kind: 'binary', op: text, left, right: this.#additive() };
    }
  }

  #additive(): Expr {
    let left = this.#product();
    for (;;) {
      const { text } = this.#next;
      if (!this.#is('+') && !this.#is('-')) return left;
      this.#at++;
      left = { kind: 'binary', op: text, left, right: this.#product() };
    }
  }

  #product(): Expr {
    let left = this.#power();
    for (;;) {
      const { text } = this.#next;
      if (!this.#is('*') && !this.#is('/') && !this.#is('%')) return left;
      this.#at++;
      left = { kind: 'binary', op: text, left, right: this.#power() };
    }
  }

  #power(): Expr {
    const left = this.#unary();
    if (!this.#accept('^')) return left;
    return { kind: 'binary', op: '^', left, right: this.#nested(() => this.#power()) };
  }

  #unary(): Expr {
    if (this.#accept('-')) return { kind: 'negate', body: this.#nested(() => this.#unary()) };
    for (const [op, by] of [
      ['++', 1],
      ['--', -1],
    ] as const) {
      if (!this.#accept(op)) continue;
      const to = this.#primary();
      return isPlace(to) ? { kind: 'step', by, prefix: true, to } : this.#wrong();
    }
    const body = this.#primary();
    if (!isPlace(body)) return body;
    if (this.#accept('++')) return { kind: 'step', by: 1, prefix: false, to: body };
    if (this.#accept('--')) return { kind: 'step', by: -1, prefix: false, to: body };
    const op = /^[-+*/%^]?=$/.exec(this.#next.text)?.[0];
    if (op === undefined || this.#next.kind !== 'op') return body;
    this.#at++;
    // It binds before a comparison: `a = 1 < 2` compares.
    const value = this.#nested(() => this.#additive());
    return { kind: 'assign', op: op.slice(0, -1), to: body, value };
  }

  #primary(): Expr {
    const { kind, text } = this.#next;
    if (kind === 'number') {
      this.#at++;
      return { kind: 'number', text };
    }
    if (this.#accept('(')) {
      const body = this.#expression();
      this.#expect(')');
      return { kind: 'group', body };
    }
    if (this.#accept('.')) return { kind: 'special', name: 'last' };
    if (kind !== 'name' && kind !== 'word') this.#wrong();
    this.#at++;
    if (this.#is('(') && (kind === 'name' || ['length', 'sqrt', 'scale'].includes(text)))
      return { kind: 'call', name: text, args: this.#arguments() };
    if (kind === 'word') {
      if (text === 'scale' || text === 'ibase' || text === 'obase' || text === 'last')
        return { kind: 'special', name: text };
      this.#at--;
      this.#wrong();
    }
    if (!this.#accept('[')) return { kind: 'variable', name: text };
    const index = this.#expression();
    this.#expect(']');
    return { kind: 'element', name: text, index };
  }

  #arguments(): (Expr | ArrayArgument)[] {
    this.#expect('(');
    const args: (Expr | ArrayArgument)[] = [];
    while (!this.#accept(')')) {
      if (args.length > 0) this.#expect(',');
      const [name, open, close] = this.#tokens.slice(this.#at, this.#at + 3);
      if (name?.kind === 'name' && open?.text === '[' && close?.text === ']') {
        this.#at += 3;
        args.push({ kind: 'array', name: name.text });
      } else args.push(this.#expression());
    }
    return args;
  }
}

const isPlace = (expr: Expr): expr is Place =>
  expr.kind === 'variable' || expr.kind === 'special' || expr.kind === 'element';
