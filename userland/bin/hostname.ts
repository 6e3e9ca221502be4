// hostname: the name of this machine.

import { program } from '../libc/program.ts';

export const main = program({ usage: '', short: 'sf' }, (tool) => {
  tool.out.text(`${tool.sys.uname().nodename}\n`);
});
