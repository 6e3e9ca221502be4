// The functions of bc -l: s c a l e j (POSIX.1-2024 XCU bc, "-l"). Each is computed with more digits
// than asked for and cut.

import { integer, type Num, power10, rescaled } from './number.ts';

/** Fixed point: a number times `one`. */
interface Fixed {
  readonly one: bigint;
  readonly x: bigint;
}

const GUARD = 8;

function fixed(n: Num, scale: number): Fixed {
  const at = scale + GUARD;
  return { one: power10(at), x: rescaled(n, at).digits };
}

const cut = (value: bigint, one: bigint, scale: number): Num => {
  const digits = (value * power10(scale)) / one;
  return { digits, scale };
};

const sizeOf = (x: bigint): bigint => (x < 0n ? -x : x);

/** e^x: the argument is halved until it is small, the result squared as often. */
export function exponential(n: Num, scale: number): Num {
  if (n.digits === 0n) return rescaled(integer(1), scale);
  const whole = Number(rescaled(n, 0).digits);
  const growth = Math.max(0, Math.ceil(whole * Math.LOG10E)) + 2;
  const { one, x } = fixed(n, scale + growth + 10);
  if (whole < -(scale + 5) * 2.5) return { digits: 0n, scale };
  let halvings = 0;
  let small = x;
  while (sizeOf(small) * 16n > one) {
    small /= 2n;
    halvings++;
  }
  let sum = one;
  let term = one;
  for (let i = 1n; term !== 0n; i++) {
    term = (term * small) / (one * i);
    sum += term;
  }
  for (let i = 0; i < halvings; i++) sum = (sum * sum) / one;
  return cut(sum, one, scale);
}

/** l(x): roots bring the argument near 1, then the series of the inverse hyperbolic tangent. */
export function logarithm(n: Num, scale: number): Num {
  if (n.digits <= 0n) {
    const nines = power10(scale) - 1n;
    return { digits: nines * -1n || -1n, scale };
  }
  const digits = sizeOf(n.digits).toString().length + n.scale;
  const work = scale + 12 + String(digits).length;
  const { one, x } = fixed(n, Math.max(work, n.scale + scale));
  let value = x;
  let factor = 2n;
  const near = one / 20n;
  while (sizeOf(value - one) > near) {
    value = root(value * one);
    factor *= 2n;
  }
  const t = ((value - one) * one) / (value + one);
  const square = (t * t) / one;
  let sum = 0n;
  let power = t;
  for (let i = 1n; power !== 0n; i += 2n) {
    sum += power / i;
    power = (power * square) / one;
  }
  return cut(sum * factor, one, scale);
}

function root(value: bigint): bigint {
  let guess = 1n << BigInt(Math.ceil(value.toString(2).length / 2));
  for (;;) {
    const next = (guess + value / guess) >> 1n;
    if (next >= guess) return guess;
    guess = next;
  }
}

/** 4 (4 arctan 1/5 - arctan 1/239), Machin. */
function pi(one: bigint): bigint {
  const inverse = (divisor: bigint): bigint => {
    let power = one / divisor;
    let sum = power;
    for (let i = 3n, sign = -1n; power !== 0n; i += 2n, sign = -sign) {
      power /= divisor * divisor;
      sum += (sign * power) / i;
    }
    return sum;
  };
  return 4n * (4n * inverse(5n) - inverse(239n));
}

export const sine = (n: Num, scale: number): Num => circular(n, scale, 'sine');
export const cosine = (n: Num, scale: number): Num => circular(n, scale, 'cosine');

function circular(n: Num, scale: number, which: 'sine' | 'cosine'): Num {
  const size = sizeOf(rescaled(n, 0).digits).toString().length;
  const { one, x } = fixed(n, scale + size + 4);
  const turn = 2n * pi(one);
  const angle = x % turn;
  const square = (angle * angle) / one;
  let term = which === 'sine' ? angle : one;
  let sum = term;
  for (let i = which === 'sine' ? 2n : 1n; term !== 0n; i += 2n) {
    term = -(term * square) / (one * i * (i + 1n));
    sum += term;
  }
  return cut(sum, one, scale);
}

export function arcTangent(n: Num, scale: number): Num {
  const { one, x } = fixed(n, scale + n.scale + 6);
  let value = x;
  let factor = 1n;
  // arctan x = 2 arctan (x / (1 + √(1 + x²)))
  while (sizeOf(value) * 8n > one) {
    value = (value * one) / (one + root(one * one + value * value));
    factor *= 2n;
  }
  const square = (value * value) / one;
  let sum = 0n;
  let power = value;
  for (let i = 1n; power !== 0n; i += 2n) {
    sum += power / i;
    power = -(power * square) / one;
  }
  return cut(sum * factor, one, scale);
}

/** Bessel's function of integer order. */
export function bessel(order: Num, n: Num, scale: number): Num {
  let index = Number(rescaled(order, 0).digits);
  const flips = index < 0 && index % 2 !== 0;
  index = Math.abs(index);
  const size = Number(sizeOf(rescaled(n, 0).digits));
  const { one, x } = fixed(n, scale + Math.ceil(1.4 * size) + 6);
  let term = one;
  for (let i = 1; i <= index; i++) term = (term * x) / (one * 2n * BigInt(i));
  const square = (x * x) / one / 4n;
  let sum = term;
  for (let i = 1n; term !== 0n; i++) {
    term = -(term * square) / (one * i * (BigInt(index) + i));
    sum += term;
  }
  return cut(flips ? -sum : sum, one, scale);
}
