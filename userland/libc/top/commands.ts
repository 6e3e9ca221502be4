// The keys of top. What they change is in the state; what they tell stands on the message row.

import { SIGTERM } from '../../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../../kernel/abi/errno.ts';
import { signalNumber } from '../stdlib.ts';
import type { Sys } from '../sys.ts';
import { parseDuration } from '../text/numbers.ts';
import type { Users } from '../users.ts';
import type { FrameOptions, SortKey } from './frame.ts';

export interface TopState {
  readonly options: FrameOptions;
  delayMs: number;
  /** The first process that is shown. */
  first: number;
  message: string;
  /** The keys are shown instead of the processes. */
  help: boolean;
  done: boolean;
}

export interface Asker {
  readonly sys: Sys;
  readonly users: Users;
  /** A line typed on the message row; undefined when it was given up. */
  readonly ask: (prompt: string) => string | undefined;
  /** How many processes a page holds. */
  readonly page: number;
}

const sorts: Readonly<Record<string, SortKey>> = {
  P: 'cpu',
  M: 'calls', // processes have no memory of their own here that could be counted
  H: 'hops',
  C: 'calls',
  T: 'time',
  N: 'pid',
  U: 'user',
};

export const help = [
  'q        leaves                          space    looks again now',
  'P        by share of a CPU               T        by CPU time',
  'H        by wake-ups (hops)              C        by system calls',
  'N        by pid                          U        by user',
  'R        in the other order              c        names, or whole command lines',
  'i        idle processes, or not          m        servers, or not',
  'u        of one user                     d, s     the seconds between two looks',
  'k        sends a signal                  r        sets a nice value',
  'up down page-up page-down home           h, ?     this',
];

/** Does what a key asks for. */
export function pressed(state: TopState, key: string, asker: Asker): void {
  state.message = '';
  const { options } = state;
  if (state.help) {
    state.help = false;
    return;
  }
  const sort = sorts[key];
  if (sort !== undefined) {
    options.sort = sort;
    state.first = 0;
    return;
  }
  if (key in moves) {
    state.first = Math.max(
      0,
      state.first + (moves[key] ?? 0) * (key.startsWith('p') ? asker.page : 1),
    );
    return;
  }
  switch (key) {
    case 'q':
    case '^C':
    case 'end':
      state.done = true;
      break;
    case 'R':
      options.reversed = !options.reversed;
      break;
    case 'c':
      options.lines = !options.lines;
      break;
    case 'i':
      options.idle = !options.idle;
      break;
    case 'm':
      options.servers = !options.servers;
      break;
    case 'home':
      state.first = 0;
      break;
    case 'h':
    case '?':
      state.help = true;
      break;
    case 'u':
      chooseUser(state, asker);
      break;
    case 'd':
    case 's':
      chooseDelay(state, asker);
      break;
    case 'k':
      sendSignal(state, asker);
      break;
    case 'r':
      setNice(state, asker);
      break;
  }
}

const moves: Readonly<Record<string, number>> = { up: -1, down: 1, 'page-up': -1, 'page-down': 1 };

function chooseUser(state: TopState, asker: Asker): void {
  const { options } = state;
  const name = asker.ask('Which user (blank for all) ');
  if (name === undefined) return;
  options.uid = name === '' ? undefined : asker.users.uid(name);
  if (name !== '' && options.uid === undefined) state.message = `Invalid user: ${name}`;
}

function chooseDelay(state: TopState, asker: Asker): void {
  const text = asker.ask(`Change delay from ${state.delayMs / 1000} to `);
  if (text === undefined || text === '') return;
  const ms = delayOf(text);
  if (ms === undefined) state.message = `Unacceptable delay: ${text}`;
  else state.delayMs = ms;
}

/** Milliseconds between two looks, a tenth of a second at least; undefined when it is no number. */
export function delayOf(text: string): number | undefined {
  const seconds = /^[\d.]+$/.test(text) ? parseDuration(text) : undefined;
  return seconds === undefined || seconds > 1e6 ? undefined : Math.max(100, seconds * 1000);
}

function askPid(state: TopState, asker: Asker, what: string): number | undefined {
  const text = asker.ask(`PID to ${what} `);
  if (text === undefined || text === '') return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  state.message = `Unacceptable pid: ${text}`;
  return undefined;
}

function sendSignal(state: TopState, asker: Asker): void {
  const pid = askPid(state, asker, 'signal');
  if (pid === undefined) return;
  const name = asker.ask(`Send pid ${pid} signal [15/SIGTERM] `);
  if (name === undefined) return;
  const signal = name === '' ? SIGTERM : signalNumber(name);
  if (signal === undefined) state.message = `Unacceptable signal: ${name}`;
  else attempt(state, `signal ${pid}`, () => asker.sys.kill(pid, signal));
}

function setNice(state: TopState, asker: Asker): void {
  const pid = askPid(state, asker, 'renice');
  if (pid === undefined) return;
  const text = asker.ask(`Renice PID ${pid} to value `);
  if (text === undefined || text === '') return;
  if (!/^[-+]?\d{1,3}$/.test(text)) state.message = `Unacceptable nice value: ${text}`;
  else attempt(state, `renice ${pid}`, () => asker.sys.resources.setpriority(pid, Number(text)));
}

function attempt(state: TopState, what: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    state.message = `Failed to ${what}: ${strerror(error.errno)}`;
  }
}
