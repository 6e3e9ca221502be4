// The built-in utilities (POSIX.1-2024 XCU §1.7 and §2.15): name, kind and code of each.

import type { Source } from '../redirect.ts';
import type { Shell } from '../shell.ts';
import {
  breakLoop,
  colon,
  continueLoop,
  dot,
  evaluate,
  exec,
  exit,
  falseStatus,
  returnFrom,
} from './control.ts';
import { cd, pwd, umask } from './dirs.ts';
import { fc, history } from './history.ts';
import { alias, command, hash, type, unalias } from './info.ts';
import { bg, fg, jobs, wait } from './jobs.ts';
import { kill } from './kill.ts';
import { times, ulimit } from './limits.ts';
import { getopts, set, shift } from './options.ts';
import { echo, printf } from './output.ts';
import { read } from './read.ts';
import { test, testBracket } from './test.ts';
import { trap } from './trap.ts';
import { exportVar, local, readonlyVar, unset } from './vars.ts';

/** Where a built-in reads and writes: a descriptor of this process, or memory. */
export interface Io {
  readonly in: Source;
  readonly out: Source;
  readonly err: Source;
}

export type Run = (shell: Shell, args: readonly string[], io: Io) => number;

export interface Builtin {
  readonly run: Run;
  /** Found before functions; its errors end a non-interactive shell. */
  readonly special?: true;
  /** Never reads standard input: in a pipeline it may run before its reader. */
  readonly writesOnly?: true;
  /** Its redirections must hold for the commands that it runs. */
  readonly runsCommands?: true;
}

const special = (run: Run): Builtin => ({ run, special: true });
const writer = (run: Run): Builtin => ({ run, writesOnly: true });

export const builtins: ReadonlyMap<string, Builtin> = new Map<string, Builtin>([
  [':', { run: colon, special: true, writesOnly: true }],
  ['.', { run: dot, special: true, runsCommands: true }],
  ['break', special(breakLoop)],
  ['continue', special(continueLoop)],
  ['eval', { run: evaluate, special: true, runsCommands: true }],
  ['exec', special(exec)],
  ['exit', special(exit)],
  ['export', { run: exportVar, special: true, writesOnly: true }],
  ['readonly', { run: readonlyVar, special: true, writesOnly: true }],
  ['return', special(returnFrom)],
  ['set', { run: set, special: true, writesOnly: true }],
  ['shift', special(shift)],
  ['times', { run: times, special: true, writesOnly: true }],
  ['trap', { run: trap, special: true, writesOnly: true }],
  ['unset', special(unset)],
  ['[', writer(testBracket)],
  ['alias', writer(alias)],
  ['bg', { run: bg }],
  ['cd', writer(cd)],
  ['command', { run: command, runsCommands: true }],
  ['echo', writer(echo)],
  ['false', writer(falseStatus)],
  ['fc', { run: fc, runsCommands: true }],
  ['fg', { run: fg }],
  ['getopts', writer(getopts)],
  ['hash', writer(hash)],
  ['history', writer(history)],
  ['jobs', writer(jobs)],
  ['kill', writer(kill)],
  ['local', { run: local, special: true }],
  ['printf', writer(printf)],
  ['pwd', writer(pwd)],
  ['read', { run: read }],
  ['test', writer(test)],
  ['true', writer(colon)],
  ['type', writer(type)],
  ['ulimit', writer(ulimit)],
  ['umask', writer(umask)],
  ['unalias', writer(unalias)],
  ['wait', { run: wait }],
]);
