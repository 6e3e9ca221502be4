// tail: the last lines or bytes, or all from a place on; -f waits for more. POSIX.1-2024 tail.

import { O_RDONLY, S_IFMT, S_IFREG, SEEK_SET } from '../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import { program, type Tool } from '../libc/program.ts';
import { COPY_BYTES } from '../libc/stdio.ts';
import { parseDuration, parseSize } from '../libc/text/numbers.ts';
import { quoted, quotedArgument } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: '[-n [+]NUM] [-c [+]NUM] [-fqvz] [-s SECONDS] [FILE]...\nPrint the last 10 lines.',
    short: 'n:c:fFqvzs:',
    long: {
      'lines=': 'n',
      'bytes=': 'c',
      'follow=?': 'f',
      quiet: 'q',
      silent: 'q',
      verbose: 'v',
      'zero-terminated': 'z',
      'sleep-interval=': 's',
      retry: 'retry',
    },
    rewrite: (args) => {
      const old = /^([-+])(\d+)([cbl]?)(f?)$/.exec(args[0] ?? '');
      if (old === null || args.length > 2) return [...args];
      const count = (old[1] === '+' ? '+' : '') + old[2] + (old[3] === 'b' ? 'b' : '');
      const unit = old[3] === 'c' || old[3] === 'b' ? '-c' : '-n';
      return [unit, count, ...(old[4] ? ['-f'] : []), ...args.slice(1)];
    },
  },
  (tool, options) => {
    const unit = options.last('n', 'c') === 'c' ? 'bytes' : 'lines';
    const text = options.value(unit === 'bytes' ? 'c' : 'n') ?? '10';
    const count =
      parseSize(text.replace(/^[-+]/, '')) ??
      tool.die(`invalid number of ${unit}: ${quotedArgument(text)}`);
    const want: Want = {
      unit,
      count,
      from: text.startsWith('+') ? 'start' : 'end',
      delimiter: options.has('z') ? 0 : 10,
    };
    const names = options.operands.length === 0 ? ['-'] : options.operands;
    const titles = options.last('q', 'v') === 'v' || (names.length > 1 && !options.has('q'));
    const files = openAll(tool, names);
    let current: File | undefined;
    for (const file of files) {
      if (titles) title(tool, file, current === undefined ? '' : '\n');
      current = file;
      tool.attempt(`error reading ${quoted(file.name)}`, () => show(tool, file, want));
    }
    if (!options.has('f', 'F')) return;
    const seconds = parseDuration(options.value('s') ?? '1') ?? 1;
    follow(tool, files, { titles, intervalMs: Math.max(10, seconds * 1000), current });
  },
);

interface Want {
  readonly unit: 'lines' | 'bytes';
  readonly count: number;
  readonly from: 'start' | 'end';
  readonly delimiter: number;
}

interface File {
  readonly name: string;
  readonly fd: number;
}

function openAll(tool: Tool, names: readonly string[]): File[] {
  const files: File[] = [];
  for (const name of names) {
    try {
      files.push({ name, fd: name === '-' ? 0 : tool.sys.open(name, O_RDONLY) });
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      tool.warn(`cannot open ${quoted(name)} for reading: ${strerror(error.errno)}`);
    }
  }
  return files;
}

function title(tool: Tool, file: File, before: string): void {
  const shown = file.name === '-' ? 'standard input' : file.name;
  tool.out.text(`${before}==> ${shown} <==\n`);
}

function show(tool: Tool, file: File, want: Want): void {
  const { sys } = tool;
  const stat = sys.fstat(file.fd);
  const regular = (stat.mode & S_IFMT) === S_IFREG && stat.size > 0;
  if (want.from === 'start') skipThenCopy(tool, file.fd, want);
  else if (regular) {
    const at = startOfTail(tool, file.fd, { ...want, size: stat.size });
    sys.lseek(file.fd, at, SEEK_SET);
    copy(tool, file.fd);
  } else lastOfStream(tool, file.fd, want);
}

function copy(tool: Tool, fd: number): boolean {
  const buffer = new Uint8Array(COPY_BYTES);
  let some = false;
  for (let count = tool.sys.read(fd, buffer); count > 0; count = tool.sys.read(fd, buffer)) {
    tool.out.write(buffer.subarray(0, count));
    some = true;
  }
  tool.out.flush();
  return some;
}

/** `+NUM`: all from byte or line NUM on, counted from 1. */
function skipThenCopy(tool: Tool, fd: number, want: Want): void {
  const buffer = new Uint8Array(COPY_BYTES);
  let skip = Math.max(0, want.count - 1);
  while (skip > 0) {
    const count = tool.sys.read(fd, buffer);
    if (count === 0) return;
    let at = 0;
    if (want.unit === 'bytes') {
      at = Math.min(skip, count);
      skip -= at;
    }
    while (skip > 0 && at < count) {
      const end = buffer.subarray(0, count).indexOf(want.delimiter, at);
      at = end < 0 ? count : end + 1;
      if (end >= 0) skip--;
    }
    tool.out.write(buffer.subarray(at, count));
  }
  copy(tool, fd);
}

/** The offset where the tail of a file begins, searched backwards block by block. */
function startOfTail(tool: Tool, fd: number, want: Want & { size: number }): number {
  if (want.unit === 'bytes') return Math.max(0, want.size - want.count);
  if (want.count === 0) return want.size;
  const block = new Uint8Array(65536);
  let left = want.count;
  for (let end = want.size; end > 0; ) {
    const start = Math.max(0, end - block.length);
    const count = tool.sys.pread(fd, block.subarray(0, end - start), start);
    // The delimiter at the very end closes the last line and does not count.
    let at = end === want.size ? count - 1 : count;
    for (;;) {
      at = at <= 0 ? -1 : block.subarray(0, count).lastIndexOf(want.delimiter, at - 1);
      if (at < 0) break;
      if (--left === 0) return start + at + 1;
    }
    end = start;
  }
  return 0;
}

/** A pipe: everything is read, only what may be the tail is kept. */
function lastOfStream(tool: Tool, fd: number, want: Want): void {
  const kept: { bytes: Uint8Array; units: number }[] = [];
  let total = 0;
  const buffer = new Uint8Array(65536);
  for (let count = tool.sys.read(fd, buffer); count > 0; count = tool.sys.read(fd, buffer)) {
    const bytes = buffer.slice(0, count);
    const units = want.unit === 'bytes' ? count : countOf(bytes, want.delimiter);
    kept.push({ bytes, units });
    total += units;
    // One line more than wanted: the one whose end may be missing.
    while (kept[0] !== undefined && total - kept[0].units > want.count)
      total -= kept.shift()?.units ?? 0;
  }
  writeTail(tool, kept, want);
}

function writeTail(tool: Tool, kept: readonly { bytes: Uint8Array }[], want: Want): void {
  if (want.count === 0) return;
  const all = new Uint8Array(kept.reduce((sum, piece) => sum + piece.bytes.length, 0));
  let at = 0;
  for (const piece of kept) {
    all.set(piece.bytes, at);
    at += piece.bytes.length;
  }
  if (want.unit === 'bytes') tool.out.write(all.subarray(Math.max(0, all.length - want.count)));
  else {
    let start = all.length - 1;
    for (let left = want.count; left > 0 && start >= 0; left--)
      start = start === 0 ? -1 : all.lastIndexOf(want.delimiter, start - 1);
    tool.out.write(all.subarray(start + 1));
  }
}

function countOf(bytes: Uint8Array, value: number): number {
  let count = 0;
  for (let at = bytes.indexOf(value); at >= 0; at = bytes.indexOf(value, at + 1)) count++;
  return count;
}

/** Until a signal ends the program. */
function follow(
  tool: Tool,
  files: readonly File[],
  how: { titles: boolean; intervalMs: number; current: File | undefined },
): void {
  if (files.length === 0) return;
  const { sys } = tool;
  let { current } = how;
  const buffer = new Uint8Array(COPY_BYTES);
  tool.out.flush();
  for (;;) {
    for (const file of files) {
      const count = sys.read(file.fd, buffer);
      if (count === 0) continue;
      if (how.titles && file !== current) title(tool, file, '\n');
      current = file;
      tool.out.write(buffer.subarray(0, count));
      copy(tool, file.fd);
    }
    sys.sleep(how.intervalMs);
  }
}
