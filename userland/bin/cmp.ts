// cmp: where two files differ. POSIX.1-2024 cmp -l -s, with GNU's -b -i -n.

import { O_RDONLY, S_IFMT, S_IFREG, SEEK_CUR } from '../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import { restOf } from '../libc/files/seek.ts';
import { program, type Tool } from '../libc/program.ts';
import { COPY_BYTES } from '../libc/stdio.ts';
import { parseSize } from '../libc/text/numbers.ts';
import { maybeQuoted, quotedArgument } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: '[-bls] [-i SKIP[:SKIP]] [-n BYTES] FILE1 [FILE2 [SKIP1 [SKIP2]]]',
    short: 'bi:ln:s',
    long: {
      'print-bytes': 'b',
      'ignore-initial=': 'i',
      verbose: 'l',
      'bytes=': 'n',
      quiet: 's',
      silent: 's',
    },
    trouble: 2,
  },
  (tool, options) => {
    const [first, second = '-', skip1, skip2, extra] = options.operands;
    if (first === undefined) return misuse(tool, `missing operand after '${tool.name}'`);
    if (extra !== undefined) misuse(tool, `extra operand '${extra}'`);
    const size = (text: string, what: string): number =>
      parseSize(text) ?? tool.misuse(`invalid ${what} ${quotedArgument(text)}`);
    const initial = options.value('i')?.split(':') ?? [];
    const skips = [
      skip1 ?? initial[0] ?? '0',
      skip2 ?? initial[1] ?? (skip1 === undefined ? (initial[0] ?? '0') : '0'),
    ];
    const limit = options.value('n');
    if (options.has('s') && options.has('l')) misuse(tool, 'options -l and -s are incompatible');
    const style = options.has('s') ? 'silent' : options.has('l') ? 'list' : 'first';
    if (first === second) return 0;
    const fds = [open(tool, first, style), open(tool, second, style)] as const;
    const skipped = skips.map((text) => size(text, '--ignore-initial value'));
    return compare(tool, fds, {
      width: Math.min(
        ...fds.map((fd, i) => offsetWidth(tool, fd, skipped[i] ?? 0)),
        limit === undefined ? 19 : String(size(limit, '--bytes value')).length,
      ),
      names: [first, second],
      skips: skipped,
      limit: limit === undefined ? Number.POSITIVE_INFINITY : size(limit, '--bytes value'),
      style,
      bytes: options.has('b'),
    });
  },
);

const misuse = (tool: Tool, message: string): never =>
  tool.die(`${message}\n${tool.name}: Try '${tool.name} --help' for more information.`);

interface How {
  readonly names: readonly [string, string];
  readonly skips: readonly number[];
  readonly limit: number;
  readonly style: 'silent' | 'list' | 'first';
  readonly bytes: boolean;
  /** Columns of an offset in a list. */
  readonly width: number;
}

function offsetWidth(tool: Tool, fd: number, skipped: number): number {
  const stat = tool.sys.fstat(fd);
  if ((stat.mode & S_IFMT) !== S_IFREG) return 19;
  return String(Math.max(0, stat.size - skipped)).length;
}

function open(tool: Tool, name: string, style: How['style']): number {
  try {
    return name === '-' ? 0 : tool.sys.open(name, O_RDONLY);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return tool.die(style === 'silent' ? '' : `${maybeQuoted(name)}: ${strerror(error.errno)}`);
  }
}

/** Reads until the buffer is full or the file ends. */
function fill(tool: Tool, fd: number, buffer: Uint8Array): number {
  let used = 0;
  while (used < buffer.length) {
    const count = tool.sys.read(fd, buffer.subarray(used));
    if (count === 0) break;
    used += count;
  }
  return used;
}

function skip(tool: Tool, fd: number, count: number, buffer: Uint8Array): void {
  const rest = count > 0 ? restOf(tool.sys, fd) : undefined;
  const over = Math.min(count, rest?.length ?? 0);
  if (over > 0) tool.sys.lseek(fd, over, SEEK_CUR);
  for (let left = count - over; left > 0; ) {
    const some = tool.sys.read(fd, buffer.subarray(0, Math.min(left, buffer.length)));
    if (some === 0) return;
    left -= some;
  }
}

function compare(tool: Tool, fds: readonly [number, number], how: How): number {
  const a = new Uint8Array(COPY_BYTES);
  const b = new Uint8Array(COPY_BYTES);
  skip(tool, fds[0], how.skips[0] ?? 0, a);
  skip(tool, fds[1], how.skips[1] ?? 0, b);
  let offset = 0;
  let line = 1;
  let differ = false;
  let lastByte = 10;
  while (offset < how.limit) {
    const want = Math.min(COPY_BYTES, how.limit - offset);
    const counts = [
      fill(tool, fds[0], a.subarray(0, want)),
      fill(tool, fds[1], b.subarray(0, want)),
    ];
    const [m = 0, n = 0] = counts;
    const common = Math.min(m, n);
    for (let i = 0; i < common; i++) {
      if (a[i] !== b[i]) {
        differ = true;
        if (how.style === 'silent') return 1;
        report(tool, how, { offset: offset + i + 1, line, a: a[i] ?? 0, b: b[i] ?? 0 });
        if (how.style === 'first') return 1;
      }
      if (a[i] === 10) line++;
    }
    if (common > 0) lastByte = a[common - 1] ?? 10;
    offset += common;
    if (m !== n) {
      if (how.style !== 'silent')
        reportEnd(tool, how, { short: m < n ? 0 : 1, offset, line, lastByte });
      return 1;
    }
    if (m < want) break;
  }
  return differ ? 1 : 0;
}

function report(
  tool: Tool,
  how: How,
  at: { offset: number; line: number; a: number; b: number },
): void {
  const octal = (value: number): string => value.toString(8).padStart(3);
  const shown = (value: number): string => (how.bytes ? ` ${visible(value)}` : '');
  if (how.style === 'list') {
    const left = how.bytes ? ` ${visible(at.a).padEnd(4)}` : '';
    tool.out.text(
      `${String(at.offset).padStart(how.width)} ${octal(at.a)}${left} ${octal(at.b)}${shown(at.b)}\n`,
    );
    return;
  }
  const where = `${how.names[0]} ${how.names[1]} differ: ${how.bytes ? 'byte' : 'char'} ${at.offset}, line ${at.line}`;
  const bytes = how.bytes ? ` is ${octal(at.a)}${shown(at.a)} ${octal(at.b)}${shown(at.b)}` : '';
  tool.out.text(`${where}${bytes}\n`);
}

function visible(value: number): string {
  if (value >= 128) return `M-${visible(value - 128)}`;
  if (value < 32) return `^${String.fromCharCode(value + 64)}`;
  return value === 127 ? '^?' : String.fromCharCode(value);
}

function reportEnd(
  tool: Tool,
  how: How,
  at: { short: 0 | 1; offset: number; line: number; lastByte: number },
): void {
  tool.out.flush();
  const name = how.names[at.short];
  if (at.offset === 0) tool.note(`EOF on ${name} which is empty`);
  else if (how.style === 'list') tool.note(`EOF on ${name} after byte ${at.offset}`);
  else {
    const whole = at.lastByte === 10;
    const where = whole ? `line ${at.line - 1}` : `in line ${at.line}`;
    tool.note(`EOF on ${name} after byte ${at.offset}, ${where}`);
  }
}
