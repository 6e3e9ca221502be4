// dirname: all but the last part of a path. POSIX.1-2024 dirname, with GNU's -z.

import { dirname } from '../libc/files/path.ts';
import { program } from '../libc/program.ts';

export const main = program(
  { usage: '[-z] NAME...', short: 'z', long: { zero: 'z' } },
  (tool, options) => {
    if (options.operands.length === 0) tool.missingOperand();
    for (const name of options.operands) {
      tool.out.text(dirname(name));
      tool.out.byte(options.has('z') ? 0 : 10);
    }
  },
);
