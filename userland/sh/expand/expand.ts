// Word expansions in their order (POSIX.1-2024 XCU §2.6): tilde, parameter, command and arithmetic,
// then field splitting, pathname expansion and quote removal. A word without any is returned as is.

import { arithmetic } from '../arith.ts';
import { raise } from '../errors.ts';
import { quotePattern } from '../pattern.ts';
import type { Shell } from '../shell.ts';
import type { ParamPart, Part, Word } from '../syntax/ast.ts';
import { FieldBuilder } from './builder.ts';
import { glob } from './glob.ts';
import { isList, paramText, paramValue, separator } from './param.ts';
import { substitute } from './substitute.ts';

const defaultIfs = ' \t\n';

/** A command's words as fields. */
export function expandFields(shell: Shell, words: readonly Word[]): string[] {
  const out: string[] = [];
  for (const word of words) {
    if (word.lit !== undefined) out.push(word.lit);
    else if (!expandPlain(shell, word, out)) expandWord(shell, word, out);
  }
  return out;
}

/** One part alone whose value needs no splitting: the common `$x` and `"$x"`. */
function expandPlain(shell: Shell, word: Word, out: string[]): boolean {
  const part = word.parts[0];
  if (word.parts.length !== 1 || part === undefined) return false;
  if (part.type === 'param' && part.op === '' && !isList(part.name)) {
    const value = paramText(shell, part);
    if (!part.quoted && !inert(shell, value)) return false;
    out.push(value);
    return true;
  }
  if (part.type !== 'arith') return false;
  const value = expandPart(shell, part);
  if (part.quoted || inert(shell, value)) out.push(value);
  else {
    const builder = new FieldBuilder(shell.get('IFS') ?? defaultIfs);
    builder.split(value);
    finish(shell, builder, out);
  }
  return true;
}

/** Neither field splitting nor pathname expansion would change it. */
const inert = (shell: Shell, value: string): boolean => {
  if (value === '' || /[ \t\n*?[\\]/.test(value)) return false;
  const ifs = shell.get('IFS');
  return ifs === undefined || ifs === defaultIfs || ![...ifs].some((c) => value.includes(c));
};

function expandWord(shell: Shell, word: Word, out: string[]): void {
  const builder = new FieldBuilder(shell.get('IFS') ?? defaultIfs);
  for (const part of word.parts) addPart(shell, { part, inExpansion: false }, builder);
  finish(shell, builder, out);
}

function finish(shell: Shell, builder: FieldBuilder, out: string[]): void {
  builder.flush();
  for (const { text, pattern } of builder.fields) {
    const paths =
      pattern === undefined || shell.state.options.noglob ? [] : glob(shell.sys, pattern);
    if (paths.length === 0) out.push(text);
    else for (const path of paths) out.push(path);
  }
}

interface Placed {
  readonly part: Part;
  /** The part stands in the word of `${x:-word}`: its unquoted text is split too. */
  readonly inExpansion: boolean;
}

function addPart(shell: Shell, placed: Placed, builder: FieldBuilder): void {
  const { part } = placed;
  switch (part.type) {
    case 'lit':
      if (placed.inExpansion) builder.split(part.text);
      else builder.literal(part.text);
      return;
    case 'quoted':
    case 'tilde':
      builder.quoted(expandPart(shell, part));
      return;
    case 'param':
      addParam(shell, part, builder);
      return;
    case 'command':
    case 'arith':
      if (part.quoted) builder.quoted(expandPart(shell, part));
      else builder.split(expandPart(shell, part));
      return;
    case 'bad':
      raise('Bad substitution');
  }
}

function addParam(shell: Shell, part: ParamPart, builder: FieldBuilder): void {
  if (part.op === '' && isList(part.name)) {
    addList(shell, part, builder);
    return;
  }
  const result = paramValue(shell, part);
  if (result.kind === 'list') addList(shell, part, builder);
  else if (result.kind === 'word') {
    for (const inner of result.word.parts)
      addPart(shell, { part: inner, inExpansion: true }, builder);
    if (part.quoted) builder.atLeastEmpty();
  } else if (part.quoted) builder.quoted(result.text);
  else builder.split(result.text);
}

/** `$@`, `$*` and their quoted forms (§2.5.2). */
function addList(shell: Shell, part: ParamPart, builder: FieldBuilder): void {
  const { params } = shell.state;
  if (part.quoted && part.name === '*') {
    builder.quoted(params.join(separator(shell)));
    return;
  }
  params.forEach((param, i) => {
    if (part.quoted) {
      if (i > 0) builder.end();
      builder.quoted(param);
    } else {
      if (i > 0) builder.flush();
      builder.split(param);
    }
  });
}

/** Without splitting and pathname expansion: assignments, redirections, here-documents. */
export function expandString(shell: Shell, word: Word): string {
  if (word.lit !== undefined) return word.lit;
  let text = '';
  for (const part of word.parts) text += expandPart(shell, part);
  return text;
}

/** As a pattern: what was quoted means itself. */
export function expandPattern(shell: Shell, word: Word): string {
  let text = '';
  for (const part of word.parts) text += patternPart(shell, part);
  return text;
}

function patternPart(shell: Shell, part: Part): string {
  if (part.type === 'lit') return part.text;
  if (part.type === 'quoted' || part.type === 'tilde') return quotePattern(expandPart(shell, part));
  if (part.type === 'param' && part.op !== '' && !part.quoted) {
    const result = paramValue(shell, part);
    if (result.kind === 'word') return expandPattern(shell, result.word);
    return result.kind === 'text' ? result.text : shell.state.params.join(' ');
  }
  const text = expandPart(shell, part);
  return 'quoted' in part && part.quoted ? quotePattern(text) : text;
}

function expandPart(shell: Shell, part: Part): string {
  switch (part.type) {
    case 'lit':
    case 'quoted':
      return part.text;
    case 'tilde':
      return home(shell, part.user);
    case 'param':
      return paramString(shell, part);
    case 'command':
      return substitute(shell, part);
    case 'arith':
      return arithmetic(expandString(shell, part.expr), arithScope(shell));
    case 'bad':
      return raise('Bad substitution');
  }
}

function paramString(shell: Shell, part: ParamPart): string {
  if (part.op === '') return paramText(shell, part);
  const result = paramValue(shell, part);
  if (result.kind === 'word') return expandString(shell, result.word);
  return result.kind === 'text' ? result.text : paramText(shell, part);
}

const arithScope = (shell: Shell) => ({
  get: (name: string): string | undefined => {
    const value = shell.get(name);
    if (value === undefined && shell.state.options.nounset) raise(`${name}: parameter not set`);
    return value;
  },
  set: (name: string, value: string) => shell.set(name, value),
});

/** `~` is HOME; `~user` is looked up in /etc/passwd. An unknown user stays as written. */
function home(shell: Shell, user: string): string {
  if (user === '') return shell.get('HOME') ?? '~';
  return passwdHome(shell, user) ?? `~${user}`;
}

function passwdHome(shell: Shell, user: string): string | undefined {
  for (const line of shell.readSmallFile('/etc/passwd').split('\n')) {
    const fields = line.split(':');
    if (fields[0] === user && fields[5] !== undefined) return fields[5];
  }
  return undefined;
}
