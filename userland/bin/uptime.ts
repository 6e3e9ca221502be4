// uptime: how long the machine has been running, from /proc/uptime; -p in words, -s since when.

import { O_RDONLY } from '../../kernel/abi/constants.ts';
import { decodeText } from '../../kernel/abi/text.ts';
import { program } from '../libc/program.ts';
import { Input } from '../libc/stdio.ts';
import { strftime } from '../libc/time/date.ts';

export const main = program(
  { usage: '[-ps]', short: 'ps', long: { pretty: 'p', since: 's' } },
  (tool, options) => {
    const input = new Input(tool.sys, tool.sys.open('/proc/uptime', O_RDONLY));
    const seconds = Math.floor(
      Number.parseFloat(decodeText(input.line() ?? new Uint8Array())) || 0,
    );
    const now = tool.sys.now();
    if (options.has('s')) {
      tool.out.text(`${strftime('%Y-%m-%d %H:%M:%S', { sec: now.sec - seconds, nsec: 0 })}\n`);
      return;
    }
    const [days, hours, minutes] = [
      Math.floor(seconds / 86400),
      Math.floor(seconds / 3600) % 24,
      Math.floor(seconds / 60) % 60,
    ];
    const many = (count: number, unit: string): string =>
      `${count} ${unit}${count === 1 ? '' : 's'}`;
    const parts = [
      ...(days ? [many(days, 'day')] : []),
      ...(hours ? [many(hours, 'hour')] : []),
      many(minutes, 'minute'),
    ];
    if (options.has('p')) tool.out.text(`up ${parts.join(', ')}\n`);
    else
      tool.out.text(
        ` ${strftime('%H:%M:%S', now)} up ${days ? `${many(days, 'day')}, ` : ''}${hours}:${String(minutes).padStart(2, '0')}\n`,
      );
  },
);
