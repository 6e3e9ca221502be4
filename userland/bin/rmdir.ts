// rmdir: removes empty directories. POSIX.1-2024 rmdir -p, with GNU's -v and its long option.

import { EEXIST, ENOTEMPTY, PosixError, strerror } from '../../kernel/abi/errno.ts';
import { dirname, trimmed } from '../libc/files/path.ts';
import { program, type Tool } from '../libc/program.ts';
import { quoted } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: '[-pv] [--ignore-fail-on-non-empty] DIRECTORY...',
    short: 'pv',
    long: { parents: 'p', verbose: 'v', 'ignore-fail-on-non-empty': 'ignore' },
  },
  (tool, options) => {
    if (options.operands.length === 0) tool.missingOperand();
    for (const path of options.operands) {
      const how = { verbose: options.has('v'), ignore: options.has('ignore') };
      if (!remove(tool, path, { ...how, what: 'failed to remove' })) continue;
      if (!options.has('p')) continue;
      let up = dirname(trimmed(path));
      while (up !== '.' && up !== '/') {
        if (!remove(tool, up, { ...how, what: 'failed to remove directory' })) break;
        up = dirname(up);
      }
    }
  },
);

function remove(
  tool: Tool,
  path: string,
  how: { verbose: boolean; ignore: boolean; what: string },
): boolean {
  if (how.verbose) tool.out.text(`${tool.name}: removing directory, ${quoted(path)}\n`);
  try {
    tool.sys.rmdir(path);
    return true;
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    if (how.ignore && (error.errno === ENOTEMPTY || error.errno === EEXIST)) return false;
    tool.warn(`${how.what} ${quoted(path)}: ${strerror(error.errno)}`);
    return false;
  }
}
