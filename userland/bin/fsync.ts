// fsync: brings each named file to disk.

import { O_RDONLY } from '../../kernel/abi/constants.ts';
import { program } from '../libc/program.ts';
import { maybeQuoted } from '../libc/text/quote.ts';

export const main = program({ usage: 'FILE...', short: 'd' }, (tool, options) => {
  const { sys } = tool;
  if (options.operands.length === 0) tool.missingOperand();
  for (const name of options.operands)
    tool.attempt(maybeQuoted(name), () => {
      const fd = sys.open(name, O_RDONLY);
      if (options.has('d')) sys.fdatasync(fd);
      else sys.fsync(fd);
      sys.close(fd);
    });
});
