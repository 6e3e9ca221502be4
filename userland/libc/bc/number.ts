// Numbers of bc: decimal fractions of any length, with the scales that each operation gives
// (POSIX.1-2024 XCU bc, "Operations"). Digits behind the last are cut off, never rounded.

export interface Num {
  /** The number times 10^scale. */
  readonly digits: bigint;
  /** Decimal digits behind the point. */
  readonly scale: number;
}

/** What a program cannot do; the message goes to standard error, and the statement ends. */
export class BcError {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/** More digits than anybody wants to wait for. */
const MOST_DIGITS = 5_000_000;

export const zero: Num = { digits: 0n, scale: 0 };
export const integer = (value: number | bigint): Num => ({ digits: BigInt(value), scale: 0 });

const powers = new Map<number, bigint>();

export function power10(exponent: number): bigint {
  if (exponent > MOST_DIGITS) throw new BcError('number too long');
  const known = powers.get(exponent);
  if (known !== undefined) return known;
  const value = 10n ** BigInt(exponent);
  if (powers.size < 1000) powers.set(exponent, value);
  return value;
}

/** The same number with `scale` digits behind the point, cut or filled with zeroes. */
export function rescaled(n: Num, scale: number): Num {
  if (scale === n.scale) return n;
  const digits =
    scale > n.scale ? n.digits * power10(scale - n.scale) : n.digits / power10(n.scale - scale);
  return { digits, scale };
}

export function add(a: Num, b: Num): Num {
  const scale = Math.max(a.scale, b.scale);
  return { digits: rescaled(a, scale).digits + rescaled(b, scale).digits, scale };
}

export const negated = (n: Num): Num => ({ digits: -n.digits, scale: n.scale });
export const subtract = (a: Num, b: Num): Num => add(a, negated(b));

export function multiply(a: Num, b: Num, scale: number): Num {
  const full = { digits: a.digits * b.digits, scale: a.scale + b.scale };
  return rescaled(full, Math.min(full.scale, Math.max(scale, a.scale, b.scale)));
}

export function divide(a: Num, b: Num, scale: number): Num {
  if (b.digits === 0n) throw new BcError('Divide by zero');
  // a / 10^as ÷ b / 10^bs, to `scale` digits.
  const shift = scale + b.scale - a.scale;
  const top = shift >= 0 ? a.digits * power10(shift) : a.digits;
  const bottom = shift >= 0 ? b.digits : b.digits * power10(-shift);
  return { digits: top / bottom, scale };
}

export function remainder(a: Num, b: Num, scale: number): Num {
  if (b.digits === 0n) throw new BcError('Modulo by zero');
  const quotient = divide(a, b, scale);
  const wanted = Math.max(scale + b.scale, a.scale);
  const product = { digits: quotient.digits * b.digits, scale: scale + b.scale };
  return rescaled(subtract(a, product), wanted);
}

export function raise(a: Num, b: Num, scale: number): Num {
  const exponent = Number(rescaled(b, 0).digits);
  if (exponent === 0) return integer(1);
  const size = Math.abs(exponent);
  if (a.digits.toString(16).length * 1.2 * size > MOST_DIGITS && a.digits !== 1n && a.digits !== 0n)
    throw new BcError('exponent too large in raise');
  const full = { digits: a.digits ** BigInt(size), scale: a.scale * size };
  if (exponent < 0) return divide(integer(1), full, scale);
  return rescaled(full, Math.min(full.scale, Math.max(scale, a.scale)));
}

export function squareRoot(n: Num, scale: number): Num {
  if (n.digits < 0n) throw new BcError('Square root of a negative number');
  const wanted = Math.max(scale, n.scale);
  return { digits: integerRoot(rescaled(n, 2 * wanted).digits), scale: wanted };
}

function integerRoot(value: bigint): bigint {
  if (value < 2n) return value;
  let root = 1n << BigInt(Math.ceil(value.toString(2).length / 2));
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

export function compareNumbers(a: Num, b: Num): number {
  const { digits } = subtract(a, b);
  return digits < 0n ? -1 : digits > 0n ? 1 : 0;
}

/** length(): the digits that count; those of 0.05 are one, those of 0 too. */
export function lengthOf(n: Num): number {
  const text = (n.digits < 0n ? -n.digits : n.digits).toString();
  return n.digits === 0n ? Math.max(n.scale, 1) : Math.max(text.length, n.scale);
}

const DIGITS = '0123456789ABCDEF';

/** A constant in the input base; one digit alone has its own value in any base. */
export function parseNumber(text: string, base: number): Num {
  const [whole = '', fraction = ''] = text.split('.');
  if (whole.length + fraction.length === 1) {
    const value = DIGITS.indexOf(whole + fraction);
    return fraction === '' ? integer(value) : divide(integer(value), integer(base), 1);
  }
  if (base === 10 && !/[A-F]/.test(text))
    return { digits: BigInt(`${whole}${fraction}` || '0'), scale: fraction.length };
  const digitOf = (digit: string): bigint => BigInt(Math.min(DIGITS.indexOf(digit), base - 1));
  let digits = 0n;
  for (const digit of whole + fraction) digits = digits * BigInt(base) + digitOf(digit);
  const bottom = integer(BigInt(base) ** BigInt(fraction.length));
  return divide({ digits, scale: 0 }, bottom, fraction.length);
}

/** The number in an output base, on one line. */
export function formatNumber(n: Num, base: number): string {
  if (n.digits === 0n) return '0';
  const sign = n.digits < 0n ? '-' : '';
  const size = n.digits < 0n ? -n.digits : n.digits;
  const unit = power10(n.scale);
  const whole = size / unit;
  const fraction = size % unit;
  if (base === 10) return sign + decimal(whole, fraction, n.scale);
  const places: number[] = [];
  for (let rest = whole; rest > 0n; rest /= BigInt(base))
    places.unshift(Number(rest % BigInt(base)));
  const behind: number[] = [];
  let rest = fraction;
  // As many places as give at least the digits that the number has.
  for (let reach = 1n; reach < unit && n.scale > 0; reach *= BigInt(base)) {
    rest *= BigInt(base);
    behind.push(Number(rest / unit));
    rest %= unit;
  }
  if (base <= 16) {
    const text = (list: readonly number[]): string => list.map((d) => DIGITS[d]).join('');
    const head = places.length === 0 && behind.length === 0 ? '0' : text(places);
    return sign + head + (behind.length > 0 ? `.${text(behind)}` : '');
  }
  const width = String(base - 1).length;
  const text = (list: readonly number[]): string =>
    list.map((d) => ` ${String(d).padStart(width, '0')}`).join('');
  if (places.length === 0 && behind.length === 0) return '0';
  return sign + text(places) + (behind.length > 0 ? `.${text(behind).slice(1)}` : '');
}

function decimal(whole: bigint, fraction: bigint, scale: number): string {
  const head = whole === 0n ? '' : whole.toString();
  if (scale === 0) return head || '0';
  if (whole === 0n && fraction === 0n) return '0';
  return `${head}.${fraction.toString().padStart(scale, '0')}`;
}
