// Matching with POSIX patterns: the tree of syntax.ts becomes a RegExp over one-byte characters, which
// finds where a match begins; where it ends is the longest way through the tree (POSIX.1-2024 §9.1).

import { type ByteSet, type Dialect, foldSet, type Node, parsePattern } from './syntax.ts';
import { inCharacters } from './utf8.ts';

export interface RegexOptions {
  readonly dialect: Dialect;
  readonly ignoreCase?: boolean;
  /** The byte that ends a line: `.` and negated sets do not match it. */
  readonly delimiter?: 0 | 10;
  /** The text is one line, newlines in it are bytes like others (sed). */
  readonly whole?: true;
  /** The text is one block of lines: \` and \' are its ends, ^ and $ those of its lines (sed's M). */
  readonly block?: true;
  /** The text is UTF-8: `.` is a character, not a byte. */
  readonly utf8?: true;
  /** The whole line, or only whole words. */
  readonly extent?: 'line' | 'word';
}

export interface Match {
  readonly start: number;
  readonly end: number;
  /** The groups' texts, from \1 on. */
  readonly groups: readonly (string | undefined)[];
}

/** No byte. */
const NONE = -1;

export class Regex {
  readonly #regexp: RegExp;
  readonly #root: Node;
  /** Whether the first way found may not be the longest. */
  readonly #ambiguous: boolean;
  readonly #extent: 'line' | 'word' | undefined;
  readonly #lineEnd: '\n' | '';
  readonly groupCount: number;

  /** A text matches when one of the patterns does. Throws PatternError. */
  constructor(patterns: readonly string[], options: RegexOptions) {
    const parts: Node[] = [];
    let groups = 1;
    for (const pattern of patterns) {
      const node = parsePattern(pattern, {
        dialect: options.dialect,
        ignoreCase: options.ignoreCase ?? false,
        firstGroup: groups,
        delimiter: options.whole ? NONE : (options.delimiter ?? 10),
      });
      groups += countGroups(node);
      const placed = options.block ? node : mapped(node, ofLine);
      const cased = options.ignoreCase ? mapped(placed, folded) : placed;
      parts.push(options.utf8 ? inCharacters(cased) : cased);
    }
    this.groupCount = groups - 1;
    this.#root = parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind: 'alt', parts };
    this.#extent = options.extent;
    this.#ambiguous = !hasBackref(this.#root) && isAmbiguous(this.#root);
    // Lines lie between newlines: one search serves a whole block of them.
    this.#regexp = new RegExp(
      wrapped(emit(this.#root), options.extent),
      options.whole ? 'g' : 'gm',
    );
    this.#lineEnd = options.whole ? '' : '\n';
  }

  /** The first match at or after `from`; its end is the longest only where `longest` asks for it. */
  find(text: string, from: number): Match | undefined {
    this.#regexp.lastIndex = from;
    const found = this.#regexp.exec(text);
    if (found === null) return undefined;
    return {
      start: found.index,
      end: found.index + found[0].length,
      groups: found.slice(1),
    };
  }

  longest(text: string, from: number): Match | undefined {
    const match = this.find(text, from);
    if (match === undefined || !this.#ambiguous || this.#extent === 'line') return match;
    const ends = waysThrough(this.#root, { text, lineEnd: this.#lineEnd }, [match.start]);
    const end = Math.max(
      match.end,
      ...ends.filter((at) => this.#extent === undefined || !wordAt(text, at)),
    );
    return { ...match, end };
  }
}

const wordAt = (text: string, at: number): boolean => /\w/.test(text[at] ?? '');

function wrapped(source: string, extent: RegexOptions['extent']): string {
  if (extent === 'line') return `^(?:${source})$`;
  return extent === 'word' ? `(?<!\\w)(?:${source})(?!\\w)` : source;
}

function countGroups(node: Node): number {
  let count = 0;
  visit(node, (inner) => {
    if (inner.kind === 'group') count++;
  });
  return count;
}

function visit(node: Node, action: (node: Node) => void): void {
  action(node);
  if (node.kind === 'cat' || node.kind === 'alt')
    for (const part of node.parts) visit(part, action);
  else if (node.kind === 'group' || node.kind === 'repeat') visit(node.body, action);
}

function hasBackref(node: Node): boolean {
  let found = false;
  visit(node, (inner) => {
    if (inner.kind === 'backref') found = true;
  });
  return found;
}

/** Alternatives, and repeats of more than one byte, may stop early. */
function isAmbiguous(node: Node): boolean {
  let found = false;
  visit(node, (inner) => {
    if (inner.kind === 'alt') found = true;
    if (inner.kind === 'repeat' && inner.body.kind !== 'set') found = true;
  });
  return found;
}

/** The tree with other leaves. */
function mapped(node: Node, change: (leaf: Node) => Node): Node {
  switch (node.kind) {
    case 'cat':
    case 'alt':
      return { ...node, parts: node.parts.map((part) => mapped(part, change)) };
    case 'group':
    case 'repeat':
      return { ...node, body: mapped(node.body, change) };
    default:
      return change(node);
  }
}

/** Both cases of each letter. */
function folded(leaf: Node): Node {
  if (leaf.kind !== 'set') return leaf;
  const set = leaf.set.slice();
  foldSet(set);
  return { kind: 'set', set };
}

/** A line is all that there is. */
function ofLine(leaf: Node): Node {
  if (leaf.kind !== 'assert') return leaf;
  return { kind: 'assert', what: leaf.what === '`' ? '^' : leaf.what === "'" ? '$' : leaf.what };
}

const asserts: Readonly<Record<string, string>> = {
  '^': '^',
  $: '$',
  '`': '(?<![\\s\\S])',
  "'": '(?![\\s\\S])',
  b: '\\b',
  B: '\\B',
  '<': '\\b(?=\\w)',
  '>': '\\b(?<=\\w)',
};

function emit(node: Node): string {
  switch (node.kind) {
    case 'set':
      return emitSet(node.set);
    case 'assert':
      return asserts[node.what] ?? '';
    case 'cat':
      return node.parts
        .map((part) => (part.kind === 'alt' ? `(?:${emit(part)})` : emit(part)))
        .join('');
    case 'alt':
      return node.parts.map(emit).join('|');
    case 'group':
      return `(${emit(node.body)})`;
    case 'backref':
      return `(?:\\${node.index})`;
    case 'repeat':
      return emitRepeat(node);
  }
}

function emitRepeat(node: Node & { kind: 'repeat' }): string {
  const simple = node.body.kind === 'set' || node.body.kind === 'group';
  const body = simple ? emit(node.body) : `(?:${emit(node.body)})`;
  if (node.max === Infinity)
    return body + (node.min === 0 ? '*' : node.min === 1 ? '+' : `{${node.min},}`);
  return node.min === 0 && node.max === 1 ? `${body}?` : `${body}{${node.min},${node.max}}`;
}

const hex = (byte: number): string => `\\x${byte.toString(16).padStart(2, '0')}`;

function emitSet(set: ByteSet): string {
  let source = '';
  let count = 0;
  for (let byte = 0; byte < 256; byte++) {
    if (!set[byte]) continue;
    let end = byte;
    while (set[end + 1]) end++;
    count += end - byte + 1;
    source += end === byte ? hex(byte) : `${hex(byte)}-${hex(end)}`;
    byte = end;
  }
  if (count !== 1) return `[${source}]`;
  const only = set.indexOf(1);
  return /[A-Za-z0-9_ ]/.test(String.fromCharCode(only)) ? String.fromCharCode(only) : source;
}

interface Line {
  readonly text: string;
  /** Where lines end inside the text; '' = nowhere. */
  readonly lineEnd: '\n' | '';
}

/** All places where `node` can end when it begins at one of `starts`. */
function waysThrough(node: Node, line: Line, starts: readonly number[]): number[] {
  switch (node.kind) {
    case 'set':
      return starts
        .filter((at) => at < line.text.length && node.set[line.text.charCodeAt(at)])
        .map((at) => at + 1);
    case 'assert':
      return starts.filter((at) => holds(node.what, line, at));
    case 'cat':
      return node.parts.reduce<number[]>((at, part) => waysThrough(part, line, at), [...starts]);
    case 'alt':
      return unique(node.parts.flatMap((part) => waysThrough(part, line, starts)));
    case 'group':
      return waysThrough(node.body, line, starts);
    case 'backref':
      return [];
    case 'repeat':
      return repeatWays(node, line, starts);
  }
}

const unique = (places: readonly number[]): number[] => [...new Set(places)];

function repeatWays(
  node: Node & { kind: 'repeat' },
  line: Line,
  starts: readonly number[],
): number[] {
  let at = [...starts];
  for (let n = 0; n < node.min && at.length > 0; n++) at = waysThrough(node.body, line, at);
  const all = new Set(at);
  for (let n = node.min; n < node.max && at.length > 0; n++) {
    at = waysThrough(node.body, line, at).filter((place) => !all.has(place));
    for (const place of at) all.add(place);
  }
  return [...all];
}

function holds(what: string, { text, lineEnd }: Line, at: number): boolean {
  const before = at > 0 && wordAt(text, at - 1);
  const after = wordAt(text, at);
  switch (what) {
    case '^':
      return at === 0 || text[at - 1] === lineEnd;
    case '$':
      return at === text.length || text[at] === lineEnd;
    case '`':
      return at === 0;
    case "'":
      return at === text.length;
    case 'b':
      return before !== after;
    case 'B':
      return before === after;
    case '<':
      return !before && after;
    default:
      return before && !after;
  }
}
