// printf: arguments by a format, again and again while arguments are left. POSIX.1-2024 printf, with
// %b and %q, * widths, \c.

import { encodeText } from '../../kernel/abi/text.ts';
import { programName, writeError } from '../libc/program.ts';
import { Exit, Output } from '../libc/stdio.ts';
import type { Program } from '../libc/sys.ts';
import { fromLatin1, toLatin1 } from '../libc/text/latin1.ts';
import { formatPrintf } from '../libc/text/printf.ts';

export const main: Program = (sys) => {
  const name = programName(sys);
  const args = sys.argv.slice(1);
  if (args[0] === '--') args.shift();
  const [format, ...rest] = args.map((arg) => toLatin1(encodeText(arg)));
  if (format === undefined) {
    writeError(sys, `${name}: missing operand\nTry '${name} --help' for more information.\n`);
    return 1;
  }
  const { text, warnings, fatal } = formatPrintf(format, rest);
  try {
    const out = new Output(sys, 1);
    out.write(fromLatin1(text));
    out.flush();
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
    writeError(sys, `${name}: ${error.message}\n`);
    return error.status;
  }
  for (const warning of warnings) writeError(sys, `${name}: ${warning}\n`);
  return fatal || warnings.some((warning) => !warning.startsWith('warning:')) ? 1 : 0;
};
