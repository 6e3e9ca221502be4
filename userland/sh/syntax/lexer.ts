// Tokens of the shell (POSIX.1-2024 XCU §2.3): operators, words, IO numbers, newlines. It reads its
// source a line at a time when there is a reader (standard input, a terminal), and collects the
// bodies of here-documents when it passes the newline after them.

import { ShellSyntaxError } from '../errors.ts';
import type { Command, RedirOp, Word } from './ast.ts';
import { scanHereDoc, scanWord } from './words.ts';

export type Token =
  | { readonly type: 'word'; readonly word: Word; readonly text: string | undefined }
  | { readonly type: 'op'; readonly op: string }
  | { readonly type: 'io'; readonly fd: number }
  | { readonly type: 'newline' }
  | { readonly type: 'eof' };

/** A here-document whose body comes after the next newline. */
export interface PendingHereDoc {
  readonly delimiter: string;
  readonly quoted: boolean;
  readonly stripTabs: boolean;
  readonly done: (body: Word) => void;
}

export interface LexerOptions {
  readonly text: string;
  readonly line?: number;
  /** More source, usually a line; undefined at the end. */
  readonly more?: () => string | undefined;
  readonly aliases?: ReadonlyMap<string, string>;
  readonly depth?: number;
}

/** How deep constructs may nest: far more than people write, far less than the JS stack holds. */
const maxDepth = 400;

const operators3 = ['<<-'];
const operators2 = ['&&', '||', ';;', ';&', '<<', '>>', '<&', '>&', '<>', '>|'];
const isOperatorStart = /[&|;<>()]/;

const NEWLINE = 10;
const TAB = 9;
const SPACE = 32;
const HASH = 35;
const LESS = 60;
const BACKSLASH = 92;

export class Lexer {
  src: string;
  pos = 0;
  line: number;
  pending: PendingHereDoc[] = [];
  /** Parses the inside of `$(` up to its `)`; set by the parser. */
  parseNested: (lexer: Lexer) => Command | undefined = () => undefined;
  /** Parses a text of its own, for backquotes; set by the parser. */
  parseText: (text: string, lexer: Lexer) => Command | undefined = () => undefined;
  private readonly more: (() => string | undefined) | undefined;
  private readonly aliases: ReadonlyMap<string, string>;
  private active: { name: string; remaining: number; blank: boolean }[] = [];
  depth: number;
  /** How often an alias has changed the source. */
  splices = 0;

  constructor(options: LexerOptions) {
    this.src = options.text;
    this.line = options.line ?? 1;
    this.more = options.more;
    this.aliases = options.aliases ?? new Map();
    this.depth = options.depth ?? 0;
  }

  /** The code unit `offset` ahead, or -1 at the end of the source. */
  peek(offset = 0): number {
    while (this.pos + offset >= this.src.length) if (!this.refill()) return -1;
    return this.src.charCodeAt(this.pos + offset);
  }

  private refill(): boolean {
    const text = this.more?.();
    if (text === undefined) return false;
    this.src += text;
    for (const alias of this.active) alias.remaining += text.length;
    return true;
  }

  /** Removes line continuations `offset` ahead (§2.2.1), which may stand inside a token. */
  unfold(offset: number): void {
    while (this.peek(offset) === BACKSLASH && this.peek(offset + 1) === NEWLINE) {
      const at = this.pos + offset;
      for (const a of this.active) if (this.src.length - at <= a.remaining) a.remaining -= 2;
      this.src = this.src.slice(0, at) + this.src.slice(at + 2);
      this.line++;
    }
  }

  /** Forgets what has been parsed: called between commands. */
  trim(): void {
    if (this.more === undefined) return;
    this.src = this.src.slice(this.pos);
    this.pos = 0;
  }

  enter(): void {
    if (++this.depth > maxDepth) this.syntaxError('Nesting too deep');
  }

  leave(): void {
    this.depth--;
  }

  syntaxError(message: string): never {
    throw new ShellSyntaxError(message, this.line);
  }

  next(): Token {
    this.skipBlanks();
    const c = this.peek();
    if (c === -1) {
      if (this.pending.length > 0) this.readHereDocs();
      return { type: 'eof' };
    }
    if (c === NEWLINE) {
      this.pos++;
      this.line++;
      this.readHereDocs();
      return { type: 'newline' };
    }
    if (isOperatorStart.test(String.fromCharCode(c))) return { type: 'op', op: this.operator() };
    const number = this.ioNumber();
    if (number !== undefined) return { type: 'io', fd: number };
    const word = scanWord(this);
    const only = word.parts.length === 1 ? word.parts[0] : undefined;
    return { type: 'word', word, text: only?.type === 'lit' ? only.text : undefined };
  }

  private skipBlanks(): void {
    for (;;) {
      const c = this.peek();
      if (c === SPACE || c === TAB) this.pos++;
      else if (c === BACKSLASH && this.peek(1) === NEWLINE) this.unfold(0);
      else if (c === HASH) {
        while (this.peek() !== NEWLINE && this.peek() !== -1) this.pos++;
      } else return;
    }
  }

  private operator(): string {
    // Never further than it must: the next line may not have been typed yet.
    this.unfold(1);
    if (this.peek() !== -1 && this.peek(1) === LESS && this.peek() === LESS) this.unfold(2);
    for (const op of operators3) if (this.src.startsWith(op, this.pos)) return this.take(op);
    for (const op of operators2) if (this.src.startsWith(op, this.pos)) return this.take(op);
    return this.take(this.src[this.pos] ?? '');
  }

  private take(op: string): string {
    this.pos += op.length;
    return op;
  }

  private ioNumber(): number | undefined {
    let length = 0;
    for (let c = this.peek(); c >= 48 && c <= 57; c = this.peek(length)) this.unfold(++length);
    if (length === 0 || length > 4) return undefined;
    const after = this.peek(length);
    if (after !== 60 && after !== 62) return undefined; // < >
    const fd = Number(this.src.slice(this.pos, this.pos + length));
    this.pos += length;
    return fd;
  }

  /**
   * If `name`, just read as a command word, is an alias, its value takes the place of the word.
   * An alias is not expanded inside its own value.
   */
  substituteAlias(name: string): boolean {
    const value = this.aliases.get(name);
    this.dropAliases();
    if (value === undefined || this.active.some((alias) => alias.name === name)) return false;
    const rest = this.src.slice(this.pos);
    this.splices++;
    this.src = value + rest;
    this.pos = 0;
    this.active.push({ name, remaining: rest.length, blank: /[ \t]$/.test(value) });
    return true;
  }

  /**
   * Did an alias whose value ends in a blank end between `from` and the token just read? Then that
   * token is looked up too.
   */
  aliasContinues(from: number): boolean {
    const { length } = this.src;
    return this.active.some(
      (a) => a.blank && length - from >= a.remaining && length - this.pos < a.remaining,
    );
  }

  private dropAliases(): void {
    if (this.active.length === 0) return;
    this.active = this.active.filter((a) => this.src.length - this.pos >= a.remaining);
  }

  private readHereDocs(): void {
    const pending = this.pending;
    this.pending = [];
    for (const doc of pending) this.readHereDoc(doc);
  }

  private readHereDoc(doc: PendingHereDoc): void {
    const startLine = this.line;
    let body = '';
    let continued = false;
    for (;;) {
      let line = this.readLine();
      if (line === undefined) break;
      if (doc.stripTabs && !continued) line = line.replace(/^\t+/, '');
      if (!continued && (line === doc.delimiter || line === `${doc.delimiter}\n`)) break;
      body += line;
      continued = !doc.quoted && /(^|[^\\])(\\\\)*\\\n$/.test(line);
    }
    if (doc.quoted) {
      doc.done({ parts: [{ type: 'quoted', text: body }], lit: body });
      return;
    }
    const inner = new Lexer({ text: body, line: startLine, depth: this.depth });
    inner.parseNested = this.parseNested;
    inner.parseText = this.parseText;
    doc.done(scanHereDoc(inner));
  }

  private readLine(): string | undefined {
    if (this.peek() === -1) return undefined;
    let end = this.src.indexOf('\n', this.pos);
    while (end < 0 && this.refill()) end = this.src.indexOf('\n', this.pos);
    const line = end < 0 ? this.src.slice(this.pos) : this.src.slice(this.pos, end + 1);
    this.pos += line.length;
    this.line++;
    return line;
  }
}

const redirOps: Readonly<Record<string, RedirOp>> = {
  '<': '<',
  '>': '>',
  '>>': '>>',
  '>|': '>|',
  '<>': '<>',
  '<&': '<&',
  '>&': '>&',
  '<<': '<<',
  '<<-': '<<',
};

export const redirOp = (op: string): RedirOp | undefined => redirOps[op];
