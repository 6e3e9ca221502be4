// cat: files one after another. POSIX.1-2024 cat, with GNU's -A -b -E -n -s -T -v.

import { O_RDONLY } from '../../kernel/abi/constants.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { COPY_BYTES, type Input } from '../libc/stdio.ts';
import { maybeQuoted } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: '[-AbeEnstTuv] [FILE]...\nConcatenate FILE(s) to standard output.',
    short: 'AbeEnstTuv',
    long: {
      'show-all': 'A',
      'number-nonblank': 'b',
      'show-ends': 'E',
      number: 'n',
      'squeeze-blank': 's',
      'show-tabs': 'T',
      'show-nonprinting': 'v',
    },
  },
  (tool, options) => {
    if (options.list.every((option) => option.name === 'u')) copyAll(tool, options.operands);
    else {
      const style = styleOf(options);
      tool.eachInput(options.operands, (input) => show(tool, input, style));
    }
  },
);

/** Without options the bytes pass through one large buffer. */
function copyAll(tool: Tool, names: readonly string[]): void {
  const { sys } = tool;
  const buffer = new Uint8Array(COPY_BYTES);
  for (const name of names.length === 0 ? ['-'] : names) {
    const fd = name === '-' ? 0 : tool.attempt(maybeQuoted(name), () => sys.open(name, O_RDONLY));
    if (fd === undefined) continue;
    for (;;) {
      const count = tool.attempt(maybeQuoted(name), () => sys.read(fd, buffer));
      if (!count) break;
      tool.out.write(buffer.subarray(0, count));
      tool.out.flush();
    }
    if (fd !== 0) sys.close(fd);
  }
}

interface Style {
  readonly ends: boolean;
  readonly tabs: boolean;
  readonly nonprinting: boolean;
  readonly number: 'all' | 'nonblank' | 'none';
  readonly squeeze: boolean;
  line: number;
  blanks: number;
  atStart: boolean;
}

const styleOf = (options: Options): Style => ({
  ends: options.has('E', 'e', 'A'),
  tabs: options.has('T', 't', 'A'),
  nonprinting: options.has('v', 'e', 't', 'A'),
  number: options.has('b') ? 'nonblank' : options.has('n') ? 'all' : 'none',
  squeeze: options.has('s'),
  line: 0,
  blanks: 0,
  atStart: true,
});

/** Line by line; numbers and blanks run on from file to file. */
function show(tool: Tool, input: Input, style: Style): void {
  for (let line = input.line(); line !== undefined; line = input.line()) {
    const blank = line.length === 0 && style.atStart;
    style.blanks = blank ? style.blanks + 1 : 0;
    if (style.squeeze && style.blanks > 1) continue;
    if (style.atStart && (style.number === 'all' || (style.number === 'nonblank' && !blank)))
      tool.out.text(`${String(++style.line).padStart(6)}\t`);
    if (style.nonprinting || style.tabs) showBytes(tool, line, style);
    else tool.out.write(line);
    style.atStart = input.terminated;
    if (!input.terminated) break;
    if (style.ends) tool.out.byte(36);
    tool.out.byte(10);
  }
}

function showBytes(tool: Tool, line: Uint8Array, style: Style): void {
  for (const value of line) {
    if (value === 9) tool.out.text(style.tabs ? '^I' : '\t');
    else if (!style.nonprinting) tool.out.byte(value);
    else tool.out.text(visible(value));
  }
}

/** `^A`, `M-x`, `M-^?` */
function visible(value: number): string {
  if (value >= 128) return `M-${visible(value - 128)}`;
  if (value < 32) return `^${String.fromCharCode(value + 64)}`;
  return value === 127 ? '^?' : String.fromCharCode(value);
}
