// basename: the last part of a path. POSIX.1-2024 basename, with GNU's -a -s -z.

import { basename } from '../libc/files/path.ts';
import { program } from '../libc/program.ts';
import { quotedArgument } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: 'NAME [SUFFIX]\n  or: basename -a [-s SUFFIX] [-z] NAME...',
    short: 'as:z',
    long: { multiple: 'a', 'suffix=': 's', zero: 'z' },
    stopAtOperand: true,
  },
  (tool, options) => {
    const { operands } = options;
    if (operands.length === 0) tool.missingOperand();
    const many = options.has('a', 's');
    if (!many && operands.length > 2)
      tool.misuse(`extra operand ${quotedArgument(operands[2] ?? '')}`);
    const suffix = many ? (options.value('s') ?? '') : (operands[1] ?? '');
    for (const name of many ? operands : operands.slice(0, 1)) {
      const base = basename(name);
      const cut = suffix !== '' && base.endsWith(suffix) && base !== suffix;
      tool.out.text(cut ? base.slice(0, base.length - suffix.length) : base);
      tool.out.byte(options.has('z') ? 0 : 10);
    }
  },
);
