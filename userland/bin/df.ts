// df: space on file systems. POSIX.1-2024 df -k -P, with GNU's -a -B1 -h -H -i -T -t -x --total.

import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import type { StatFs } from '../../kernel/abi/stat.ts';
import { type Mount, mountPointOf, readMounts } from '../libc/files/mounts.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { humanSize, parseSize } from '../libc/text/numbers.ts';
import { maybeQuoted, quotedArgument } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: '[-ahHikPT] [-t TYPE] [-x TYPE] [-B SIZE] [FILE]...',
    short: 'ahHikPTt:x:B:l',
    long: {
      all: 'a',
      'human-readable': 'h',
      si: 'H',
      inodes: 'i',
      portability: 'P',
      'print-type': 'T',
      'type=': 't',
      'exclude-type=': 'x',
      'block-size=': 'B',
      total: 'total',
    },
  },
  (tool, options) => {
    const style = styleOf(tool, options);
    const rows: Row[] = [];
    for (const mount of chosen(tool, options)) {
      const types = options.values('t');
      if (types.length > 0 && !types.includes(mount.type)) continue;
      if (options.values('x').includes(mount.type)) continue;
      const fs = tool.attempt(maybeQuoted(mount.target), () => tool.sys.statfs(mount.target));
      if (fs === undefined) continue;
      if (fs.blocks === 0 && !options.has('a') && options.operands.length === 0) continue;
      rows.push({ mount, fs });
    }
    if (rows.length === 0) {
      if (tool.status === 0) tool.die('no file systems processed');
      return;
    }
    print(tool, rows, style);
  },
);

interface Row {
  readonly mount: Mount;
  readonly fs: StatFs;
}

interface Style {
  readonly unit: number | 'human' | 'si';
  readonly inodes: boolean;
  readonly types: boolean;
  readonly posix: boolean;
  readonly total: boolean;
}

function styleOf(tool: Tool, options: Options): Style {
  const last = options.last('h', 'H', 'k', 'B');
  const text = options.value('B') ?? '1024';
  const size = parseSize(/^[KMGTP]/.test(text) ? `1${text}` : text);
  if (size === undefined || size === 0)
    return tool.die(`invalid -B argument ${quotedArgument(text)}`);
  return {
    unit: last === 'h' ? 'human' : last === 'H' ? 'si' : last === 'B' ? size : 1024,
    inodes: options.has('i'),
    types: options.has('T'),
    posix: options.has('P'),
    total: options.has('total'),
  };
}

/** All mounts, the last of each place; or those that hold the named files. */
function chosen(tool: Tool, options: Options): Mount[] {
  const mounts = readMounts(tool.sys);
  if (options.operands.length === 0)
    return mounts.filter((mount, i) => !mounts.slice(i + 1).some((m) => m.target === mount.target));
  const out: Mount[] = [];
  for (const path of options.operands) {
    try {
      const target = mountPointOf(tool.sys, path);
      const mount = mounts.findLast((candidate) => candidate.target === target);
      out.push(mount ?? { source: '-', target, type: '-', options: '' });
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      tool.warn(`${maybeQuoted(path)}: ${strerror(error.errno)}`);
    }
  }
  return out;
}

function print(tool: Tool, rows: readonly Row[], style: Style): void {
  const lines = [heading(style)];
  const sum = { total: 0, used: 0, free: 0 };
  for (const { mount, fs } of rows) {
    const factor = style.inodes ? 1 : fs.bsize;
    const [all, free, room] = style.inodes
      ? [fs.files, fs.ffree, fs.ffree]
      : [fs.blocks, fs.bfree, fs.bavail];
    const numbers = { total: all * factor, used: (all - free) * factor, free: room * factor };
    sum.total += numbers.total;
    sum.used += numbers.used;
    sum.free += numbers.free;
    lines.push(cells(mount, numbers, style));
  }
  if (style.total)
    lines.push(cells({ source: 'total', target: '-', type: '-', options: '' }, sum, style));
  const widths = (lines[0] ?? []).map((_, i) => Math.max(...lines.map((l) => l[i]?.length ?? 0)));
  widths[0] = Math.max(widths[0] ?? 0, 14);
  const numbersFrom = style.types ? 2 : 1;
  for (let i = numbersFrom; i < numbersFrom + 3; i++) widths[i] = Math.max(widths[i] ?? 0, 5);
  if (style.unit === 'human' || style.unit === 'si')
    for (let i = numbersFrom; i < numbersFrom + 3; i++) widths[i] = Math.max(widths[i] ?? 0, 5);
  for (const line of lines) {
    const text = line.map((cell, i) => {
      if (i === line.length - 1) return cell;
      return i < numbersFrom ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0);
    });
    tool.out.text(`${text.join(' ')}\n`);
  }
}

function heading(style: Style): string[] {
  const unit =
    style.unit === 1024
      ? style.posix
        ? '1024-blocks'
        : '1K-blocks'
      : typeof style.unit === 'number'
        ? `${humanSize(style.unit).replace('.0', '')}${style.unit < 1024 ? 'B' : ''}-blocks`
        : 'Size';
  const available = typeof style.unit === 'number' ? 'Available' : 'Avail';
  const percent = style.posix ? 'Capacity' : 'Use%';
  return [
    'Filesystem',
    ...(style.types ? ['Type'] : []),
    ...(style.inodes ? ['Inodes', 'IUsed', 'IFree', 'IUse%'] : [unit, 'Used', available, percent]),
    'Mounted on',
  ];
}

function cells(
  mount: Mount,
  numbers: { total: number; used: number; free: number },
  style: Style,
): string[] {
  const show = (value: number): string => {
    if (style.inodes) return typeof style.unit === 'number' ? String(value) : humanSize(value);
    if (style.unit === 'human') return humanSize(value);
    return style.unit === 'si' ? humanSize(value, 1000) : String(Math.ceil(value / style.unit));
  };
  const { total, used, free } = numbers;
  const percent = used + free > 0 ? `${Math.ceil((used * 100) / (used + free))}%` : '-';
  return [
    mount.source,
    ...(style.types ? [mount.type] : []),
    show(total),
    show(used),
    show(free),
    percent,
    mount.target,
  ];
}
