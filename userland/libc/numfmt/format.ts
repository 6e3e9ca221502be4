// The format of numfmt --format: text, one directive `%[0]['][-][WIDTH][.][PLACES]f`, text.

import { encodeText } from '../../../kernel/abi/text.ts';
import type { Tool } from '../program.ts';
import { toLatin1 } from '../text/latin1.ts';
import { quotedArgument } from '../text/quote.ts';

export interface NumberFormat {
  readonly before: string;
  readonly behind: string;
  /** Negative = to the left; 0 = as --padding says. */
  readonly width: number;
  /** Filled with zeros to this width. */
  readonly zeros: number;
  readonly places: number | undefined;
  readonly isGrouped: boolean;
}

export const plainFormat: NumberFormat = {
  ...{ before: '', behind: '', width: 0, zeros: 0, places: undefined, isGrouped: false },
};

/** Wider or longer than this is refused, as in a C int. */
const MOST = 0x7fffffff;

export function parseFormat(tool: Tool, text: string): NumberFormat {
  const name = quotedArgument(text);
  const format = toLatin1(encodeText(text));
  const before = /^(?:[^%]|%%)*/.exec(format)?.[0] ?? '';
  const rest = format.slice(before.length);
  if (rest === '') return tool.die(`format ${name} has no % directive`);
  const match = /^%([0' ]*)(-?)(\d*)(?:\.(\d*))?(.?)/s.exec(rest);
  const [directive = '', flags = '', minus = '', width = '', places, letter = ''] = match ?? [];
  const wide = Number(width);
  if (wide > MOST) tool.die(`invalid format ${name} (width overflow)`);
  if (places !== undefined && Number(places) > MOST)
    tool.die(`invalid precision in format ${name}`);
  if (letter === '') return tool.die(`format ${name} ends in %`);
  if (letter !== 'f')
    return tool.die(`invalid format ${name}, directive must be %[0]['][-][N][.][N]f`);
  const behind = rest.slice(directive.length);
  if (/(^|[^%])(%%)*%([^%]|$)/.test(behind))
    return tool.die(`format ${name} has too many % directives`);
  const isZero = flags.includes('0') && minus === '';
  return {
    before: before.replaceAll('%%', '%'),
    behind: behind.replaceAll('%%', '%'),
    width: isZero ? 0 : minus === '' ? wide : -wide,
    zeros: isZero ? wide : 0,
    places: places === undefined ? undefined : Number(places),
    isGrouped: flags.includes("'"),
  };
}
