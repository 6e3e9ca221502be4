// The order of sort: keys (-k), their options, and the ways to compare them (POSIX.1-2024 sort).

import { encodeText } from '../../../kernel/abi/text.ts';
import type { Options } from '../options.ts';
import type { Tool } from '../program.ts';
import { compareVersions } from '../text/compare.ts';
import { toLatin1 } from '../text/latin1.ts';
import { quotedArgument } from '../text/quote.ts';
import { monthNames } from '../time/date.ts';

export interface Comparison {
  /** By the keys alone: 0 = equal for -u. */
  keys(a: string, b: string): number;
  /** By the keys and, unless stable or unique, then by the whole line. */
  lines(a: string, b: string): number;
  /** The lines sorted by `lines`, stable; each key is taken out and read once. */
  sort(lines: string[]): string[];
}

interface Key {
  readonly startField: number; // from 1
  readonly startByte: number;
  readonly endField: number; // 0 = to the end of the line
  readonly endByte: number; // 0 = to the end of the field
  readonly startBlanks: boolean;
  readonly endBlanks: boolean;
  readonly kind: '' | 'n' | 'g' | 'h' | 'M' | 'V';
  readonly fold: boolean;
  readonly dictionary: boolean;
  readonly printing: boolean;
  readonly reverse: boolean;
}

const ORDERING = 'bdfghiMnrVR';

export function comparison(tool: Tool, options: Options): Comparison {
  const global = options.list.filter(({ name }) => name.length === 1 && ORDERING.includes(name));
  const letters = global.map(({ name }) => name).join('');
  const separator = separatorOf(tool, options);
  const keys = options.values('k').map((text) => parseKey(tool, text, letters));
  if (keys.length === 0) keys.push(makeKey(tool, { from: [1, 1], to: [0, 0] }, [letters, letters]));
  const plainLine = options.value('k') === undefined && /^r*$/.test(letters);
  const reverse = letters.includes('r');
  const lastResort = !options.has('s', 'u');
  return new KeyComparison({ keys, separator, plainLine, reverse, lastResort });
}

function separatorOf(tool: Tool, options: Options): string | undefined {
  const tabs = options.values('t').map((text) => {
    const bytes = toLatin1(encodeText(text === '\\0' ? '\0' : text));
    if (bytes === '') tool.die('empty tab');
    if (bytes.length > 1) tool.die(`multi-character tab ${quotedArgument(text)}`);
    return bytes;
  });
  if (new Set(tabs).size > 1) tool.die('incompatible tabs');
  return tabs[0];
}

function parseKey(tool: Tool, text: string, inherited: string): Key {
  const match = /^(\d+)(?:\.(\d+))?([a-zA-Z]*)(?:,(\d+)(?:\.(\d+))?([a-zA-Z]*))?$/.exec(text);
  if (match === null) {
    if (!/^\d/.test(text))
      return tool.die(
        `invalid number at field start: invalid count at start of ${quotedArgument(text)}`,
      );
    return tool.die(
      `stray character in field spec: invalid field specification ${quotedArgument(text)}`,
    );
  }
  const [, field, byte, startFlags = '', endField, endByte, endFlags = ''] = match;
  if (Number(field) === 0 || Number(endField ?? 1) === 0)
    tool.die(`field number is zero: invalid field specification ${quotedArgument(text)}`);
  if (Number(byte ?? 1) === 0)
    tool.die(`character offset is zero: invalid field specification ${quotedArgument(text)}`);
  const own = startFlags + endFlags;
  const wrong = [...own].find((letter) => !ORDERING.includes(letter));
  if (wrong !== undefined)
    tool.die(`stray character in field spec: invalid field specification ${quotedArgument(text)}`);
  // A key with options of its own does not inherit the global ones.
  const flags = own === '' ? [inherited, inherited] : [startFlags, endFlags];
  return makeKey(
    tool,
    { from: [Number(field), Number(byte ?? 1)], to: [Number(endField ?? 0), Number(endByte ?? 0)] },
    [flags[0] ?? '', flags[1] ?? ''],
  );
}

function makeKey(
  tool: Tool,
  span: { from: [number, number]; to: [number, number] },
  flags: readonly [string, string],
): Key {
  const all = flags.join('');
  const kinds = [...new Set([...all].filter((letter) => 'nghMV'.includes(letter)))];
  if (kinds.length > 1 || (kinds.length > 0 && /[di]/.test(all) && !kinds.includes('V')))
    tool.die(
      `options '-${[...new Set([...all].filter((l) => 'dinghMV'.includes(l)))].sort().join('')}' are incompatible`,
    );
  return {
    startField: span.from[0],
    startByte: span.from[1],
    endField: span.to[0],
    endByte: span.to[1],
    startBlanks: flags[0].includes('b'),
    endBlanks: flags[1].includes('b'),
    kind: (kinds[0] ?? '') as Key['kind'],
    fold: all.includes('f'),
    dictionary: all.includes('d'),
    printing: all.includes('i'),
    reverse: all.includes('r'),
  };
}

interface Setup {
  readonly keys: readonly Key[];
  readonly separator: string | undefined;
  /** The whole line by its bytes is the only key. */
  readonly plainLine: boolean;
  readonly reverse: boolean;
  readonly lastResort: boolean;
}

/** What a key is compared by: a text, or a number. */
type Value = string | number;

const byBytes = (a: Value, b: Value): number => (a < b ? -1 : a > b ? 1 : 0);

class KeyComparison implements Comparison {
  readonly #setup: Setup;

  constructor(setup: Setup) {
    this.#setup = setup;
  }

  keys(a: string, b: string): number {
    if (this.#setup.plainLine) return this.#setup.reverse ? byBytes(b, a) : byBytes(a, b);
    for (const key of this.#setup.keys) {
      const order = compareValues(this.#value(a, key), this.#value(b, key), key);
      if (order !== 0) return order;
    }
    return 0;
  }

  lines(a: string, b: string): number {
    return this.keys(a, b) || this.#last(a, b);
  }

  sort(lines: string[]): string[] {
    const { keys, plainLine, reverse } = this.#setup;
    if (plainLine && !reverse) return lines.sort(byBytes);
    if (plainLine) return lines.sort((a, b) => byBytes(b, a));
    const records = lines.map((line) => ({
      line,
      values: keys.map((key) => this.#value(line, key)),
    }));
    records.sort((a, b) => {
      for (let i = 0; i < keys.length; i++) {
        const order = compareValues(a.values[i] ?? '', b.values[i] ?? '', keys[i] as Key);
        if (order !== 0) return order;
      }
      return this.#last(a.line, b.line);
    });
    return records.map((record) => record.line);
  }

  #last(a: string, b: string): number {
    if (!this.#setup.lastResort) return 0;
    return this.#setup.reverse ? byBytes(b, a) : byBytes(a, b);
  }

  #value(line: string, key: Key): Value {
    const text = extract(line, key, this.#setup.separator);
    switch (key.kind) {
      case 'n':
        return numberOf(text);
      case 'g':
        return generalNumber(text);
      case 'h':
        return humanNumber(text);
      case 'M':
        return monthOf(text);
      default:
        return prepared(text, key);
    }
  }
}

function compareValues(a: Value, b: Value, key: Key): number {
  let order: number;
  if (key.kind === 'V') order = compareVersions(String(a), String(b));
  else if (key.kind === 'n') order = compareNumbers(a, b);
  else order = byBytes(a, b);
  return key.reverse ? -order : order;
}

function prepared(text: string, key: Key): string {
  let out = text;
  if (key.dictionary) out = out.replace(/[^A-Za-z0-9 \t]/g, '');
  if (key.printing) out = out.replace(/[^ -~]/g, '');
  return key.fold ? out.replace(/[a-z]+/g, (letters) => letters.toUpperCase()) : out;
}

/** The part of the line that the key means. */
function extract(line: string, key: Key, separator: string | undefined): string {
  if (key.startField === 1 && key.startByte === 1 && key.endField === 0 && !key.startBlanks)
    return line;
  let from = fieldStart(line, key.startField, separator);
  if (key.startBlanks) from = skipBlanks(line, from);
  from = Math.min(line.length, from + key.startByte - 1);
  if (key.endField === 0) return line.slice(from);
  let to: number;
  if (key.endByte === 0) to = fieldEnd(line, key.endField, separator);
  else {
    to = fieldStart(line, key.endField, separator);
    if (key.endBlanks) to = skipBlanks(line, to);
    to = Math.min(line.length, to + key.endByte);
  }
  return line.slice(from, Math.max(from, to));
}

const isBlank = (c: number): boolean => c === 32 || c === 9 || c === 10;

function skipBlanks(line: string, from: number): number {
  let at = from;
  while (at < line.length && isBlank(line.charCodeAt(at))) at++;
  return at;
}

/** Without a separator a field begins with the blanks before it. */
function fieldStart(line: string, field: number, separator: string | undefined): number {
  let at = 0;
  for (let n = field; n > 1 && at < line.length; n--) {
    if (separator !== undefined) {
      const next = line.indexOf(separator, at);
      at = next < 0 ? line.length : next + 1;
    } else at = wordEnd(line, at);
  }
  return at;
}

function fieldEnd(line: string, field: number, separator: string | undefined): number {
  const at = fieldStart(line, field, separator);
  if (separator === undefined) return wordEnd(line, at);
  const next = line.indexOf(separator, at);
  return next < 0 ? line.length : next;
}

function wordEnd(line: string, from: number): number {
  let at = skipBlanks(line, from);
  while (at < line.length && !isBlank(line.charCodeAt(at))) at++;
  return at;
}

/** Digits beyond which a double would lose some. */
const SAFE_DIGITS = 15;

/** The decimal number at the start; a text when it is too long for a number. */
function numberOf(text: string): Value {
  const match = /^[ \t\n]*(-?)0*(\d*)(?:\.(\d*))?/.exec(text);
  const whole = match?.[2] ?? '';
  const fraction = match?.[3] ?? '';
  if (whole === '' && fraction === '') return 0;
  const digits = `${match?.[1] ?? ''}${whole || '0'}.${fraction}`;
  return whole.length + fraction.length <= SAFE_DIGITS ? Number(digits) : digits.replace(/0+$/, '');
}

function compareNumbers(a: Value, b: Value): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [x, y] = [Number(a), Number(b)];
  if (x !== y) return x < y ? -1 : 1;
  const negative = x < 0;
  const [left = '', right = ''] = [a, b].map((value) => {
    const text = String(value).replace('-', '');
    return text.includes('.') ? text : `${text}.`;
  });
  const order = left.indexOf('.') - right.indexOf('.') || byBytes(left, right);
  return negative ? -order : order;
}

/** -g: what strtod reads; what is no number first, then NaN. */
function generalNumber(text: string): number {
  const match =
    /^\s*([-+]?)(0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|inf(?:inity)?)/i.exec(text);
  if (match === null) return Number.NEGATIVE_INFINITY;
  const word = match[2] ?? '';
  const size = /^inf/i.test(word) ? Number.MAX_VALUE : Number(word);
  return match[1] === '-' ? -size : size;
}

/** -h: the suffix first, then the number: 2K sorts before 1M. */
function humanNumber(text: string): number {
  const match = /^[ \t\n]*(-?)(\d*\.?\d*)([kKMGTPEZY]?)/.exec(text);
  const value = Number(match?.[2] || 0);
  const suffix = match?.[3] ?? '';
  const power = suffix === '' || value === 0 ? 0 : 'KMGTPEZY'.indexOf(suffix.toUpperCase()) + 1;
  const size = value === 0 ? 0 : power * 1e15 + value;
  return match?.[1] === '-' ? -size : size;
}

function monthOf(text: string): number {
  const word = text
    .replace(/^[ \t\n]+/, '')
    .slice(0, 3)
    .toLowerCase();
  return word.length < 3
    ? 0
    : monthNames.findIndex((name) => name.slice(0, 3).toLowerCase() === word) + 1;
}
