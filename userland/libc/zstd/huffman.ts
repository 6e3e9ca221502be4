// Huffman coding of literals, the writing side (RFC 8878 §4.2): code lengths of eleven bits at most by
// package-merge (Larmore, Hirschberg 1990), the description of the tree, one stream or four.

import { BitWriter } from './bits.ts';
import { FseTable, normalized, writeDistribution } from './fse.ts';

const LENGTH_MOST = 11;
const WEIGHT_LOG_MOST = 6;
/** Weights that may be listed four bits each. */
const LISTED_MOST = 128;

export interface HuffmanCode {
  /** Bits of each symbol; 0 = does not occur. */
  readonly lengths: Uint8Array;
  readonly codes: Uint16Array;
}

/** A code for these counts, of which two at least are not zero. */
export function huffmanCode(counts: readonly number[]): HuffmanCode {
  const lengths = limitedLengths(counts);
  return { lengths, codes: canonicalCodes(lengths) };
}

interface Coin {
  readonly weight: number;
  /** One symbol, or the two coins that were put together. */
  readonly symbol: number;
  readonly parts: readonly Coin[];
}

/** The 2n − 2 cheapest coins of the last row: a symbol's length is in how many of them it is. */
function limitedLengths(counts: readonly number[]): Uint8Array {
  const leaves: Coin[] = [...counts.entries()]
    .filter(([, count]) => count > 0)
    .map(([symbol, weight]) => ({ weight, symbol, parts: [] }))
    .sort((a, b) => a.weight - b.weight);
  let row = leaves;
  for (let length = 1; length < LENGTH_MOST; length++) row = merged(leaves, paired(row));
  const lengths = new Uint8Array(counts.length);
  const open = row.slice(0, 2 * leaves.length - 2);
  for (let coin = open.pop(); coin !== undefined; coin = open.pop()) {
    if (coin.parts.length > 0) open.push(...coin.parts);
    else lengths[coin.symbol] = (lengths[coin.symbol] ?? 0) + 1;
  }
  return lengths;
}

function paired(row: readonly Coin[]): Coin[] {
  const out: Coin[] = [];
  for (let i = 0; i + 1 < row.length; i += 2) {
    const [a, b] = [row[i], row[i + 1]];
    if (a !== undefined && b !== undefined)
      out.push({ weight: a.weight + b.weight, symbol: -1, parts: [a, b] });
  }
  return out;
}

function merged(leaves: readonly Coin[], pairs: readonly Coin[]): Coin[] {
  const out: Coin[] = [];
  let at = 0;
  for (const leaf of leaves) {
    for (let pair = pairs[at]; pair !== undefined && pair.weight < leaf.weight; pair = pairs[++at])
      out.push(pair);
    out.push(leaf);
  }
  out.push(...pairs.slice(at));
  return out;
}

/** §4.2.1.3: the longest codes first, from zero; of one length in the symbols' order. */
function canonicalCodes(lengths: Uint8Array): Uint16Array {
  const ofLength = new Uint16Array(LENGTH_MOST + 2);
  for (const length of lengths) if (length > 0) ofLength[length] = (ofLength[length] ?? 0) + 1;
  const next = new Uint16Array(LENGTH_MOST + 2);
  for (let length = LENGTH_MOST; length > 0; length--) {
    next[length] = ((next[length + 1] ?? 0) + (ofLength[length + 1] ?? 0)) >> 1;
  }
  return Uint16Array.from(lengths, (length) => {
    if (length === 0) return 0;
    const code = next[length] ?? 0;
    next[length] = code + 1;
    return code;
  });
}

/** §4.2.1: the weights of all symbols but the last, packed or listed; false when neither is possible. */
export function writeTree(out: BitWriter, { lengths }: HuffmanCode): boolean {
  const longest = Math.max(...lengths);
  const last = lengths.findLastIndex((length) => length > 0);
  const weights = [...lengths.subarray(0, last)].map((length) =>
    length === 0 ? 0 : longest + 1 - length,
  );
  const packed = packedWeights(weights);
  const listed = weights.length <= LISTED_MOST ? Math.ceil(weights.length / 2) : undefined;
  if (packed !== undefined && (listed === undefined || packed.length < listed)) {
    out.add(packed.length, 8);
    for (const byte of packed) out.add(byte, 8);
    return true;
  }
  if (listed === undefined) return false;
  out.add(127 + weights.length, 8);
  for (let i = 0; i < weights.length; i += 2)
    out.add(((weights[i] ?? 0) << 4) | (weights[i + 1] ?? 0), 8);
  return true;
}

/** By two states that take turns (§4.2.1.2); undefined when that is no use. */
function packedWeights(weights: readonly number[]): Uint8Array | undefined {
  const counts = new Array<number>(Math.max(0, ...weights) + 1).fill(0);
  for (const weight of weights) counts[weight] = (counts[weight] ?? 0) + 1;
  if (weights.length < 2 || counts.filter((count) => count > 0).length < 2) return undefined;
  const distribution = normalized(counts, weights.length, WEIGHT_LOG_MOST);
  const out = new BitWriter(new Uint8Array(LISTED_MOST), 0);
  writeDistribution(out, distribution);
  const table = new FseTable(distribution);
  const states: [number, number] = [-1, -1];
  for (let i = weights.length - 1; i >= 0; i--) {
    const turn = (i & 1) as 0 | 1;
    const weight = weights[i] ?? 0;
    states[turn] = states[turn] < 0 ? table.start(weight) : table.step(out, states[turn], weight);
  }
  out.add(states[1], table.log);
  out.add(states[0], table.log);
  out.close();
  return out.at < LISTED_MOST ? out.bytes.subarray(0, out.at) : undefined;
}

/** §4.2.2: the last symbol first. */
export function writeStream(out: BitWriter, literals: Uint8Array, code: HuffmanCode): void {
  const { lengths, codes } = code;
  for (let i = literals.length - 1; i >= 0; i--) {
    const symbol = literals[i] as number;
    out.add(codes[symbol] as number, lengths[symbol] as number);
  }
  out.close();
}

/** §3.1.1.3.1.6: four streams behind the lengths of three of them. */
export function writeFourStreams(out: BitWriter, literals: Uint8Array, code: HuffmanCode): void {
  const quarter = Math.ceil(literals.length / 4);
  const table = out.at;
  out.at += 6;
  for (let i = 0; i < 4; i++) {
    const from = out.at;
    writeStream(out, literals.subarray(i * quarter, (i + 1) * quarter), code);
    if (i === 3) break;
    const size = out.at - from;
    out.bytes[table + 2 * i] = size;
    out.bytes[table + 2 * i + 1] = size >> 8;
  }
}

/** Bits of these counts by the code, descriptions not included. */
export function huffmanBits(counts: readonly number[], { lengths }: HuffmanCode): number {
  return counts.reduce((sum, count, symbol) => sum + count * (lengths[symbol] ?? 0), 0);
}
