// test and [: conditions. POSIX.1-2024 test, with -nt -ot -ef -k -N -O -G, < and > on strings, -a, -o
// and parentheses. The shell's builtin is this too.

import { programName, writeError } from '../libc/program.ts';
import type { Program, Sys } from '../libc/sys.ts';
import { Condition, ConditionError } from '../libc/text/condition.ts';

export const main: Program = (sys) => {
  const name = programName(sys);
  const args = sys.argv.slice(1);
  return testCommand(sys, name, args);
};

/** The status of `test ARGS`: 0 true, 1 false, 2 a mistake, reported under `name`. */
export function testCommand(sys: Sys, name: string, args: readonly string[]): number {
  let operands = args;
  if (name === '[') {
    if (args.at(-1) !== ']') {
      writeError(sys, `${name}: missing ']'\n`);
      return 2;
    }
    operands = args.slice(0, -1);
  }
  try {
    return new Condition(sys, operands).evaluate() ? 0 : 1;
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error;
    writeError(sys, `${name}: ${error.message}\n`);
    return 2;
  }
}
