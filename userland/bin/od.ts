// od: bytes as numbers and characters. POSIX.1-2024 od -A -b -c -d -j -N -o -s -t -v -x, with GNU's -w
// and z after a type.

import { O_RDONLY, SEEK_CUR } from '../../kernel/abi/constants.ts';
import { restOf } from '../libc/files/seek.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { choose } from '../libc/text/choice.ts';
import { type Formatter, formatter, parseTypes } from '../libc/text/dump.ts';
import { parseSize } from '../libc/text/numbers.ts';
import { maybeQuoted, quotedArgument } from '../libc/text/quote.ts';

const shorthands: Readonly<Record<string, string>> = {
  a: 'a',
  b: 'o1',
  c: 'c',
  d: 'u2',
  f: 'fF',
  i: 'dI',
  l: 'dL',
  o: 'o2',
  s: 'd2',
  x: 'x2',
};

export const main = program(
  {
    usage: '[-abcdosvx] [-A RADIX] [-j SKIP] [-N COUNT] [-t TYPE]... [-w[BYTES]] [FILE]...',
    short: 'A:abcdfij:lN:osS:t:vw::x',
    long: {
      'address-radix=': 'A',
      'skip-bytes=': 'j',
      'read-bytes=': 'N',
      'format=': 't',
      'output-duplicates': 'v',
      'width=?': 'w',
      'strings=?': 'S',
      'endian=': 'endian',
      traditional: 'traditional',
    },
  },
  (tool, options) => {
    const formats = formatsOf(tool, options, endianOf(tool, options));
    const lcm = formats.reduce((sum, f) => (sum * f.size) / gcd(sum, f.size), 1);
    for (const text of options.values('w'))
      if (text !== '' && readSize(text) === undefined)
        return tool.die(`invalid -w argument ${quotedArgument(text)}`);
    const asked = options.value('w');
    let width = asked === undefined ? 16 : (readSize(asked || '32') ?? 0);
    if (width === 0 || width % lcm !== 0) {
      if (asked) tool.note(`warning: invalid width ${width}; using ${lcm} instead`);
      width = asked ? lcm : Math.max(lcm, 16 - (16 % lcm));
    }
    for (const text of options.values('A'))
      if (!/^[doxn]$/.test(text))
        tool.die(`invalid output address radix '${text}'; it must be one character from [doxn]`);
    const radix = options.value('A') ?? 'o';
    const size = (name: string, usual: number): number => {
      const text = options.value(name);
      if (text === undefined) return usual;
      return readSize(text) ?? tool.die(`invalid -${name} argument ${quotedArgument(text)}`);
    };
    const skip = size('j', 0);
    const limit = size('N', Number.POSITIVE_INFINITY);
    const source = new Source(tool, options.operands.length > 0 ? options.operands : ['-'], limit);
    const least = options.value('S');
    if (least !== undefined && options.has('t', ...Object.keys(shorthands)))
      tool.die('no type may be specified when dumping strings');
    source.ready();
    source.skip(skip);
    if (least !== undefined) {
      const most =
        readSize(least || '3') ?? tool.die(`invalid -S argument ${quotedArgument(least)}`);
      strings(tool, source, { least: most, limit, start: skip, radix });
      return;
    }
    dump(tool, source, { formats, width, radix, limit, start: skip, all: options.has('v') });
  },
);

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

const readSize = (text: string): number | undefined =>
  /^0x[0-9a-f]+$/i.test(text)
    ? Number(text)
    : /^0[0-7]+$/.test(text)
      ? Number.parseInt(text, 8)
      : parseSize(text);

function endianOf(tool: Tool, options: Options): 'little' | 'big' {
  const word = options.value('endian') ?? 'little';
  return choose(tool, word, { option: '--endian', valid: ['big', 'little'] as const });
}

function formatsOf(tool: Tool, options: Options, endian: 'little' | 'big'): Formatter[] {
  const types: string[] = [];
  for (const { name, value } of options.list) {
    const short = shorthands[name];
    if (name === 't') {
      const parsed = parseTypes(value);
      if (parsed === undefined) {
        const letter = [...value].find((c) => !'acdfouxzCSILFD0123456789'.includes(c));
        const what = letter === undefined ? 'invalid' : `invalid character '${letter}' in`;
        return tool.die(`${what} type string ${quotedArgument(value)}`);
      }
      types.push(...parsed);
    } else if (short !== undefined) types.push(...(parseTypes(short) ?? []));
  }
  return (types.length > 0 ? types : ['o2']).map((type) => formatter(type, endian));
}

/** The files as one stream. */
class Source {
  readonly #tool: Tool;
  readonly #names: string[];
  readonly #buffer: Uint8Array;
  #ahead: Uint8Array = new Uint8Array();
  #fd: number | undefined;
  #name = '';
  /** Whether any of the files could be read. */
  opened = false;

  /** Reads ahead, but never more than `limit`: the rest belongs to the next reader. */
  constructor(tool: Tool, names: readonly string[], limit: number) {
    this.#buffer = new Uint8Array(Math.max(1, Math.min(65536, limit)));
    this.#tool = tool;
    this.#names = [...names];
  }

  /** Fills `into` as far as there is data. */
  read(into: Uint8Array): number {
    let used = 0;
    while (used < into.length) {
      if (this.#ahead.length === 0) {
        const count = this.#fill(this.#buffer);
        if (count === 0) break;
        this.#ahead = this.#buffer.subarray(0, count);
      }
      const some = this.#ahead.subarray(0, into.length - used);
      into.set(some, used);
      used += some.length;
      this.#ahead = this.#ahead.subarray(some.length);
    }
    return used;
  }

  #fill(into: Uint8Array): number {
    let used = 0;
    while (used < into.length && this.ready()) {
      const fd = this.#fd ?? 0;
      const count =
        this.#tool.attempt(maybeQuoted(this.#name), () =>
          this.#tool.sys.read(fd, into.subarray(used)),
        ) ?? 0;
      used += count;
      if (count > 0) continue;
      if (fd !== 0) this.#tool.sys.close(fd);
      this.#fd = undefined;
    }
    return used;
  }

  /** Passes over so many bytes of all files together, in those whose size is known without reading. */
  skip(count: number): void {
    const { sys } = this.#tool;
    const buffer = new Uint8Array(Math.min(count, 65536));
    for (let left = count; left > 0; ) {
      const rest = this.ready() && this.#fd !== undefined ? restOf(sys, this.#fd) : undefined;
      if (this.#fd !== undefined && rest !== undefined)
        left -= sys.lseek(this.#fd, Math.min(left, rest.length), SEEK_CUR) - rest.at;
      if (left === 0) break;
      const some = this.read(buffer.subarray(0, Math.min(left, buffer.length)));
      if (some === 0) this.#tool.die('cannot skip past end of combined input');
      left -= some;
    }
  }

  /** Opens the next file, if need be. */
  ready(): boolean {
    while (this.#fd === undefined) {
      const name = this.#names.shift();
      if (name === undefined) return false;
      this.#name = name;
      this.#fd =
        name === '-'
          ? 0
          : this.#tool.attempt(maybeQuoted(name), () => this.#tool.sys.open(name, O_RDONLY));
      if (this.#fd !== undefined) this.opened = true;
    }
    return true;
  }
}

/** -S: texts that a NUL ends, with where they begin. */
function strings(
  tool: Tool,
  source: Source,
  how: { least: number; limit: number; start: number; radix: string },
): void {
  const byte = new Uint8Array(1);
  let text = '';
  const tell = (end: number): void => {
    if (text.length < how.least) return;
    const head = address(end - text.length, how.radix);
    tool.out.text(`${head}${head === '' ? '' : ' '}${text}\n`);
  };
  let at = how.start;
  const end = how.start + how.limit;
  for (; at < end && source.read(byte) > 0; at++) {
    const [c = 0] = byte;
    if (c >= 32 && c < 127) text += String.fromCharCode(c);
    else {
      if (c === 0) tell(at);
      text = '';
    }
  }
  if (at === end) tell(at); // the limit ends it, too; the end of the input does not
}

interface Plan {
  readonly formats: readonly Formatter[];
  readonly width: number;
  readonly radix: string;
  readonly limit: number;
  readonly start: number;
  readonly all: boolean;
}

function dump(tool: Tool, source: Source, plan: Plan): void {
  const { width, formats } = plan;
  // Wide enough that the fields of all formats line up.
  const line = Math.max(...formats.map((format) => ((format.width + 1) * width) / format.size));
  let offset = plan.start;
  let [block, other] = [new Uint8Array(width), new Uint8Array(width)];
  let comparable = false; // `other` holds the block before
  let starred = false;
  for (let left = plan.limit; left > 0; ) {
    const count = source.read(block.subarray(0, Math.min(width, left)));
    if (count === 0) break;
    block.fill(0, count);
    left -= count;
    const same = !plan.all && count === width && comparable && equal(other, block);
    if (!same) printBlock(tool, block, { plan, offset, count, line });
    else if (!starred) tool.out.text('*\n');
    starred = same;
    comparable = true;
    [block, other] = [other, block];
    offset += count;
    if (count < width) break;
  }
  if (plan.radix !== 'n' && source.opened) tool.out.text(`${address(offset, plan.radix)}\n`);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

const address = (offset: number, radix: string): string => {
  if (radix === 'n') return '';
  if (radix === 'x') return offset.toString(16).padStart(6, '0');
  return offset.toString(radix === 'd' ? 10 : 8).padStart(7, '0');
};

function printBlock(
  tool: Tool,
  block: Uint8Array,
  at: { plan: Plan; offset: number; count: number; line: number },
): void {
  const { plan, offset, count } = at;
  for (const [i, format] of plan.formats.entries()) {
    const head = address(offset, plan.radix);
    tool.out.text(i === 0 ? head : ' '.repeat(head.length));
    const shown = Math.ceil(count / format.size);
    const fields = plan.width / format.size;
    // What the others need more is dealt out evenly; this is where `left` fields are yet to come.
    const from = (left: number): number =>
      left * (format.width + 1) +
      Math.floor(((at.line - fields * (format.width + 1)) * left) / fields);
    for (let n = 0; n < shown; n++)
      tool.out.text(
        format.show(block, n * format.size).padStart(from(fields - n) - from(fields - n - 1)),
      );
    if (format.characters)
      tool.out.text(
        `${' '.repeat(from(fields - shown))}  >${printable(block.subarray(0, count))}<`,
      );
    tool.out.text('\n');
  }
}

const printable = (bytes: Uint8Array): string =>
  [...bytes].map((c) => (c >= 32 && c < 127 ? String.fromCharCode(c) : '.')).join('');
