// Parameters (POSIX.1-2024 XCU §2.5) and the forms of `${...}` (§2.6.2).

import { leave, raise } from '../errors.ts';
import { compilePattern, countCharacters, removeAffix } from '../pattern.ts';
import { type OptionName, optionLetters, type Shell } from '../shell.ts';
import type { ParamPart, Word } from '../syntax/ast.ts';
import { expandPattern, expandString } from './expand.ts';

export const isList = (name: string): boolean => name === '@' || name === '*';

/** The value, undefined when unset. `@` and `*` give all positional parameters in one. */
export function lookup(shell: Shell, name: string): string | undefined {
  const c = name.charCodeAt(0);
  if (c >= 65) return shell.get(name); // letters and underscore
  switch (name) {
    case '?':
      return String(shell.status);
    case '#':
      return String(shell.state.params.length);
    case '$':
      return String(shell.pid);
    case '!':
      return shell.lastBackground === 0 ? undefined : String(shell.lastBackground);
    case '-':
      return optionFlags(shell);
    case '0':
      return shell.state.name;
    case '@':
      return shell.state.params.length === 0 ? undefined : shell.state.params.join(' ');
    case '*':
      return shell.state.params.length === 0
        ? undefined
        : shell.state.params.join(separator(shell));
    default:
      return Number(name) === 0 ? shell.state.name : shell.state.params[Number(name) - 1];
  }
}

/** What joins the fields of "$*": the first character of IFS. */
export function separator(shell: Shell): string {
  const ifs = shell.get('IFS');
  return ifs === undefined ? ' ' : ([...ifs][0] ?? '');
}

function optionFlags(shell: Shell): string {
  let flags = '';
  for (const [name, letter] of Object.entries(optionLetters)) {
    if (shell.state.options[name as OptionName]) flags += letter;
  }
  return flags;
}

/** The plain form, `$name`. */
export function paramText(shell: Shell, part: ParamPart): string {
  const value = lookup(shell, part.name);
  if (value !== undefined) return value;
  if (shell.state.options.nounset && !isList(part.name)) {
    raise(`${part.name}: parameter not set`);
  }
  return '';
}

/** A text, or a word still to be expanded where it stands, or the list `$@` itself. */
export type ParamResult =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'word'; readonly word: Word }
  | { readonly kind: 'list' };

const text = (value: string): ParamResult => ({ kind: 'text', text: value });

export function paramValue(shell: Shell, part: ParamPart): ParamResult {
  const value = lookup(shell, part.name);
  const missing = value === undefined || (part.colon && value === '');
  const word = part.word ?? { parts: [] };
  switch (part.op) {
    case '':
      return text(paramText(shell, part));
    case 'length':
      if (isList(part.name)) return text(String(shell.state.params.length));
      return text(String(countCharacters(paramText(shell, part))));
    case '-':
      if (missing) return { kind: 'word', word };
      return isList(part.name) ? { kind: 'list' } : text(value);
    case '+':
      return missing ? text('') : { kind: 'word', word };
    case '=':
      return text(missing ? assign(shell, part, word) : value);
    case '?':
      if (missing) return complain(shell, part, word);
      return isList(part.name) ? { kind: 'list' } : text(value);
    default:
      return text(trimmed(shell, part, word));
  }
}

function assign(shell: Shell, part: ParamPart, word: Word): string {
  if (!/^[A-Za-z_]/.test(part.name)) raise(`${part.name}: bad variable name`);
  const value = expandString(shell, word);
  shell.set(part.name, value);
  return value;
}

function complain(shell: Shell, part: ParamPart, word: Word): never {
  const why = expandString(shell, word);
  const usual = part.colon ? 'parameter not set or null' : 'parameter not set';
  shell.complain(`${part.name}: ${why === '' ? usual : why}`);
  return shell.state.options.interactive && shell.level === 0 ? raise('', 2) : leave(2);
}

function trimmed(shell: Shell, part: ParamPart, word: Word): string {
  const value = paramText(shell, part);
  return removeAffix(value, {
    pattern: compilePattern(expandPattern(shell, word)),
    end: part.op.startsWith('#') ? 'prefix' : 'suffix',
    length: part.op.length === 1 ? 'shortest' : 'longest',
  });
}
