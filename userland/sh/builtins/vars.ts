// export, readonly, unset and local.

import { raise } from '../errors.ts';
import type { Shell, Variable } from '../shell.ts';
import type { Io } from './registry.ts';

export const isName = (text: string): boolean => /^[A-Za-z_][A-Za-z_0-9]*$/.test(text);

/** Quotes a text so that the shell reads it back; the form is dash's. */
export function quote(text: string): string {
  if (text === '') return "''";
  return text
    .split(/('+)/)
    .filter((piece) => piece !== '')
    .map((piece) => (piece.startsWith("'") ? `"${piece}"` : `'${piece}'`))
    .join('');
}

export function exportVar(shell: Shell, args: readonly string[], io: Io): number {
  return attribute(shell, { args, io, name: 'export', change: { exported: true } });
}

export function readonlyVar(shell: Shell, args: readonly string[], io: Io): number {
  return attribute(shell, { args, io, name: 'readonly', change: { readonly: true } });
}

interface Attribute {
  readonly args: readonly string[];
  readonly io: Io;
  readonly name: 'export' | 'readonly';
  readonly change: Partial<Variable>;
}

function attribute(shell: Shell, { args, io, name, change }: Attribute): number {
  const words = args[0] === '--' ? args.slice(1) : args;
  if (words.length === 0 || words[0] === '-p') {
    const wanted = name === 'export' ? 'exported' : 'readonly';
    const lines = sorted(shell).filter(([, variable]) => variable[wanted]);
    shell.write(io.out, lines.map(([key, v]) => `${name} ${assignment(key, v)}\n`).join(''));
    return 0;
  }
  for (const word of words) {
    const { key, value } = split(word);
    shell.declare(key, value === undefined ? change : { ...change, value });
  }
  return 0;
}

function split(word: string): { key: string; value: string | undefined } {
  const at = word.indexOf('=');
  const key = at < 0 ? word : word.slice(0, at);
  if (!isName(key)) raise(`${key}: bad variable name`);
  return { key, value: at < 0 ? undefined : word.slice(at + 1) };
}

const sorted = (shell: Shell): [string, Variable][] =>
  [...shell.state.vars].sort(([a], [b]) => (a < b ? -1 : 1));

const assignment = (key: string, variable: Variable): string =>
  variable.value === undefined ? key : `${key}=${quote(variable.value)}`;

/** `set` without arguments. */
export function listVariables(shell: Shell, io: Io): void {
  const lines = sorted(shell).filter(([, variable]) => variable.value !== undefined);
  shell.write(io.out, lines.map(([key, variable]) => `${assignment(key, variable)}\n`).join(''));
}

export function unset(shell: Shell, args: readonly string[]): number {
  let kind = 'either';
  let at = 0;
  for (; /^-[fv]+$/.test(args[at] ?? ''); at++) kind = args[at]?.endsWith('f') ? 'f' : 'v';
  if (args[at] === '--') at++;
  for (const name of args.slice(at)) {
    if (kind === 'f') shell.state.functions.delete(name);
    else {
      if (!isName(name)) raise(`${name}: bad variable name`);
      shell.unset(name);
    }
  }
  return 0;
}

/** Not in POSIX, but in every shell: variables that a function hides until it returns. */
export function local(shell: Shell, args: readonly string[]): number {
  const scope = shell.locals.at(-1);
  if (scope === undefined) return raise('not in a function');
  for (const word of args) {
    if (word === '--') continue;
    const { key, value } = split(word);
    if (!scope.has(key)) scope.set(key, shell.state.vars.get(key));
    if (value !== undefined) shell.set(key, value);
  }
  return 0;
}
