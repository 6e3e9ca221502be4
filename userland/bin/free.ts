// free: memory, from /proc/meminfo (proc_meminfo(5)); -b -k -m -g -h.

import { O_RDONLY } from '../../kernel/abi/constants.ts';
import { decodeText } from '../../kernel/abi/text.ts';
import { program } from '../libc/program.ts';
import { Input } from '../libc/stdio.ts';
import { humanSize } from '../libc/text/numbers.ts';

export const main = program(
  {
    usage: '[-bkmgh]',
    short: 'bkmgh',
    long: { bytes: 'b', kibi: 'k', mebi: 'm', gibi: 'g', human: 'h' },
  },
  (tool, options) => {
    const values = new Map<string, number>();
    const input = new Input(tool.sys, tool.sys.open('/proc/meminfo', O_RDONLY));
    for (let line = input.line(); line !== undefined; line = input.line()) {
      const match = /^(\w+):\s*(\d+)/.exec(decodeText(line));
      if (match?.[1] !== undefined) values.set(match[1], Number(match[2]) * 1024);
    }
    const units: Readonly<Record<string, number>> = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };
    const unit = options.last('b', 'k', 'm', 'g', 'h') ?? 'k';
    const show = (bytes: number): string =>
      (unit === 'h'
        ? humanSize(bytes)
        : String(Math.floor(bytes / (units[unit] ?? 1024)))
      ).padStart(12);
    const total = values.get('MemTotal') ?? 0;
    const idle = values.get('MemFree') ?? 0;
    const cache = (values.get('Cached') ?? 0) + (values.get('Buffers') ?? 0);
    const available = values.get('MemAvailable') ?? idle + cache;
    const head = ['total', 'used', 'free', 'buff/cache', 'available'];
    tool.out.text(`    ${head.map((title) => title.padStart(12)).join('')}\n`);
    const row = [total, Math.max(0, total - idle - cache), idle, cache, available];
    tool.out.text(`Mem:${row.map(show).join('')}\n`);
  },
);
