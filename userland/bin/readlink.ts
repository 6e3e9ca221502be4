// readlink: where a symlink points (-n, -z), or the canonical path (-f, -e, -m). POSIX.1-2024.

import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import { realpath } from '../libc/files/path.ts';
import { program } from '../libc/program.ts';
import { maybeQuoted } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: '[-femnqsvz] FILE...',
    short: 'femnqsvz',
    long: {
      canonicalize: 'f',
      'canonicalize-existing': 'e',
      'canonicalize-missing': 'm',
      'no-newline': 'n',
      quiet: 'q',
      silent: 'q',
      verbose: 'v',
      zero: 'z',
    },
  },
  (tool, options) => {
    const { sys } = tool;
    const { operands } = options;
    if (operands.length === 0) tool.missingOperand();
    const way = options.last('f', 'e', 'm');
    const bare = options.has('n') && operands.length === 1;
    if (options.has('n') && operands.length > 1)
      tool.note('ignoring --no-newline with multiple arguments');
    for (const path of operands) {
      try {
        const must = way === 'e' ? 'all' : way === 'm' ? 'none' : 'parent';
        tool.out.text(way === undefined ? sys.readlink(path) : realpath(sys, path, must));
        if (!bare) tool.out.byte(options.has('z') ? 0 : 10);
      } catch (error) {
        if (!(error instanceof PosixError)) throw error;
        tool.status = 1;
        if (options.last('v', 'q', 's') === 'v')
          tool.note(`${maybeQuoted(path)}: ${strerror(error.errno)}`);
      }
    }
  },
);
