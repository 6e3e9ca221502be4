// Patterns as awk writes them, turned into the extended regular expressions of regex.ts: awk has
// string escapes in patterns, in bracket expressions too (POSIX.1-2024 XCU awk, "Regular Expressions").

import { Regex } from '../regex/regex.ts';
import { PatternError } from '../regex/syntax.ts';
import { AwkError } from './syntax/ast.ts';

const MOST_CACHED = 500;
const cache = new Map<string, Regex>();

/** The pattern ready to match; dynamic ones are kept, too. */
export function regexOf(source: string): Regex {
  const known = cache.get(source);
  if (known) return known;
  if (cache.size >= MOST_CACHED) cache.clear();
  try {
    const regex = new Regex([posixPattern(source)], { dialect: 'extended', whole: true });
    cache.set(source, regex);
    return regex;
  } catch (error) {
    if (error instanceof PatternError) throw new AwkError(`/${source}/: ${error.message}`);
    throw error;
  }
}

const controls: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

interface Escape {
  readonly byte: string;
  readonly length: number;
}

/** What the escape at `at` stands for, where awk itself gives it a meaning. */
function escapeAt(source: string, at: number): Escape | undefined {
  const octal = /^[0-7]{1,3}/.exec(source.slice(at + 1, at + 4))?.[0];
  if (octal !== undefined) {
    const byte = String.fromCharCode(Number.parseInt(octal, 8) & 0xff);
    return { byte, length: 1 + octal.length };
  }
  const next = source[at + 1];
  if (next === undefined) return { byte: '\\', length: 1 };
  const byte = controls[next] ?? (next === '"' || next === '/' ? next : undefined);
  return byte === undefined ? undefined : { byte, length: 2 };
}

const special = /[.[\\()*+?{|^$]/;

function posixPattern(source: string): string {
  let out = '';
  for (let i = 0; i < source.length; ) {
    const c = source[i] ?? '';
    if (c === '\\') {
      const found = escapeAt(source, i);
      if (found) out += special.test(found.byte) ? `\\${found.byte}` : found.byte;
      else out += source[i + 1] === 'y' ? '\\b' : `\\${source[i + 1] ?? ''}`;
      i += found?.length ?? 2;
    } else if (c === '[') {
      const set = bracket(source, i);
      out += set.text;
      i = set.end;
    } else {
      out += c;
      i++;
    }
  }
  return out;
}

/** A bracket expression with its escapes resolved: `]` comes first in it, `-` last, `^` not first. */
function bracket(source: string, at: number): { text: string; end: number } {
  const negated = source[at + 1] === '^';
  const items: string[] = [];
  let i = at + (negated ? 2 : 1);
  for (let first = true; first || source[i] !== ']'; first = false) {
    const item = bracketItem(source, i);
    i += item.length;
    let text = item.byte;
    if (item.byte.length === 1 && source[i] === '-' && (source[i + 1] ?? ']') !== ']') {
      const last = bracketItem(source, i + 1);
      text += `-${last.byte}`;
      i += 1 + last.length;
    }
    items.push(text);
    if (i >= source.length) throw new PatternError('Unmatched [, [^, [:, [., or [=');
  }
  return { text: `[${negated ? '^' : ''}${ordered(items)}]`, end: i + 1 };
}

function bracketItem(source: string, at: number): Escape {
  const c = source[at] ?? '';
  if (c === '[' && /[:.=]/.test(source[at + 1] ?? '')) {
    const end = source.indexOf(`${source[at + 1]}]`, at + 2);
    if (end > 0) return { byte: source.slice(at, end + 2), length: end + 2 - at };
  }
  if (c !== '\\') return { byte: c, length: 1 };
  return escapeAt(source, at) ?? { byte: source[at + 1] ?? '\\', length: 2 };
}

function ordered(items: readonly string[]): string {
  const rank = (item: string): number =>
    item.startsWith(']') ? 0 : item === '-' ? 3 : item.startsWith('^') ? 2 : 1;
  const sorted = [...items].sort((a, b) => rank(a) - rank(b));
  // Alone, a caret would negate: as a range of one it does not.
  return sorted[0] === '^' ? `^-^${sorted.slice(1).join('')}` : sorted.join('');
}
