// tr: changes, deletes and squeezes bytes. POSIX.1-2024 tr -c -C -d -s, with GNU's -t.

import { encodeText } from '../../kernel/abi/text.ts';
import { program, type Tool } from '../libc/program.ts';
import { COPY_BYTES } from '../libc/stdio.ts';
import { readEscape } from '../libc/text/escapes.ts';
import { toLatin1 } from '../libc/text/latin1.ts';
import { quotedArgument } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: '[-cCdst] SET1 [SET2]\nTranslate, squeeze or delete bytes.',
    short: 'cCdst',
    long: { complement: 'c', delete: 'd', 'squeeze-repeats': 's', 'truncate-set1': 't' },
    stopAtOperand: true,
  },
  (tool, options) => {
    const [one, two, extra] = options.operands;
    const remove = options.has('d');
    const squeeze = options.has('s');
    checkOperands(tool, options.operands, { remove, squeeze, extra });
    const set1 = expand(tool, one ?? '');
    const complemented = options.has('c', 'C');
    const first = complemented ? complement(set1) : set1.bytes;
    const second = two === undefined ? undefined : expand(tool, two, first.length);
    checkSets(tool, set1, second, { remove, complemented });
    if (second && !remove && second.bytes.length === 0 && first.length > 0 && !options.has('t'))
      tool.die('when not truncating set1, string2 must be non-empty');
    const isShort = second !== undefined && !options.has('t') && second.bytes.length < first.length;
    if (isShort && !remove && second.endsWithClass)
      tool.die(
        'when translating with string1 longer than string2,\nthe latter string must not end with a character class',
      );
    const isMany = second !== undefined && new Set(second.bytes).size > 1;
    if (isMany && !remove && complemented && set1.parts.some(({ kind }) => kind === 'class'))
      tool.die(
        'when translating with complemented character classes,\nstring2 must map all characters in the domain to one',
      );
    const map = new Int16Array(256).map((_, i) => i);
    if (remove) for (const c of first) map[c] = -1;
    else if (second !== undefined) {
      const to = second.bytes;
      const count = options.has('t') ? Math.min(first.length, to.length) : first.length;
      for (let i = 0; i < count; i++) map[first[i] ?? 0] = to[Math.min(i, to.length - 1)] ?? 0;
    }
    const squeezed = squeeze ? new Set(second?.bytes ?? first) : undefined;
    translate(tool, map, squeezed);
  },
);

function checkOperands(
  tool: Tool,
  operands: readonly string[],
  how: { remove: boolean; squeeze: boolean; extra: string | undefined },
): void {
  const [one, two] = operands;
  if (one === undefined) tool.missingOperand();
  const needsTwo = how.remove === how.squeeze;
  if (needsTwo && two === undefined)
    tool.misuse(
      `missing operand after ${quotedArgument(one ?? '')}\n${
        how.remove
          ? 'Two strings must be given when both deleting and squeezing repeats.'
          : 'Two strings must be given when translating.'
      }`,
    );
  const surplus = how.remove && !how.squeeze ? two : how.extra;
  if (surplus === undefined) return;
  const reason =
    how.remove && !how.squeeze
      ? '\nOnly one string may be given when deleting without squeezing repeats.'
      : '';
  tool.misuse(`extra operand ${quotedArgument(surplus)}${reason}`);
}

function translate(tool: Tool, map: Int16Array, squeezed: Set<number> | undefined): void {
  const { sys, out } = tool;
  const buffer = new Uint8Array(COPY_BYTES);
  let last = -1;
  for (let count = sys.read(0, buffer); count > 0; count = sys.read(0, buffer)) {
    let used = 0;
    for (let i = 0; i < count; i++) {
      const c = map[buffer[i] as number] as number;
      if (c < 0 || (c === last && squeezed?.has(c))) continue;
      buffer[used++] = c;
      last = c;
    }
    out.write(buffer.subarray(0, used));
    out.flush();
  }
}

/** What stands behind what in a set; `name` is a class's. */
interface Part {
  readonly kind: 'plain' | 'class' | 'equivalence' | 'fill';
  readonly name: string;
  /** How many bytes stand before it. */
  readonly at: number;
}

interface CharacterSet {
  readonly bytes: readonly number[];
  readonly parts: readonly Part[];
  readonly endsWithClass: boolean;
}

function checkSets(
  tool: Tool,
  set1: CharacterSet,
  set2: CharacterSet | undefined,
  how: { remove: boolean; complemented: boolean },
): void {
  const has = (set: CharacterSet, kind: Part['kind']): boolean =>
    set.parts.some((part) => part.kind === kind);
  if (has(set1, 'fill')) tool.die('the [c*] repeat construct may not appear in string1');
  if (set2 === undefined) return;
  if (set2.parts.filter(({ kind }) => kind === 'fill').length > 1)
    tool.die('only one [c*] repeat construct may appear in string2');
  if (how.remove) {
    if (has(set2, 'fill'))
      tool.die('the [c*] construct may appear in string2 only when translating');
    return;
  }
  if (has(set2, 'equivalence'))
    tool.die('[=c=] expressions may not appear in string2 when translating');
  const named = set2.parts.filter(({ kind }) => kind === 'class');
  if (named.some(({ name }) => name !== 'upper' && name !== 'lower'))
    tool.die(
      "when translating, the only character classes that may appear in\nstring2 are 'upper' and 'lower'",
    );
  const cases = set1.parts.filter(({ name }) => name === 'upper' || name === 'lower');
  // Both are gone through together, as far as string1 and one step more.
  const reached = named.filter(({ at }) => at <= set1.bytes.length);
  if (!how.complemented && reached.some(({ at }) => !cases.some((one) => one.at === at)))
    tool.die('misaligned [:upper:] and/or [:lower:] construct');
}

function complement(set: CharacterSet): number[] {
  const present = new Set(set.bytes);
  return Array.from({ length: 256 }, (_, i) => i).filter((c) => !present.has(c));
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);
const upper = range(65, 90);
const lower = range(97, 122);
const digits = range(48, 57);
const punct = [...range(33, 47), ...range(58, 64), ...range(91, 96), ...range(123, 126)];
const classes: Readonly<Record<string, readonly number[]>> = {
  alnum: [...digits, ...upper, ...lower],
  alpha: [...upper, ...lower],
  blank: [9, 32],
  cntrl: [...range(0, 31), 127],
  digit: digits,
  graph: range(33, 126),
  lower,
  print: range(32, 126),
  punct,
  space: [9, 10, 11, 12, 13, 32],
  upper,
  xdigit: [...digits, ...range(65, 70), ...range(97, 102)],
};

/** A set as text: bytes, escapes, a-z, [:class:], [=c=], and in set 2 [c*n] and [c*]. */
function expand(tool: Tool, text: string, wanted?: number): CharacterSet {
  const source = toLatin1(encodeText(text));
  const bytes: number[] = [];
  const parts: Part[] = [];
  let fill: { at: number; value: number } | undefined;
  for (let i = 0; i < source.length; ) {
    const special = source[i] === '[' ? bracket(tool, source, i) : undefined;
    if (special !== undefined) {
      parts.push({ kind: special.kind, name: special.name ?? '', at: bytes.length });
      if (special.kind === 'fill') fill = { at: bytes.length, value: special.bytes[0] ?? 0 };
      for (let n = special.repeat; n > 0; n--) bytes.push(...special.bytes);
      i = special.end;
      continue;
    }
    const from = one(source, i);
    if (source[from.end] === '-' && from.end + 1 < source.length) {
      const to = one(source, from.end + 1);
      if (to.value < from.value)
        tool.die(
          `range-endpoints of '${source.slice(i, to.end)}' are in reverse collating sequence order`,
        );
      bytes.push(...range(from.value, to.value));
      i = to.end;
    } else {
      bytes.push(from.value);
      i = from.end;
    }
  }
  if (fill !== undefined && wanted !== undefined) {
    const missing = Math.max(0, wanted - bytes.length);
    bytes.splice(fill.at, 0, ...new Array<number>(missing).fill(fill.value));
  }
  return { bytes, parts, endsWithClass: source.endsWith(':]') && parts.at(-1)?.kind === 'class' };
}

function one(source: string, at: number): { value: number; end: number } {
  if (source[at] === '\\' && at + 1 < source.length) {
    const sequence = readEscape(source, at, 'format');
    if (sequence.text.length === 1)
      return { value: sequence.text.charCodeAt(0), end: sequence.end };
    return { value: source.charCodeAt(at + 1), end: at + 2 }; // an unknown sequence is its letter
  }
  return { value: source.charCodeAt(at), end: at + 1 };
}

interface Bracket {
  readonly kind: Part['kind'];
  readonly name?: string;
  readonly bytes: readonly number[];
  readonly repeat: number; // 0 = as often as needed
  readonly end: number;
}

function bracket(tool: Tool, source: string, at: number): Bracket | undefined {
  const rest = source.slice(at);
  const named = /^\[:([a-z]*):\]/.exec(rest);
  if (named !== null) {
    const bytes = classes[named[1] ?? ''];
    if (bytes === undefined) return tool.die(`invalid character class '${named[1]}'`);
    return { kind: 'class', name: named[1] ?? '', bytes, repeat: 1, end: at + named[0].length };
  }
  const equal = /^\[=([\s\S]|\\.)=\]/.exec(rest);
  if (equal !== null)
    return {
      ...{ kind: 'equivalence', repeat: 1, end: at + equal[0].length },
      bytes: [one(equal[1] ?? '', 0).value],
    };
  const many = /^\[(\\[0-7]{1,3}|\\[\s\S]|[^\\])\*(\d*)\]/.exec(rest);
  if (many !== null) {
    const count = many[2] ?? '';
    const repeat = count === '' ? 0 : Number.parseInt(count, count.startsWith('0') ? 8 : 10);
    const kind = repeat === 0 ? 'fill' : 'plain';
    return { kind, bytes: [one(many[1] ?? '', 0).value], repeat, end: at + many[0].length };
  }
  return undefined;
}
