// What was seen before: chains of positions with the same four bytes, and a parse that looks ahead by a
// byte or two before it takes a match (as zlib and zstd's lazy strategies do).

import { highestBit } from './format.ts';

const MATCH_LEAST = 4;
const MATCH_MOST = 1 << 16;
const PRIME = 0x9e3779b1 | 0;
/** Positions are 31 bits; before they run out, all is forgotten once. */
const POSITION_MOST = 2 ** 30;
/** After 2^8 bytes without a match every second position is tried, then every third … */
const SKIP_LOG = 8;

export interface Effort {
  readonly windowLog: number;
  readonly hashLog: number;
  /** Positions of one chain that are tried. */
  readonly depth: number;
  /** Bytes that a better match may begin later. */
  readonly lazy: 0 | 1 | 2;
  /** A match that is as long is taken at once. */
  readonly enough: number;
}

/** Sequences of one block, in columns; `offsetValues` as the format has them: 1 to 3 repeat. */
export interface Sequences {
  count: number;
  readonly literalLengths: Int32Array;
  readonly matchLengths: Int32Array;
  readonly offsetValues: Int32Array;
  readonly literals: Uint8Array;
  literalCount: number;
}

export const sequencesFor = (blockMost: number): Sequences => ({
  ...{ count: 0, literalCount: 0 },
  literalLengths: new Int32Array(blockMost / MATCH_LEAST + 1),
  matchLengths: new Int32Array(blockMost / MATCH_LEAST + 1),
  offsetValues: new Int32Array(blockMost / MATCH_LEAST + 1),
  literals: new Uint8Array(blockMost),
});

interface Match {
  length: number;
  offset: number;
}

export class MatchFinder {
  readonly #effort: Effort;
  readonly #windowSize: number;
  /** Two windows: when it is full, the newer one moves to the front. */
  readonly #buffer: Uint8Array;
  #filled = 0;
  /** The position of the buffer's first byte. */
  #origin = 1;
  readonly #heads: Int32Array;
  readonly #chain: Int32Array;
  /** Positions before this one are in the chains. */
  #inserted = 1;
  readonly #best: Match = { length: 0, offset: 0 };
  /** The last three offsets (RFC 8878 §3.1.1.5). */
  repeats: readonly [number, number, number] = [1, 4, 8];

  constructor(effort: Effort) {
    this.#effort = effort;
    this.#windowSize = 2 ** effort.windowLog;
    this.#buffer = new Uint8Array(2 * this.#windowSize);
    this.#heads = new Int32Array(2 ** effort.hashLog);
    this.#chain = new Int32Array(this.#windowSize);
  }

  /** Splits the block, which is no longer than the window, into literals and matches. */
  parse(block: Uint8Array, out: Sequences): void {
    const start = this.#take(block);
    const end = start + block.length;
    out.count = 0;
    out.literalCount = 0;
    let anchor = start;
    let at = start;
    while (at + 8 <= end) {
      const found = this.#choose({ at, anchor, end });
      if (found === undefined) {
        at += 1 + ((at - anchor) >> SKIP_LOG);
        continue;
      }
      at = found.at;
      this.#put(out, { anchor, at, match: found });
      at += found.length;
      anchor = at;
    }
    this.#literals(out, anchor, end);
  }

  /** Copies the block behind the history; its index in the buffer. */
  #take(block: Uint8Array): number {
    if (this.#filled + block.length > this.#buffer.length) {
      const drop = this.#filled - this.#windowSize;
      this.#buffer.copyWithin(0, drop, this.#filled);
      this.#origin += drop;
      this.#filled -= drop;
    }
    if (this.#origin > POSITION_MOST) {
      this.#heads.fill(0);
      this.#chain.fill(0);
      this.#origin = 1;
      this.#inserted = 1 + this.#filled;
    }
    this.#buffer.set(block, this.#filled);
    this.#filled += block.length;
    return this.#filled - block.length;
  }

  /** The match to take, from here or a little later. */
  #choose(from: {
    at: number;
    anchor: number;
    end: number;
  }): { at: number; length: number; offset: number } | undefined {
    const { anchor, end } = from;
    let at = from.at;
    if (!this.#search(at, end, at > anchor)) return undefined;
    let { length, offset } = this.#best;
    for (let ahead = 1; ahead <= this.#effort.lazy && length < this.#effort.enough; ahead++) {
      const next = at + ahead;
      if (next + 8 > end) break;
      if (!this.#search(next, end, true)) continue;
      const gain = this.#worth(this.#best) - this.#worth({ length, offset });
      if (gain <= 3 * ahead) continue;
      ({ length, offset } = this.#best);
      at = next;
      ahead = 0;
    }
    // What is before may be the same, too.
    while (at > anchor && this.#sameBefore(at, offset)) {
      at--;
      length++;
    }
    return { at, length, offset };
  }

  /** A byte saved is four; a far offset costs its bits. */
  #worth({ length, offset }: Match): number {
    return length * 4 - (this.repeats[0] === offset ? 0 : highestBit(offset));
  }

  #sameBefore(at: number, offset: number): boolean {
    const buffer = this.#buffer;
    return at - offset > 0 && buffer[at - 1] === buffer[at - 1 - offset];
  }

  /** The best match that begins here, in #best; `hasLiterals` says which offsets repeat. */
  #search(at: number, end: number, hasLiterals: boolean): boolean {
    const best = this.#best;
    best.length = 0;
    const limit = Math.min(end, at + MATCH_MOST);
    const reach = Math.min(this.#windowSize, at);
    for (let i = hasLiterals ? 0 : 1; i < 3; i++) {
      const offset = this.repeats[i] ?? 0;
      if (offset > reach) continue;
      const length = this.#common(at, at - offset, limit);
      if (length >= MATCH_LEAST && length > best.length) {
        best.length = length;
        best.offset = offset;
      }
    }
    this.#walk(at, limit, reach);
    return best.length >= MATCH_LEAST;
  }

  #walk(at: number, limit: number, reach: number): void {
    const { depth, enough } = this.#effort;
    const buffer = this.#buffer;
    const best = this.#best;
    const mask = this.#windowSize - 1;
    const here = this.#origin + at;
    const oldest = here - reach;
    this.#insertTo(at);
    let position = this.#heads[this.#hash(at)] as number;
    for (let tries = depth; position >= oldest && tries > 0; tries--) {
      const candidate = position - this.#origin;
      if (buffer[candidate + best.length] === buffer[at + best.length]) {
        const length = this.#common(at, candidate, limit);
        const saved = (length - best.length) * 4;
        const dearer = best.length === 0 ? 0 : highestBit(at - candidate) - highestBit(best.offset);
        if (length >= MATCH_LEAST && length > best.length && saved > dearer) {
          best.length = length;
          best.offset = at - candidate;
          if (length >= enough || at + length >= limit) break;
        }
      }
      const older = this.#chain[position & mask] as number;
      if (older >= position) break; // overwritten by what is newer
      position = older;
    }
  }

  #common(at: number, candidate: number, limit: number): number {
    const buffer = this.#buffer;
    let i = at;
    for (let j = candidate; i < limit && buffer[i] === buffer[j]; i++) j++;
    return i - at;
  }

  #hash(at: number): number {
    const buffer = this.#buffer;
    const word =
      (buffer[at] as number) |
      ((buffer[at + 1] as number) << 8) |
      ((buffer[at + 2] as number) << 16) |
      ((buffer[at + 3] as number) << 24);
    return Math.imul(word, PRIME) >>> (32 - this.#effort.hashLog);
  }

  /** All positions before `at` come into the chains; of a long stretch the last ones only. */
  #insertTo(at: number): void {
    const mask = this.#windowSize - 1;
    const until = this.#origin + at;
    for (let position = this.#inserted; position < until; position++) {
      const hash = this.#hash(position - this.#origin);
      this.#chain[position & mask] = this.#heads[hash] as number;
      this.#heads[hash] = position;
    }
    if (until > this.#inserted) this.#inserted = until;
  }

  #put(out: Sequences, { anchor, at, match }: { anchor: number; at: number; match: Match }): void {
    this.#literals(out, anchor, at);
    const literals = at - anchor;
    out.literalLengths[out.count] = literals;
    out.matchLengths[out.count] = match.length;
    out.offsetValues[out.count] = this.#offsetValue(match.offset, literals > 0);
    out.count++;
  }

  /** §3.1.1.5: without literals in front, 1 to 3 mean the second, the third, and the first less one. */
  #offsetValue(offset: number, hasLiterals: boolean): number {
    const [first, second, third] = this.repeats;
    const order = hasLiterals ? [first, second, third] : [second, third, first - 1];
    const found = order.indexOf(offset);
    if (offset === second) this.repeats = [second, first, third];
    else if (offset !== first || !hasLiterals) this.repeats = [offset, first, second];
    return found >= 0 ? found + 1 : offset + 3;
  }

  #literals(out: Sequences, from: number, to: number): void {
    out.literals.set(this.#buffer.subarray(from, to), out.literalCount);
    out.literalCount += to - from;
  }
}
