// One block (RFC 8878 §3.1.1.2): its literals, raw, repeated or in Huffman's code, and its sequences by
// three tables, each of the kind that costs least.

import { BitWriter } from './bits.ts';
import {
  BLOCK_MOST,
  codeTable,
  DEFAULTS,
  highestBit,
  type LengthCodes,
  LOG_MOST,
  literalCodes,
  matchCodes,
} from './format.ts';
import { costOf, type Distribution, FseTable, normalized, writeDistribution } from './fse.ts';
import { huffmanBits, huffmanCode, writeFourStreams, writeStream, writeTree } from './huffman.ts';
import type { Sequences } from './match.ts';

const LITERALS = { raw: 0, rle: 1, compressed: 2 } as const;
const MODE = { predefined: 0, rle: 1, compressed: 2 } as const;
/** Fewer literals than that gain nothing by a tree of their own. */
const TREE_LEAST = 64;
const ONE_STREAM_MOST = 256;
const SHORT = 64;
const shortLiterals = codeTable(literalCodes, SHORT);
const shortMatches = codeTable(matchCodes, 2 * SHORT);
const ready = {
  literals: new FseTable(DEFAULTS.literals),
  offset: new FseTable(DEFAULTS.offset),
  match: new FseTable(DEFAULTS.match),
};

/** A block, and room for headers and tables. */
const scratch = new Uint8Array(BLOCK_MOST + 1024);

/** The content of a compressed block, valid until the next call; undefined when longer than `most` bytes. */
export function encodeBlock(sequences: Sequences, most: number): Uint8Array | undefined {
  const out = new BitWriter(scratch, 0);
  writeLiterals(out, sequences.literals.subarray(0, sequences.literalCount));
  if (out.at > most) return undefined;
  writeSequences(out, sequences);
  return out.at > most || out.overrun ? undefined : out.bytes.subarray(0, out.at);
}

function writeLiterals(out: BitWriter, literals: Uint8Array): void {
  const counts = new Array<number>(256).fill(0);
  for (let i = 0; i < literals.length; i++) {
    const symbol = literals[i] as number;
    counts[symbol] = (counts[symbol] as number) + 1;
  }
  if (literals.length > 1 && counts[literals[0] ?? 0] === literals.length) {
    plainHeader(out, LITERALS.rle, literals.length);
    out.add(literals[0] ?? 0, 8);
    return;
  }
  if (literals.length < TREE_LEAST || !writePacked(out, literals, counts)) {
    plainHeader(out, LITERALS.raw, literals.length);
    out.bytes.set(literals, out.at);
    out.at += literals.length;
  }
}

/** §3.1.1.3.1.1 for literals that are there as they are. */
function plainHeader(out: BitWriter, type: number, size: number): void {
  if (size < 32) out.add(type | (size << 3), 8);
  else if (size < 4096) out.add(type | (1 << 2) | (size << 4), 16);
  else out.add(type | (3 << 2) | (size << 4), 24);
}

/** False, and nothing written, when it is not worth it. */
function writePacked(out: BitWriter, literals: Uint8Array, counts: readonly number[]): boolean {
  const code = huffmanCode(counts);
  const worth = literals.length - (literals.length >> 6) - 2;
  if (huffmanBits(counts, code) / 8 > worth) return false;
  const form =
    literals.length < ONE_STREAM_MOST
      ? 0
      : literals.length < 1024
        ? 1
        : literals.length < 16_384
          ? 2
          : 3;
  const sizeBits = [10, 10, 14, 18][form] ?? 18;
  const header = out.at;
  const headerBytes = (4 + 2 * sizeBits) >> 3;
  const body = header + headerBytes;
  out.at = body;
  const good = writeTree(out, code);
  if (good) (form === 0 ? writeStream : writeFourStreams)(out, literals, code);
  const size = out.at - body;
  const end = out.at;
  out.at = header;
  if (!good || size > worth || size >= 2 ** sizeBits) return false;
  out.add(LITERALS.compressed | (form << 2), 4);
  out.add(literals.length, sizeBits);
  out.add(size, sizeBits);
  out.at = end;
  return true;
}

interface Column {
  readonly codes: Uint8Array;
  readonly counts: number[];
}

function writeSequences(out: BitWriter, sequences: Sequences): void {
  const { count } = sequences;
  if (count < 128) out.add(count, 8);
  else if (count < 0x7f00) {
    out.add((count >> 8) + 128, 8);
    out.add(count, 8);
  } else {
    out.add(255, 8);
    out.add(count - 0x7f00, 16);
  }
  if (count === 0) return;
  const literals = lengthColumn(sequences.literalLengths, count, {
    codes: literalCodes,
    short: shortLiterals,
  });
  const matches = lengthColumn(sequences.matchLengths, count, {
    codes: matchCodes,
    short: shortMatches,
  });
  const offsets = columnOf(count, (i) => highestBit(sequences.offsetValues[i] as number));
  const modes = out.at++;
  const forLiterals = chooseTable(out, literals, 'literals');
  const forOffsets = chooseTable(out, offsets, 'offset');
  const forMatches = chooseTable(out, matches, 'match');
  out.bytes[modes] = (forLiterals.mode << 6) | (forOffsets.mode << 4) | (forMatches.mode << 2);
  writeStates(out, sequences, [
    { ...literals, table: forLiterals.table },
    { ...offsets, table: forOffsets.table },
    { ...matches, table: forMatches.table },
  ]);
}

function columnOf(count: number, codeAt: (i: number) => number): Column {
  const codes = new Uint8Array(count);
  const counts: number[] = new Array<number>(53).fill(0);
  for (let i = 0; i < count; i++) {
    const code = codeAt(i);
    codes[i] = code;
    counts[code] = (counts[code] ?? 0) + 1;
  }
  while (counts.at(-1) === 0) counts.pop();
  return { codes, counts };
}

/** Behind the short lengths each code is twice as wide as the one before. */
function lengthColumn(
  lengths: Int32Array,
  count: number,
  { codes, short }: { codes: LengthCodes; short: Uint8Array },
): Column {
  const first = codes.base[0] ?? 0;
  const atShort = short[short.length - 1] ?? 0;
  const bit = highestBit(short.length - 1);
  return columnOf(count, (i) => {
    const length = lengths[i] as number;
    return length < short.length
      ? (short[length] as number)
      : atShort + highestBit(length - first) - bit;
  });
}

/** Writes what describes the table; undefined stands for the table of a single symbol. */
function chooseTable(
  out: BitWriter,
  { codes, counts }: Column,
  kind: keyof typeof ready,
): { mode: number; table: FseTable | undefined } {
  const { length } = codes;
  const isSingle = counts.filter((count) => count > 0).length === 1;
  const predefined = costOf(counts, DEFAULTS[kind]);
  if (isSingle && (length > 2 || predefined === Number.POSITIVE_INFINITY)) {
    out.add(codes[0] ?? 0, 8);
    return { mode: MODE.rle, table: undefined };
  }
  if (isSingle) return { mode: MODE.predefined, table: ready[kind] };
  const own: Distribution = normalized(counts, length, LOG_MOST[kind]);
  const described = new BitWriter(new Uint8Array(128), 0);
  writeDistribution(described, own);
  if (predefined <= costOf(counts, own) + described.at * 8) {
    return { mode: MODE.predefined, table: ready[kind] };
  }
  out.bytes.set(described.bytes.subarray(0, described.at), out.at);
  out.at += described.at;
  return { mode: MODE.compressed, table: new FseTable(own) };
}

interface Coded {
  readonly codes: Uint8Array;
  readonly table: FseTable | undefined;
}

/** §3.1.1.3.2.1.2, backwards: a decoder reads offset, match, literals, then moves its states. */
function writeStates(
  out: BitWriter,
  { count, literalLengths, matchLengths, offsetValues }: Sequences,
  [literals, offsets, matches]: readonly [Coded, Coded, Coded],
): void {
  const last = count - 1;
  let [literal, offset, match] = [literals, offsets, matches].map(
    ({ table, codes }) => table?.start(codes[last] as number) ?? 0,
  ) as [number, number, number];
  for (let i = last; i >= 0; i--) {
    const literalCode = literals.codes[i] as number;
    const matchCode = matches.codes[i] as number;
    const offsetCode = offsets.codes[i] as number;
    if (i < last) {
      if (offsets.table !== undefined) offset = offsets.table.step(out, offset, offsetCode);
      if (matches.table !== undefined) match = matches.table.step(out, match, matchCode);
      if (literals.table !== undefined) literal = literals.table.step(out, literal, literalCode);
    }
    const literalExtra = (literalLengths[i] as number) - (literalCodes.base[literalCode] as number);
    const matchExtra = (matchLengths[i] as number) - (matchCodes.base[matchCode] as number);
    out.add(literalExtra, literalCodes.extra[literalCode] as number);
    out.add(matchExtra, matchCodes.extra[matchCode] as number);
    out.addLong(offsetValues[i] as number, offsetCode);
  }
  out.add(match, matches.table?.log ?? 0);
  out.add(offset, offsets.table?.log ?? 0);
  out.add(literal, literals.table?.log ?? 0);
  out.close();
}
