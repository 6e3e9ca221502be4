// mkfifo: makes FIFOs. POSIX.1-2024 mkfifo -m.

import { S_IFIFO } from '../../kernel/abi/constants.ts';
import { applyMode, currentUmask, parseMode } from '../libc/files/mode.ts';
import { program } from '../libc/program.ts';
import { quoted } from '../libc/text/quote.ts';

export const main = program(
  { usage: '[-m MODE] NAME...', short: 'm:Z', long: { 'mode=': 'm' } },
  (tool, options) => {
    const { sys } = tool;
    if (options.operands.length === 0) return tool.missingOperand();
    const text = options.value('m');
    const change = parseMode(text ?? '666') ?? tool.die('invalid mode');
    const mode = applyMode(change, 0o666, currentUmask(sys));
    if ((mode & ~0o777) !== 0) tool.die('mode must specify only file permission bits');
    for (const name of options.operands)
      tool.attempt(`cannot create fifo ${quoted(name)}`, () => {
        sys.mknod(name, S_IFIFO | mode, 0);
        if (text !== undefined) sys.chmod(name, mode); // whatever the umask says
      });
    return tool.status;
  },
);
