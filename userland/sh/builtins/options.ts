// set, shift and getopts.

import { raise } from '../errors.ts';
import { type OptionName, optionLetters, type Shell } from '../shell.ts';
import { number } from './control.ts';
import type { Io } from './registry.ts';
import { isName, listVariables } from './vars.ts';

const names = Object.keys(optionLetters) as OptionName[];
const byLetter = new Map(
  names.filter((n) => optionLetters[n] !== '').map((n) => [optionLetters[n] as string, n]),
);

export function set(shell: Shell, args: readonly string[], io: Io): number {
  if (args.length === 0) {
    listVariables(shell, io);
    return 0;
  }
  if (args.length === 1 && (args[0] === '-o' || args[0] === '+o')) {
    listOptions(shell, io, args[0] === '-o' ? 'table' : 'commands');
    return 0;
  }
  const { rest, ended } = parseOptions(shell, args);
  if (ended || rest.length > 0) shell.state.params = rest;
  return 0;
}

/** Sets options from `-ex`, `+e`, `-o name`; used for `set` and for the shell's own arguments. */
export function parseOptions(
  shell: Shell,
  args: readonly string[],
  other: (letter: string) => boolean = () => false,
): { rest: readonly string[]; ended: boolean } {
  let at = 0;
  for (; at < args.length; at++) {
    const arg = args[at] ?? '';
    if (arg === '--') return { rest: args.slice(at + 1), ended: true };
    if (arg === '-' || arg === '+') {
      if (arg === '-') {
        shell.state.options.xtrace = false;
        shell.state.options.verbose = false;
      }
      return { rest: args.slice(at + 1), ended: at + 1 < args.length };
    }
    if (!/^[-+]/.test(arg)) break;
    const on = arg.startsWith('-');
    for (const letter of arg.slice(1)) {
      if (letter === 'o') setByName(shell, args[++at], on ? 'on' : 'off');
      else if (!other(letter)) {
        const name = byLetter.get(letter) ?? raise(`Illegal option ${arg[0]}${letter}`);
        shell.state.options[name] = on;
      }
    }
  }
  return { rest: args.slice(at), ended: false };
}

function setByName(shell: Shell, name: string | undefined, to: 'on' | 'off'): void {
  const known = names.find((one) => one === name);
  if (known === undefined) raise(`Illegal option ${to === 'on' ? '-' : '+'}o ${name ?? ''}`);
  else shell.state.options[known] = to === 'on';
}

function listOptions(shell: Shell, io: Io, form: 'table' | 'commands'): void {
  const { options } = shell.state;
  const lines = names.map((name) =>
    form === 'table'
      ? `${name.padEnd(16)}${options[name] ? 'on' : 'off'}\n`
      : `set ${options[name] ? '-' : '+'}o ${name}\n`,
  );
  shell.write(io.out, (form === 'table' ? 'Current option settings\n' : '') + lines.join(''));
}

export function shift(shell: Shell, args: readonly string[]): number {
  const count = args[0] === undefined ? 1 : number(args[0]);
  if (count > shell.state.params.length) raise("can't shift that many");
  shell.state.params = shell.state.params.slice(count);
  return 0;
}

/** POSIX.1-2024 XCU getopts; state.optOffset stands inside a group such as `-ab`. */
export function getopts(shell: Shell, args: readonly string[]): number {
  const [spec, name, ...own] = args;
  if (spec === undefined || name === undefined) return raise('Usage: getopts optstring var [arg]');
  if (!isName(name)) raise(`${name}: bad variable name`);
  const words = own.length > 0 ? own : shell.state.params;
  const silent = spec.startsWith(':');
  let index = Math.max(Number(shell.get('OPTIND') ?? 1) || 1, 1);
  let offset = shell.state.optOffset;
  const word = words[index - 1] ?? '';
  if (offset === 0 || offset >= word.length) {
    if (offset !== 0) index++;
    const next = words[index - 1] ?? '';
    if (!/^-./.test(next) || next === '--') {
      if (next === '--') index++;
      shell.set(name, '?');
      advance(shell, index, 0);
      shell.unset('OPTARG');
      return 1;
    }
    offset = 1;
  }
  const current = words[index - 1] ?? '';
  const letter = current.charAt(offset);
  offset++;
  const at = letter === ':' ? -1 : spec.indexOf(letter, silent ? 1 : 0);
  const wants = at >= 0 && spec.charAt(at + 1) === ':';
  let argument: string | undefined;
  if (wants) {
    argument = offset < current.length ? current.slice(offset) : words[index];
    index += offset < current.length ? 1 : 2;
    offset = 0;
  } else if (offset >= current.length) {
    index++;
    offset = 0;
  }
  advance(shell, index, offset);
  if (at < 0) return badOption(shell, { name, letter, silent, why: 'Illegal option', result: '?' });
  if (wants && argument === undefined) {
    advance(shell, index - 1, 0);
    const result = silent ? ':' : '?';
    return badOption(shell, { name, letter, silent, why: 'No arg for', result });
  }
  shell.set(name, letter);
  if (argument === undefined) shell.unset('OPTARG');
  else shell.set('OPTARG', argument);
  return 0;
}

function advance(shell: Shell, index: number, offset: number): void {
  shell.set('OPTIND', String(index));
  shell.state.optOffset = offset;
}

interface BadOption {
  readonly name: string;
  readonly letter: string;
  readonly silent: boolean;
  readonly why: string;
  readonly result: string;
}

function badOption(shell: Shell, bad: BadOption): number {
  shell.set(bad.name, bad.result);
  if (bad.silent) shell.set('OPTARG', bad.letter);
  else {
    shell.unset('OPTARG');
    const words =
      bad.why === 'No arg for'
        ? `No arg for -${bad.letter} option`
        : `Illegal option -${bad.letter}`;
    shell.write(shell.errorOutput(), `${words}\n`);
  }
  return 0;
}
