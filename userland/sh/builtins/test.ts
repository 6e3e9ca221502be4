// test and [ (POSIX.1-2024 XCU test): by the number of arguments up to four, and with -a, -o and
// parentheses beyond.

import {
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
} from '../../../kernel/abi/constants.ts';
import { PosixError } from '../../../kernel/abi/errno.ts';
import { compareTimespec, type Stat } from '../../../kernel/abi/stat.ts';
import { raise } from '../errors.ts';
import type { Shell } from '../shell.ts';

export function testBracket(shell: Shell, args: readonly string[]): number {
  if (args[args.length - 1] !== ']') raise('missing ]');
  return test(shell, args.slice(0, -1));
}

export function test(shell: Shell, args: readonly string[]): number {
  return decide(shell, args) ? 0 : 1;
}

function decide(shell: Shell, args: readonly string[]): boolean {
  const [a = '', b = '', c = ''] = args;
  switch (args.length) {
    case 0:
      return false;
    case 1:
      return a !== '';
    case 2:
      if (a === '!') return b === '';
      if (unary.has(a)) return one(shell, a, b);
      break;
    case 3:
      if (binary.has(b)) return two(shell, { left: a, op: b, right: c });
      if (b === '-a') return a !== '' && c !== '';
      if (b === '-o') return a !== '' || c !== '';
      if (a === '!') return !decide(shell, args.slice(1));
      if (a === '(' && c === ')') return b !== '';
      break;
    case 4:
      if (a === '!') return !decide(shell, args.slice(1));
      if (a === '(' && args[3] === ')') return decide(shell, args.slice(1, 3));
  }
  return new Expression(shell, args).value();
}

class Expression {
  private readonly shell: Shell;
  private readonly args: readonly string[];
  private at = 0;

  constructor(shell: Shell, args: readonly string[]) {
    this.shell = shell;
    this.args = args;
  }

  value(): boolean {
    const result = this.or(0);
    const left = this.args[this.at];
    if (left !== undefined) raise(`${left}: unexpected operator`);
    return result;
  }

  private or(depth: number): boolean {
    if (depth > 200) raise('nesting too deep');
    let result = this.and(depth);
    while (this.args[this.at] === '-o') {
      this.at++;
      const right = this.and(depth);
      result = result || right;
    }
    return result;
  }

  private and(depth: number): boolean {
    let result = this.not(depth);
    while (this.args[this.at] === '-a') {
      this.at++;
      const right = this.not(depth);
      result = result && right;
    }
    return result;
  }

  private not(depth: number): boolean {
    let yes = true;
    while (this.args[this.at] === '!' && this.at + 1 < this.args.length) {
      if (binary.has(this.args[this.at + 1] ?? '') && this.at + 2 < this.args.length) break;
      this.at++;
      yes = !yes;
    }
    return this.primary(depth) === yes;
  }

  private primary(depth: number): boolean {
    const word = this.args[this.at];
    if (word === undefined) return raise('argument expected');
    const op = this.args[this.at + 1] ?? '';
    const right = this.args[this.at + 2];
    if (right !== undefined && binary.has(op)) {
      this.at += 3;
      return two(this.shell, { left: word, op, right });
    }
    if (word === '(') {
      this.at++;
      const result = this.or(depth + 1);
      if (this.args[this.at] !== ')') raise('closing paren expected');
      this.at++;
      return result;
    }
    if (unary.has(word) && this.at + 1 < this.args.length) {
      this.at += 2;
      return one(this.shell, word, op);
    }
    this.at++;
    return word !== '';
  }
}

const unary = new Set('-b -c -d -e -f -g -h -k -L -n -p -r -S -s -t -u -w -x -z -O -G'.split(' '));
const binary = new Set('= == != < > -eq -ne -gt -ge -lt -le -nt -ot -ef'.split(' '));

function statOf(
  shell: Shell,
  path: string,
  link: 'follow' | 'itself' = 'follow',
): Stat | undefined {
  try {
    return link === 'follow' ? shell.sys.stat(path) : shell.sys.lstat(path);
  } catch (error) {
    if (error instanceof PosixError) return undefined;
    throw error;
  }
}

const types: Readonly<Record<string, number>> = {
  '-b': S_IFBLK,
  '-c': S_IFCHR,
  '-d': S_IFDIR,
  '-f': S_IFREG,
  '-p': S_IFIFO,
  '-S': S_IFSOCK,
};
const bits: Readonly<Record<string, number>> = { '-g': S_ISGID, '-k': S_ISVTX, '-u': S_ISUID };
const rights: Readonly<Record<string, number>> = { '-r': 4, '-w': 2, '-x': 1 };

function one(shell: Shell, op: string, operand: string): boolean {
  if (op === '-n') return operand !== '';
  if (op === '-z') return operand === '';
  if (op === '-t') return shell.sys.isatty(integer(operand));
  if (op === '-h' || op === '-L') {
    const stat = statOf(shell, operand, 'itself');
    return stat !== undefined && (stat.mode & S_IFMT) === S_IFLNK;
  }
  const right = rights[op];
  if (right !== undefined) return mayAccess(shell, operand, right);
  const stat = statOf(shell, operand);
  if (stat === undefined) return false;
  const type = types[op];
  if (type !== undefined) return (stat.mode & S_IFMT) === type;
  const bit = bits[op];
  if (bit !== undefined) return (stat.mode & bit) !== 0;
  if (op === '-s') return stat.size > 0;
  if (op === '-O') return stat.uid === shell.sys.geteuid();
  if (op === '-G') return stat.gid === shell.sys.getegid();
  return true; // -e
}

function mayAccess(shell: Shell, path: string, mode: number): boolean {
  try {
    shell.sys.access(path, mode);
    return true;
  } catch (error) {
    if (error instanceof PosixError) return false;
    throw error;
  }
}

function integer(text: string): number {
  if (!/^\s*[-+]?[0-9]+\s*$/.test(text)) raise(`Illegal number: ${text}`);
  return Number(text);
}

interface Comparison {
  readonly left: string;
  readonly op: string;
  readonly right: string;
}

function two(shell: Shell, { left, op, right }: Comparison): boolean {
  switch (op) {
    case '=':
    case '==':
      return left === right;
    case '!=':
      return left !== right;
    case '<':
      return left < right;
    case '>':
      return left > right;
    case '-eq':
      return integer(left) === integer(right);
    case '-ne':
      return integer(left) !== integer(right);
    case '-gt':
      return integer(left) > integer(right);
    case '-ge':
      return integer(left) >= integer(right);
    case '-lt':
      return integer(left) < integer(right);
    case '-le':
      return integer(left) <= integer(right);
    default:
      return compareFiles(shell, { left, op, right });
  }
}

function compareFiles(shell: Shell, { left, op, right }: Comparison): boolean {
  const a = statOf(shell, left);
  const b = statOf(shell, right);
  if (op === '-ef') return a !== undefined && a.ino === b?.ino && a.dev === b.dev;
  if (op === '-nt')
    return a !== undefined && (b === undefined || compareTimespec(a.mtime, b.mtime) > 0);
  return b !== undefined && (a === undefined || compareTimespec(a.mtime, b.mtime) < 0);
}
