// sync: what is cached goes to disk; with files, those (-d: data alone, -f: their file systems).

import { O_NONBLOCK, O_RDONLY } from '../../kernel/abi/constants.ts';
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
      const open = () => sys.open(name, O_RDONLY | O_NONBLOCK);
      const fd = tool.attempt(`error opening ${quoted(name)}`, open);
      if (fd === undefined) continue;
      tool.attempt(`error syncing ${quoted(name)}`, () => {
        if (options.has('d')) sys.fdatasync(fd);
        else sys.fsync(fd);
      });
      sys.close(fd);
    }
  },
);
