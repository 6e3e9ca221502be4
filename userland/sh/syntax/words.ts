// From characters to words (POSIX.1-2024 XCU §2.2 quoting, §2.6 the forms of expansions). A word
// becomes a flat list of parts, each knowing whether it was quoted.

import { hasPattern } from '../pattern.ts';
import type { ParamOp, Part, Word } from './ast.ts';
import { Lexer } from './lexer.ts';

const NEWLINE = 10;
const DQUOTE = 34;
const HASH = 35;
const DOLLAR = 36;
const SQUOTE = 39;
const OPEN = 40;
const CLOSE = 41;
const COLON = 58;
const BACKSLASH = 92;
const BACKQUOTE = 96;
const LBRACE = 123;
const RBRACE = 125;

const wordEnd = /[ \t\n&|;<>()]/;
const special = /[\\'"$`]/;
const nameStart = /[A-Za-z_]/;
const nameChars = /[A-Za-z_0-9]/;

/** `dq` inside "...", `brace`: inside "${x:-...}", `arith`: inside $((...)), `heredoc`. */
type QuotedMode = 'dq' | 'brace' | 'arith' | 'heredoc';

class Parts {
  readonly list: Part[] = [];

  add(type: 'lit' | 'quoted', text: string): void {
    const last = this.list[this.list.length - 1];
    if (last !== undefined && last.type === type) {
      this.list[this.list.length - 1] = { type, text: last.text + text };
    } else this.list.push({ type, text });
  }

  word(): Word {
    return makeWord(this.list);
  }
}

/** Joins the parts; notes the text when there is nothing to expand. */
export function makeWord(parts: readonly Part[]): Word {
  let lit = '';
  for (const part of parts) {
    if (part.type === 'quoted') lit += part.text;
    else if (part.type === 'lit' && !hasPattern(part.text)) lit += part.text;
    else return { parts };
  }
  return { parts, lit };
}

/** The word that begins here; the lexer stands on its first character. */
export function scanWord(lexer: Lexer): Word {
  const parts = new Parts();
  scanUnquoted(lexer, parts, 'word');
  return makeWord(tildes(parts.list, 'word'));
}

/** The body of a here-document whose delimiter was not quoted. */
export function scanHereDoc(lexer: Lexer): Word {
  const parts = new Parts();
  scanQuoted(lexer, parts, 'heredoc');
  return parts.word();
}

/** A prompt string: expanded as a here-document is. */
export const scanPrompt = scanHereDoc;

/** A here-document's delimiter as it is written, less its quotes (§2.7.4): nothing is expanded. */
export function removeQuotes(raw: string): string {
  return raw
    .replaceAll('\\\n', '')
    .replace(
      /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)/gs,
      (_, single, double, char) => single ?? char ?? double.replace(/\\([$`"\\])/g, '$1'),
    );
}

function scanUnquoted(lexer: Lexer, parts: Parts, mode: 'word' | 'brace'): void {
  for (;;) {
    const c = lexer.peek();
    if (c === -1) {
      if (mode === 'brace') lexer.syntaxError("Missing '}'");
      return;
    }
    const char = String.fromCharCode(c);
    if (mode === 'word' ? wordEnd.test(char) : c === RBRACE) return;
    if (c === BACKSLASH) scanBackslash(lexer, parts);
    else if (c === SQUOTE) scanSingle(lexer, parts);
    else if (c === DQUOTE) scanDouble(lexer, parts);
    else if (c === DOLLAR) scanDollar(lexer, parts, 'unquoted');
    else if (c === BACKQUOTE) scanBackquote(lexer, parts, 'unquoted');
    else {
      if (c === NEWLINE) lexer.line++;
      parts.add('lit', takeRun(lexer, mode));
    }
  }
}

/** A run of characters that mean themselves; at least one. */
function takeRun(lexer: Lexer, mode: 'word' | 'brace'): string {
  const start = lexer.pos++;
  for (;;) {
    const c = lexer.peek();
    if (c === -1 || c === NEWLINE) break;
    const char = String.fromCharCode(c);
    if (special.test(char) || (mode === 'word' ? wordEnd.test(char) : c === RBRACE)) break;
    lexer.pos++;
  }
  return lexer.src.slice(start, lexer.pos);
}

function scanBackslash(lexer: Lexer, parts: Parts): void {
  const c = lexer.peek(1);
  if (c === NEWLINE) {
    lexer.pos += 2;
    lexer.line++;
    return;
  }
  if (c === -1) {
    lexer.pos++;
    parts.add('quoted', '\\');
    return;
  }
  lexer.pos++;
  parts.add('quoted', takeChar(lexer));
}

function takeChar(lexer: Lexer): string {
  const char = String.fromCodePoint(lexer.src.codePointAt(lexer.pos) ?? 0);
  lexer.pos += char.length;
  return char;
}

function scanSingle(lexer: Lexer, parts: Parts): void {
  const start = ++lexer.pos;
  for (;;) {
    const c = lexer.peek();
    if (c === -1) lexer.syntaxError('Unterminated quoted string');
    if (c === SQUOTE) break;
    if (c === NEWLINE) lexer.line++;
    lexer.pos++;
  }
  parts.add('quoted', lexer.src.slice(start, lexer.pos));
  lexer.pos++;
}

function scanDouble(lexer: Lexer, parts: Parts): void {
  lexer.pos++;
  const before = parts.list.length;
  scanQuoted(lexer, parts, 'dq');
  if (lexer.peek() !== DQUOTE) lexer.syntaxError('Unterminated quoted string');
  lexer.pos++;
  if (parts.list.length === before) parts.add('quoted', '');
}

/** Everything here is quoted; stops before the closing `"`, `}`, `))`, or at the end. */
function scanQuoted(lexer: Lexer, parts: Parts, mode: QuotedMode): void {
  let nesting = 0;
  let inner = false; // inside "..." inside "${x:-...}"
  for (;;) {
    const c = lexer.peek();
    if (c === -1) return;
    if (c === DQUOTE && mode !== 'heredoc') {
      if (mode === 'dq') return;
      inner = !inner;
      lexer.pos++;
    } else if (c === RBRACE && mode === 'brace' && !inner) return;
    else if (mode === 'arith' && c === OPEN) {
      nesting++;
      parts.add('quoted', takeChar(lexer));
    } else if (mode === 'arith' && c === CLOSE) {
      if (nesting-- === 0) return;
      parts.add('quoted', takeChar(lexer));
    } else if (c === BACKSLASH) scanQuotedBackslash(lexer, parts, mode);
    else if (c === DOLLAR) scanDollar(lexer, parts, 'quoted');
    else if (c === BACKQUOTE) scanBackquote(lexer, parts, 'quoted');
    else {
      if (c === NEWLINE) lexer.line++;
      parts.add('quoted', takeQuotedRun(lexer));
    }
  }
}

function takeQuotedRun(lexer: Lexer): string {
  const start = lexer.pos++;
  for (;;) {
    const c = lexer.peek();
    if (c === -1 || c === NEWLINE || c === RBRACE || c === OPEN || c === CLOSE) break;
    if (special.test(String.fromCharCode(c))) break;
    lexer.pos++;
  }
  return lexer.src.slice(start, lexer.pos);
}

function scanQuotedBackslash(lexer: Lexer, parts: Parts, mode: QuotedMode): void {
  const c = lexer.peek(1);
  if (c === NEWLINE) {
    lexer.pos += 2;
    lexer.line++;
    return;
  }
  const escapable =
    c === DOLLAR ||
    c === BACKQUOTE ||
    c === BACKSLASH ||
    (c === DQUOTE && mode !== 'heredoc') ||
    (c === RBRACE && mode === 'brace');
  lexer.pos++;
  parts.add('quoted', escapable ? takeChar(lexer) : '\\');
}

type Context = 'quoted' | 'unquoted';

function scanDollar(lexer: Lexer, parts: Parts, context: Context): void {
  const quoted = context === 'quoted';
  lexer.unfold(1);
  const c = lexer.peek(1);
  const char = c === -1 ? '' : String.fromCharCode(c);
  if (c === OPEN) scanParen(lexer, parts, quoted);
  else if (c === LBRACE) scanBrace(lexer, parts, quoted);
  else if (c === SQUOTE && !quoted) scanDollarSingle(lexer, parts);
  else if (nameStart.test(char)) {
    lexer.pos++;
    pushParam(parts, { name: takeName(lexer), quoted });
  } else if (char !== '' && /[0-9@*#?$!-]/.test(char)) {
    lexer.pos += 2;
    pushParam(parts, { name: char, quoted });
  } else {
    lexer.pos++;
    parts.add(quoted ? 'quoted' : 'lit', '$');
  }
}

function pushParam(parts: Parts, p: { name: string; quoted: boolean }): void {
  parts.list.push({ type: 'param', name: p.name, quoted: p.quoted, op: '', colon: false });
}

function takeName(lexer: Lexer): string {
  const start = lexer.pos;
  while (lexer.peek() !== -1 && nameChars.test(lexer.src[lexer.pos] ?? '')) {
    lexer.pos++;
    lexer.unfold(0);
  }
  return lexer.src.slice(start, lexer.pos);
}

/** `$(command)` or `$((expression))`: an expression when it ends in `))`, as §2.6.3 allows. */
function scanParen(lexer: Lexer, parts: Parts, quoted: boolean): void {
  lexer.unfold(2);
  if (lexer.peek(2) === OPEN && tryArith(lexer, parts, quoted)) return;
  lexer.pos += 2;
  lexer.enter();
  const body = lexer.parseNested(lexer);
  lexer.leave();
  parts.list.push({ type: 'command', quoted, ...(body === undefined ? {} : { body }) });
}

function tryArith(lexer: Lexer, parts: Parts, quoted: boolean): boolean {
  const { pos, line, depth } = lexer;
  lexer.pos += 3;
  const inner = new Parts();
  lexer.enter();
  scanQuoted(lexer, inner, 'arith');
  lexer.leave();
  lexer.unfold(1);
  if (lexer.peek() === CLOSE && lexer.peek(1) === CLOSE) {
    lexer.pos += 2;
    parts.list.push({ type: 'arith', quoted, expr: inner.word() });
    return true;
  }
  lexer.pos = pos;
  lexer.line = line;
  lexer.depth = depth;
  return false;
}

function scanBrace(lexer: Lexer, parts: Parts, quoted: boolean): void {
  const start = lexer.pos;
  lexer.pos += 2;
  lexer.unfold(0);
  lexer.enter();
  const part = scanBraceBody(lexer, quoted);
  lexer.leave();
  if (part !== undefined && lexer.peek() === RBRACE) {
    lexer.pos++;
    parts.list.push(part);
    return;
  }
  const rest = new Parts(); // a bad substitution is an error only when it is expanded
  if (quoted) scanQuoted(lexer, rest, 'brace');
  else scanUnquoted(lexer, rest, 'brace');
  if (lexer.peek() !== RBRACE) lexer.syntaxError("Missing '}'");
  lexer.pos++;
  parts.list.push({ type: 'bad', text: lexer.src.slice(start, lexer.pos) });
}

function scanBraceBody(lexer: Lexer, quoted: boolean): Part | undefined {
  if (lexer.peek() === HASH) lexer.unfold(1);
  if (lexer.peek() === HASH && lexer.peek(1) !== RBRACE) {
    const mark = lexer.pos;
    lexer.pos++;
    const name = takeParamName(lexer);
    if (name !== undefined && lexer.peek() === RBRACE) {
      return { type: 'param', name, quoted, op: 'length', colon: false };
    }
    lexer.pos = mark;
  }
  const name = takeParamName(lexer);
  if (name === undefined) return undefined;
  if (lexer.peek() === RBRACE) return { type: 'param', name, quoted, op: '', colon: false };
  const colon = lexer.peek() === COLON;
  if (colon) lexer.pos++;
  lexer.unfold(0);
  const op = takeParamOp(lexer);
  if (op === undefined || (colon && (op.startsWith('#') || op.startsWith('%')))) return undefined;
  const word = new Parts();
  const isPattern = op.startsWith('#') || op.startsWith('%');
  if (quoted && !isPattern) scanQuoted(lexer, word, 'brace');
  else scanUnquoted(lexer, word, 'brace');
  const list = quoted && !isPattern ? word.list : tildes(word.list, 'word');
  return { type: 'param', name, quoted, op, colon, word: makeWord(list) };
}

function takeParamName(lexer: Lexer): string | undefined {
  const c = lexer.peek();
  const char = c === -1 ? '' : String.fromCharCode(c);
  if (nameStart.test(char)) return takeName(lexer);
  if (/[0-9]/.test(char)) {
    const start = lexer.pos;
    while (/[0-9]/.test(String.fromCharCode(Math.max(lexer.peek(), 0)))) {
      lexer.pos++;
      lexer.unfold(0);
    }
    return lexer.src.slice(start, lexer.pos);
  }
  if (char === '' || !/[@*#?$!-]/.test(char)) return undefined;
  lexer.pos++;
  lexer.unfold(0);
  return char;
}

function takeParamOp(lexer: Lexer): ParamOp | undefined {
  const char = String.fromCharCode(Math.max(lexer.peek(), 0));
  if (char === '-' || char === '=' || char === '?' || char === '+') {
    lexer.pos++;
    return char;
  }
  if (char !== '%' && char !== '#') return undefined;
  lexer.pos++;
  lexer.unfold(0);
  if (lexer.peek() !== char.charCodeAt(0)) return char;
  lexer.pos++;
  return char === '%' ? '%%' : '##';
}

function scanBackquote(lexer: Lexer, parts: Parts, context: Context): void {
  const quoted = context === 'quoted';
  let text = '';
  const line = lexer.line;
  lexer.pos++;
  for (;;) {
    const c = lexer.peek();
    if (c === -1) lexer.syntaxError('EOF in backquote substitution');
    if (c === BACKQUOTE) break;
    if (c === NEWLINE) lexer.line++;
    if (c === BACKSLASH) {
      const after = lexer.peek(1);
      const drops = after === DOLLAR || after === BACKQUOTE || after === BACKSLASH;
      if (drops || (quoted && after === DQUOTE)) lexer.pos++;
    }
    text += takeChar(lexer);
  }
  lexer.pos++;
  lexer.enter();
  const inner = new Lexer({ text, line, depth: lexer.depth });
  const body = lexer.parseText(text, inner);
  lexer.leave();
  parts.list.push({ type: 'command', quoted, ...(body === undefined ? {} : { body }) });
}

const simpleEscapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
  e: '\x1b',
};

/** `$'...'`, POSIX.1-2024 XCU §2.2.4. */
function scanDollarSingle(lexer: Lexer, parts: Parts): void {
  lexer.pos += 2;
  let text = '';
  for (;;) {
    const c = lexer.peek();
    if (c === -1) lexer.syntaxError('Unterminated quoted string');
    if (c === SQUOTE) break;
    if (c === NEWLINE) lexer.line++;
    if (c === BACKSLASH) {
      lexer.pos++;
      text += dollarEscape(lexer);
    } else text += takeChar(lexer);
  }
  lexer.pos++;
  parts.add('quoted', text);
}

const byte = (n: number): string => String.fromCharCode(n < 0x80 ? n : 0xdc00 + n);

function dollarEscape(lexer: Lexer): string {
  const rest = lexer.src.slice(lexer.pos, lexer.pos + 3);
  const number = /^(?:x([0-9A-Fa-f]{1,2})|([0-7]{1,3}))/.exec(rest);
  if (number !== null) {
    lexer.pos += number[0].length;
    const value = number[1] === undefined ? Number.parseInt(number[2] ?? '', 8) : 0;
    return byte(number[1] === undefined ? value & 0xff : Number.parseInt(number[1], 16));
  }
  const char = takeChar(lexer);
  if (char === 'c') return String.fromCharCode(takeChar(lexer).charCodeAt(0) & 0x1f);
  const plain = simpleEscapes[char];
  if (plain !== undefined) return plain;
  return char === '\\' || char === "'" || char === '"' ? char : `\\${char}`;
}

/**
 * Marks the tilde-prefixes of a word (§2.6.1): at its beginning, and in an assignment's value also
 * after each unquoted colon.
 */
export function tildes(parts: readonly Part[], kind: 'word' | 'assignment'): Part[] {
  const out: Part[] = [];
  parts.forEach((part, i) => {
    if (part.type !== 'lit' || !part.text.includes('~')) {
      out.push(part);
      return;
    }
    const last = i === parts.length - 1;
    splitTildes({ text: part.text, first: i === 0, last, kind }, out);
  });
  return out;
}

interface TildeText {
  readonly text: string;
  readonly first: boolean;
  readonly last: boolean;
  readonly kind: 'word' | 'assignment';
}

function splitTildes(t: TildeText, out: Part[]): void {
  const prefix = t.kind === 'assignment' ? /(^|:)~([^/:]*)/g : /^()~([^/]*)/g;
  let done = 0;
  for (const match of t.text.matchAll(prefix)) {
    const end = match.index + match[0].length;
    if (match.index === 0 && match[1] === '' && !t.first) continue;
    if (end === t.text.length && !t.last) continue; // the name goes on in a quoted part
    const before = t.text.slice(done, match.index) + match[1];
    if (before !== '') out.push({ type: 'lit', text: before });
    out.push({ type: 'tilde', user: match[2] ?? '' });
    done = end;
  }
  if (done < t.text.length) out.push({ type: 'lit', text: t.text.slice(done) });
}
