// Completion: of commands where a command may stand, of variables behind `$`, of files anywhere else.
// Looks only at the line up to the cursor.

import {
  DT_DIR,
  DT_LNK,
  O_CLOEXEC,
  O_DIRECTORY,
  S_IFDIR,
  S_IFMT,
  X_OK,
} from '../../../kernel/abi/constants.ts';
import { PosixError } from '../../../kernel/abi/errno.ts';
import type { Dirent } from '../../../kernel/abi/stat.ts';
import { builtins } from '../builtins/registry.ts';
import type { Shell } from '../shell.ts';

export interface Completion {
  /** How much of the line in front of the cursor it takes the place of, in code units. */
  readonly replaces: number;
  /** What all candidates have in common, as to be typed; with what ends it when there is only one. */
  readonly text: string;
  readonly candidates: readonly string[];
}

const keywords = 'if then else elif fi do done case esac while until for in { } !'.split(' ');
/** More are not worth looking at. */
const mostCandidates = 2000;

export function complete(shell: Shell, before: string): Completion {
  const word = lastWord(before);
  const variable = /\$(\{?)(\w*)$/.exec(word.raw);
  if (variable !== null && word.quote !== "'") return completeVariable(shell, variable);
  const plain = !word.value.includes('/') && word.isCommand;
  return plain ? completeCommand(shell, word) : completeFile(shell, word);
}

interface LastWord {
  /** As typed, and what it means. */
  readonly raw: string;
  readonly value: string;
  /** The quote that is open at its end. */
  readonly quote: '' | "'" | '"';
  readonly isCommand: boolean;
}

/** Reads the line as far as quoting goes. */
function lastWord(before: string): LastWord {
  let start = 0;
  let value = '';
  let quote: LastWord['quote'] = '';
  let isCommand = true;
  for (let i = 0; i < before.length; i++) {
    const c = before.charAt(i);
    if (quote === '' && /[\s;&|<>()]/.test(c)) {
      const word = before.slice(start, i);
      if (/[;&|(]/.test(c)) isCommand = true;
      else if (/[<>]/.test(c)) isCommand = false;
      else if (word !== '') isCommand = isCommand ? keepsCommand(word) : /[<>]$/.test(word);
      start = i + 1;
      value = '';
    } else if (quote === '' && (c === "'" || c === '"')) quote = c;
    else if (c === quote) quote = '';
    else if (c === '\\' && quote !== "'") value += before.charAt(++i);
    else value += c;
  }
  return { raw: before.slice(start), value, quote, isCommand };
}

/** After these words a command may stand. */
const keepsCommand = (word: string): boolean =>
  /^(?:if|then|else|elif|do|while|until|\{|!|time|command|exec|sudo)$/.test(word) ||
  /^[A-Za-z_]\w*=/.test(word);

function completeVariable(shell: Shell, match: RegExpExecArray): Completion {
  const prefix = match[2] ?? '';
  const names = [...shell.state.vars].filter(([, v]) => v.value !== undefined).map(([n]) => n);
  const found = names.filter((name) => name.startsWith(prefix)).sort();
  const close = match[1] === '{' ? '}' : '';
  const end = found.length === 1 ? close : '';
  return { replaces: prefix.length, text: common(found) + end, candidates: found };
}

function completeCommand(shell: Shell, word: LastWord): Completion {
  const names = new Set<string>();
  const { aliases, functions } = shell.state;
  for (const name of [...keywords, ...builtins.keys(), ...aliases.keys(), ...functions.keys()]) {
    if (name.startsWith(word.value)) names.add(name);
  }
  for (const directory of (shell.get('PATH') ?? '').split(':')) {
    for (const { name } of entries(shell, directory === '' ? '.' : directory)) {
      if (!name.startsWith(word.value) || names.has(name)) continue;
      if (isProgram(shell, `${directory}/${name}`)) names.add(name);
    }
  }
  return asTyped(word, [...names].sort());
}

function completeFile(shell: Shell, word: LastWord): Completion {
  const slash = word.value.lastIndexOf('/') + 1;
  const [directory, prefix] = [word.value.slice(0, slash), word.value.slice(slash)];
  const found = entries(shell, directory === '' ? '.' : home(shell, directory))
    .filter(({ name }) => name.startsWith(prefix) && (prefix !== '' || !name.startsWith('.')))
    .filter(({ name }) => name !== '.' && name !== '..')
    .map((entry) => entry.name + (isDirectory(shell, home(shell, directory), entry) ? '/' : ''));
  const whole = found.sort().map((name) => directory + name);
  return { ...asTyped(word, whole), candidates: found };
}

const home = (shell: Shell, path: string): string =>
  path.startsWith('~/') ? `${shell.get('HOME') ?? '~'}${path.slice(1)}` : path;

/** What the candidates have in common, in the quoting that the word has begun with. */
function asTyped(word: LastWord, candidates: readonly string[]): Completion {
  const only = candidates.length === 1;
  const text = common(candidates);
  const finished = only && !text.endsWith('/');
  const end = finished ? `${word.quote} ` : '';
  const typed = candidates.length === 0 ? word.raw : quoted(text, word.quote) + end;
  return { replaces: word.raw.length, text: typed, candidates };
}

function quoted(text: string, quote: LastWord['quote']): string {
  if (quote === "'") return `'${text.replaceAll("'", "'\\''")}`;
  if (quote === '"') return `"${text.replace(/[$`"\\]/g, '\\$&')}`;
  const tilde = text.startsWith('~/') ? '~/' : '';
  return tilde + text.slice(tilde.length).replace(/[\s$`"'\\*?[\]#~=%;&|<>(){}!^]/g, '\\$&');
}

/** The longest common beginning. */
function common(texts: readonly string[]): string {
  const [first = '', ...rest] = texts;
  let length = first.length;
  for (const text of rest) {
    while (!text.startsWith(first.slice(0, length))) length--;
  }
  return first.slice(0, length);
}

/** A directory that cannot be read has nothing to offer. */
function entries(shell: Shell, path: string): Dirent[] {
  const all: Dirent[] = [];
  try {
    const fd = shell.sys.open(path, O_DIRECTORY | O_CLOEXEC);
    try {
      for (let some = shell.sys.getdents(fd); some.length > 0; some = shell.sys.getdents(fd)) {
        all.push(...some);
        if (all.length > mostCandidates) break;
      }
    } finally {
      shell.sys.close(fd);
    }
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
  }
  return all;
}

function isProgram(shell: Shell, path: string): boolean {
  try {
    shell.sys.access(path, X_OK);
    return true;
  } catch (error) {
    if (error instanceof PosixError) return false;
    throw error;
  }
}

function isDirectory(shell: Shell, directory: string, entry: Dirent): boolean {
  if (entry.type !== DT_LNK) return entry.type === DT_DIR;
  try {
    return (shell.sys.stat(directory + entry.name).mode & S_IFMT) === S_IFDIR;
  } catch (error) {
    if (error instanceof PosixError) return false;
    throw error;
  }
}
