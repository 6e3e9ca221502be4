// printenv: variables of the environment, all or by name (GNU coreutils).

import { program } from '../libc/program.ts';

export const main = program(
  { usage: '[-0] [NAME]...', short: '0', long: { null: '0' }, trouble: 2, stopAtOperand: true },
  (tool, options) => {
    const end = options.has('0') ? '\0' : '\n';
    const { env } = tool.sys;
    const names = options.operands;
    if (names.length === 0)
      for (const [name, value] of env) tool.out.text(`${name}=${value}${end}`);
    for (const name of names) {
      const value = name.includes('=') ? undefined : env.get(name);
      if (value === undefined) tool.status = 1;
      else tool.out.text(`${value}${end}`);
    }
  },
);
