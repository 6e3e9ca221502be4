// hexdump: bytes in hexadecimal, octal, decimal, as characters or by formats of one's own (-e, -f), as
// BSD's and util-linux's. hd is a name for hexdump -C.

import { O_RDONLY, S_IFMT, S_IFREG, SEEK_CUR } from '../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import { encodeText } from '../../kernel/abi/text.ts';
import { Display } from '../libc/hexdump/display.ts';
import { type Format, FormatError, fitFormats, parseFormat } from '../libc/hexdump/format.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { Input } from '../libc/stdio.ts';
import { toLatin1 } from '../libc/text/latin1.ts';
import { parseSize } from '../libc/text/numbers.ts';

const shapes: Readonly<Record<string, readonly string[]>> = {
  b: ['"%07.7_Ax\\n"', '"%07.7_ax " 16/1 "%03o " "\\n"'],
  c: ['"%07.7_Ax\\n"', '"%07.7_ax " 16/1 "%3_c " "\\n"'],
  C: ['"%08.8_Ax\\n"', '"%08.8_ax  " 8/1 "%02x " "  " 8/1 "%02x " ', '"  |" 16/1 "%_p" "|\\n"'],
  d: ['"%07.7_Ax\\n"', '"%07.7_ax " 8/2 "  %05u " "\\n"'],
  o: ['"%07.7_Ax\\n"', '"%07.7_ax " 8/2 " %06o " "\\n"'],
  x: ['"%07.7_Ax\\n"', '"%07.7_ax " 8/2 "   %04x " "\\n"'],
};
const usual = ['"%07.7_Ax\\n"', '"%07.7_ax " 8/2 "%04x " "\\n"'];

export const main = program(
  {
    usage: `[-bcCdovx] [-e FORMAT] [-f FILE] [-n LENGTH] [-s SKIP] [FILE]...
Display bytes in hexadecimal, decimal, octal or as characters.
  -b  octal bytes         -c  characters           -C  hexadecimal bytes and characters
  -d  decimal words       -o  octal words          -x  hexadecimal words
  -e, --format=FORMAT     lines by a format        -f, --format-file=FILE
  -n, --length=LENGTH     that many bytes alone    -s, --skip=SKIP
  -v, --no-squeezing      show equal lines too, not *`,
    short: 'bcCdoxe:f:n:s:vL::',
    long: {
      'one-byte-octal': 'b',
      'one-byte-char': 'c',
      canonical: 'C',
      'two-bytes-decimal': 'd',
      'two-bytes-octal': 'o',
      'two-bytes-hex': 'x',
      'format=': 'e',
      'format-file=': 'f',
      'length=': 'n',
      'skip=': 's',
      'no-squeezing': 'v',
      'color=?': 'L',
    },
  },
  (tool, options) => {
    const formats = formatsOf(tool, options);
    const blockSize = fitFormats(formats);
    const source = new Source(tool, options.operands, sizeOption(tool, options, 'n'));
    const address = source.skip(sizeOption(tool, options, 's') ?? 0);
    const squeeze = !options.has('v');
    const display = new Display(tool.out, { formats, blockSize, squeeze }, address);
    const block = new Uint8Array(blockSize);
    for (let count = source.fill(block); count > 0; count = source.fill(block))
      display.block(block.subarray(0, count));
    display.finish();
    if (source.allFailed) tool.warn('all input file arguments failed');
  },
);

function formatsOf(tool: Tool, options: Options): Format[] {
  const texts: string[] = [];
  for (const { name, value } of options.list) {
    texts.push(...(shapes[name] ?? []));
    if (name === 'e') texts.push(toLatin1(encodeText(value)));
    if (name === 'f') texts.push(...readFormats(tool, value));
  }
  const chosen = texts.length > 0 ? texts : tool.name === 'hd' ? (shapes['C'] ?? []) : usual;
  try {
    return chosen.map(parseFormat);
  } catch (error) {
    if (error instanceof FormatError) return tool.die(error.message);
    throw error;
  }
}

/** One format a line; empty lines and those that begin with # are left out. */
function readFormats(tool: Tool, name: string): string[] {
  const texts: string[] = [];
  try {
    const fd = tool.sys.open(name, O_RDONLY);
    const input = new Input(tool.sys, fd);
    for (let line = input.line(); line !== undefined; line = input.line()) {
      const text = toLatin1(line).trim();
      if (text !== '' && !text.startsWith('#')) texts.push(text);
    }
    tool.sys.close(fd);
    return texts;
  } catch (error) {
    if (error instanceof PosixError)
      return tool.die(`can't read ${name}: ${strerror(error.errno)}`);
    throw error;
  }
}

function sizeOption(tool: Tool, options: Options, name: string): number | undefined {
  const text = options.value(name);
  if (text === undefined) return undefined;
  const plain = /^0[xX][0-9a-fA-F]+$/.test(text)
    ? Number(text)
    : /^0[0-7]+$/.test(text)
      ? Number.parseInt(text, 8)
      : parseSize(text);
  const what = name === 'n' ? 'length' : 'offset';
  return plain ?? tool.die(`failed to parse ${what}: '${text}': Invalid argument`);
}

/** The files' bytes, one after the other. */
class Source {
  readonly #tool: Tool;
  readonly #names: string[];
  #left: number;
  #fd = -1;
  #opened = 0;
  #buffer: Buffered | undefined;

  constructor(tool: Tool, names: readonly string[], limit: number | undefined) {
    this.#tool = tool;
    this.#names = [...names];
    this.#left = limit ?? Number.POSITIVE_INFINITY;
    if (names.length > 0) return;
    this.#fd = 0;
    this.#opened = 1;
  }

  get allFailed(): boolean {
    return this.#opened === 0 && this.#names.length === 0;
  }

  /** Passes over `count` bytes, by the size of files that have one. How many it was. */
  skip(count: number): number {
    const { sys } = this.#tool;
    let left = count;
    while (left > 0 && this.#next()) {
      const stat = sys.fstat(this.#fd);
      if ((stat.mode & S_IFMT) === S_IFREG) {
        if (left < stat.size) {
          sys.lseek(this.#fd, left, SEEK_CUR);
          return count;
        }
        left -= stat.size;
      } else left -= this.#passOver(left);
      this.#close();
    }
    return count - left;
  }

  #passOver(count: number): number {
    const buffer = new Uint8Array(Math.min(count, 65536));
    let passed = 0;
    while (passed < count) {
      const got = this.#tool.sys.read(this.#fd, buffer.subarray(0, count - passed));
      if (got === 0) break;
      passed += got;
    }
    return passed;
  }

  fill(block: Uint8Array): number {
    let used = 0;
    while (used < block.length && this.#left > 0 && this.#next()) {
      const most = Math.min(block.length - used, this.#left);
      const got = this.#buffer?.read(block.subarray(used, used + most)) ?? 0;
      if (got === 0) this.#close();
      used += got;
      this.#left -= got;
    }
    return used;
  }

  /** Whether there is a file to read from. */
  #next(): boolean {
    const { sys } = this.#tool;
    while (this.#fd < 0) {
      const name = this.#names.shift();
      if (name === undefined) return false;
      this.#fd = this.#tool.attempt(name, () => sys.open(name, O_RDONLY)) ?? -1;
      if (this.#fd >= 0) this.#opened++;
    }
    const fd = this.#fd;
    this.#buffer ??= new Buffered((into) => sys.read(fd, into));
    return true;
  }

  #close(): void {
    if (this.#fd > 0) this.#tool.sys.close(this.#fd);
    this.#fd = -1;
    this.#buffer = undefined;
  }
}

/** Few calls for many small blocks. */
class Buffered {
  readonly #more: (into: Uint8Array) => number;
  readonly #bytes = new Uint8Array(65536);
  #start = 0;
  #end = 0;

  constructor(more: (into: Uint8Array) => number) {
    this.#more = more;
  }

  read(into: Uint8Array): number {
    if (this.#start === this.#end) {
      this.#start = 0;
      this.#end = this.#more(this.#bytes);
    }
    const count = Math.min(into.length, this.#end - this.#start);
    into.set(this.#bytes.subarray(this.#start, this.#start + count));
    this.#start += count;
    return count;
  }
}
