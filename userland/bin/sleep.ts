// sleep: waits. POSIX.1-2024 sleep, with GNU's fractions, suffixes and sums.

import { program } from '../libc/program.ts';
import { parseDuration } from '../libc/text/numbers.ts';
import { quotedArgument } from '../libc/text/quote.ts';

const LONGEST_MS = 2 ** 31 - 1;

export const main = program(
  { usage: 'NUMBER[SUFFIX]...\nSUFFIX: s, m, h or d.', short: '' },
  (tool, options) => {
    if (options.operands.length === 0) tool.missingOperand();
    let seconds = 0;
    for (const text of options.operands) {
      seconds +=
        parseDuration(text) ?? tool.misuse(`invalid time interval ${quotedArgument(text)}`);
    }
    const end = tool.sys.monotonicMs() + seconds * 1000;
    for (let left = seconds * 1000; left > 0; left = end - tool.sys.monotonicMs())
      tool.sys.sleep(Math.min(left, LONGEST_MS));
  },
);
