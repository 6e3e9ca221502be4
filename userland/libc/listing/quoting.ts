// How ls shows names: as they are, or so that a shell or a C program reads them back (GNU ls, --quoting-style).

import { encodeText } from '../../../kernel/abi/text.ts';
import type { Options } from '../options.ts';
import type { Tool } from '../program.ts';
import { toLatin1 } from '../text/latin1.ts';
import { maybeQuoted, quoted, quotedArgument } from '../text/quote.ts';

const STYLES = [
  ...(['literal', 'shell', 'shell-always', 'shell-escape', 'shell-escape-always'] as const),
  ...(['c', 'c-maybe', 'escape', 'locale', 'clocale'] as const),
] as const;
/** `hidden`: as it is, with `?` for what does not print. */
export type Quoting = (typeof STYLES)[number] | 'hidden';

const LETTERS: Readonly<Record<string, Quoting>> = { Q: 'c', b: 'escape', N: 'literal' };

export function quotingOf(tool: Tool, options: Options, tty: boolean): Quoting {
  const last = options.last('Q', 'b', 'N', 'quoting');
  const hides = options.last('q', 'show') === 'q';
  const given = last === 'quoting' ? named(tool, options.value('quoting') ?? '') : undefined;
  const style = given ?? LETTERS[last ?? ''] ?? fromEnvironment(tool);
  if (style === undefined) return hides ? 'hidden' : tty ? 'shell-escape' : 'literal';
  return style === 'literal' && (hides || (tty && !options.has('show'))) ? 'hidden' : style;
}

function named(tool: Tool, word: string): Quoting {
  const exact = STYLES.find((style) => style === word);
  const matches = STYLES.filter((style) => style.startsWith(word));
  if (exact !== undefined) return exact;
  if (matches.length === 1 && matches[0] !== undefined) return matches[0];
  const kind = matches.length > 1 ? 'ambiguous' : 'invalid';
  const valid = STYLES.map((style) => `\n  - '${style}'`).join('');
  return tool.misuse(
    `${kind} argument ${quotedArgument(word)} for '--quoting-style'\nValid arguments are:${valid}`,
    1,
  );
}

const fromEnvironment = ({ sys }: Tool): Quoting | undefined =>
  STYLES.find((style) => style === sys.env.get('QUOTING_STYLE'));

/** `special`: the characters that need quotes, too: a colon in front of a listing, what -F puts behind names. */
export function shownName(name: string, quoting: Quoting, special = ''): string {
  const needs = [...special].some((c) => name.includes(c));
  switch (quoting) {
    case 'literal':
      return name;
    case 'hidden':
      return toLatin1(encodeText(name)).replace(/[^ -~]/g, '?');
    case 'shell-escape':
      return needs ? quoted(name) : maybeQuoted(name);
    case 'shell-escape-always':
      return quoted(name);
    case 'shell':
      return needs || maybeQuoted(name) !== name ? inShellQuotes(name) : name;
    case 'shell-always':
      return inShellQuotes(name);
    case 'escape':
      return escaped(name, ` ${special}`);
    case 'c-maybe':
      return needs || isOdd(name) ? `"${escaped(name, '"')}"` : name;
    case 'c':
    case 'clocale': // its quotes are those of the C locale
      return `"${escaped(name, `"${special}`)}"`;
    default:
      return `'${escaped(name, `'${special}`)}'`;
  }
}

/** What -F and --file-type put behind names has another meaning within them. */
export const marks = (indicator: string): string =>
  indicator === 'classify' ? '*=>@|' : indicator === 'file-type' ? '=>@|' : '';

/** Styles that quote some names and others not: those that are not get a blank in front, to stand below. */
export const quotesSome = (quoting: Quoting): boolean =>
  quoting === 'shell' || quoting === 'shell-escape' || quoting === 'c-maybe';

/** A backslash alone needs no quotes. */
const isOdd = (name: string): boolean => {
  const rest = name.replaceAll('\\', '');
  return escaped(rest, '"') !== rest;
};

function inShellQuotes(name: string): string {
  if (!name.includes("'")) return `'${name}'`;
  return /["$`\\!]/.test(name) ? `'${name.replaceAll("'", "'\\''")}'` : `"${name}"`;
}

const CONTROLS: Readonly<Record<string, string>> = {
  ...{ '\x07': '\\a', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t' },
  ...{ '\v': '\\v', '\\': '\\\\' },
};

function escaped(name: string, also: string): string {
  return [...toLatin1(encodeText(name))]
    .map((c) => {
      if (also.includes(c)) return `\\${c}`;
      if (c in CONTROLS) return CONTROLS[c];
      return c >= ' ' && c <= '~' ? c : `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`;
    })
    .join('');
}
