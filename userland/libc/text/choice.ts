// An option whose value is one of a few words, of which the first letters are enough.

import type { Tool } from '../program.ts';
import { quotedArgument } from './quote.ts';

export interface Choice<T extends string> {
  /** How the message names it: `--round`. */
  readonly option: string;
  readonly valid: readonly T[];
}

export function choose<T extends string>(tool: Tool, text: string, of: Choice<T>): T {
  const { option, valid } = of;
  const exact = valid.find((word) => word === text);
  if (exact !== undefined) return exact;
  const [word, ...more] = valid.filter((candidate) => candidate.startsWith(text));
  if (word !== undefined && more.length === 0) return word;
  const kind = word === undefined ? 'invalid' : 'ambiguous';
  const list = valid.map((one) => `\n  - '${one}'`).join('');
  return tool.misuse(
    `${kind} argument ${quotedArgument(text)} for '${option}'\nValid arguments are:${list}`,
    1,
  );
}
