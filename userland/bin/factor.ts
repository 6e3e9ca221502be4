// factor: the prime factors of numbers (GNU coreutils), by trial division up to 2^20 and then by Pollard's
// rho with Miller and Rabin's test, so that 64 bits take no time.

import { decodeText } from '../../kernel/abi/text.ts';
import { program, type Tool } from '../libc/program.ts';
import { quoted } from '../libc/text/quote.ts';

const TRIAL_MOST = 1n << 20n;
/** These bases tell all composites below 3.3 × 10^24; above, none is known that they miss. */
const BASES = [2n, 3n, 5n, 7n, 11n, 13n, 17n, 19n, 23n, 29n, 31n, 37n, 41n];
const DIGITS_MOST = 60;

export const main = program(
  {
    usage: '[-h] [NUMBER]...\n  -h  repeated factors as p^e',
    short: 'h',
    long: { exponents: 'h' },
  },
  (tool, options) => {
    const style = options.has('h') ? 'powers' : 'plain';
    for (const text of options.operands) tell(tool, text, style);
    if (options.operands.length > 0) return;
    tool.eachInput([], (input) => {
      for (let line = input.line(); line !== undefined; line = input.line()) {
        for (const text of decodeText(line).split(/\s+/).filter(Boolean)) tell(tool, text, style);
      }
    });
  },
);

function tell(tool: Tool, text: string, style: 'plain' | 'powers'): void {
  if (!/^\s*\+?\d+$/.test(text) || text.length > DIGITS_MOST) {
    tool.warn(`${quoted(text)} is not a valid positive integer`);
    return;
  }
  const value = BigInt(text.trim().replace('+', ''));
  const factors = factorsOf(value).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const words = style === 'plain' ? factors.map(String) : powers(factors);
  tool.out.text(`${value}:${words.map((word) => ` ${word}`).join('')}\n`);
}

function powers(factors: readonly bigint[]): string[] {
  return [...new Set(factors)].map((prime) => {
    const times = factors.filter((other) => other === prime).length;
    return times === 1 ? String(prime) : `${prime}^${times}`;
  });
}

function factorsOf(value: bigint): bigint[] {
  const out: bigint[] = [];
  let left = value;
  if (left < 2n) return out;
  const take = (prime: bigint): void => {
    for (; left % prime === 0n; left /= prime) out.push(prime);
  };
  take(2n);
  for (let prime = 3n; prime < TRIAL_MOST && prime * prime <= left; prime += 2n) take(prime);
  if (left > 1n) out.push(...large(left));
  return out;
}

/** Of a number without small factors. */
function large(value: bigint): bigint[] {
  if (isPrime(value)) return [value];
  for (let c = 1n; ; c++) {
    const found = rho(value, c);
    if (found !== value) return [...large(found), ...large(value / found)];
  }
}

function isPrime(value: bigint): boolean {
  if (value < 4n) return value > 1n;
  let [odd, twos] = [value - 1n, 0];
  for (; odd % 2n === 0n; odd /= 2n) twos++;
  return BASES.every((base) => {
    if (base % value === 0n) return true;
    let x = power(base, odd, value);
    if (x === 1n || x === value - 1n) return true;
    for (let i = 1; i < twos; i++) {
      x = (x * x) % value;
      if (x === value - 1n) return true;
    }
    return false;
  });
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let [result, square] = [1n, base % modulus];
  for (let e = exponent; e > 0n; e >>= 1n) {
    if (e & 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

/** A divisor, `value` itself when this constant finds none. */
function rho(value: bigint, c: bigint): bigint {
  const next = (x: bigint): bigint => (x * x + c) % value;
  let [slow, fast] = [2n, 2n];
  for (;;) {
    slow = next(slow);
    fast = next(next(fast));
    const divisor = gcd(slow > fast ? slow - fast : fast - slow, value);
    if (divisor !== 1n) return divisor;
  }
}

function gcd(a: bigint, b: bigint): bigint {
  let [x, y] = [a, b];
  while (y > 0n) [x, y] = [y, x % y];
  return x;
}
