// The numbers of the zstd format (RFC 8878 §3.1.1): magics, limits, the codes of lengths with their bases
// and extra bits, and the distributions that hold where a block brings none.

export const FRAME_MAGIC = 0xfd2fb528;
/** The lowest of sixteen. */
export const SKIPPABLE_MAGIC = 0x184d2a50;
export const BLOCK_MOST = 1 << 17;
export const BLOCK_HEADER = 3;
export const CHECKSUM_BYTES = 4;

export const BLOCK = { raw: 0, rle: 1, compressed: 2, reserved: 3 } as const;
/** Fields of the frame header's first byte (§3.1.1.1.1). */
export const DESCRIPTOR = { single: 0x20, reserved: 0x08, checksum: 0x04 } as const;

export const LOG_MOST = { literals: 9, offset: 8, match: 9 } as const;

export interface LengthCodes {
  readonly base: Int32Array;
  readonly extra: Uint8Array;
}

const LITERAL_EXTRA = [
  ...new Array<number>(16).fill(0),
  ...[1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
];
const MATCH_EXTRA = [
  ...new Array<number>(32).fill(0),
  ...[1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
];

/** §3.1.1.3.2.1.1, tables of literals' and matches' lengths: each code begins where the last one ends. */
export const literalCodes = lengthCodes(LITERAL_EXTRA, 0);
export const matchCodes = lengthCodes(MATCH_EXTRA, 3);

function lengthCodes(extra: readonly number[], first: number): LengthCodes {
  const base = new Int32Array(extra.length);
  let next = first;
  for (const [code, bits] of extra.entries()) {
    base[code] = next;
    next += 2 ** bits;
  }
  return { base, extra: Uint8Array.from(extra) };
}

/** §3.1.1.3.2.2: −1 is a probability below one. */
export const DEFAULTS = {
  literals: {
    log: 6,
    norm: [
      ...[4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2],
      ...[1, 1, 1, 1, 1, -1, -1, -1, -1],
    ],
  },
  match: {
    log: 6,
    norm: [
      ...[1, 4, 3, 2, 2, 2, 2, 2, 2],
      ...new Array<number>(37).fill(1),
      ...[-1, -1, -1, -1, -1, -1, -1],
    ],
  },
  offset: {
    log: 5,
    norm: [1, 1, 1, 1, 1, 1, 2, 2, 2, ...new Array<number>(15).fill(1), -1, -1, -1, -1, -1],
  },
} as const;

/** The code whose range holds `value`: by table where it is short, by its highest bit above. */
export function codeTable(codes: LengthCodes, size: number): Uint8Array {
  const table = new Uint8Array(size);
  let code = 0;
  for (let value = codes.base[0] ?? 0; value < size; value++) {
    while (code + 1 < codes.base.length && (codes.base[code + 1] ?? 0) <= value) code++;
    table[value] = code;
  }
  return table;
}

export const highestBit = (value: number): number => 31 - Math.clz32(value);
