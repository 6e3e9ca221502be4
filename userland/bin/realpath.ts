// realpath: absolute paths without symlinks (-e, -m, -s, -z, -q). GNU coreutils §18.5.

import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import { join, realpath } from '../libc/files/path.ts';
import { program } from '../libc/program.ts';
import { maybeQuoted } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: '[-emqsz] FILE...',
    short: 'eLmPqsz',
    long: {
      'canonicalize-existing': 'e',
      'canonicalize-missing': 'm',
      quiet: 'q',
      strip: 's',
      'no-symlinks': 's',
      zero: 'z',
    },
  },
  (tool, options) => {
    if (options.operands.length === 0) tool.missingOperand();
    const way = options.last('e', 'm');
    const must = way === 'e' ? 'all' : way === 'm' ? 'none' : 'parent';
    for (const path of options.operands) {
      try {
        const out = options.has('s')
          ? stripped(path, tool.sys.getcwd())
          : realpath(tool.sys, path, must);
        tool.out.text(out);
        tool.out.byte(options.has('z') ? 0 : 10);
      } catch (error) {
        if (!(error instanceof PosixError)) throw error;
        tool.status = 1;
        if (!options.has('q')) tool.note(`${maybeQuoted(path)}: ${strerror(error.errno)}`);
      }
    }
  },
);

/** Absolute, `.` and `..` taken out as text. */
function stripped(path: string, cwd: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith('/') ? path : join(cwd, path)).split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}
