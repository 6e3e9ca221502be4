// link: link(2) and nothing else (POSIX.1-2024 link).

import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import { program } from '../libc/program.ts';
import { quoted, quotedArgument } from '../libc/text/quote.ts';

export const main = program({ usage: 'FILE1 FILE2', short: '' }, (tool, options) => {
  const [from, to, extra] = options.operands;
  if (from === undefined) return tool.missingOperand();
  if (to === undefined) return tool.misuse(`missing operand after ${quotedArgument(from)}`);
  if (extra !== undefined) return tool.misuse(`extra operand ${quotedArgument(extra)}`);
  try {
    tool.sys.link(from, to);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    tool.die(`cannot create link ${quoted(to)} to ${quoted(from)}: ${strerror(error.errno)}`);
  }
});
