// Buffered streams over descriptors, bytes first: Output collects writes, Input hands out chunks and
// lines. POSIX.1-2024 §2.5 (standard I/O streams) without its globals: a program owns its streams.

import { SEEK_CUR } from '../../kernel/abi/constants.ts';
import { ESPIPE, PosixError, strerror } from '../../kernel/abi/errno.ts';
import { encodeText } from '../../kernel/abi/text.ts';
import type { Sys } from './sys.ts';
import { fromLatin1 } from './text/latin1.ts';

const OUTPUT_BYTES = 64 * 1024;
const INPUT_BYTES = 64 * 1024;
export const COPY_BYTES = 256 * 1024;
const NEWLINE = 10;

/** Ends the program from any depth: program.ts catches it, prints the message and returns. */
export class Exit {
  readonly status: number;
  readonly message: string;

  constructor(status: number, message = '') {
    this.status = status;
    this.message = message;
  }
}

/** A buffered stream to one descriptor. A failed write ends the program with `write error`. */
export class Output {
  readonly #sys: Sys;
  readonly #fd: number;
  readonly #byLine: boolean;
  /** The status of a program that cannot write. */
  readonly #trouble: number;
  readonly #what: string;
  #buffer: Uint8Array | undefined;
  #used = 0;

  constructor(sys: Sys, fd: number, on: { trouble?: number; what?: string } = {}) {
    this.#sys = sys;
    this.#fd = fd;
    this.#byLine = sys.isatty(fd);
    this.#trouble = on.trouble ?? 1;
    this.#what = on.what ?? 'write error';
  }

  write(bytes: Uint8Array): void {
    if (bytes.length >= OUTPUT_BYTES) {
      this.flush();
      this.#put(bytes);
      return;
    }
    const buffer = this.#room(bytes.length);
    buffer.set(bytes, this.#used);
    this.#used += bytes.length;
    if (this.#byLine && bytes.includes(NEWLINE)) this.flush();
  }

  /** Text of the system (names, messages): encoded as text.ts says. */
  text(text: string): void {
    if (text.length > 256 || !this.#ascii(text)) this.write(encodeText(text));
  }

  /** A string of which each character is one byte. */
  latin1(text: string): void {
    this.write(fromLatin1(text));
  }

  byte(value: number): void {
    const buffer = this.#room(1);
    buffer[this.#used++] = value;
    if (this.#byLine && value === NEWLINE) this.flush();
  }

  flush(): void {
    const used = this.#used;
    if (used === 0 || this.#buffer === undefined) return;
    this.#used = 0;
    this.#put(this.#buffer.subarray(0, used));
  }

  #room(bytes: number): Uint8Array {
    this.#buffer ??= new Uint8Array(OUTPUT_BYTES);
    if (this.#used + bytes > OUTPUT_BYTES) this.flush();
    return this.#buffer;
  }

  /** The short way for short ASCII text; false when it is not that. */
  #ascii(text: string): boolean {
    const buffer = this.#room(text.length);
    let newline = false;
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (c > 0x7f) return false;
      if (c === NEWLINE) newline = true;
      buffer[this.#used + i] = c;
    }
    this.#used += text.length;
    if (newline && this.#byLine) this.flush();
    return true;
  }

  #put(bytes: Uint8Array): void {
    try {
      this.#sys.write(this.#fd, bytes);
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      throw new Exit(this.#trouble, `${this.#what}: ${strerror(error.errno)}`);
    }
  }
}

/** A buffered stream from one descriptor. What it hands out is valid until the next call. */
export class Input {
  readonly #sys: Sys;
  readonly fd: number;
  #buffer: Uint8Array;
  #start = 0;
  #end = 0;
  #eof = false;
  /** Whether the last line ended with its delimiter. */
  terminated = true;

  constructor(sys: Sys, fd: number, size = INPUT_BYTES) {
    this.#sys = sys;
    this.fd = fd;
    this.#buffer = new Uint8Array(size);
  }

  /** The next bytes, whatever is there; undefined at the end. */
  chunk(): Uint8Array | undefined {
    if (this.#start === this.#end && !this.#fill()) return undefined;
    const out = this.#buffer.subarray(this.#start, this.#end);
    this.#start = this.#end;
    return out;
  }

  /** The next line without its delimiter; undefined at the end. */
  line(delimiter = NEWLINE): Uint8Array | undefined {
    let from = this.#start;
    for (;;) {
      const at = this.#buffer.subarray(0, this.#end).indexOf(delimiter, from);
      if (at >= 0) {
        const line = this.#buffer.subarray(this.#start, at);
        this.#start = at + 1;
        this.terminated = true;
        return line;
      }
      const scanned = this.#end - this.#start;
      if (!this.#fill()) break;
      from = this.#start + scanned;
    }
    if (this.#start === this.#end) return undefined;
    const line = this.#buffer.subarray(this.#start, this.#end);
    this.#start = this.#end;
    this.terminated = false;
    return line;
  }

  /** Whole lines, as many as are buffered, delimiters included: for programs that scan in blocks. */
  lines(delimiter = NEWLINE): Uint8Array | undefined {
    let scanned = 0; // there is no delimiter before
    for (;;) {
      const found = this.#buffer.subarray(this.#start + scanned, this.#end).lastIndexOf(delimiter);
      const at = found + scanned;
      if (found >= 0) {
        const block = this.#buffer.subarray(this.#start, this.#start + at + 1);
        this.#start += at + 1;
        this.terminated = true;
        return block;
      }
      scanned = this.#end - this.#start;
      if (!this.#fill()) break;
    }
    const rest = this.chunk();
    if (rest !== undefined) this.terminated = false;
    return rest;
  }

  /**
   * Gives back what was read ahead, and `unused` bytes of the last chunk: whoever reads a seekable
   * file next goes on there (POSIX.1-2024 XCU §1.4, INPUT FILES).
   */
  giveBack(unused: number): void {
    const back = unused + this.pending;
    this.#start = this.#end;
    if (back === 0) return;
    try {
      this.#sys.lseek(this.fd, -back, SEEK_CUR);
    } catch (error) {
      if (!(error instanceof PosixError && error.errno === ESPIPE)) throw error;
    }
  }

  /** How many bytes were read ahead and not handed out. */
  get pending(): number {
    return this.#end - this.#start;
  }

  /** Reads on behind what is buffered, making room first; false at the end of the file. */
  #fill(): boolean {
    if (this.#eof) return false;
    if (this.#start > 0) {
      this.#buffer.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    if (this.#end === this.#buffer.length) {
      const larger = new Uint8Array(this.#buffer.length * 2);
      larger.set(this.#buffer);
      this.#buffer = larger;
    }
    const count = this.#sys.read(this.fd, this.#buffer.subarray(this.#end));
    if (count === 0) this.#eof = true;
    this.#end += count;
    return count > 0;
  }
}
