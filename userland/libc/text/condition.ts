// The expressions of test(1), POSIX.1-2024 test: up to four arguments are read by their number, more
// by a grammar in which -a binds before -o.

import {
  R_OK,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  S_ISGID,
  S_ISUID,
  S_ISVTX,
  W_OK,
  X_OK,
} from '../../../kernel/abi/constants.ts';
import { PosixError } from '../../../kernel/abi/errno.ts';
import { compareTimespec, type Stat } from '../../../kernel/abi/stat.ts';
import type { Sys } from '../sys.ts';

export type Mistake = 'integer' | 'unary' | 'binary' | 'missing' | 'closing' | 'extra';

/** What a shell or a program says about each mistake; the subject is the argument it is about. */
export type ConditionWords = Readonly<Record<Mistake, (subject: string) => string>>;

/** A wrong expression; not a fault of the system. */
export class ConditionError {
  readonly mistake: Mistake;
  readonly subject: string;

  constructor(mistake: Mistake, subject: string) {
    this.mistake = mistake;
    this.subject = subject;
  }
}

const binary = new Set([
  '=',
  '==',
  '!=',
  '<',
  '>',
  '-eq',
  '-ne',
  '-lt',
  '-le',
  '-gt',
  '-ge',
  '-nt',
  '-ot',
  '-ef',
]);
const unary = /^-[bcdefghknprstuwxzGLNOS]$/;

const fileTypes: Readonly<Record<string, number>> = {
  '-b': S_IFBLK,
  '-c': S_IFCHR,
  '-d': S_IFDIR,
  '-f': S_IFREG,
  '-p': S_IFIFO,
  '-S': S_IFSOCK,
  '-h': S_IFLNK,
  '-L': S_IFLNK,
};

/** How an operator that stands last is read: the program misses its operand, a shell takes it for a string. */
export type Dangling = 'mistake' | 'string';

export class Condition {
  readonly #sys: Sys;
  readonly #args: readonly string[];
  readonly #dangling: Dangling;
  #at = 0;

  constructor(sys: Sys, args: readonly string[], dangling: Dangling = 'string') {
    this.#sys = sys;
    this.#args = args;
    this.#dangling = dangling;
  }

  evaluate(): boolean {
    const count = this.#args.length;
    return this.#byCount(0, count) ?? this.#byGrammar(0);
  }

  #byGrammar(from: number): boolean {
    this.#at = from;
    const result = this.#or();
    const extra = this.#args[this.#at];
    if (extra !== undefined) throw new ConditionError('extra', extra);
    return result;
  }

  /** POSIX's table for up to four arguments; undefined = by the grammar. */
  #byCount(from: number, count: number): boolean | undefined {
    const [a = '', b = '', c = '', d = ''] = this.#args.slice(from, from + count);
    if (count === 0) return false;
    if (count === 1) return a !== '';
    if (count === 2) {
      if (a === '!') return b === '';
      if (unary.test(a)) return this.#unary(a, b);
      if (a.startsWith('-') && a.length === 2) throw new ConditionError('unary', a);
      throw new ConditionError('missing', b);
    }
    if (count === 3) {
      if (binary.has(b)) return this.#binary(a, b, c);
      if (a === '!') return !this.#byCount(from + 1, 2);
      if (a === '(' && c === ')') return b !== '';
      if (b === '-a' || b === '-o') return this.#byGrammar(from);
      throw new ConditionError('binary', b);
    }
    if (count === 4 && a === '!') return !this.#byCount(from + 1, 3);
    if (count === 4 && a === '(' && d === ')') return this.#byCount(from + 1, 2);
    return undefined;
  }

  #or(): boolean {
    let value = this.#and();
    while (this.#args[this.#at] === '-o') {
      this.#at++;
      const right = this.#and();
      value = value || right;
    }
    return value;
  }

  #and(): boolean {
    let value = this.#term();
    while (this.#args[this.#at] === '-a') {
      this.#at++;
      const right = this.#term();
      value = value && right;
    }
    return value;
  }

  #term(): boolean {
    let turned = false;
    while (this.#args[this.#at] === '!') {
      turned = !turned;
      this.#at++;
    }
    const value = this.#primary();
    return turned ? !value : value;
  }

  #primary(): boolean {
    const [a, b, c] = this.#args.slice(this.#at, this.#at + 3);
    if (a === undefined) throw new ConditionError('missing', this.#args.at(-1) ?? '');
    if (a === '(') {
      this.#at++;
      const value = this.#or();
      if (this.#args[this.#at++] !== ')') throw new ConditionError('closing', ')');
      return value;
    }
    if (b !== undefined && c !== undefined && binary.has(b)) {
      this.#at += 3;
      return this.#binary(a, b, c);
    }
    if (unary.test(a) && b !== undefined) {
      this.#at += 2;
      return this.#unary(a, b);
    }
    if (this.#dangling === 'mistake' && a.length === 2 && a.startsWith('-'))
      throw new ConditionError(unary.test(a) ? 'missing' : 'unary', a);
    this.#at++;
    return a !== '';
  }

  #binary(left: string, operator: string, right: string): boolean {
    switch (operator) {
      case '=':
      case '==':
        return left === right;
      case '!=':
        return left !== right;
      case '<':
        return left < right;
      case '>':
        return left > right;
      case '-nt':
      case '-ot':
      case '-ef':
        return this.#files(left, operator, right);
      default:
        return compare(number(left), operator, number(right));
    }
  }

  #files(left: string, operator: string, right: string): boolean {
    const [a, b] = [this.#stat(left), this.#stat(right)];
    if (operator === '-ef') return !!a && !!b && a.dev === b.dev && a.ino === b.ino;
    const [first, second] = operator === '-nt' ? [a, b] : [b, a];
    if (first === undefined) return false;
    return second === undefined || compareTimespec(first.mtime, second.mtime) > 0;
  }

  #unary(operator: string, text: string): boolean {
    const type = fileTypes[operator];
    if (type !== undefined) {
      const stat = type === S_IFLNK ? this.#lstat(text) : this.#stat(text);
      return stat !== undefined && (stat.mode & S_IFMT) === type;
    }
    if (operator === '-z') return text === '';
    if (operator === '-n') return text !== '';
    if (operator === '-t') return this.#sys.isatty(Number(number(text)));
    if (operator === '-r') return this.#may(text, R_OK);
    if (operator === '-w') return this.#may(text, W_OK);
    if (operator === '-x') return this.#may(text, X_OK);
    const stat = this.#stat(text);
    return stat !== undefined && this.#holds(operator, stat);
  }

  #holds(operator: string, stat: Stat): boolean {
    switch (operator) {
      case '-e':
        return true;
      case '-s':
        return stat.size > 0;
      case '-u':
        return (stat.mode & S_ISUID) !== 0;
      case '-g':
        return (stat.mode & S_ISGID) !== 0;
      case '-k':
        return (stat.mode & S_ISVTX) !== 0;
      case '-O':
        return stat.uid === this.#sys.geteuid();
      case '-G':
        return stat.gid === this.#sys.getegid();
      default: // -N: changed since it was read
        return compareTimespec(stat.mtime, stat.atime) > 0;
    }
  }

  #stat(path: string): Stat | undefined {
    return quiet(() => this.#sys.stat(path));
  }

  #lstat(path: string): Stat | undefined {
    return quiet(() => this.#sys.lstat(path));
  }

  #may(path: string, mode: number): boolean {
    return (
      quiet(() => {
        this.#sys.access(path, mode);
        return true;
      }) ?? false
    );
  }
}

/** What cannot be looked at is not there, for test. */
function quiet<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (error instanceof PosixError) return undefined;
    throw error;
  }
}

/** Exact: a bigint where a double is not. */
function number(text: string): number | bigint {
  const match = /^\s*([-+]?)(\d+)\s*$/.exec(text);
  if (match === null) throw new ConditionError('integer', text);
  const digits = `${match[1] === '-' ? '-' : ''}${match[2]}`;
  return digits.length < 16 ? Number(digits) : BigInt(digits);
}

function compare(a: number | bigint, operator: string, b: number | bigint): boolean {
  switch (operator) {
    case '-eq':
      return !(a < b || a > b);
    case '-ne':
      return a < b || a > b;
    case '-lt':
      return a < b;
    case '-le':
      return a <= b;
    case '-gt':
      return a > b;
    default:
      return a >= b;
  }
}
