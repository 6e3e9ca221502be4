// Bits as zstd's streams have them (RFC 8878 §4): written from the lowest bit of the first byte on, read
// from the end, where a single bit marks the last one.

export class BitWriter {
  readonly bytes: Uint8Array;
  /** Where the next whole byte goes. Past the end of `bytes`, nothing is kept: look at `overrun`. */
  at: number;
  #bits = 0;
  #count = 0;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  get overrun(): boolean {
    return this.at > this.bytes.length;
  }

  /** The lowest `count` bits of `value`, 24 at most. */
  add(value: number, count: number): void {
    let bits = this.#bits | ((value & ((1 << count) - 1)) << this.#count);
    let held = this.#count + count;
    while (held >= 8) {
      this.bytes[this.at++] = bits;
      bits >>>= 8;
      held -= 8;
    }
    this.#bits = bits;
    this.#count = held;
  }

  /** Up to 31 bits. */
  addLong(value: number, count: number): void {
    this.add(value, Math.min(count, 16));
    if (count > 16) this.add(value >>> 16, count - 16);
  }

  /** The bit that marks the end, and zeros up to the next byte. */
  close(): void {
    this.add(1, 1);
    this.fill();
  }

  fill(): void {
    if (this.#count === 0) return;
    this.bytes[this.at++] = this.#bits;
    this.#bits = 0;
    this.#count = 0;
  }
}
