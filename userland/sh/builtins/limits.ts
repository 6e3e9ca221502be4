// ulimit (POSIX.1-2024 XCU ulimit, and -u of common practice) and times (XCU §2.15).

import {
  RLIMIT_AS,
  RLIMIT_CORE,
  RLIMIT_CPU,
  RLIMIT_DATA,
  RLIMIT_FSIZE,
  RLIMIT_NOFILE,
  RLIMIT_NPROC,
  RLIMIT_STACK,
} from '../../../kernel/abi/constants.ts';
import { PosixError } from '../../../kernel/abi/errno.ts';
import { raise } from '../errors.ts';
import { posixWords, type Shell } from '../shell.ts';
import type { Io } from './registry.ts';

interface Limit {
  readonly resource: number;
  readonly name: string;
  /** How many of the kernel's units one of the user's is. */
  readonly unit: number;
}

const limits: Readonly<Record<string, Limit>> = {
  t: { resource: RLIMIT_CPU, name: 'time(seconds)', unit: 1 },
  f: { resource: RLIMIT_FSIZE, name: 'file(blocks)', unit: 512 },
  d: { resource: RLIMIT_DATA, name: 'data(kbytes)', unit: 1024 },
  s: { resource: RLIMIT_STACK, name: 'stack(kbytes)', unit: 1024 },
  c: { resource: RLIMIT_CORE, name: 'coredump(blocks)', unit: 512 },
  u: { resource: RLIMIT_NPROC, name: 'process', unit: 1 },
  n: { resource: RLIMIT_NOFILE, name: 'nofiles', unit: 1 },
  v: { resource: RLIMIT_AS, name: 'vmemory(kbytes)', unit: 1024 },
};

export function ulimit(shell: Shell, args: readonly string[], io: Io): number {
  let which = 'f';
  let sides = '';
  let all = false;
  let at = 0;
  for (; /^-./.test(args[at] ?? '') && args[at] !== '--'; at++) {
    for (const letter of (args[at] ?? '').slice(1)) {
      if (letter === 'H' || letter === 'S') sides += letter;
      else if (letter === 'a') all = true;
      else if (limits[letter] !== undefined) which = letter;
      else raise(`Illegal option -${letter}`);
    }
  }
  if (args[at] === '--') at++;
  const [value, extra] = args.slice(at);
  if (extra !== undefined || (all && value !== undefined)) raise('too many arguments');
  if (all) {
    const lines = Object.values(limits).map(
      (limit) => `${limit.name.padEnd(20)} ${shown(shell, limit, sides)}\n`,
    );
    shell.write(io.out, lines.join(''));
    return 0;
  }
  const limit = limits[which] ?? raise(`Illegal option -${which}`);
  if (value === undefined) shell.write(io.out, `${shown(shell, limit, sides)}\n`);
  else change(shell, { limit, sides }, value);
  return 0;
}

function shown(shell: Shell, limit: Limit, sides: string): string {
  const { soft, hard } = shell.sys.resources.getrlimit(limit.resource);
  const value = sides.endsWith('H') ? hard : soft;
  return value === Number.POSITIVE_INFINITY ? 'unlimited' : String(Math.floor(value / limit.unit));
}

/** Both limits, unless -H or -S names one. */
function change(shell: Shell, of: { limit: Limit; sides: string }, text: string): void {
  const { limit, sides } = of;
  if (!/^(?:unlimited|[0-9]{1,15})$/.test(text)) raise('bad number');
  const value = text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text) * limit.unit;
  const before = shell.sys.resources.getrlimit(limit.resource);
  const after = {
    soft: sides === '' || sides.includes('S') ? value : before.soft,
    hard: sides === '' || sides.includes('H') ? value : before.hard,
  };
  try {
    shell.sys.resources.setrlimit(limit.resource, after);
  } catch (error) {
    raise(`error setting limit (${posixWords(error)})`);
  }
  // A hard limit that a subshell lowered can be raised again by the superuser alone.
  if (shell.level > 0) shell.undo.push(() => putBack(shell, limit, before));
}

function putBack(shell: Shell, limit: Limit, before: { soft: number; hard: number }): void {
  try {
    shell.sys.resources.setrlimit(limit.resource, before);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    shell.complain(`ulimit: ${posixWords(error)}`);
  }
}

export function times(shell: Shell, _args: readonly string[], io: Io): number {
  for (const who of ['self', 'children'] as const) {
    const { userMs, systemMs } = shell.sys.resources.getrusage(who);
    shell.write(io.out, `${minutes(userMs)} ${minutes(systemMs)}\n`);
  }
  return 0;
}

const minutes = (ms: number): string =>
  `${Math.floor(ms / 60_000)}m${((ms % 60_000) / 1000).toFixed(6)}s`;
