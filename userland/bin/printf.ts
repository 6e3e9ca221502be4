// printf: arguments by a format, again and again while arguments are left. POSIX.1-2024 printf, with
// %b and %q, * widths, \c.

import { decodeText, encodeText } from '../../kernel/abi/text.ts';
import { helped, programName, writeError } from '../libc/program.ts';
import { Exit, Output } from '../libc/stdio.ts';
import type { Program } from '../libc/sys.ts';
import { fromLatin1, toLatin1 } from '../libc/text/latin1.ts';
import { formatPrintf, type PrintfWords } from '../libc/text/printf.ts';
import { quotedArgument } from '../libc/text/quote.ts';

const usage = `FORMAT [ARGUMENT]...
%d %i %o %u %x %X %e %f %g %a %c %s %b %q, with flags, width and precision; \\n \\t \\NNN …
%N$ takes the Nth argument; the format is used again while arguments are left.`;

export const main: Program = (sys) => {
  if (helped(sys, usage)) return 0;
  const name = programName(sys);
  const args = sys.argv.slice(1);
  if (args[0] === '--') args.shift();
  const [format, ...rest] = args.map((arg) => toLatin1(encodeText(arg)));
  if (format === undefined) {
    writeError(sys, `${name}: missing operand\nTry '${name} --help' for more information.\n`);
    return 1;
  }
  const { text, mistakes, excess } = formatPrintf(format, rest, words);
  try {
    const out = new Output(sys, 1);
    out.write(fromLatin1(text));
    out.flush();
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
    writeError(sys, `${name}: ${error.message}\n`);
    return error.status;
  }
  for (const mistake of mistakes) writeError(sys, `${name}: ${mistake}\n`);
  if (excess !== undefined) {
    const first = quotedBytes(excess);
    writeError(sys, `${name}: warning: ignoring excess arguments, starting with ${first}\n`);
  }
  return mistakes.length > 0 ? 1 : 0;
};

const quotedBytes = (bytes: string): string => quotedArgument(decodeText(fromLatin1(bytes)));

const words: PrintfWords = {
  directive: (text) => `${text}: invalid conversion specification`,
  numeric: (text) => `${quotedBytes(text)}: expected a numeric value`,
  partly: (text) => `${quotedBytes(text)}: value not completely converted`,
  range: (text) => `${quotedBytes(text)}: Numerical result out of range`,
};
