// Lists of fields and positions as cut(1) reads them: `2`, `2-`, `-4`, `2-4`, with commas or blanks between.

import type { Tool } from '../program.ts';
import { quotedArgument } from './quote.ts';

/** Sorted, without overlap, from 1. */
export type Ranges = readonly { readonly from: number; readonly to: number }[];

export function parseRanges(tool: Tool, text: string, what: 'field' | 'byte'): Ranges {
  const ranges: { from: number; to: number }[] = [];
  const noun = what === 'field' ? 'fields are' : 'byte/character positions are';
  for (const part of text.split(/[,\s]/)) {
    const match = /^(\d*)(-?)(\d*)$/.exec(part);
    if (match === null)
      return tool.misuse(
        what === 'field'
          ? `invalid field value ${quotedArgument(part)}`
          : `invalid byte or character position ${quotedArgument(part)}`,
      );
    const [, low = '', dash = '', high = ''] = match;
    if (dash && !low && !high) tool.misuse('invalid range with no endpoint: -');
    const from = low === '' ? 1 : Number(low);
    const to = dash === '' ? from : high === '' ? Number.POSITIVE_INFINITY : Number(high);
    if (from === 0 || to === 0 || (dash === '' && low === ''))
      tool.misuse(`${noun} numbered from 1`);
    if (to < from) tool.misuse('invalid decreasing range');
    ranges.push({ from, to });
  }
  return merged(ranges);
}

/** Ranges that overlap become one; neighbours stay apart, as --output-delimiter shows. */
function merged(ranges: { from: number; to: number }[]): Ranges {
  const out: { from: number; to: number }[] = [];
  for (const range of ranges.sort((a, b) => a.from - b.from)) {
    const last = out.at(-1);
    if (last !== undefined && range.from <= last.to) last.to = Math.max(last.to, range.to);
    else out.push({ ...range });
  }
  return out;
}

export function complement(ranges: Ranges): Ranges {
  const out: { from: number; to: number }[] = [];
  let next = 1;
  for (const { from, to } of ranges) {
    if (from > next) out.push({ from: next, to: from - 1 });
    next = Math.max(next, to + 1);
  }
  if (Number.isFinite(next)) out.push({ from: next, to: Number.POSITIVE_INFINITY });
  return out;
}

export const included = (ranges: Ranges, number: number): boolean =>
  ranges.some(({ from, to }) => from <= number && number <= to);
