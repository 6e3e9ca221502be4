// dmesg: the kernel log, /proc/kmsg.

import { O_RDONLY } from '../../kernel/abi/constants.ts';
import { program } from '../libc/program.ts';
import { Input } from '../libc/stdio.ts';

export const main = program({ usage: '', short: '' }, (tool) => {
  const fd = tool.sys.open('/proc/kmsg', O_RDONLY);
  const input = new Input(tool.sys, fd);
  for (let chunk = input.chunk(); chunk !== undefined; chunk = input.chunk()) tool.out.write(chunk);
});
