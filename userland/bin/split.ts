// split: a file in pieces. POSIX.1-2024 split -a -b -l, with GNU's -C -d -e -n -t -x --additional-suffix
// and --verbose.

import { O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY, SEEK_SET } from '../../kernel/abi/constants.ts';
import { restOf } from '../libc/files/seek.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { Input, Output } from '../libc/stdio.ts';
import { parseCount, parseSize } from '../libc/text/numbers.ts';
import { maybeQuoted, quotedArgument } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: `[-dex] [-a LENGTH] [-b SIZE | -C SIZE | -l LINES | -n CHUNKS] [FILE [PREFIX]]
Writes pieces of FILE to PREFIXaa, PREFIXab and so on; PREFIX is x unless given.`,
    short: 'a:b:C:del:n:t:ux',
    long: {
      'suffix-length=': 'a',
      'bytes=': 'b',
      'line-bytes=': 'C',
      'numeric-suffixes=?': 'numeric',
      'hex-suffixes=?': 'hex',
      'elide-empty-files': 'e',
      'lines=': 'l',
      'number=': 'n',
      'separator=': 't',
      'additional-suffix=': 'suffix',
      unbuffered: 'u',
      verbose: 'verbose',
    },
    rewrite: (args) => args.map((arg) => (/^-\d+$/.test(arg) ? `-l${arg.slice(1)}` : arg)),
  },
  (tool, options) => {
    const [file = '-', prefix = 'x', extra] = options.operands;
    if (extra !== undefined) return tool.misuse(`extra operand ${quotedArgument(extra)}`);
    if (options.list.filter(({ name }) => 'bCln'.includes(name)).length > 1)
      return tool.misuse('cannot split in more than one way');
    const fd = file === '-' ? 0 : openInput(tool, file);
    const pieces = new Pieces(tool, options, prefix);
    const separator = separatorOf(tool, options.value('t'));
    const size = (name: string): number | undefined => {
      const text = options.value(name);
      if (text === undefined) return undefined;
      const what = name === 'l' ? 'lines' : 'bytes';
      const value = parseSize(text);
      if (value) return value;
      const why = value === 0 ? ': Numerical result out of range' : '';
      return tool.die(`invalid number of ${what}: ${quotedArgument(text)}${why}`);
    };
    const input = new Input(tool.sys, fd);
    const [bytes, lineBytes, chunks] = [size('b'), size('C'), options.value('n')];
    if (bytes !== undefined) byBytes(input, pieces, bytes);
    else if (lineBytes !== undefined) byLineBytes(input, pieces, { most: lineBytes, separator });
    else if (chunks !== undefined)
      byChunks(tool, fd, { text: chunks, pieces, separator, input, elide: options.has('e') });
    else byLines(input, pieces, { count: size('l') ?? 1000, separator });
    pieces.close();
    return tool.status;
  },
);

function openInput(tool: Tool, file: string): number {
  const fd = tool.attempt(`cannot open ${quotedArgument(file)} for reading`, () =>
    tool.sys.open(file, O_RDONLY),
  );
  return fd ?? tool.die('');
}

function separatorOf(tool: Tool, text: string | undefined): number {
  if (text === undefined) return 10;
  if (text === '\\0') return 0;
  return text.length === 1
    ? text.charCodeAt(0)
    : tool.die(`multi-character separator ${quotedArgument(text)}`);
}

const MOST_PIECES = 1_000_000;

/** The files written, one after the other. */
class Pieces {
  readonly #tool: Tool;
  readonly #prefix: string;
  readonly #suffix: string;
  readonly #digits: string;
  readonly #verbose: boolean;
  /** 0: as many letters as it takes. */
  #length: number;
  #index: number;
  #open: { output: Output; fd: number } | undefined;

  constructor(tool: Tool, options: Options, prefix: string) {
    this.#tool = tool;
    this.#prefix = prefix;
    this.#suffix = options.value('suffix') ?? '';
    if (this.#suffix.includes('/'))
      tool.die(`invalid suffix ${quotedArgument(this.#suffix)}, contains directory separator`);
    const style = options.last('d', 'x', 'numeric', 'hex');
    const numeric = style === 'd' || style === 'numeric';
    this.#digits =
      style === undefined
        ? 'abcdefghijklmnopqrstuvwxyz'
        : numeric
          ? '0123456789'
          : '0123456789abcdef';
    const from = options.list.findLast(
      ({ name, value }) => /^(numeric|hex)$/.test(name) && value !== '',
    );
    this.#index = Number.parseInt(from?.value ?? '0', from?.name === 'hex' ? 16 : 10);
    const length = options.value('a');
    this.#length =
      length === undefined
        ? 0
        : (parseCount(length) ?? tool.die(`invalid suffix length: ${quotedArgument(length)}`));
    this.#verbose = options.has('verbose');
    const chunks = Number(/\d+$/.exec(options.value('n') ?? '')?.[0] ?? 0);
    if (chunks > 0 && this.#length === 0)
      this.#length = Math.max(2, (this.#index + chunks - 1).toString(this.#digits.length).length);
  }

  write(bytes: Uint8Array): void {
    this.#open ??= this.#create();
    this.#open.output.write(bytes);
  }

  /** The piece ends; one that nothing was written to is made where it must be. */
  next(make: 'empty too' | 'as needed' = 'as needed'): void {
    if (make === 'empty too') this.#open ??= this.#create();
    this.close();
  }

  close(): void {
    this.#open?.output.flush();
    if (this.#open) this.#tool.sys.close(this.#open.fd);
    this.#open = undefined;
  }

  #create(): { output: Output; fd: number } {
    const name = `${this.#prefix}${this.#name(this.#index++)}${this.#suffix}`;
    if (this.#verbose) this.#tool.out.text(`creating file ${quotedArgument(name)}\n`);
    const fd = this.#tool.attempt(maybeQuoted(name), () =>
      this.#tool.sys.open(name, O_WRONLY | O_CREAT | O_TRUNC, 0o666),
    );
    if (fd === undefined) return this.#tool.die('');
    return { fd, output: new Output(this.#tool.sys, fd, { what: name }) };
  }

  /** aa … yz, then zaaa … zyzz and so on: the names keep their order however many come. */
  #name(index: number): string {
    const base = this.#digits.length;
    if (this.#length > 0) {
      if (index >= base ** this.#length || index > MOST_PIECES)
        return this.#tool.die('output file suffixes exhausted');
      return this.#spelled(index, this.#length);
    }
    let [length, first, lead] = [2, 0, ''];
    while (index - first >= base ** length - base ** (length - 1)) {
      first += base ** length - base ** (length - 1);
      lead += this.#digits.at(-1);
      length++;
    }
    return lead + this.#spelled(index - first, length);
  }

  #spelled(index: number, length: number): string {
    let out = '';
    for (let left = index, i = 0; i < length; i++) {
      out = (this.#digits[left % this.#digits.length] ?? '') + out;
      left = Math.floor(left / this.#digits.length);
    }
    return out;
  }
}

function byBytes(input: Input, pieces: Pieces, size: number): void {
  let left = size;
  for (let chunk = input.chunk(); chunk !== undefined; chunk = input.chunk()) {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + Math.min(left, chunk.length - at));
      pieces.write(part);
      at += part.length;
      left -= part.length;
      if (left > 0) continue;
      pieces.next();
      left = size;
    }
  }
}

const withSeparator = (input: Input, separator: number): Uint8Array | undefined => {
  const line = input.line(separator);
  if (line === undefined || !input.terminated) return line;
  const out = new Uint8Array(line.length + 1);
  out.set(line);
  out[line.length] = separator;
  return out;
};

function byLines(input: Input, pieces: Pieces, how: { count: number; separator: number }): void {
  let left = how.count;
  for (;;) {
    const line = withSeparator(input, how.separator);
    if (line === undefined) return;
    pieces.write(line);
    if (--left > 0) continue;
    pieces.next();
    left = how.count;
  }
}

/** As many whole lines as fit; a longer one is cut. */
function byLineBytes(input: Input, pieces: Pieces, how: { most: number; separator: number }): void {
  let used = 0;
  for (;;) {
    const line = withSeparator(input, how.separator);
    if (line === undefined) return;
    if (used > 0 && used + line.length > how.most) {
      pieces.next();
      used = 0;
    }
    for (let at = 0; at < line.length; ) {
      const part = line.subarray(at, at + how.most - used);
      pieces.write(part);
      at += part.length;
      used += part.length;
      if (used < how.most) continue;
      pieces.next();
      used = 0;
    }
  }
}

interface Chunks {
  readonly text: string;
  readonly pieces: Pieces;
  readonly separator: number;
  readonly input: Input;
  /** Empty pieces are not written (-e). */
  readonly elide: boolean;
}

/** That there are none is out of range, rather than no number. */
const isZero = (text: string): string =>
  /^(?:[lr]\/)?0+$/.test(text) ? ': Numerical result out of range' : '';

/** N, K/N, l/N, l/K/N, r/N, r/K/N. */
function byChunks(tool: Tool, fd: number, how: Chunks): void {
  const { text, pieces, separator, input, elide } = how;
  const found = /^(?:([lr])\/)?(?:(\d+)\/)?(\d+)$/.exec(text);
  const count = Number(found?.[3] ?? 0);
  const only = found?.[2] === undefined ? undefined : Number(found[2]) - 1;
  if (found === null || count === 0 || (only !== undefined && (only < 0 || only >= count)))
    tool.die(
      `invalid number of chunks: ${quotedArgument(text.replace(/^[lr]\//, ''))}${isZero(text)}`,
    );
  if (found?.[1] === 'r') {
    roundRobin(tool, { count, only, separator, input, pieces, elide });
    return;
  }
  const { size } = tool.sys.fstat(fd);
  let at = 0;
  let chunk = 0;
  const share = Math.max(1, Math.floor(size / count));
  const end = (i: number): number => (i === count - 1 ? size : Math.min(size, share * (i + 1)));
  const rest = found?.[1] === undefined && only !== undefined ? restOf(tool.sys, fd) : undefined;
  if (rest?.at === 0 && only !== undefined) {
    // Nobody asks for the chunks before it.
    at = only === 0 ? 0 : end(only - 1);
    chunk = only;
    tool.sys.lseek(fd, at, SEEK_SET);
  }
  const put = (bytes: Uint8Array): void => {
    if (only === undefined) pieces.write(bytes);
    else if (only === chunk) tool.out.write(bytes);
  };
  const advance = (): void => {
    chunk++;
    if (only === undefined) pieces.next(elide ? 'as needed' : 'empty too');
  };
  for (;;) {
    const bytes = found?.[1] === 'l' ? withSeparator(input, separator) : input.chunk();
    if (bytes === undefined || (only !== undefined && chunk > only)) break;
    if (found?.[1] === 'l') {
      while (chunk < count - 1 && at >= end(chunk)) advance();
      put(bytes);
      at += bytes.length;
      continue;
    }
    for (let from = 0; from < bytes.length; ) {
      while (chunk < count - 1 && at >= end(chunk)) advance();
      const part = bytes.subarray(from, from + Math.max(1, end(chunk) - at));
      put(part);
      from += part.length;
      at += part.length;
    }
  }
  while (chunk < count) advance();
}

function roundRobin(
  tool: Tool,
  how: Omit<Chunks, 'text'> & { count: number; only: number | undefined },
): void {
  const { count, only, separator, input, pieces, elide } = how;
  const kept: Uint8Array[][] = Array.from({ length: count }, () => []);
  for (let i = 0; ; i++) {
    const line = withSeparator(input, separator);
    if (line === undefined) break;
    if (only === undefined) kept[i % count]?.push(line);
    else if (i % count === only) tool.out.write(line);
  }
  if (only !== undefined) return;
  for (const lines of kept) {
    for (const line of lines) pieces.write(line);
    pieces.next(elide ? 'as needed' : 'empty too');
  }
}
