// The directives of printf(3): flags, width, precision and the conversions diouxX, eEfFgG, s, c,
// exact for every double. ISO C23 §7.23.6.1.

export interface Directive {
  readonly minus: boolean;
  readonly plus: boolean;
  readonly space: boolean;
  readonly alt: boolean;
  readonly zero: boolean;
  readonly width: number;
  readonly precision: number | undefined;
  readonly conversion: string;
}

export const directive = (over: Partial<Directive>): Directive => ({
  minus: false,
  plus: false,
  space: false,
  alt: false,
  zero: false,
  width: 0,
  precision: undefined,
  conversion: 's',
  ...over,
});

/** Flags of a directive: the characters between `%` and the width. */
export const directiveFlags = (flags: string): Partial<Directive> => ({
  minus: flags.includes('-'),
  plus: flags.includes('+'),
  space: flags.includes(' '),
  alt: flags.includes('#'),
  zero: flags.includes('0'),
});

export function formatString(d: Directive, text: string): string {
  const cut = d.precision === undefined ? text : text.slice(0, d.precision);
  return d.minus ? cut.padEnd(d.width) : cut.padStart(d.width);
}

/** d i: signed; o u x X: the value modulo 2^64. */
export function formatInteger(d: Directive, value: bigint): string {
  const signed = d.conversion === 'd' || d.conversion === 'i';
  const magnitude = signed ? (value < 0n ? -value : value) : BigInt.asUintN(64, value);
  const radix = d.conversion === 'o' ? 8 : d.conversion.toLowerCase() === 'x' ? 16 : 10;
  let digits = magnitude.toString(radix);
  if (d.precision === 0 && magnitude === 0n) digits = '';
  digits = digits.padStart(d.precision ?? 0, '0');
  if (d.alt && radix === 8 && !digits.startsWith('0')) digits = `0${digits}`;
  const prefix = d.alt && radix === 16 && magnitude !== 0n ? '0x' : '';
  const sign = signed ? signOf(d, value < 0n) : '';
  const text = padded(d, { sign: sign + prefix, body: digits, zeros: d.precision === undefined });
  return d.conversion === 'X' ? text.toUpperCase() : text;
}

export function formatFloat(d: Directive, value: number): string {
  const negative = value < 0 || Object.is(value, -0);
  const size = Math.abs(value);
  const lower = d.conversion.toLowerCase();
  let body: string;
  if (!Number.isFinite(size)) body = Number.isNaN(size) ? 'nan' : 'inf';
  else if (lower === 'f') body = fixed(size, d.precision ?? 6, d.alt);
  else if (lower === 'e') body = scientific(size, d.precision ?? 6, d.alt);
  else if (lower === 'a') body = hexadecimal(size, d.precision);
  else body = general(size, d.precision ?? 6, d.alt);
  const text = padded(d, { sign: signOf(d, negative), body, zeros: Number.isFinite(size) });
  return d.conversion === lower ? text : text.toUpperCase();
}

const signOf = (d: Directive, negative: boolean): string =>
  negative ? '-' : d.plus ? '+' : d.space ? ' ' : '';

function padded(d: Directive, part: { sign: string; body: string; zeros: boolean }): string {
  const text = part.sign + part.body;
  if (d.minus) return text.padEnd(d.width);
  if (d.zero && part.zeros) return part.sign + part.body.padStart(d.width - part.sign.length, '0');
  return text.padStart(d.width);
}

/** value × 10^exponent, rounded half to even: exact, by integers. */
function scaled(value: number, exponent: number): bigint {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  const raw = bits.getBigUint64(0);
  const field = Number((raw >> 52n) & 0x7ffn);
  const mantissa = (raw & 0xf_ffff_ffff_ffffn) | (field === 0 ? 0n : 0x10_0000_0000_0000n);
  const power = (field === 0 ? 1 : field) - 1075;
  let top = mantissa;
  let bottom = 1n;
  if (power > 0) top <<= BigInt(power);
  else bottom <<= BigInt(-power);
  if (exponent > 0) top *= 10n ** BigInt(exponent);
  else bottom *= 10n ** BigInt(-exponent);
  const quotient = top / bottom;
  const twice = (top % bottom) * 2n;
  return twice > bottom || (twice === bottom && (quotient & 1n) === 1n) ? quotient + 1n : quotient;
}

function fixed(value: number, precision: number, point: boolean): string {
  const digits = scaled(value, precision)
    .toString()
    .padStart(precision + 1, '0');
  const whole = digits.slice(0, digits.length - precision);
  if (precision === 0) return point ? `${whole}.` : whole;
  return `${whole}.${digits.slice(digits.length - precision)}`;
}

/** The decimal exponent and `count` significant digits. */
function significant(value: number, count: number): { digits: string; exponent: number } {
  if (value === 0) return { digits: '0'.repeat(count), exponent: 0 };
  let exponent = Number(value.toExponential(0).split('e')[1]);
  let digits = scaled(value, count - 1 - exponent).toString();
  if (digits.length < count) digits = scaled(value, count - 1 - --exponent).toString();
  if (digits.length > count) digits = scaled(value, count - 1 - ++exponent).toString();
  return { digits, exponent };
}

function scientific(value: number, precision: number, point: boolean): string {
  const { digits, exponent } = significant(value, precision + 1);
  const fraction = digits.slice(1);
  const mark = fraction !== '' || point ? '.' : '';
  return `${digits[0]}${mark}${fraction}${exponentText(exponent)}`;
}

const exponentText = (exponent: number): string =>
  `e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;

function general(value: number, precision: number, keepZeros: boolean): string {
  const count = precision === 0 ? 1 : precision;
  const { exponent } = significant(value, count);
  const text =
    exponent < -4 || exponent >= count
      ? scientific(value, count - 1, keepZeros)
      : fixed(value, count - 1 - exponent, keepZeros);
  if (keepZeros) return text;
  const [mantissa = '', tail] = text.split('e');
  const short = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa;
  return tail === undefined ? short : `${short}e${tail}`;
}

/** %a with the leading digit 1, as the C library prints a double. */
function hexadecimal(value: number, precision: number | undefined): string {
  if (value === 0) return `0x0${precision ? `.${'0'.repeat(precision)}` : ''}p+0`;
  let exponent = Math.floor(Math.log2(value));
  while (value / 2 ** exponent >= 2) exponent++;
  while (value / 2 ** exponent < 1) exponent--;
  const wanted = precision ?? 13;
  const rounded = Math.round((value / 2 ** exponent) * 16 ** Math.min(wanted, 13));
  const digits = rounded.toString(16).padStart(Math.min(wanted, 13) + 1, '0');
  const fraction = precision === undefined ? digits.slice(1).replace(/0+$/, '') : digits.slice(1);
  const sign = exponent < 0 ? '-' : '+';
  return `0x${digits[0]}${fraction ? `.${fraction.padEnd(precision ?? 0, '0')}` : ''}p${sign}${Math.abs(exponent)}`;
}
