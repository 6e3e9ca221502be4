// tty: the name of the terminal on standard input (POSIX.1-2024 XCU tty).

import { PosixError } from '../../kernel/abi/errno.ts';
import { program } from '../libc/program.ts';
import { quotedArgument } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: '[-s]\n  -s, --silent   only the exit status: 0 = a terminal, 1 = none',
    short: 's',
    long: { silent: 's', quiet: 's' },
    trouble: 2,
  },
  (tool, options) => {
    const [extra] = options.operands;
    if (extra !== undefined) tool.misuse(`extra operand ${quotedArgument(extra)}`);
    const isTerminal = tool.sys.isatty(0);
    if (!options.has('s')) tool.out.text(isTerminal ? `${nameOf()}\n` : 'not a tty\n');
    return isTerminal ? 0 : 1;

    function nameOf(): string {
      try {
        return tool.sys.tty.name(0);
      } catch (error) {
        if (error instanceof PosixError) return 'not a tty'; // hung up since
        throw error;
      }
    }
  },
);
