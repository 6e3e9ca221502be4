// awk's printf and sprintf (POSIX.1-2024 XCU awk, "Formatted Output"): like printf(3), %c of a number
// is that byte, arguments are values, and a missing one is an error.

import {
  type Directive,
  directive,
  directiveFlags,
  formatFloat,
  formatInteger,
  formatString,
} from '../text/format.ts';
import { AwkError } from './syntax/ast.ts';
import { toNumber, toText, type Value } from './value.ts';

const pattern = /%(?:%|([-+ #0']*)(\*|\d*)(?:\.(\*|-?\d*))?(?:hh|h|ll|l|L|j|z|t)?(.?))/gs;
/** A width that a script asks for beyond this is a mistake, and memory. */
const MOST_WIDTH = 1 << 24;

/** `textFormat` is CONVFMT, for numbers that %s shows. */
export function sprintf(format: string, args: readonly Value[], textFormat = '%.6g'): string {
  let at = 0;
  const take = (): Value => {
    if (at >= args.length) throw new AwkError(`not enough arguments for the format ${format}`);
    return args[at++];
  };
  return format.replace(pattern, (whole, flags, width, precision, conversion) => {
    if (whole === '%%') return '%';
    const wide = width === '*' ? toNumber(take()) : Number(width);
    const exact = precision === '*' ? toNumber(take()) : Number(precision || 0);
    if (Math.abs(wide) > MOST_WIDTH || exact > MOST_WIDTH)
      throw new AwkError(`printf: ${whole}: the width is too large`);
    const shape = directiveFlags(flags);
    const d = directive({
      ...shape,
      minus: shape.minus || wide < 0,
      width: Math.abs(wide),
      precision: precision === undefined || exact < 0 ? undefined : exact,
      conversion,
    });
    return d.conversion === 's'
      ? formatString(d, toText(take(), textFormat))
      : convert(d, whole, take);
  });
}

function convert(d: Directive, whole: string, take: () => Value): string {
  switch (d.conversion) {
    case 'c':
      return formatString({ ...d, precision: undefined }, character(take()));
    case 'd':
    case 'i':
    case 'o':
    case 'u':
    case 'x':
    case 'X':
      return integer(d, toNumber(take()));
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
    case 'a':
    case 'A':
      return formatFloat(d, toNumber(take()));
    default:
      return whole;
  }
}

function character(value: Value): string {
  const number = typeof value === 'object' ? value.number : value;
  if (typeof number === 'number') return String.fromCharCode(Math.trunc(number) & 0xff);
  return toText(value, '%.6g').slice(0, 1);
}

function integer(d: Directive, value: number): string {
  if (!Number.isFinite(value)) return formatFloat({ ...d, conversion: 'f', zero: false }, value);
  return formatInteger(d, BigInt(Math.trunc(value)));
}
