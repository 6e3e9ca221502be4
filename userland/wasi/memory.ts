// The memory of a module, as the system sees it: every pointer and length is checked, since whatever
// stands there is the program's own business. A failed check is EFAULT.

import { decodeText, encodeText } from '../../kernel/abi/text.ts';
import { FAULT, INVAL, refuse } from './abi.ts';

/** Buffers of one readv or writev (limits.h IOV_MAX). */
const IOV_MAX = 1024;
const IOVEC_SIZE = 8;

export class GuestMemory {
  readonly #memory: WebAssembly.Memory;
  #view: DataView;

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
    this.#view = new DataView(memory.buffer);
  }

  /** These bytes themselves, until the module runs on: it may grow its memory. */
  bytes(pointer: number, length: number): Uint8Array<ArrayBuffer> {
    const at = this.#check(pointer, length);
    return new Uint8Array(this.#memory.buffer as ArrayBuffer, at, length >>> 0);
  }

  text(pointer: number, length: number): string {
    return decodeText(this.bytes(pointer, length));
  }

  /** The byte before a pointer; undefined where there is none. */
  before(pointer: number, distance: number): number | undefined {
    const at = (pointer >>> 0) - distance;
    return at >= 0 && at < this.#memory.buffer.byteLength ? this.#viewNow.getUint8(at) : undefined;
  }

  u8(pointer: number): number {
    return this.#viewNow.getUint8(this.#check(pointer, 1));
  }

  u16(pointer: number): number {
    return this.#viewNow.getUint16(this.#check(pointer, 2), true);
  }

  u32(pointer: number): number {
    return this.#viewNow.getUint32(this.#check(pointer, 4), true);
  }

  u64(pointer: number): bigint {
    return this.#viewNow.getBigUint64(this.#check(pointer, 8), true);
  }

  setU8(pointer: number, value: number): void {
    this.#viewNow.setUint8(this.#check(pointer, 1), value);
  }

  setU16(pointer: number, value: number): void {
    this.#viewNow.setUint16(this.#check(pointer, 2), value, true);
  }

  setU32(pointer: number, value: number): void {
    this.#viewNow.setUint32(this.#check(pointer, 4), value, true);
  }

  setU64(pointer: number, value: bigint): void {
    this.#viewNow.setBigUint64(this.#check(pointer, 8), value, true);
  }

  /** Strings with their NULs at `data`, pointers to them at `pointers`: args_get, environ_get. */
  putStrings(strings: readonly string[], pointers: number, data: number): void {
    let at = data >>> 0;
    strings.forEach((string, i) => {
      const bytes = encodeText(`${string}\0`);
      this.setU32((pointers >>> 0) + i * 4, at);
      this.bytes(at, bytes.length).set(bytes);
      at += bytes.length;
    });
  }

  /** The buffers of an iovec array, checked all before the first is used. */
  iovecs(pointer: number, count: number): Uint8Array<ArrayBuffer>[] {
    const many = count >>> 0;
    if (many > IOV_MAX) refuse(INVAL);
    this.#check(pointer, many * IOVEC_SIZE);
    let total = 0;
    const buffers = Array.from({ length: many }, (_, i) => {
      const at = (pointer >>> 0) + i * IOVEC_SIZE;
      const length = this.u32(at + 4);
      total += length;
      return this.bytes(this.u32(at), length);
    });
    if (total > 0xffff_ffff) refuse(INVAL);
    return buffers;
  }

  #check(pointer: number, length: number): number {
    const at = pointer >>> 0;
    if (length < 0) refuse(FAULT); // a length of 2^31 and more is no length here
    if (at + length > this.#memory.buffer.byteLength) refuse(FAULT);
    return at;
  }

  /** Growing replaces the buffer. */
  get #viewNow(): DataView {
    if (this.#view.buffer !== this.#memory.buffer) this.#view = new DataView(this.#memory.buffer);
    return this.#view;
  }
}
