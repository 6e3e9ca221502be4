// XXH64, the checksum of zstd's frames (RFC 8878 §3.1.1; the xxHash specification 0.1.1), as a stream. The
// four lanes are kept as pairs of 32 bits: 64-bit products of halves are ten times as quick as a bigint's.

const P1 = 0x9e3779b185ebca87n;
const P2 = 0xc2b2ae3d27d4eb4fn;
const P3 = 0x165667b19e3779f9n;
const P4 = 0x85ebca77c2b2ae63n;
const P5 = 0x27d4eb2f165667c5n;
const STRIPE = 32;

const low = (value: bigint): number => Number(value & 0xffffffffn) | 0;
const high = (value: bigint): number => Number((value >> 32n) & 0xffffffffn) | 0;
const wrap = (value: bigint): bigint => BigInt.asUintN(64, value);
const rotate = (value: bigint, by: bigint): bigint => wrap((value << by) | (value >> (64n - by)));

const [P1L, P1H, P2L, P2H] = [low(P1), high(P1), low(P2), high(P2)];

export class Xxh64 {
  /** Lane by lane: low, high. */
  readonly #lanes = new Int32Array(
    [wrap(P1 + P2), P2, 0n, wrap(-P1)].flatMap((lane) => [low(lane), high(lane)]),
  );
  readonly #held = new Uint8Array(STRIPE);
  #heldBytes = 0;
  #total = 0;

  update(bytes: Uint8Array): void {
    this.#total += bytes.length;
    let at = 0;
    if (this.#heldBytes > 0) {
      at = Math.min(STRIPE - this.#heldBytes, bytes.length);
      this.#held.set(bytes.subarray(0, at), this.#heldBytes);
      this.#heldBytes += at;
      if (this.#heldBytes < STRIPE) return;
      this.#stripes(this.#held, 0);
      this.#heldBytes = 0;
    }
    at = this.#stripes(bytes, at);
    this.#held.set(bytes.subarray(at));
    this.#heldBytes = bytes.length - at;
  }

  /** All whole stripes from `from`; where the rest begins. */
  #stripes(bytes: Uint8Array, from: number): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const lanes = this.#lanes;
    let at = from;
    for (; at + STRIPE <= bytes.length; at += STRIPE) {
      for (let lane = 0; lane < 8; lane += 2) {
        round(
          lanes,
          lane,
          view.getInt32(at + lane * 4, true),
          view.getInt32(at + lane * 4 + 4, true),
        );
      }
    }
    return at;
  }

  digest(): bigint {
    let hash = this.#total >= STRIPE ? this.#merged() : P5;
    hash = wrap(hash + BigInt(this.#total));
    const rest = new DataView(this.#held.buffer, 0, this.#heldBytes);
    let at = 0;
    for (; at + 8 <= rest.byteLength; at += 8) {
      hash ^= mixed(0n, rest.getBigUint64(at, true));
      hash = wrap(rotate(hash, 27n) * P1 + P4);
    }
    if (at + 4 <= rest.byteLength) {
      hash ^= wrap(BigInt(rest.getUint32(at, true)) * P1);
      hash = wrap(rotate(hash, 23n) * P2 + P3);
      at += 4;
    }
    for (; at < rest.byteLength; at++) {
      hash ^= wrap(BigInt(rest.getUint8(at)) * P5);
      hash = wrap(rotate(hash, 11n) * P1);
    }
    hash = wrap((hash ^ (hash >> 33n)) * P2);
    hash = wrap((hash ^ (hash >> 29n)) * P3);
    return hash ^ (hash >> 32n);
  }

  #merged(): bigint {
    const lanes = [0, 2, 4, 6].map(
      (at) =>
        (BigInt((this.#lanes[at + 1] ?? 0) >>> 0) << 32n) | BigInt((this.#lanes[at] ?? 0) >>> 0),
    );
    const turns = [1n, 7n, 12n, 18n];
    let hash = wrap(lanes.reduce((sum, lane, i) => sum + rotate(lane, turns[i] ?? 0n), 0n));
    for (const lane of lanes) hash = wrap((hash ^ mixed(0n, lane)) * P1 + P4);
    return hash;
  }
}

const mixed = (lane: bigint, input: bigint): bigint =>
  wrap(rotate(wrap(lane + input * P2), 31n) * P1);

/** lane = rotl(lane + input × P2, 31) × P1, modulo 2^64. */
function round(lanes: Int32Array, lane: number, inputLow: number, inputHigh: number): void {
  const addLow = Math.imul(inputLow, P2L);
  const addHigh =
    (carryOf(inputLow, P2L) + Math.imul(inputLow, P2H) + Math.imul(inputHigh, P2L)) | 0;
  const before = lanes[lane] ?? 0;
  const sumLow = (before + addLow) | 0;
  const carry = sumLow >>> 0 < before >>> 0 ? 1 : 0;
  const sumHigh = ((lanes[lane + 1] ?? 0) + addHigh + carry) | 0;
  // To the left by 31 is to the right by 1, and the halves change places.
  const turnedLow = (sumHigh >>> 1) | (sumLow << 31);
  const turnedHigh = (sumLow >>> 1) | (sumHigh << 31);
  lanes[lane] = Math.imul(turnedLow, P1L);
  lanes[lane + 1] =
    (carryOf(turnedLow, P1L) + Math.imul(turnedLow, P1H) + Math.imul(turnedHigh, P1L)) | 0;
}

/** The upper 32 bits of the product of two unsigned numbers of 32 bits. */
function carryOf(a: number, b: number): number {
  const [a0, a1, b0, b1] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const lowest = Math.imul(a0, b0) >>> 0;
  const first = (Math.imul(a1, b0) >>> 0) + (lowest >>> 16);
  const second = (Math.imul(a0, b1) >>> 0) + (first & 0xffff);
  return (Math.imul(a1, b1) + (first >>> 16) + (second >>> 16)) | 0;
}
