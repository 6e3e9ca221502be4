// nice: runs a command with another scheduling priority, or tells the present one. POSIX.1-2024 nice
// -n, with GNU's -N and --N.

import { EACCES, EPERM, PosixError, strerror } from '../../kernel/abi/errno.ts';
import { program } from '../libc/program.ts';
import { execProgram } from '../libc/run.ts';
import { quotedArgument } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: '[-n ADJUSTMENT] [COMMAND [ARG]...]',
    short: 'n:',
    long: { 'adjustment=': 'n' },
    stopAtOperand: true,
    trouble: 125,
    rewrite: numbersAreAdjustments,
  },
  (tool, options) => {
    const { resources } = tool.sys;
    const given = options.value('n');
    const present = resources.getpriority(0);
    if (options.operands.length === 0) {
      if (given !== undefined) tool.misuse('a command must be given with an adjustment');
      tool.out.text(`${present}\n`);
      return 0;
    }
    if (given !== undefined && !/^\s*[-+]?\d+$/.test(given))
      tool.die(`invalid adjustment ${quotedArgument(given)}`);
    try {
      resources.setpriority(0, present + Number(given ?? 10));
    } catch (error) {
      if (!(error instanceof PosixError) || ![EACCES, EPERM].some((no) => no === error.errno))
        throw error;
      tool.note(`cannot set niceness: ${strerror(error.errno)}`); // and the command runs all the same
    }
    return execProgram(tool, options.operands, tool.sys.env);
  },
);

/** `-5` and `--5` among the options. */
function numbersAreAdjustments(args: readonly string[]): string[] {
  const out: string[] = [];
  let at = 0;
  for (; at < args.length; at++) {
    const arg = args[at] ?? '';
    if (/^-[-+]?\d/.test(arg)) out.push('-n', arg.slice(1));
    else if (arg === '-n' || arg === '--adjustment') out.push(...args.slice(at, ++at + 1));
    else if (/^-n|^--adjustment=/.test(arg)) out.push(arg);
    else break;
  }
  return [...out, ...args.slice(at)];
}
