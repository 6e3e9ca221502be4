// What is written stays in memory over a medium that is only read, until it is brought home: what a repair
// changes first, the header that leads to it last.

import type { Medium } from '../../lib/medium.ts';

const PART = 4096;

export class OverlayMedium implements Medium {
  readonly sizeBytes: number;
  readonly #below: Medium;
  readonly #parts = new Map<number, Uint8Array>();

  constructor(below: Medium) {
    this.#below = below;
    this.sizeBytes = below.sizeBytes;
  }

  read(offset: number, length: number): Uint8Array {
    const out = this.#below.read(offset, length);
    for (const { at, no, count } of pieces(offset, length)) {
      const part = this.#parts.get(no);
      const from = at - no * PART;
      if (part !== undefined) out.set(part.subarray(from, from + count), at - offset);
    }
    return out;
  }

  write(offset: number, bytes: Uint8Array): void {
    for (const { at, no, count } of pieces(offset, bytes.length)) {
      const part = this.#parts.get(no) ?? this.#below.read(no * PART, this.#sizeOf(no));
      part.set(bytes.subarray(at - offset, at - offset + count), at - no * PART);
      this.#parts.set(no, part);
    }
  }

  flush(): void {
    // Nothing is on its way: `bringHome` says when it is to be.
  }

  /** Writes all of it, what holds the volume's header behind everything else. */
  bringHome(): void {
    const sorted = [...this.#parts].sort(([a], [b]) => a - b);
    for (const [no, part] of sorted) if (no !== 0) this.#below.write(no * PART, part);
    this.#below.flush();
    const first = this.#parts.get(0);
    if (first !== undefined) this.#below.write(0, first);
    this.#below.flush();
    this.#parts.clear();
  }

  #sizeOf(no: number): number {
    return Math.min(PART, this.sizeBytes - no * PART);
  }
}

function* pieces(
  offset: number,
  length: number,
): Generator<{ at: number; no: number; count: number }> {
  for (let at = offset; at < offset + length; ) {
    const no = Math.floor(at / PART);
    const count = Math.min((no + 1) * PART, offset + length) - at;
    yield { at, no, count };
    at += count;
  }
}
