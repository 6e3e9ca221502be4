// The shell grammar (POSIX.1-2024 XCU §2.10.2) by recursive descent, one complete command at a
// time, so that what comes first runs before what comes later is even read.

import type {
  AndOr,
  Assign,
  Command,
  Compound,
  Group,
  ListItem,
  Loop,
  Pipeline,
  Redir,
  Simple,
  Word,
} from './ast.ts';
import { parseCase, parseFor, parseIf } from './clauses.ts';
import { Lexer, redirOp, type Token } from './lexer.ts';
import { makeWord, removeQuotes, tildes } from './words.ts';

const reserved = new Set([
  ...['if', 'then', 'else', 'elif', 'fi', 'do', 'done', 'case', 'esac', 'while', 'until', 'for'],
  ...['{', '}', '!', 'in'],
]);
const closers = new Set(['then', 'else', 'elif', 'fi', 'do', 'done', 'esac', '}']);
const assignment = /^([A-Za-z_][A-Za-z_0-9]*)=/;
const functionName = /^[A-Za-z_][A-Za-z_0-9]*$/;

/** Parses `text` entirely; undefined when it holds no command. */
export function parseAll(text: string, options: { line?: number } = {}): Command | undefined {
  return new Parser(new Lexer({ text, ...options })).parseRest();
}

export class Parser {
  readonly lexer: Lexer;
  private token: Token | undefined;
  private tokenStart = 0;

  constructor(lexer: Lexer) {
    this.lexer = lexer;
    lexer.parseNested = (inner) => nested(inner);
    lexer.parseText = (_text, inner) => new Parser(inner).parseRest();
  }

  /** The next complete command; undefined for an empty line, null at the end of the source. */
  parseComplete(): Command | undefined | null {
    this.lexer.trim();
    this.leadingAliases();
    const token = this.peek();
    if (token.type === 'eof') return null;
    if (token.type === 'newline') {
      this.token = undefined;
      return undefined;
    }
    const items: ListItem[] = [];
    for (;;) {
      const more = this.item(items);
      if (more) this.leadingAliases();
      const after = this.peek();
      if (after.type === 'newline' || after.type === 'eof') break;
      if (!more) this.unexpected();
    }
    if (this.peek().type === 'newline') this.token = undefined;
    return asCommand(items);
  }

  parseRest(): Command | undefined {
    const body = this.list();
    if (this.peek().type !== 'eof') this.unexpected();
    return body;
  }

  /** A compound list: up to a token that cannot begin a command. */
  list(): Command | undefined {
    const items: ListItem[] = [];
    this.newlines();
    while (!this.atListEnd()) {
      const separated = this.item(items);
      const newline = this.peek().type === 'newline';
      this.newlines();
      if (!separated && !newline) break;
    }
    return items.length === 0 ? undefined : asCommand(items);
  }

  /** As `list`, where the grammar wants at least one command. */
  body(): Command {
    return this.list() ?? this.unexpected();
  }

  private atListEnd(): boolean {
    this.leadingAliases();
    while (this.peek().type === 'newline') {
      this.newlines();
      this.leadingAliases();
    }
    const token = this.peek();
    if (token.type === 'eof') return true;
    if (token.type === 'op') return token.op === ')' || token.op === ';;' || token.op === ';&';
    return token.type === 'word' && token.text !== undefined && closers.has(token.text);
  }

  /** One and-or list and its separator; tells whether there was one. */
  private item(items: ListItem[]): boolean {
    const start = this.start();
    const { splices } = this.lexer;
    const command = this.andOr();
    if (this.tryOp('&')) {
      const { src, pos } = this.lexer;
      const same = this.lexer.splices === splices;
      const text = same ? src.slice(start, pos).replace(/\s*&$/, '').trimStart() : '';
      items.push({ command, async: text });
      return true;
    }
    items.push({ command });
    return this.tryOp(';');
  }

  private andOr(): Command {
    const first = this.pipeline();
    const rest: { op: '&&' | '||'; command: Command }[] = [];
    for (;;) {
      const token = this.peek();
      if (token.type !== 'op' || (token.op !== '&&' && token.op !== '||')) break;
      this.token = undefined;
      this.newlines();
      rest.push({ op: token.op, command: this.pipeline() });
    }
    return rest.length === 0 ? first : ({ type: 'andor', first, rest } satisfies AndOr);
  }

  private pipeline(): Command {
    let bang = false;
    while (this.tryWord('!')) bang = !bang;
    const commands = [this.command()];
    while (this.tryOp('|')) {
      this.newlines();
      commands.push(this.command());
    }
    const only = commands[0];
    if (!bang && commands.length === 1 && only !== undefined) return only;
    return { type: 'pipeline', bang, commands } satisfies Pipeline;
  }

  private command(): Command {
    this.lexer.enter();
    const command = this.compound() ?? this.simple();
    this.lexer.leave();
    return command;
  }

  private compound(): Command | undefined {
    this.aliases();
    const token = this.peek();
    const line = this.lexer.line;
    if (token.type === 'op' && token.op === '(') {
      this.token = undefined;
      return this.redirected(this.group(line));
    }
    if (token.type !== 'word' || token.text === undefined || !reserved.has(token.text)) {
      return undefined;
    }
    if (closers.has(token.text)) this.unexpected();
    if (token.text === 'in') return undefined;
    this.token = undefined;
    switch (token.text) {
      case '{':
        return this.redirected(this.brace(line));
      case 'if':
        return this.redirected(parseIf(this, line));
      case 'for':
        return this.redirected(parseFor(this, line));
      case 'case':
        return this.redirected(parseCase(this, line));
      case 'while':
      case 'until':
        return this.redirected(this.loop(token.text, line));
      default:
        this.token = token;
        return this.unexpected();
    }
  }

  private group(line: number): Group {
    const body = this.body();
    this.expectOp(')');
    return { type: 'subshell', body, line };
  }

  private brace(line: number): Group {
    const body = this.body();
    this.expectWord('}');
    return { type: 'brace', body, line };
  }

  private loop(type: 'while' | 'until', line: number): Loop {
    const condition = this.body();
    return { type, condition, body: this.doGroup(), line };
  }

  doGroup(): Command {
    this.expectWord('do');
    const body = this.body();
    this.expectWord('done');
    return body;
  }

  private redirected<T extends Compound>(command: T): T {
    const redirs: Redir[] = [];
    while (this.redirection(redirs));
    return redirs.length === 0 ? command : { ...command, redirs };
  }

  /** If the command word that comes next is an alias, replaces it. */
  private aliases(): void {
    for (let i = 0; i < 100; i++) {
      const token = this.peek();
      if (token.type !== 'word' || token.text === undefined) return;
      if (!this.lexer.substituteAlias(token.text)) return;
      this.token = undefined;
    }
  }

  /** Where a command may begin, or none: the value of an alias may be blank. */
  private leadingAliases(): void {
    const token = this.peek();
    if (token.type === 'word' && token.text !== undefined && !reserved.has(token.text)) {
      this.aliases();
    }
  }

  private simple(): Command {
    const words: Word[] = [];
    const assigns: Assign[] = [];
    const redirs: Redir[] = [];
    this.peek();
    const line = this.lexer.line;
    for (;;) {
      this.peek();
      if (words.length === 0 || this.lexer.aliasContinues(this.tokenStart)) this.aliases();
      if (this.redirection(redirs)) continue;
      const token = this.peek();
      if (token.type !== 'word') {
        const bare = assigns.length + redirs.length === 0 && words.length === 1;
        if (bare && token.type === 'op' && token.op === '(') return this.functionDef(words, line);
        break;
      }
      this.token = undefined;
      const assign = words.length === 0 ? asAssign(token.word) : undefined;
      if (assign !== undefined) assigns.push(assign);
      else words.push(token.word);
    }
    if (words.length + assigns.length + redirs.length === 0) this.unexpected();
    return { type: 'simple', line, assigns, words, redirs } satisfies Simple;
  }

  private functionDef(words: readonly Word[], line: number): Command {
    const part = words[0]?.parts[0];
    this.expectOp('(');
    this.expectOp(')');
    if (words[0]?.parts.length !== 1 || part?.type !== 'lit' || !functionName.test(part.text)) {
      this.lexer.syntaxError('Bad function name');
    }
    this.newlines();
    this.lexer.enter();
    const body = this.compound() ?? this.simple();
    this.lexer.leave();
    return { type: 'function', name: part.text, line, body };
  }

  private redirection(into: Redir[]): boolean {
    let token = this.peek();
    let fd: number | undefined;
    if (token.type === 'io') {
      fd = token.fd;
      this.token = undefined;
      token = this.peek();
    }
    const op = token.type === 'op' ? redirOp(token.op) : undefined;
    if (op === undefined || token.type !== 'op') return false;
    this.token = undefined;
    const target = this.peek();
    if (target.type !== 'word') this.unexpected();
    const raw = this.lexer.src.slice(this.tokenStart, this.lexer.pos).trimStart();
    this.token = undefined;
    fd ??= op.startsWith('<') ? 0 : 1;
    if (op === '<<') this.hereDoc({ fd, raw, strip: token.op === '<<-' }, into);
    else into.push({ op, fd, target: target.word });
    return true;
  }

  private hereDoc(doc: { fd: number; raw: string; strip: boolean }, into: Redir[]): void {
    const at = into.length;
    into.push({ op: '<<', fd: doc.fd, target: { parts: [], lit: '' } });
    this.lexer.pending.push({
      delimiter: removeQuotes(doc.raw),
      quoted: /[\\'"]/.test(doc.raw.replaceAll('\\\n', '')),
      stripTabs: doc.strip,
      done: (target) => {
        into[at] = { op: '<<', fd: doc.fd, target };
      },
    });
  }

  // Tokens.

  peek(): Token {
    if (this.token === undefined) {
      this.tokenStart = this.lexer.pos;
      this.token = this.lexer.next();
    }
    return this.token;
  }

  take(): Token {
    const token = this.peek();
    this.token = undefined;
    return token;
  }

  private start(): number {
    this.peek();
    return this.tokenStart;
  }

  newlines(): void {
    while (this.peek().type === 'newline') this.token = undefined;
  }

  tryOp(op: string): boolean {
    const token = this.peek();
    if (token.type !== 'op' || token.op !== op) return false;
    this.token = undefined;
    return true;
  }

  tryWord(text: string): boolean {
    const token = this.peek();
    if (token.type !== 'word' || token.text !== text) return false;
    this.token = undefined;
    return true;
  }

  expectOp(op: string): void {
    if (!this.tryOp(op)) this.unexpected(op);
  }

  expectWord(text: string): void {
    if (!this.tryWord(text)) this.unexpected(text);
  }

  unexpected(expecting?: string): never {
    const what = describe(this.peek());
    const hint = expecting === undefined ? '' : ` (expecting "${expecting}")`;
    const line = this.lexer.line - (this.peek().type === 'newline' ? 1 : 0);
    this.lexer.line = line;
    return this.lexer.syntaxError(`${what} unexpected${hint}`);
  }
}

function describe(token: Token): string {
  switch (token.type) {
    case 'eof':
      return 'end of file';
    case 'newline':
      return 'newline';
    case 'io':
      return `"${token.fd}"`;
    case 'op':
      return token.op.startsWith('<') || token.op.startsWith('>') ? 'redirection' : `"${token.op}"`;
    case 'word':
      return token.text === undefined ? 'word' : `"${token.text}"`;
  }
}

/** The inside of `$(`, up to and with its `)`. */
function nested(lexer: Lexer): Command | undefined {
  const { pending } = lexer;
  lexer.pending = [];
  const parser = new Parser(lexer);
  const body = parser.list();
  parser.expectOp(')');
  lexer.pending = [...pending, ...lexer.pending];
  return body;
}

function asCommand(items: readonly ListItem[]): Command {
  const only = items[0];
  if (items.length === 1 && only !== undefined && only.async === undefined) return only.command;
  return { type: 'list', items };
}

function asAssign(word: Word): Assign | undefined {
  const first = word.parts[0];
  if (first?.type !== 'lit') return undefined;
  const match = assignment.exec(first.text);
  if (match === null) return undefined;
  const rest = first.text.slice(match[0].length);
  const tail = word.parts.slice(1);
  const value = rest === '' ? tail : [{ type: 'lit' as const, text: rest }, ...tail];
  const text = value.length === 1 && value[0]?.type === 'lit' ? value[0].text : undefined;
  const marked = tildes(value, 'assignment');
  const plain = text !== undefined && marked.length === 1 && marked[0]?.type === 'lit';
  return { name: match[1] ?? '', value: plain ? { parts: marked, lit: text } : makeWord(marked) };
}
