// Permission modes as text: `drwxr-xr-x`, and the octal and symbolic modes of chmod(1)
// (POSIX.1-2024 chmod, "Extended description").

import {
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
} from '../../../kernel/abi/constants.ts';
import type { Sys } from '../sys.ts';

const typeLetters = new Map([
  [S_IFREG, '-'],
  [S_IFDIR, 'd'],
  [S_IFLNK, 'l'],
  [S_IFCHR, 'c'],
  [S_IFBLK, 'b'],
  [S_IFIFO, 'p'],
  [S_IFSOCK, 's'],
]);

const typeNames = new Map([
  [S_IFREG, 'regular file'],
  [S_IFDIR, 'directory'],
  [S_IFLNK, 'symbolic link'],
  [S_IFCHR, 'character special file'],
  [S_IFBLK, 'block special file'],
  [S_IFIFO, 'fifo'],
  [S_IFSOCK, 'socket'],
]);

export const typeLetter = (mode: number): string => typeLetters.get(mode & S_IFMT) ?? '?';

/** `regular empty file` for a regular file of no bytes, as stat(1) says. */
export const typeName = (mode: number, size = 1): string =>
  (mode & S_IFMT) === S_IFREG && size === 0
    ? 'regular empty file'
    : (typeNames.get(mode & S_IFMT) ?? 'weird file');

/** `-rwsr-xr-t` */
export function formatMode(mode: number): string {
  const bits = (shift: number, special: number, letter: string): string => {
    const three = (mode >> shift) & 7;
    const x = three & 1;
    const last = mode & special ? (x ? letter : letter.toUpperCase()) : x ? 'x' : '-';
    return `${three & 4 ? 'r' : '-'}${three & 2 ? 'w' : '-'}${last}`;
  };
  return typeLetter(mode) + bits(6, 0o4000, 's') + bits(3, 0o2000, 's') + bits(0, 0o1000, 't');
}

/** One change of a parsed mode. */
interface ModeChange {
  readonly who: number; // 0o700 u, 0o070 g, 0o007 o and the special bits that go with them
  readonly all: 'given' | 'umask'; // no u, g, o or a: the umask holds
  readonly operator: '+' | '-' | '=';
  readonly bits: number;
  readonly conditionalX: 'X' | '';
  readonly copy: 'u' | 'g' | 'o' | '';
  /** Of the set-id bits of a directory `=` changes these alone. */
  readonly mentioned: number;
}

export type ModeProgram = readonly ModeChange[];

const whoBits: Readonly<Record<string, number>> = {
  u: 0o4700,
  g: 0o2070,
  o: 0o1007,
  a: 0o7777,
};
const permBits: Readonly<Record<string, number>> = {
  r: 0o444,
  w: 0o222,
  x: 0o111,
  s: 0o6000,
  t: 0o1000,
};

/** Undefined when the text is no mode. */
export function parseMode(text: string): ModeProgram | undefined {
  if (/^[0-7]+$/.test(text)) {
    const bits = Number.parseInt(text, 8);
    // Five digits and more mention all.
    return bits > 0o7777 ? undefined : [octalChange('=', bits, text.length > 4 ? 0o7777 : bits)];
  }
  const changes: ModeChange[] = [];
  for (const clause of text.split(',')) {
    const match = /^([ugoa]*)((?:[-+=](?:[ugo]|[rwxXst]*))*)([-+=][0-7]+)?$/.exec(clause);
    const [, who = '', actions = '', last = ''] = match ?? [];
    if (actions === '' && last === '') return undefined;
    if (last !== '' && who !== '') return undefined; // a number is for all
    for (const action of actions.match(/[-+=][^-+=]*/g) ?? [])
      changes.push(parseAction(who, action));
    if (last === '') continue;
    const operator = last[0] as '+' | '-' | '=';
    const bits = Number.parseInt(last.slice(1), 8);
    if (bits > 0o7777) return undefined;
    changes.push(octalChange(operator, bits, 0o7777));
  }
  return changes;
}

function parseAction(who: string, action: string): ModeChange {
  const operator = action[0] as '+' | '-' | '=';
  const perms = action.slice(1);
  let mask = 0;
  for (const letter of who) mask |= whoBits[letter] ?? 0;
  let bits = 0;
  if (!/^[ugo]$/.test(perms)) for (const letter of perms) bits |= permBits[letter] ?? 0;
  return {
    who: mask || 0o7777,
    all: who === '' ? 'umask' : 'given',
    operator,
    bits,
    conditionalX: perms.includes('X') ? 'X' : '',
    copy: /^[ugo]$/.test(perms) ? (perms as 'u' | 'g' | 'o') : '',
    mentioned: (mask || 0o7777) & bits,
  };
}

const octalChange = (operator: '+' | '-' | '=', bits: number, mentioned: number): ModeChange => ({
  who: 0o7777,
  all: 'given',
  operator,
  bits,
  conditionalX: '',
  copy: '',
  mentioned,
});

/** The permission bits that `change` makes of `mode` (a whole st_mode: directories differ). */
export function applyMode(change: ModeProgram, mode: number, umask: number): number {
  const directory = (mode & S_IFMT) === S_IFDIR;
  let now = mode & 0o7777;
  for (const step of change) {
    let bits = step.bits;
    if (step.conditionalX && (directory || now & 0o111)) bits |= 0o111;
    if (step.copy) bits |= copied(now, step.copy);
    let who = step.who;
    if (step.all === 'umask') bits &= ~umask | 0o7000;
    bits &= who;
    if (step.operator === '+') now |= bits;
    else if (step.operator === '-') now &= ~bits;
    else {
      // A directory keeps its set-id bits unless they are named.
      if (directory) who &= ~(0o6000 & ~step.mentioned);
      now = (now & ~who) | bits;
    }
  }
  return now;
}

function copied(mode: number, from: 'u' | 'g' | 'o'): number {
  const three = (mode >> (from === 'u' ? 6 : from === 'g' ? 3 : 0)) & 7;
  return three * 0o111;
}

export function currentUmask(sys: Sys): number {
  const mask = sys.umask(0);
  sys.umask(mask);
  return mask;
}
