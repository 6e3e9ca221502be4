// cd, pwd and umask (POSIX.1-2024 XCU cd, pwd, umask).

import { PosixError } from '../../../kernel/abi/errno.ts';
import { raise } from '../errors.ts';
import type { Shell } from '../shell.ts';
import type { Io } from './registry.ts';

export function cd(shell: Shell, args: readonly string[], io: Io): number {
  let physical = false;
  let at = 0;
  for (; /^-[LPe]+$/.test(args[at] ?? ''); at++) {
    const last = args[at]?.match(/[LP]/g)?.at(-1);
    if (last !== undefined) physical = last === 'P';
  }
  if (args[at] === '--') at++;
  const operand = args[at];
  let target = operand ?? shell.get('HOME') ?? raise('HOME not set');
  let print = false;
  if (operand === '-') {
    target = shell.get('OLDPWD') ?? raise('OLDPWD not set');
    print = true;
  }
  if (target === '') target = '.';
  for (const candidate of candidates(shell, target)) {
    if (!enter(shell, candidate.path, physical ? 'physical' : 'logical')) continue;
    if (print || candidate.fromCdpath) shell.write(io.out, `${shell.state.cwd}\n`);
    return 0;
  }
  return raise(`can't cd to ${target}`);
}

function candidates(shell: Shell, target: string): { path: string; fromCdpath: boolean }[] {
  const plain = { path: target, fromCdpath: false };
  const cdpath = shell.get('CDPATH');
  if (cdpath === undefined || cdpath === '' || /^\.{0,2}\//.test(target)) return [plain];
  if (target === '.' || target === '..') return [plain];
  const found = cdpath.split(':').map((dir) => {
    if (dir === '') return { path: target, fromCdpath: false };
    return { path: `${dir.replace(/\/$/, '')}/${target}`, fromCdpath: true };
  });
  return [...found, plain];
}

function enter(shell: Shell, path: string, mode: 'physical' | 'logical'): boolean {
  const { cwd } = shell.state;
  const full = path.startsWith('/') ? path : `${cwd === '/' ? '' : cwd}/${path}`;
  const logical = mode === 'physical' ? undefined : normalise(full);
  try {
    shell.sys.chdir(logical ?? full);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return false;
  }
  shell.declare('OLDPWD', { value: shell.get('PWD') ?? cwd, exported: true });
  shell.state.cwd = logical ?? shell.sys.getcwd();
  shell.declare('PWD', { value: shell.state.cwd, exported: true });
  return true;
}

/** Takes `.` and `..` out of an absolute path as text. */
function normalise(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

export function pwd(shell: Shell, args: readonly string[], io: Io): number {
  const path = args.includes('-P') ? shell.sys.getcwd() : shell.state.cwd;
  shell.write(io.out, `${path}\n`);
  return 0;
}

export function umask(shell: Shell, args: readonly string[], io: Io): number {
  const options = args.slice(0, args.indexOf('--') < 0 ? args.length : args.indexOf('--'));
  const bad = options.find((arg) => arg.startsWith('-') && arg !== '-S');
  if (bad !== undefined) raise(`Illegal option ${bad}`);
  const operand = args.find((arg) => arg !== '-S' && arg !== '--');
  const old = shell.sys.umask(0o77);
  shell.sys.umask(old);
  if (operand === undefined) {
    const octal = old.toString(8).padStart(4, '0');
    shell.write(io.out, `${args.includes('-S') ? symbolic(old) : octal}\n`);
    return 0;
  }
  const mask = /^[0-7]+$/.test(operand)
    ? Number.parseInt(operand, 8) & 0o777
    : 0o777 & ~symbolicMode(operand, 0o777 & ~old);
  shell.sys.umask(mask);
  if (shell.level > 0) shell.undo.push(() => shell.sys.umask(old));
  return 0;
}

const triple = (bits: number): string =>
  (bits & 4 ? 'r' : '') + (bits & 2 ? 'w' : '') + (bits & 1 ? 'x' : '');

const symbolic = (mask: number): string =>
  `u=${triple(~mask >> 6)},g=${triple(~mask >> 3)},o=${triple(~mask)}`;

const shifts: Readonly<Record<string, number>> = { u: 6, g: 3, o: 0 };
const permissions: Readonly<Record<string, number>> = { r: 4, w: 2, x: 1, s: 0 };

/** `u=rwx,go-w` applied to a mode. */
function symbolicMode(text: string, mode: number): number {
  let result = mode;
  for (const clause of text.split(',')) {
    const match = /^([ugoa]*)((?:[-+=][rwxXsugo]*)+)$/.exec(clause);
    if (match === null) return raise(`Illegal mode: ${text}`);
    const who = match[1] === '' || match[1]?.includes('a') ? 'ugo' : (match[1] ?? '');
    for (const action of (match[2] ?? '').matchAll(/([-+=])([rwxXsugo]*)/g)) {
      let bits = 0;
      for (const letter of action[2] ?? '') {
        const shift = shifts[letter];
        if (letter === 'X') bits |= mode & 0o111 ? 1 : 0;
        else bits |= shift === undefined ? (permissions[letter] ?? 0) : (result >> shift) & 7;
      }
      for (const letter of who) {
        const shift = shifts[letter] ?? 0;
        if (action[1] === '+') result |= bits << shift;
        else if (action[1] === '-') result &= ~(bits << shift);
        else result = (result & ~(7 << shift)) | (bits << shift);
      }
    }
  }
  return result;
}
