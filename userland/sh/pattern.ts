// Pattern matching notation (POSIX.1-2024 XCU §2.14, bracket expressions of XBD §9.3.5 without
// collating symbols beyond single characters). A backslash quotes the character after it.

type Item =
  | { readonly type: 'char'; readonly char: string }
  | { readonly type: 'any' }
  | { readonly type: 'star' }
  | { readonly type: 'set'; readonly negated: boolean; readonly has: (char: string) => boolean };

export type Pattern = readonly Item[];

const cache = new Map<string, Pattern>();
const cacheLimit = 500;

export function compilePattern(source: string): Pattern {
  const known = cache.get(source);
  if (known !== undefined) return known;
  if (cache.size >= cacheLimit) cache.clear();
  const pattern = compile(source);
  cache.set(source, pattern);
  return pattern;
}

/** Does the whole text match? Takes at most text × pattern steps. */
export function matches(pattern: Pattern, text: string): boolean {
  const chars = characters(text);
  let at = 0;
  let item = 0;
  let star = -1;
  let mark = 0;
  while (at < chars.length) {
    const now = pattern[item];
    if (now?.type === 'star') {
      star = item++;
      mark = at;
    } else if (now !== undefined && accepts(now, chars[at] ?? '')) {
      at++;
      item++;
    } else if (star >= 0) {
      item = star + 1;
      at = ++mark;
    } else return false;
  }
  while (pattern[item]?.type === 'star') item++;
  return item === pattern.length;
}

export interface Affix {
  readonly pattern: Pattern;
  readonly end: 'prefix' | 'suffix';
  readonly length: 'shortest' | 'longest';
}

/** `${text#pattern}` and its kin: the text without the prefix or suffix that matches. */
export function removeAffix(text: string, affix: Affix): string {
  const simple = removeSimple(text, affix);
  if (simple !== undefined) return simple;
  const chars = characters(text);
  const { length } = chars;
  const suffix = affix.end === 'suffix';
  const items = suffix ? affix.pattern.toReversed() : affix.pattern;
  const at = (i: number): string | undefined => chars[suffix ? length - 1 - i : i];
  const count = matchLength({ at, length }, items, affix.length);
  if (count <= 0) return text;
  const kept = suffix ? chars.slice(0, length - count) : chars.slice(count);
  return typeof kept === 'string' ? kept : kept.join('');
}

/** A literal, with at most one star at one end: what nearly all scripts use, by searching. */
function removeSimple(text: string, { pattern, end, length }: Affix): string | undefined {
  const starFirst = pattern[0]?.type === 'star';
  const starLast = !starFirst && pattern[pattern.length - 1]?.type === 'star';
  let literal = '';
  for (const item of pattern.slice(starFirst ? 1 : 0, starLast ? -1 : undefined)) {
    if (item.type !== 'char') return undefined;
    literal += item.char;
  }
  const prefix = end === 'prefix';
  const { length: size } = literal;
  if (prefix ? starFirst : starLast) {
    const first = prefix === (length === 'shortest');
    const at = first ? text.indexOf(literal) : text.lastIndexOf(literal);
    if (at < 0) return text;
    return prefix ? text.slice(at + size) : text.slice(0, at);
  }
  if (prefix ? !text.startsWith(literal) : !text.endsWith(literal)) return text;
  if ((starFirst || starLast) && length === 'longest') return '';
  return prefix ? text.slice(size) : text.slice(0, text.length - size);
}

interface Chars {
  readonly at: (i: number) => string | undefined;
  readonly length: number;
}

/** How many characters match from the beginning, or -1: all states of the automaton at once. */
function matchLength(chars: Chars, items: Pattern, length: 'shortest' | 'longest'): number {
  let states = new Set([0]);
  let found = -1;
  for (let at = 0; ; at++) {
    for (const state of states) if (items[state]?.type === 'star') states.add(state + 1);
    if (states.has(items.length)) {
      found = at;
      if (length === 'shortest') return found;
    }
    if (at >= chars.length || states.size === 0) return found;
    const next = new Set<number>();
    for (const state of states) {
      const item = items[state];
      if (item?.type === 'star') next.add(state);
      else if (item !== undefined && accepts(item, chars.at(at) ?? '')) next.add(state + 1);
    }
    states = next;
  }
}

function accepts(item: Item, char: string): boolean {
  switch (item.type) {
    case 'char':
      return item.char === char;
    case 'any':
      return true;
    case 'set':
      return item.has(char) !== item.negated;
    case 'star':
      return false;
  }
}

const wide = /[\ud800-\udbff][\udc00-\udfff]/;
/** How many characters a text has: surrogate pairs are one. */
export function countCharacters(text: string): number {
  let count = text.length;
  if (!wide.test(text)) return count;
  for (let i = 1; i < text.length; i++) {
    const low = (text.charCodeAt(i) & 0xfc00) === 0xdc00;
    if (low && (text.charCodeAt(i - 1) & 0xfc00) === 0xd800) count--;
  }
  return count;
}

const characters = (text: string): string | string[] => (wide.test(text) ? [...text] : text);

/** Quotes every character that a pattern gives a meaning. */
export const quotePattern = (text: string): string =>
  /[*?[\]\\!^-]/.test(text) ? text.replace(/[*?[\]\\!^-]/g, '\\$&') : text;

/** A bracket that nothing closes is only a bracket: the command `[` is no pattern. */
export const hasPattern = (text: string): boolean => /[*?]|\[.+\]/s.test(text);

function compile(source: string): Pattern {
  const items: Item[] = [];
  const chars = [...source];
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i] ?? '';
    if (char === '*') {
      if (items[items.length - 1]?.type !== 'star') items.push({ type: 'star' });
    } else if (char === '?') items.push({ type: 'any' });
    else if (char === '[') {
      const set = compileSet(chars, i);
      if (set === undefined) items.push({ type: 'char', char });
      else {
        items.push(set.item);
        i = set.end;
      }
    } else if (char === '\\' && i + 1 < chars.length) {
      items.push({ type: 'char', char: chars[++i] ?? '' });
    } else items.push({ type: 'char', char });
  }
  return items;
}

interface SetParse {
  readonly item: Item;
  readonly end: number; // index of the closing bracket
}

/** A bracket expression at `start`, or undefined when it is not closed. */
function compileSet(chars: readonly string[], start: number): SetParse | undefined {
  let i = start + 1;
  const negated = chars[i] === '!' || chars[i] === '^';
  if (negated) i++;
  const tests: ((char: string) => boolean)[] = [];
  for (let first = true; ; first = false) {
    const char = chars[i];
    if (char === undefined) return undefined;
    if (char === ']' && !first) break;
    const named = bracketName(chars, i);
    if (named?.kind === ':') {
      const test = classes[named.name];
      if (test === undefined) return undefined;
      tests.push(test);
      i = named.next;
      continue;
    }
    const low = element(chars, i);
    const high = chars[low.next] === '-' ? element(chars, low.next + 1) : undefined;
    if (high !== undefined && high.char !== ']' && high.char !== '') {
      tests.push(range(low.char, high.char));
      i = high.next;
    } else {
      tests.push((c) => c === low.char);
      i = low.next;
    }
  }
  return { item: { type: 'set', negated, has: (c) => tests.some((test) => test(c)) }, end: i };
}

function range(from: string, to: string): (char: string) => boolean {
  const low = from.codePointAt(0) ?? 0;
  const high = to.codePointAt(0) ?? 0;
  return (char) => {
    const c = char.codePointAt(0) ?? 0;
    return c >= low && c <= high;
  };
}

/** One character of a bracket expression: plain, quoted, `[.x.]` or `[=x=]`. */
function element(chars: readonly string[], i: number): { char: string; next: number } {
  const named = bracketName(chars, i);
  if (named !== undefined && named.kind !== ':') return { char: named.name, next: named.next };
  if (chars[i] === '\\' && i + 1 < chars.length) {
    const quoted = chars[i + 1] ?? '';
    return { char: quoted, next: i + 2 };
  }
  return { char: chars[i] ?? '', next: i + 1 };
}

interface BracketName {
  readonly kind: string;
  readonly name: string;
  readonly next: number;
}

function bracketName(chars: readonly string[], i: number): BracketName | undefined {
  const kind = chars[i + 1];
  if (chars[i] !== '[' || (kind !== ':' && kind !== '.' && kind !== '=')) return undefined;
  for (let end = i + 2; end < Math.min(chars.length - 1, i + 40); end++) {
    if (chars[end] === kind && chars[end + 1] === ']') {
      return { kind, name: chars.slice(i + 2, end).join(''), next: end + 2 };
    }
  }
  return undefined;
}

const classOf = (expression: RegExp) => (char: string) => expression.test(char);

const isControl = (char: string): boolean => char < ' ' || char === '\x7f';

const classes: Readonly<Record<string, (char: string) => boolean>> = {
  alpha: classOf(/\p{L}/u),
  digit: classOf(/[0-9]/),
  alnum: classOf(/[\p{L}0-9]/u),
  upper: classOf(/\p{Lu}/u),
  lower: classOf(/\p{Ll}/u),
  space: classOf(/[ \t\n\r\f\v]/),
  blank: classOf(/[ \t]/),
  punct: classOf(/[!-/:-@[-`{-~]/),
  cntrl: isControl,
  print: (char) => !isControl(char),
  graph: (char) => char !== ' ' && !isControl(char),
  xdigit: classOf(/[0-9A-Fa-f]/),
};
