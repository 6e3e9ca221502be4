// test and [ (POSIX.1-2024 XCU test): libc/text/condition.ts in this shell's words.

import { Condition, ConditionError, type ConditionWords } from '../../libc/text/condition.ts';
import { raise } from '../errors.ts';
import type { Shell } from '../shell.ts';

export function testBracket(shell: Shell, args: readonly string[]): number {
  if (args[args.length - 1] !== ']') raise('missing ]');
  return test(shell, args.slice(0, -1));
}

export function test(shell: Shell, args: readonly string[]): number {
  try {
    return new Condition(shell.sys, args).evaluate() ? 0 : 1;
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error;
    return raise(words[error.mistake](error.subject));
  }
}

const words: ConditionWords = {
  integer: (subject) => `Illegal number: ${subject}`,
  unary: (subject) => `${subject}: unexpected operator`,
  binary: (subject) => `${subject}: unexpected operator`,
  extra: (subject) => `${subject}: unexpected operator`,
  missing: () => 'argument expected',
  closing: () => 'closing paren expected',
};
