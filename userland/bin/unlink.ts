// unlink: unlink(2) and nothing else (POSIX.1-2024 unlink).

import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import { program } from '../libc/program.ts';
import { quoted, quotedArgument } from '../libc/text/quote.ts';

export const main = program({ usage: 'FILE', short: '' }, (tool, options) => {
  const [name, extra] = options.operands;
  if (name === undefined) return tool.missingOperand();
  if (extra !== undefined) return tool.misuse(`extra operand ${quotedArgument(extra)}`);
  try {
    tool.sys.unlink(name);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    tool.die(`cannot unlink ${quoted(name)}: ${strerror(error.errno)}`);
  }
});
