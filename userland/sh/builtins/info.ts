// Built-ins about commands: command, type, hash, alias, unalias.

import { raise } from '../errors.ts';
import type { Shell } from '../shell.ts';
import { invoke } from '../simple.ts';
import { findProgram } from '../spawn.ts';
import { builtins, type Io } from './registry.ts';
import { quote } from './vars.ts';

const keywords = new Set(
  '! { } case do done elif else esac fi for if in then until while'.split(' '),
);

/** The standard utilities' PATH, for `command -p`. */
const standardPath = '/bin:/usr/bin:/sbin:/usr/sbin';

export function command(shell: Shell, args: readonly string[], io: Io): number {
  let at = 0;
  let mode = '';
  let path: string | undefined;
  for (; /^-[pvV]+$/.test(args[at] ?? ''); at++) {
    for (const letter of (args[at] ?? '').slice(1)) {
      if (letter === 'p') path = standardPath;
      else mode = letter;
    }
  }
  if (args[at] === '--') at++;
  const words = args.slice(at);
  const name = words[0];
  if (name === undefined) return 0;
  if (mode !== '')
    return describe(shell, name, { io, form: mode === 'v' ? 'short' : 'long', path });
  invoke(shell, words, {
    assigns: [],
    redirs: [],
    plain: true,
    ...(path === undefined ? {} : { path }),
  });
  return shell.status;
}

export function type(shell: Shell, args: readonly string[], io: Io): number {
  let status = 0;
  for (const name of args) {
    if (describe(shell, name, { io, form: 'long', path: undefined }) !== 0) status = 127;
  }
  return status;
}

interface Description {
  readonly io: Io;
  readonly form: 'short' | 'long';
  readonly path: string | undefined;
}

function describe(shell: Shell, name: string, { io, form, path }: Description): number {
  const say = (short: string, long: string): number => {
    shell.write(io.out, `${form === 'short' ? short : `${name} is ${long}`}\n`);
    return 0;
  };
  const value = shell.state.aliases.get(name);
  if (keywords.has(name)) return say(name, 'a shell keyword');
  if (value !== undefined) return say(`alias ${name}=${quote(value)}`, `an alias for ${value}`);
  const builtin = builtins.get(name);
  if (builtin?.special) return say(name, 'a special shell builtin');
  if (shell.state.functions.has(name)) return say(name, 'a shell function');
  if (builtin !== undefined) return say(name, 'a shell builtin');
  const found = findProgram(shell, name, path ?? shell.get('PATH'));
  if (found.path !== undefined && (!name.includes('/') || isThere(shell, name))) {
    return say(found.path, found.path);
  }
  if (form === 'long') shell.write(io.out, `${name}: not found\n`);
  return 127;
}

/** A name with a slash is not searched for: is there such a program? */
function isThere(shell: Shell, path: string): boolean {
  const slash = path.lastIndexOf('/');
  const directory = slash === 0 ? '/' : path.slice(0, slash);
  return findProgram(shell, path.slice(slash + 1), directory).path !== undefined;
}

export function hash(shell: Shell, args: readonly string[], io: Io): number {
  if (args[0] === '-r') {
    shell.hash.clear();
    return 0;
  }
  if (args.length === 0) {
    for (const path of shell.hash.values()) shell.write(io.out, `${path}\n`);
    return 0;
  }
  for (const name of args) {
    shell.hash.delete(name);
    if (builtins.has(name) || shell.state.functions.has(name)) continue;
    if (findProgram(shell, name).path === undefined) raise(`${name}: not found`, 1);
  }
  return 0;
}

export function alias(shell: Shell, args: readonly string[], io: Io): number {
  const { aliases } = shell.state;
  const show = (name: string, value: string): void =>
    shell.write(io.out, `${name}=${quote(value)}\n`);
  if (args.length === 0) {
    for (const [name, value] of [...aliases].sort(([a], [b]) => (a < b ? -1 : 1)))
      show(name, value);
    return 0;
  }
  let status = 0;
  for (const word of args) {
    const at = word.indexOf('=', 1);
    const value = aliases.get(word);
    if (at > 0) aliases.set(word.slice(0, at), word.slice(at + 1));
    else if (value !== undefined) show(word, value);
    else {
      shell.complain(`alias: ${word} not found`);
      status = 1;
    }
  }
  return status;
}

export function unalias(shell: Shell, args: readonly string[]): number {
  if (args[0] === '-a') {
    shell.state.aliases.clear();
    return 0;
  }
  let status = 0;
  for (const name of args) {
    if (shell.state.aliases.delete(name)) continue;
    shell.complain(`unalias: ${name} not found`);
    status = 1;
  }
  return status;
}
