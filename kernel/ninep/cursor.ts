// Cursor: reads and writes the little-endian scalars of 9P over a piece of memory, shared or not.
// Beyond the end it reads 0, writes nothing and sets `overrun`, which stays set: the codec looks
// once, at the end of a message. 9P2000 intro(5); 9P2000.L as diod's protocol.md has it.

import { assert } from '../abi/errno.ts';
import type { Timespec } from '../abi/stat.ts';
import { decodeText, encodeText } from '../abi/text.ts';
import type { Qid } from './types.ts';

const NOTHING = new Uint8Array(0);
const SHORT = 40; // up to this many characters a loop beats the TextDecoder
const NANOSECONDS = 1_000_000_000;

export class Cursor {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  at = 0;
  /** Something did not fit, or was not a value that we can hold. Never cleared. */
  overrun = false;
  /** The payload of this message lies in a grant: its count is in the message, its bytes are not. */
  readonly granted: boolean;

  constructor(bytes: Uint8Array, options: { granted?: boolean } = {}) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.granted = options.granted ?? false;
  }

  /** Steps over `size` bytes and tells where they begin, or -1 when they are not all there. */
  #take(size: number): number {
    const at = this.at;
    if (at + size > this.bytes.length) {
      this.overrun = true;
      this.at = this.bytes.length;
      return -1;
    }
    this.at = at + size;
    return at;
  }

  u8(): number {
    const at = this.#take(1);
    return at < 0 ? 0 : this.view.getUint8(at);
  }

  u16(): number {
    const at = this.#take(2);
    return at < 0 ? 0 : this.view.getUint16(at, true);
  }

  u32(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : this.view.getUint32(at, true);
  }

  /** A u64 up to 2^53 - 1; anything above counts as malformed. */
  u64(): number {
    const low = this.u32();
    const high = this.u32();
    if (high > 0x1f_ffff) {
      this.overrun = true;
      return 0;
    }
    return high * 0x1_0000_0000 + low;
  }

  /** The low 53 bits of a u64 that is an opaque mark and not a count. */
  u64mark(): number {
    const low = this.u32();
    return (this.u32() & 0x1f_ffff) * 0x1_0000_0000 + low;
  }

  /** A signed 64-bit number between -2^53 and 2^53: the seconds of a time before 1970. */
  i64(): number {
    const low = this.u32();
    const high = this.u32() | 0;
    const value = high * 0x1_0000_0000 + low;
    if (Number.isSafeInteger(value)) return value;
    this.overrun = true;
    return 0;
  }

  str(): string {
    const size = this.u16();
    const at = this.#take(size);
    if (at < 0 || size === 0) return '';
    if (size <= SHORT) {
      const text = this.#ascii(at, size);
      if (text !== undefined) return text;
    }
    return decodeText(this.bytes.slice(at, at + size)); // a copy: a peer may change shared memory
  }

  #ascii(at: number, size: number): string | undefined {
    let text = '';
    for (let i = at; i < at + size; i++) {
      const byte = this.bytes[i] ?? 0;
      if (byte >= 0x80) return undefined;
      text += String.fromCharCode(byte);
    }
    return text;
  }

  qid(): Qid {
    return { type: this.u8(), version: this.u32(), path: this.u64() };
  }

  time(): Timespec {
    const sec = this.i64();
    const nsec = this.u64();
    if (nsec < NANOSECONDS) return { sec, nsec };
    this.overrun = true;
    return { sec: 0, nsec: 0 };
  }

  skip(size: number): void {
    this.#take(size);
  }

  /** A view of the next bytes; nothing is copied. */
  data(size: number): Uint8Array {
    const at = this.#take(size);
    return at < 0 ? NOTHING : this.bytes.subarray(at, at + size);
  }

  /** The `data[count]` of Rread, Twrite and Rreaddir: not in the message when it is granted. */
  payload(count: number): Uint8Array {
    return this.granted ? NOTHING : this.data(count);
  }

  putU8(value: number): this {
    const at = this.#take(1);
    if (at >= 0) this.view.setUint8(at, value);
    return this;
  }

  putU16(value: number): this {
    const at = this.#take(2);
    if (at >= 0) this.view.setUint16(at, value, true);
    return this;
  }

  putU32(value: number): this {
    const at = this.#take(4);
    if (at >= 0) this.view.setUint32(at, value, true);
    return this;
  }

  putU64(value: number): this {
    assert(value >= 0 && Number.isSafeInteger(value), `${value} is no u64`);
    return this.putI64(value);
  }

  putI64(value: number): this {
    return this.putU32(value >>> 0).putU32(Math.floor(value / 0x1_0000_0000) >>> 0);
  }

  putStr(text: string): this {
    const start = this.at;
    if (text.length <= SHORT && this.#putAscii(text)) return this;
    this.at = start;
    const encoded = encodeText(text);
    if (encoded.length > 0xffff) this.overrun = true;
    return this.putU16(encoded.length).putData(encoded);
  }

  /** False, with the cursor anywhere, when the text is not ASCII. */
  #putAscii(text: string): boolean {
    for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0x80) return false;
    this.putU16(text.length);
    const at = this.#take(text.length);
    for (let i = 0; at >= 0 && i < text.length; i++) this.bytes[at + i] = text.charCodeAt(i);
    return true;
  }

  putQid(qid: Qid): this {
    return this.putU8(qid.type).putU32(qid.version).putU64(qid.path);
  }

  putTime(time: Timespec): this {
    return this.putI64(time.sec).putU64(time.nsec);
  }

  putData(data: Uint8Array): this {
    const at = this.#take(data.length);
    if (at >= 0) this.bytes.set(data, at);
    return this;
  }

  /** `count[4] data[count]`, or the count alone when the data is granted. */
  putPayload(count: number, data: Uint8Array): this {
    this.putU32(count);
    if (this.granted) return this;
    assert(data.length === count, `count ${count} but ${data.length} bytes of data`);
    return this.putData(data);
  }
}
