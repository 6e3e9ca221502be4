// sync: what is cached goes to disk; with files, those (-d: data alone, -f: their file systems).

import { O_NONBLOCK, O_RDONLY } from '../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import { program } from '../libc/program.ts';
import { quoted } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: '[-d | -f] [FILE]...',
    short: 'df',
    long: { data: 'd', 'file-system': 'f' },
  },
  (tool, options) => {
    const { sys } = tool;
    if (options.has('d') && options.operands.length === 0)
      tool.misuse('--data needs at least one argument');
    if (options.operands.length === 0 || options.has('f')) {
      tool.attempt('error syncing', () => sys.sync());
    }
    for (const name of options.operands) {
      try {
        const fd = sys.open(name, O_RDONLY | O_NONBLOCK);
        if (options.has('d')) sys.fdatasync(fd);
        else sys.fsync(fd);
        sys.close(fd);
      } catch (error) {
        if (!(error instanceof PosixError)) throw error;
        tool.warn(`error opening ${quoted(name)}: ${strerror(error.errno)}`);
      }
    }
  },
);
