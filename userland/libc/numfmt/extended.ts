// Numbers with a significand of 64 bits, as the 80-bit format of x87 and of C's `long double` there
// (IEEE 754 §3.7, extended precision): what numfmt(1) computes with, so that its rounding is the usual one.

const BITS = 64;

/** digits × 2^exponent; zero has the exponent 0. */
export interface Extended {
  readonly digits: bigint;
  readonly exponent: number;
}

export const ZERO: Extended = { digits: 0n, exponent: 0 };

export const ofInteger = (value: bigint): Extended => nearest(value, 1n);

export const times = (a: Extended, b: Extended): Extended =>
  shifted(nearest(a.digits * b.digits, 1n), a.exponent + b.exponent);

export const over = (a: Extended, b: Extended): Extended =>
  shifted(nearest(a.digits, b.digits), a.exponent - b.exponent);

export function plus(a: Extended, b: Extended): Extended {
  const exponent = Math.min(a.exponent, b.exponent);
  const digits = (x: Extended): bigint => x.digits << BigInt(x.exponent - exponent);
  return shifted(nearest(digits(a) + digits(b), 1n), exponent);
}

export const negative = (a: Extended): Extended => ({ ...a, digits: -a.digits });

export const magnitude = (a: Extended): Extended => (a.digits < 0n ? negative(a) : a);

/** -1, 0 or 1 as a is below, at or above b. */
export function order(a: Extended, b: Extended): number {
  const { digits } = plus(a, negative(b));
  return digits < 0n ? -1 : digits > 0n ? 1 : 0;
}

export type Rounding = 'up' | 'down' | 'from-zero' | 'towards-zero' | 'nearest';

/** A whole number; `nearest` takes halves away from zero. */
export function rounded(a: Extended, rounding: Rounding): Extended {
  if (a.exponent >= 0) return a;
  const unit = 1n << BigInt(-a.exponent);
  const size = a.digits < 0n ? -a.digits : a.digits;
  const [whole, rest] = [size / unit, size % unit];
  const isNegative = a.digits < 0n;
  const away =
    rounding === 'nearest'
      ? rest * 2n >= unit
      : rest > 0n &&
        (rounding === 'from-zero' ||
          (rounding === 'up' ? !isNegative : rounding === 'down' && isNegative));
  const value = whole + (away ? 1n : 0n);
  return ofInteger(isNegative ? -value : value);
}

/** With so many digits behind the point, the exact value rounded half to even. */
export function fixedText(a: Extended, places: number): string {
  const size = (a.digits < 0n ? -a.digits : a.digits) * 10n ** BigInt(places);
  const value =
    a.exponent >= 0 ? size << BigInt(a.exponent) : half(size, 1n << BigInt(-a.exponent));
  const text = value.toString().padStart(places + 1, '0');
  const whole = text.slice(0, text.length - places);
  return `${a.digits < 0n ? '-' : ''}${whole}${places > 0 ? `.${text.slice(-places)}` : ''}`;
}

export function toNumber(a: Extended): number {
  return Number(a.digits) * 2 ** a.exponent;
}

/** top / bottom, cut to 64 bits, half to even. */
function nearest(top: bigint, bottom: bigint): Extended {
  if (top === 0n) return ZERO;
  const isNegative = top < 0n !== bottom < 0n;
  const [a, b] = [top < 0n ? -top : top, bottom < 0n ? -bottom : bottom];
  let exponent = bits(a) - bits(b) - BITS;
  let digits = divided(a, b, exponent);
  if (bits(digits) > BITS) digits = divided(a, b, ++exponent);
  return { digits: isNegative ? -digits : digits, exponent };
}

const bits = (value: bigint): number => value.toString(2).length;

const divided = (a: bigint, b: bigint, exponent: number): bigint =>
  exponent < 0 ? half(a << BigInt(-exponent), b) : half(a, b << BigInt(exponent));

/** a / b, half to even. */
function half(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  const twice = (a % b) * 2n;
  return twice > b || (twice === b && (quotient & 1n) === 1n) ? quotient + 1n : quotient;
}

const shifted = (a: Extended, by: number): Extended =>
  a.digits === 0n ? ZERO : { digits: a.digits, exponent: a.exponent + by };
