// trap (POSIX.1-2024 XCU trap), and the names of signals.

import { NSIG, signalNames } from '../../../kernel/abi/constants.ts';
import type { Shell } from '../shell.ts';
import type { Io } from './registry.ts';
import { quote } from './vars.ts';

const namesByNumber = new Map(Object.entries(signalNames).map(([name, n]) => [n, name]));

export const signalName = (n: number): string =>
  n === 0 ? 'EXIT' : (namesByNumber.get(n) ?? String(n));

/** A number or a name, with or without SIG; undefined when there is no such signal. */
export function signalNumber(text: string): number | undefined {
  if (/^[0-9]{1,2}$/.test(text)) return Number(text) < NSIG ? Number(text) : undefined;
  const name = text.toUpperCase().replace(/^SIG/, '');
  return name === 'EXIT' ? 0 : signalNames[name];
}

export function trap(shell: Shell, args: readonly string[], io: Io): number {
  const words = args[0] === '--' || args[0] === '-p' ? args.slice(1) : args;
  if (words.length === 0 || args[0] === '-p') {
    list(shell, io, words);
    return 0;
  }
  const [first = '', ...conditions] = words;
  const resets = first === '-' || /^[0-9]+$/.test(first) || words.length === 1;
  shell.state.shownTraps = undefined;
  const named = resets && first !== '-' ? words : conditions;
  let status = 0;
  for (const text of named) {
    const signal = signalNumber(text);
    if (signal === undefined) {
      shell.complain(`trap: ${text}: bad trap`);
      status = 1;
    } else change(shell, signal, resets ? undefined : first);
  }
  return status;
}

function change(shell: Shell, signal: number, action: string | undefined): void {
  if (action === undefined) shell.state.traps.delete(signal);
  else shell.state.traps.set(signal, action);
  if (signal !== 0 && signal !== 9 && signal !== 19) shell.applyTrap(signal);
}

function list(shell: Shell, io: Io, only: readonly string[]): void {
  const wanted = only.map((text) => signalNumber(text));
  const lines = [...(shell.state.shownTraps ?? shell.state.traps)]
    .filter(([signal]) => wanted.length === 0 || wanted.includes(signal))
    .sort(([a], [b]) => a - b)
    .map(([signal, action]) => `trap -- ${quote(action)} ${signalName(signal)}\n`);
  shell.write(io.out, lines.join(''));
}
