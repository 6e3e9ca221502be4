// Numbers with the letters K M G T P E Z Y: read (numfmt --from) and written (--to), by powers of 1000
// or 1024. After GNU coreutils' manual, "numfmt: Reformat numbers".

import { quotedArgument } from '../text/quote.ts';
import {
  type Extended,
  fixedText,
  magnitude,
  negative,
  ofInteger,
  order,
  over,
  plus,
  type Rounding,
  rounded,
  times,
  ZERO,
} from './extended.ts';

export type Scale = 'none' | 'auto' | 'si' | 'iec' | 'iec-i';

const LETTERS = 'KMGTPEZY';
/** More digits than an extended number holds are noted, more than the largest letter covers refused. */
const EXACT_DIGITS = 18;
const MOST_DIGITS = 27;

export interface Parsed {
  readonly value: Extended;
  /** Digits behind the point that the output keeps. */
  readonly places: number;
  readonly isExact: boolean;
}

/** The number, or what is wrong with it. */
export function parseScaled(text: string, from: Scale): Parsed | string {
  const match = /^(-?)(\d*)(?:(\.)(\d*))?(.*)$/s.exec(text);
  const [, sign = '', whole = '', point = '', fraction = '', tail = ''] = match ?? [];
  const bad = `invalid number: ${quotedArgument(text)}`;
  if (whole === '' && point === '') return bad;
  if (point !== '' && fraction === '' && !tail.startsWith('.')) return bad;
  const significant = whole.replace(/^0+/, '').length;
  const behind = fraction.replace(/^0+/, '').length;
  if (Math.max(significant, behind) > MOST_DIGITS)
    return `value too large to be converted: ${quotedArgument(text)}`;
  const unsigned = plus(digitsOf(whole), over(digitsOf(fraction), power(10, fraction.length)));
  const number = sign === '' ? unsigned : negative(unsigned);
  const suffix = parseSuffix({ text, tail, from });
  if (typeof suffix === 'string') return suffix;
  return {
    value: suffix.power === 0 ? number : times(number, power(suffix.base, suffix.power)),
    places: suffix.power === 0 ? fraction.length : 0,
    isExact: Math.max(significant, behind) <= EXACT_DIGITS,
  };
}

/** One digit after the other, as a number of limited precision grows. */
function digitsOf(text: string): Extended {
  let value = ZERO;
  for (const digit of text) value = plus(times(value, ofInteger(10n)), ofInteger(BigInt(digit)));
  return value;
}

const power = (base: number, exponent: number): Extended => {
  let value = ofInteger(1n);
  for (let i = 0; i < exponent; i++) value = times(value, ofInteger(BigInt(base)));
  return value;
};

interface Suffix {
  readonly base: number;
  readonly power: number;
}

function parseSuffix(given: { text: string; tail: string; from: Scale }): Suffix | string {
  const { text, from } = given;
  let base = from === 'iec' || from === 'iec-i' ? 1024 : 1000;
  let rest = given.tail;
  let power = 0;
  if (rest !== '') {
    rest = rest.replace(/^[ \t]+/, '');
    power = LETTERS.indexOf(rest[0] ?? ' ') + 1;
    if (power === 0) return `invalid suffix in input: ${quotedArgument(text)}`;
    if (from === 'none')
      return `rejecting suffix in input: ${quotedArgument(text)} (consider using --from)`;
    rest = rest.slice(1);
    if (from === 'auto' && rest.startsWith('i')) {
      base = 1024;
      rest = rest.slice(1);
    }
  }
  if (from === 'iec-i') {
    if (!rest.startsWith('i'))
      return `missing 'i' suffix in input: ${quotedArgument(text)} (e.g Ki/Mi/Gi)`;
    rest = rest.slice(1);
  }
  if (rest !== '')
    return `invalid suffix in input ${quotedArgument(text)}: ${quotedArgument(rest)}`;
  return { base, power };
}

export interface Shape {
  readonly to: Scale;
  readonly rounding: Rounding;
  /** Digits behind the point that were asked for. */
  readonly places: number | undefined;
  /** The number is filled with zeros to this width. */
  readonly zeros: number;
}

/** The number as text; `places` are those of the input. */
export function scaledText(value: Extended, places: number, shape: Shape): string {
  if (shape.to === 'none') {
    const unit = power(10, shape.places ?? places);
    const number = over(rounded(times(value, unit), shape.rounding), unit);
    return zeroFilled(fixedText(number, shape.places ?? places), shape.zeros);
  }
  const base = ofInteger(shape.to === 'si' ? 1000n : 1024n);
  let { rest, exponent } = split(value, base);
  if (shape.places !== undefined) {
    const unit = power(10, Math.min(exponent * 3, shape.places));
    rest = over(rounded(times(rest, unit), shape.rounding), unit);
  } else if (order(magnitude(rest), ofInteger(10n)) < 0) {
    rest = over(rounded(times(rest, ofInteger(10n)), shape.rounding), ofInteger(10n));
  } else rest = rounded(rest, shape.rounding);
  if (order(magnitude(rest), base) >= 0) {
    rest = over(rest, base);
    exponent++;
  }
  const isShort = order(magnitude(rest), ofInteger(10n)) < 0 && rest.digits !== 0n && exponent > 0;
  const text = zeroFilled(fixedText(rest, shape.places ?? (isShort ? 1 : 0)), shape.zeros);
  const mark = shape.to === 'iec-i' && exponent > 0 ? 'i' : '';
  return `${text}${exponent === 0 ? '' : (LETTERS[exponent - 1] ?? '?')}${mark}`;
}

const zeroFilled = (text: string, width: number): string =>
  text.startsWith('-') ? `-${text.slice(1).padStart(width - 1, '0')}` : text.padStart(width, '0');

/** How often the base goes into it, and what remains. */
function split(value: Extended, base: Extended): { rest: Extended; exponent: number } {
  let rest = value;
  let exponent = 0;
  while (order(magnitude(rest), base) >= 0) {
    rest = over(rest, base);
    exponent++;
  }
  return { rest, exponent };
}

/** Why the number cannot be shown, if it cannot. */
export function tooLarge(value: Extended, places: number, to: Scale): string | undefined {
  const { exponent } = split(value, ofInteger(10n));
  if (to === 'none' && exponent + places > EXACT_DIGITS)
    return places > 0 ? 'with its precision' : 'alone';
  return exponent > MOST_DIGITS - 1 ? 'at all' : undefined;
}
