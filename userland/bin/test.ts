// test and [: conditions. POSIX.1-2024 test, with -nt -ot -ef -k -N -O -G, < and > on strings, -a, -o
// and parentheses. The shell's built-in stands on the same condition.ts.

import { helped, programName, writeError } from '../libc/program.ts';
import type { Program, Sys } from '../libc/sys.ts';
import { Condition, ConditionError, type ConditionWords } from '../libc/text/condition.ts';
import { quotedArgument } from '../libc/text/quote.ts';

export const main: Program = (sys) => {
  const name = programName(sys);
  // POSIX gives `test --help` a meaning: a string that is not empty.
  if (name === '[' && helped(sys, 'EXPRESSION ]')) return 0;
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
    return new Condition(sys, operands, 'mistake').evaluate() ? 0 : 1;
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error;
    writeError(sys, `${name}: ${words[error.mistake](error.subject)}\n`);
    return 2;
  }
}

const words: ConditionWords = {
  integer: (subject) => `invalid integer ${quotedArgument(subject)}`,
  unary: (subject) => `${quotedArgument(subject)}: unary operator expected`,
  binary: (subject) => `${quotedArgument(subject)}: binary operator expected`,
  extra: (subject) => `extra argument ${quotedArgument(subject)}`,
  missing: (subject) => `missing argument after ${quotedArgument(subject)}`,
  closing: (subject) => `'${subject}' expected`,
};
