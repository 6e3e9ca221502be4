// Bytes as letters of 6 or 5 bits: base64 and base32 of RFC 4648 §4 and §6, over chunks as they come.

export interface Alphabet {
  readonly letters: string;
  readonly bits: 5 | 6;
  /** Letters of a full group; a shorter one is filled up with `=`. */
  readonly group: 4 | 8;
}

const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
export const base64: Alphabet = {
  letters: `${UPPER}${UPPER.toLowerCase()}0123456789+/`,
  bits: 6,
  group: 4,
};
export const base32: Alphabet = { letters: `${UPPER}234567`, bits: 5, group: 8 };

const PADDING = 61; // '='

export class Encoder {
  readonly #alphabet: Alphabet;
  readonly #letters: Uint8Array;
  #held = 0; // bits that no letter has shown yet
  #heldBits = 0;
  #written = 0;

  constructor(alphabet: Alphabet) {
    this.#alphabet = alphabet;
    this.#letters = Uint8Array.from(alphabet.letters, (c) => c.charCodeAt(0));
  }

  /** The letters of these bytes, as far as they are whole. */
  encode(data: Uint8Array): Uint8Array {
    const { bits } = this.#alphabet;
    const out = new Uint8Array(Math.ceil((data.length * 8) / bits) + 1);
    const mask = (1 << bits) - 1;
    let used = 0;
    for (let i = 0; i < data.length; i++) {
      this.#held = (this.#held << 8) | (data[i] as number);
      this.#heldBits += 8;
      while (this.#heldBits >= bits) {
        this.#heldBits -= bits;
        out[used++] = this.#letters[(this.#held >>> this.#heldBits) & mask] as number;
      }
      this.#held &= mask;
    }
    this.#written = (this.#written + used) % this.#alphabet.group;
    return out.subarray(0, used);
  }

  /** The last letter and the padding. */
  finish(): Uint8Array {
    const out: number[] = [];
    const { bits, group } = this.#alphabet;
    if (this.#heldBits > 0) {
      const last = (this.#held << (bits - this.#heldBits)) & ((1 << bits) - 1);
      out.push(this.#letters[last] as number);
      this.#written++;
    }
    for (; this.#written % group !== 0; this.#written++) out.push(PADDING);
    return Uint8Array.from(out);
  }
}

const NEWLINE = 10;

export class Decoder {
  readonly #alphabet: Alphabet;
  readonly #values: Int8Array;
  readonly #garbage: 'skip' | 'refuse';
  #group: number[] = []; // values; -1 = padding
  /** Something came that is no letter, or padding where none may be. What came before was decoded. */
  invalid = false;

  constructor(alphabet: Alphabet, garbage: 'skip' | 'refuse') {
    this.#alphabet = alphabet;
    this.#garbage = garbage;
    this.#values = new Int8Array(256).fill(-1);
    [...alphabet.letters].forEach((c, value) => {
      this.#values[c.charCodeAt(0)] = value;
    });
  }

  decode(data: Uint8Array): Uint8Array {
    const out = new Uint8Array(data.length + 8);
    let used = 0;
    for (let i = 0; i < data.length && !this.invalid; i++) {
      const byte = data[i] as number;
      if (byte === NEWLINE) continue;
      const value = this.#values[byte] as number;
      if (value < 0 && byte !== PADDING) {
        if (this.#garbage === 'skip') continue;
        used += this.#flush(out, used);
        this.invalid = true;
        break;
      }
      this.#group.push(value);
      if (this.#group.length === this.#alphabet.group) used += this.#flush(out, used);
    }
    return out.subarray(0, used);
  }

  finish(): Uint8Array {
    const out = new Uint8Array(8);
    const whole = this.#group.length === 0;
    const used = this.#flush(out, 0);
    if (!whole) this.invalid = true;
    return out.subarray(0, used);
  }

  /** The bytes of the group, written at `at`; how many. */
  #flush(out: Uint8Array, at: number): number {
    const padded = this.#group.indexOf(-1);
    if (this.#alphabet.group === 8 && this.#group.length < 8) this.#group = []; // as GNU's base32
    const values = padded < 0 ? this.#group : this.#group.slice(0, padded);
    const { bits } = this.#alphabet;
    const count = Math.floor((values.length * bits) / 8);
    // Padding goes to the end of the group, and no letter may be there in vain.
    const tail = padded < 0 ? [] : this.#group.slice(padded);
    const vain = values.length > 0 && values.length - Math.ceil((count * 8) / bits) > 0;
    if (tail.some((value) => value >= 0) || (padded >= 0 && count === 0) || vain)
      this.invalid = true;
    let held = 0;
    let heldBits = 0;
    let used = 0;
    for (const value of values) {
      held = ((held << bits) | value) & 0xffff;
      heldBits += bits;
      if (heldBits < 8) continue;
      heldBits -= 8;
      out[at + used++] = (held >>> heldBits) & 0xff;
    }
    this.#group = [];
    return used;
  }
}
