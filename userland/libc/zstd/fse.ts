// Finite state entropy, the writing side (RFC 8878 §4.1): counts made into probabilities, their
// description, and the table by which a symbol moves the state and gives its bits.

import type { BitWriter } from './bits.ts';
import { highestBit } from './format.ts';

const LOG_LEAST = 5;

export interface Distribution {
  readonly log: number;
  /** Of 2^log; −1 is less than one. */
  readonly norm: readonly number[];
}

/** Probabilities for `total` symbols; there are two different ones at least. */
export function normalized(
  counts: readonly number[],
  total: number,
  logMost: number,
): Distribution {
  const present = counts.filter((count) => count > 0).length;
  const enough = Math.max(LOG_LEAST, highestBit(Math.max(1, present)) + 2);
  const log = Math.max(enough, Math.min(logMost, highestBit(Math.max(2, total - 1)) - 2));
  const size = 2 ** Math.min(log, logMost);
  const rare = total / size;
  const norm = counts.map((count) => {
    if (count === 0) return 0;
    return count <= rare ? -1 : Math.max(1, Math.round((count * size) / total));
  });
  let left = size - norm.reduce((sum, n) => sum + Math.abs(n), 0);
  while (left !== 0) {
    const largest = norm.indexOf(Math.max(...norm));
    const before = norm[largest] ?? 0;
    // Too much was given away: it is taken from the largest, a part of it at a time.
    const change = left > 0 ? left : -Math.min(-left, Math.max(1, before >> 2));
    norm[largest] = before + change;
    left -= change;
  }
  return { log: highestBit(size), norm };
}

/** What the symbols cost by this distribution, in bits; Infinity when one has no place in it. */
export function costOf(counts: readonly number[], { log, norm }: Distribution): number {
  let bits = 0;
  for (const [symbol, count] of counts.entries()) {
    if (count === 0) continue;
    const share = Math.abs(norm[symbol] ?? 0);
    if (share === 0) return Number.POSITIVE_INFINITY;
    bits += count * (log - Math.log2(share));
  }
  return bits;
}

/** §4.1.1: each probability in as many bits as what is left of the sum needs. */
export function writeDistribution(out: BitWriter, { log, norm }: Distribution): void {
  out.add(log - LOG_LEAST, 4);
  let threshold = 2 ** log;
  let left = threshold + 1;
  let width = log + 1;
  for (let symbol = 0; left > 1; ) {
    const share = norm[symbol++] ?? 0;
    const spare = 2 * threshold - 1 - left;
    left -= Math.abs(share);
    const value = share + 1 >= threshold ? share + 1 + spare : share + 1;
    out.add(value, value < spare ? width - 1 : width);
    if (share === 0) symbol = writeZeros(out, norm, symbol);
    while (left < threshold && width > 1) {
      width--;
      threshold /= 2;
    }
  }
  out.fill();
}

/** How many zeros follow the first one, two bits at a time: three means that it goes on. */
function writeZeros(out: BitWriter, norm: readonly number[], from: number): number {
  let symbol = from;
  while (symbol < norm.length && norm[symbol] === 0) symbol++;
  let zeros = symbol - from;
  for (; zeros >= 3; zeros -= 3) out.add(3, 2);
  out.add(zeros, 2);
  return symbol;
}

export class FseTable {
  readonly log: number;
  /** Next states, those of one symbol beside each other. */
  readonly #next: Uint16Array;
  readonly #deltaBits: Int32Array;
  readonly #deltaFind: Int32Array;

  constructor({ log, norm }: Distribution) {
    const size = 2 ** log;
    this.log = log;
    this.#next = new Uint16Array(size);
    this.#deltaBits = new Int32Array(norm.length);
    this.#deltaFind = new Int32Array(norm.length);
    const begins = new Int32Array(norm.length);
    let total = 0;
    for (const [symbol, share] of norm.entries()) {
      const states = Math.abs(share);
      begins[symbol] = total;
      // A symbol with n states gives up `most` bits, or one less from the state that n << most is on.
      const most = states <= 1 ? log : log - highestBit(states - 1);
      this.#deltaBits[symbol] = (most << 16) - (Math.max(1, states) << most);
      this.#deltaFind[symbol] = total - states;
      total += states;
    }
    for (const [state, symbol] of spread(norm, size).entries()) {
      const at = begins[symbol] ?? 0;
      this.#next[at] = size + state;
      begins[symbol] = at + 1;
    }
  }

  /** The state from which a decoder's last symbol is this one. */
  start(symbol: number): number {
    const delta = this.#deltaBits[symbol] ?? 0;
    const bits = (delta + (1 << 15)) >> 16;
    const value = (bits << 16) - delta;
    return this.#next[(value >> bits) + (this.#deltaFind[symbol] ?? 0)] ?? 0;
  }

  /** Writes the bits by which a decoder comes from the symbol's state to this one; the former. */
  step(out: BitWriter, state: number, symbol: number): number {
    const bits = (state + (this.#deltaBits[symbol] ?? 0)) >> 16;
    out.add(state, bits);
    return this.#next[(state >> bits) + (this.#deltaFind[symbol] ?? 0)] ?? 0;
  }
}

/** §4.1.1: rare symbols from the end, the others in steps that meet each place once. */
function spread(norm: readonly number[], size: number): Uint8Array {
  const symbols = new Uint8Array(size);
  let last = size - 1;
  for (const [symbol, share] of norm.entries()) if (share === -1) symbols[last--] = symbol;
  const step = (size >> 1) + (size >> 3) + 3;
  let at = 0;
  for (const [symbol, share] of norm.entries()) {
    for (let i = 0; i < share; i++) {
      symbols[at] = symbol;
      do at = (at + step) & (size - 1);
      while (at > last);
    }
  }
  return symbols;
}
