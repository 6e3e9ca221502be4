// The expression of find as a tree (POSIX.1-2024 find, "Operands"): `!` before -a before -o before `,`.

import { O_CREAT, O_TRUNC, O_WRONLY } from '../../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../../kernel/abi/errno.ts';
import type { Timespec } from '../../../kernel/abi/stat.ts';
import { applyMode, parseMode } from '../files/mode.ts';
import type { Tool } from '../program.ts';
import type { Regex } from '../regex/regex.ts';
import { Output } from '../stdio.ts';
import { globRegExp } from '../text/glob.ts';
import { quotedArgument } from '../text/quote.ts';
import { parseDate } from '../time/date-parse.ts';
import type { Users } from '../users.ts';
import { isRegexType, pathRegex } from './regex.ts';

export type Relation = 'exactly' | 'more' | 'less';

export type Test =
  | { readonly kind: 'name' | 'path' | 'lname'; readonly glob: RegExp }
  | { readonly kind: 'type' | 'xtype'; readonly letters: string }
  | {
      readonly kind: 'size';
      readonly relation: Relation;
      readonly count: number;
      readonly unit: number;
    }
  | {
      readonly kind: 'time';
      readonly field: 'atime' | 'mtime' | 'ctime';
      readonly relation: Relation;
      readonly count: number;
      readonly unit: number; // seconds
    }
  | { readonly kind: 'newer'; readonly field: 'atime' | 'mtime' | 'ctime'; readonly than: Timespec }
  | { readonly kind: 'perm'; readonly how: 'exact' | 'all' | 'any'; readonly bits: number }
  | {
      readonly kind: 'number';
      readonly field: 'nlink' | 'ino' | 'uid' | 'gid';
      readonly relation: Relation;
      readonly count: number;
    }
  | { readonly kind: 'regex'; readonly regex: Regex }
  | { readonly kind: 'access'; readonly mode: number }
  | { readonly kind: 'samefile'; readonly dev: number; readonly ino: number }
  | { readonly kind: 'empty' | 'nouser' | 'nogroup' | 'true' | 'false' };

export type Action =
  | { readonly kind: 'print'; readonly end: string; readonly out: Output }
  | { readonly kind: 'printf'; readonly format: string; readonly out: Output }
  | { readonly kind: 'ls'; readonly out: Output }
  | { readonly kind: 'delete' | 'prune' | 'quit' }
  | {
      readonly kind: 'exec';
      readonly argv: readonly string[];
      readonly inDirectory: boolean;
      readonly ask: boolean;
    }
  | { readonly kind: 'batch'; readonly batch: Batch };

/** -exec … + : names collect until the line is long enough. */
export interface Batch {
  readonly argv: readonly string[];
  /** With -execdir the names are those of one directory, where the command runs. */
  readonly place: 'here' | 'directory';
  directory: string;
  names: string[];
  bytes: number;
}

export type Expression =
  | { readonly op: 'test'; readonly test: Test }
  | { readonly op: 'action'; readonly action: Action }
  | { readonly op: 'not'; readonly of: Expression }
  | { readonly op: 'and' | 'or' | 'comma'; readonly left: Expression; readonly right: Expression };

export interface Settings {
  maxDepth: number;
  minDepth: number;
  depthFirst: boolean;
  oneFileSystem: boolean;
  follow: 'never' | 'root' | 'always';
  /** -delete, -exec and -ok: what was seen of a file before its turn may not hold. */
  changesFiles: boolean;
  readonly now: Timespec;
  readonly batches: Batch[];
  readonly users: Users;
  /** Of -fprint and its like, by name. */
  readonly outputs: Map<string, Output>;
  /** -regextype */
  regexType: string;
}

const printTo = (out: Output): Expression => ({
  op: 'action',
  action: { kind: 'print', end: '\n', out },
});
const always: Expression = { op: 'test', test: { kind: 'true' } };

/** Without an action the whole is `( … ) -print`. */
export function parseExpression(
  tool: Tool,
  words: readonly string[],
  settings: Settings,
): Expression {
  if (words.length === 0) return printTo(tool.out);
  const parser = new Parser(tool, words, settings);
  const expression = parser.parse();
  return parser.acts ? expression : { op: 'and', left: expression, right: printTo(tool.out) };
}

class Parser {
  readonly #tool: Tool;
  readonly #words: readonly string[];
  readonly #settings: Settings;
  #at = 0;
  acts = false;

  constructor(tool: Tool, words: readonly string[], settings: Settings) {
    this.#tool = tool;
    this.#words = words;
    this.#settings = settings;
  }

  parse(): Expression {
    const expression = this.#comma();
    const rest = this.#words[this.#at];
    if (rest === ')')
      this.#tool.die(
        "invalid expression; you have used a binary operator ')' with nothing before it.",
      );
    if (rest !== undefined) this.#tool.die(`paths must precede expression: \`${rest}'`);
    return expression;
  }

  #comma(): Expression {
    let left = this.#or();
    while (this.#words[this.#at] === ',') {
      this.#at++;
      left = { op: 'comma', left, right: this.#or() };
    }
    return left;
  }

  #or(): Expression {
    let left = this.#and();
    while (/^(-o|-or)$/.test(this.#words[this.#at] ?? '')) {
      this.#at++;
      left = { op: 'or', left, right: this.#and() };
    }
    return left;
  }

  #and(): Expression {
    let left = this.#not();
    for (;;) {
      const word = this.#words[this.#at];
      if (word === undefined || /^(\)|,|-o|-or)$/.test(word)) return left;
      if (/^(-a|-and)$/.test(word)) this.#at++;
      left = { op: 'and', left, right: this.#not() };
    }
  }

  #not(): Expression {
    const word = this.#words[this.#at];
    if (word === '!' || word === '-not') {
      this.#at++;
      return { op: 'not', of: this.#not() };
    }
    if (word !== '(') return this.#primary();
    this.#at++;
    if (this.#words[this.#at] === ')')
      this.#tool.die('invalid expression; empty parentheses are not allowed.');
    if (this.#words[this.#at] === undefined)
      this.#tool.die(
        "invalid expression; expected to find a ')' but didn't see one. Perhaps you need an extra predicate after '('",
      );
    const inner = this.#comma();
    if (this.#words[this.#at] !== ')')
      this.#tool.die(
        "invalid expression; I was expecting to find a ')' somewhere but did not see one.",
      );
    this.#at++;
    return inner;
  }

  #primary(): Expression {
    const word = this.#words[this.#at++];
    if (word === undefined) {
      const before = this.#words.at(-1) ?? '';
      return this.#tool.die(
        `invalid expression; you have used a binary operator '${before}' with nothing after it.`,
      );
    }
    const setting = this.#setting(word);
    if (setting !== undefined) return setting;
    const test = this.#test(word);
    if (test !== undefined) return { op: 'test', test };
    const action = this.#action(word);
    if (action !== undefined) {
      if (action.kind !== 'prune' && action.kind !== 'quit') this.acts = true;
      return { op: 'action', action };
    }
    if (/^-/.test(word)) return this.#tool.die(`unknown predicate \`${word}'`);
    return this.#tool.die(`paths must precede expression: \`${word}'`);
  }

  #value(name: string): string {
    return this.#words[this.#at++] ?? this.#tool.die(`missing argument to \`${name}'`);
  }

  #setting(word: string): Expression | undefined {
    const settings = this.#settings;
    if (word === '-maxdepth' || word === '-mindepth') {
      const text = this.#value(word);
      if (!/^\d+$/.test(text))
        this.#tool.die(
          `Expected a positive decimal integer argument to ${word}, but got ${quotedArgument(text)}`,
        );
      settings[word === '-maxdepth' ? 'maxDepth' : 'minDepth'] = Number(text);
    } else if (word === '-depth' || word === '-d') settings.depthFirst = true;
    else if (word === '-xdev' || word === '-mount') settings.oneFileSystem = true;
    else if (word === '-follow') settings.follow = 'always';
    else if (word === '-regextype') {
      const type = this.#value(word);
      if (!isRegexType(type))
        this.#tool.die(`Unknown regular expression type ${quotedArgument(type)}`);
      settings.regexType = type;
    } else if (word !== '-noleaf' && word !== '-daystart' && word !== '-warn' && word !== '-nowarn')
      return undefined;
    return always;
  }

  #test(word: string): Test | undefined {
    const value = (): string => this.#value(word);
    switch (word) {
      case '-name':
      case '-iname':
        return { kind: 'name', glob: globRegExp(value(), word === '-iname' ? 'i' : '') };
      case '-path':
      case '-wholename':
      case '-ipath':
      case '-iwholename':
        return { kind: 'path', glob: globRegExp(value(), word.startsWith('-i') ? 'i' : '') };
      case '-lname':
      case '-ilname':
        return { kind: 'lname', glob: globRegExp(value(), word === '-ilname' ? 'i' : '') };
      case '-regex':
      case '-iregex': {
        const how = { type: this.#settings.regexType, ignoreCase: word === '-iregex' };
        return { kind: 'regex', regex: pathRegex(this.#tool, value(), how) };
      }
      case '-type':
      case '-xtype':
        return { kind: word === '-type' ? 'type' : 'xtype', letters: this.#types(word) };
      case '-size':
        return this.#size(value());
      case '-perm':
        return this.#perm(value());
      case '-links':
        return { kind: 'number', field: 'nlink', ...this.#number(word) };
      case '-inum':
        return { kind: 'number', field: 'ino', ...this.#number(word) };
      case '-uid':
        return { kind: 'number', field: 'uid', ...this.#number(word) };
      case '-gid':
        return { kind: 'number', field: 'gid', ...this.#number(word) };
      case '-user':
      case '-group':
        return this.#owner(word, value());
      case '-readable':
        return { kind: 'access', mode: 4 };
      case '-writable':
        return { kind: 'access', mode: 2 };
      case '-executable':
        return { kind: 'access', mode: 1 };
      case '-samefile': {
        const { dev, ino } = this.#stat(value());
        return { kind: 'samefile', dev, ino };
      }
      case '-empty':
      case '-nouser':
      case '-nogroup':
      case '-true':
      case '-false':
        return { kind: word.slice(1) as 'empty' | 'nouser' | 'nogroup' | 'true' | 'false' };
      default:
        return this.#timeTest(word);
    }
  }

  #timeTest(word: string): Test | undefined {
    const span = /^-([acm])(time|min)$/.exec(word);
    const fields = { a: 'atime', c: 'ctime', m: 'mtime' } as const;
    if (span !== null) {
      const field = fields[span[1] as 'a' | 'c' | 'm'];
      return { kind: 'time', field, unit: span[2] === 'min' ? 60 : 86400, ...this.#number(word) };
    }
    const newer = /^-(?:newer([acm])([acmt])|([ac])?newer)$/.exec(word);
    if (newer === null) return undefined;
    const [, mine, theirs, old] = newer;
    const text = this.#value(word);
    const field = fields[(mine ?? old ?? 'm') as 'a' | 'c' | 'm'];
    if (theirs === 't') {
      const than = parseDate(text, this.#settings.now);
      if (than !== undefined) return { kind: 'newer', field, than };
      return this.#tool.die(
        `I cannot figure out how to interpret ${quotedArgument(text)} as a date or time`,
      );
    }
    const stat = this.#stat(text);
    return { kind: 'newer', field, than: stat[fields[(theirs ?? 'm') as 'a' | 'c' | 'm']] };
  }

  #stat(path: string): ReturnType<Tool['sys']['stat']> {
    try {
      return this.#tool.sys[this.#settings.follow === 'never' ? 'lstat' : 'stat'](path);
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      return this.#tool.die(`${quotedArgument(path)}: ${strerror(error.errno)}`);
    }
  }

  #types(word: string): string {
    const text = this.#value(word);
    if (!/^[bcdpfls](,[bcdpfls])*$/.test(text)) {
      const letter = [...text].find((c) => !'bcdpfls,'.includes(c)) ?? text;
      this.#tool.die(`Unknown argument to ${word}: ${letter}`);
    }
    return text.replaceAll(',', '');
  }

  #number(word: string): { relation: Relation; count: number } {
    const text = this.#value(word);
    const match = /^([-+]?)(\d+(?:\.\d+)?)$/.exec(text);
    if (match === null) return this.#tool.die(`invalid argument \`${text}' to \`${word}'`);
    return { relation: relationOf(match[1]), count: Number(match[2]) };
  }

  #size(text: string): Test {
    const match = /^([-+]?)(\d+)([bcwkMG]?)$/.exec(text);
    if (match === null) return this.#tool.die(`invalid -size type \`${text.at(-1)}'`);
    const units: Readonly<Record<string, number>> = {
      '': 512,
      b: 512,
      c: 1,
      w: 2,
      k: 1024,
      M: 1024 ** 2,
      G: 1024 ** 3,
    };
    const unit = units[match[3] ?? ''] ?? 512;
    return { kind: 'size', relation: relationOf(match[1]), count: Number(match[2]), unit };
  }

  #perm(text: string): Test {
    const how = text.startsWith('-') ? 'all' : text.startsWith('/') ? 'any' : 'exact';
    const mode = parseMode(how === 'exact' ? text : text.slice(1));
    if (mode === undefined) return this.#tool.die(`invalid mode ${quotedArgument(text)}`);
    return { kind: 'perm', how, bits: applyMode(mode, 0, 0) };
  }

  #owner(word: string, text: string): Test {
    const { users } = this.#settings;
    const id = word === '-user' ? users.uid(text) : users.gid(text);
    if (id === undefined) {
      const kind = word === '-user' ? 'user' : 'group';
      return this.#tool.die(`${quotedArgument(text)} is not the name of a known ${kind}`);
    }
    const field = word === '-user' ? 'uid' : 'gid';
    return { kind: 'number', field, relation: 'exactly', count: id };
  }

  #action(word: string): Action | undefined {
    switch (word) {
      case '-print':
      case '-fprint':
        return { kind: 'print', end: '\n', out: this.#output(word) };
      case '-print0':
      case '-fprint0':
        return { kind: 'print', end: '\0', out: this.#output(word) };
      case '-printf':
      case '-fprintf': {
        const out = this.#output(word);
        return { kind: 'printf', format: this.#value(word), out };
      }
      case '-ls':
      case '-fls':
        return { kind: 'ls', out: this.#output(word) };
      case '-prune':
      case '-quit':
        return { kind: word.slice(1) as 'prune' | 'quit' };
      case '-delete':
        this.#settings.depthFirst = true;
        this.#settings.changesFiles = true;
        return { kind: 'delete' };
      case '-exec':
      case '-execdir':
      case '-ok':
      case '-okdir':
        this.#settings.changesFiles = true;
        return this.#exec(word);
      default:
        return undefined;
    }
  }

  /** Of -print and its like; -fprint names a file, which is made whether anything is printed or not. */
  #output(word: string): Output {
    if (!word.startsWith('-f')) return this.#tool.out;
    const { outputs } = this.#settings;
    const { sys } = this.#tool;
    const name = this.#value(word);
    if (name === '/dev/stdout') return this.#tool.out;
    const known = outputs.get(name);
    if (known !== undefined) return known;
    try {
      const fd = sys.open(name, O_WRONLY | O_CREAT | O_TRUNC, 0o666);
      const out = new Output(sys, fd, { what: quotedArgument(name) });
      outputs.set(name, out);
      return out;
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      return this.#tool.die(`${quotedArgument(name)}: ${strerror(error.errno)}`);
    }
  }

  #exec(word: string): Action {
    const from = this.#at;
    for (; this.#at < this.#words.length; this.#at++) {
      const end = this.#words[this.#at];
      const plus = end === '+' && this.#words[this.#at - 1] === '{}' && word.startsWith('-exec');
      if (end !== ';' && !plus) continue;
      const argv = this.#words.slice(from, this.#at++);
      if (argv.length === 0) break;
      if (!plus)
        return {
          kind: 'exec',
          argv,
          inDirectory: word.endsWith('dir'),
          ask: word.startsWith('-ok'),
        };
      const place = word.endsWith('dir') ? 'directory' : 'here';
      const batch: Batch = { argv: argv.slice(0, -1), place, directory: '', names: [], bytes: 0 };
      this.#settings.batches.push(batch);
      return { kind: 'batch', batch };
    }
    return this.#tool.die(`missing argument to \`${word}'`);
  }
}

const relationOf = (sign: string | undefined): Relation =>
  sign === '+' ? 'more' : sign === '-' ? 'less' : 'exactly';
