// Tab stops of expand and unexpand: POSIX.1-2024's list of columns, with GNU's `/N` (multiples of N behind
// the list) and `+N` (every N columns behind its last stop).

import type { Tool } from '../program.ts';
import { quotedArgument } from './quote.ts';

/** The column of the next stop behind one; undefined when the list ends before. */
export type TabStops = (column: number) => number | undefined;

const USUAL = 8;
/** Columns are counted in numbers that are whole up to here. */
const MOST = 2 ** 53;

export function tabStops(tool: Tool, texts: readonly string[]): TabStops {
  const found: Found = { list: [] };
  for (const text of texts) readList(tool, text, found);
  const { list, multiple, step } = found;
  let last = 0;
  for (const stop of list) {
    if (stop === 0) tool.die('tab size cannot be 0');
    if (stop <= last) tool.die('tab sizes must be ascending');
    last = stop;
  }
  if (multiple && step) tool.die("'/' specifier is mutually exclusive with '+'");
  const [only] = list;
  if (only === undefined) return every(multiple || step || USUAL);
  if (list.length === 1 && !multiple && !step) return every(only);
  return (column) => {
    const listed = list.find((stop) => stop > column);
    if (listed !== undefined) return listed;
    if (multiple) return column + multiple - (column % multiple);
    return step ? column + step - ((column - last) % step) : undefined;
  };
}

interface Found {
  readonly list: number[];
  multiple?: number;
  step?: number;
}

const every =
  (size: number): TabStops =>
  (column) =>
    column + size - (column % size);

/** `/` and `+` hold for the rest of their list. */
function readList(tool: Tool, text: string, found: Found): void {
  let kind = '';
  for (let at = 0; at < text.length; ) {
    const rest = text.slice(at);
    const [mark, digits] = [/^[/+]/.exec(rest)?.[0], /^\d+/.exec(rest)?.[0]];
    if (digits !== undefined) {
      take(tool, { kind, digits }, found);
      if (/^\d+[/+]/.test(rest))
        tool.die(
          `'${rest[digits.length]}' specifier not at start of number: ${quotedArgument(rest.slice(digits.length))}`,
        );
    } else if (mark !== undefined) kind = mark;
    else if (!/^[, \t]/.test(rest))
      tool.die(`tab size contains invalid character(s): ${quotedArgument(rest)}`);
    at += digits?.length ?? 1;
  }
}

function take(tool: Tool, number: { kind: string; digits: string }, found: Found): void {
  const { kind, digits } = number;
  const value = Number(digits);
  if (value > MOST) tool.die(`tab stop is too large ${quotedArgument(digits)}`);
  if (kind === '') found.list.push(value);
  else {
    const name = kind === '/' ? 'multiple' : 'step';
    if (found[name]) tool.die(`'${kind}' specifier only allowed with the last value`);
    found[name] = value;
  }
}
