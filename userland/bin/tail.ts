// tail: the last lines or bytes, or all from a place on; -f waits for more. POSIX.1-2024 tail.

import { O_RDONLY, S_IFIFO, S_IFMT, SEEK_CUR, SEEK_SET } from '../../kernel/abi/constants.ts';
import { type Followed, type Following, follow } from '../libc/files/follow.ts';
import { restOf, startOfLastLines } from '../libc/files/seek.ts';
import type { Options } from '../libc/options.ts';
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
      'pid=': 'pid',
    },
    rewrite: (args) => {
      const old = /^([-+])(\d+)([cbl]?)(f?)$/.exec(args[0] ?? '');
      // The old form stands alone, or with one file.
      if (old === null || args.length > 2 || /^-./.test(args[1] ?? '')) return [...args];
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
    if (want.count === 0 && want.from === 'end' && !options.has('f', 'F')) return;
    const files: Followed[] = [];
    let current: Followed | undefined;
    const titleOf = (file: Followed): void => {
      if (titles && file !== current) title(tool, file, current === undefined ? '' : '\n');
      current = file;
    };
    for (const name of names) {
      const file: Followed = { name, fd: opened(tool, name) };
      files.push(file);
      const { fd } = file;
      if (fd === undefined) continue;
      titleOf(file);
      const isRead = tool.attempt(`error reading ${quoted(titled(name))}`, () => {
        show(tool, fd, want);
        return true;
      });
      if (isRead && options.has('f', 'F')) continue;
      if (name !== '-') tool.sys.close(fd);
      file.fd = undefined;
    }
    const how = followingOf(tool, options, titleOf);
    // A pipe that was read to its end has no more to come.
    const followed = files.filter(({ name }) => name !== '-' || !isPipe(tool, 0));
    if (how !== undefined && (followed.length > 0 || files.length === 0)) {
      tool.out.flush();
      follow(tool, followed, how);
    }
  },
);

function followingOf(
  tool: Tool,
  options: Options,
  title: (file: Followed) => void,
): Following | undefined {
  if (!options.has('f', 'F')) return undefined;
  const by = options.value('f') || 'descriptor';
  if (by !== 'descriptor' && by !== 'name')
    tool.misuse(`invalid argument ${quotedArgument(by)} for '--follow'`);
  const given = options.value('s') ?? '1';
  const seconds =
    parseDuration(given) ?? tool.die(`invalid number of seconds: ${quotedArgument(given)}`);
  const pid = options.value('pid');
  if (pid !== undefined && !/^\d+$/.test(pid)) tool.die(`invalid PID: ${quotedArgument(pid)}`);
  return {
    by: options.has('F') ? 'name' : by,
    retries: options.has('F', 'retry'),
    intervalMs: Math.max(10, seconds * 1000),
    pid: pid === undefined ? undefined : Number(pid),
    title,
  };
}

const isPipe = (tool: Tool, fd: number): boolean => (tool.sys.fstat(fd).mode & S_IFMT) === S_IFIFO;

interface Want {
  readonly unit: 'lines' | 'bytes';
  readonly count: number;
  readonly from: 'start' | 'end';
  readonly delimiter: number;
}

/** Undefined, and a message, when that failed. */
function opened(tool: Tool, name: string): number | undefined {
  if (name === '-') return 0;
  return tool.attempt(`cannot open ${quoted(name)} for reading`, () =>
    tool.sys.open(name, O_RDONLY),
  );
}

const titled = (name: string): string => (name === '-' ? 'standard input' : name);

function title(tool: Tool, file: Followed, before: string): void {
  tool.out.text(`${before}==> ${titled(file.name)} <==\n`);
}

function show(tool: Tool, fd: number, want: Want): void {
  const { sys } = tool;
  const rest = restOf(sys, fd);
  if (want.from === 'start') skipThenCopy(tool, fd, want);
  else if (rest === undefined) lastOfStream(tool, fd, want);
  else {
    const start =
      want.unit === 'lines'
        ? startOfLastLines(sys, fd, { ...rest, ...want })
        : rest.at + Math.max(0, rest.length - want.count);
    sys.lseek(fd, start, SEEK_SET);
    copy(tool, fd);
  }
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
  const rest = want.unit === 'bytes' ? restOf(tool.sys, fd) : undefined;
  if (rest !== undefined) {
    tool.sys.lseek(fd, Math.min(skip, rest.length), SEEK_CUR);
    skip = Math.max(0, skip - rest.length);
  }
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
