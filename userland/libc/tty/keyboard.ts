// The keys of a person in front of a terminal, for programs that own its screen: one name for each key,
// a character being its own name. ESC is a key of its own when nothing follows it at once.

import { POLLHUP, POLLIN } from '../../../kernel/abi/constants.ts';
import { EAGAIN, EINTR, EIO, PosixError } from '../../../kernel/abi/errno.ts';
import type { Sys } from '../sys.ts';
import { type Key, readKey } from './keys.ts';

/** How long the rest of a sequence may take behind its ESC. */
const ESCAPE_MS = 60;
const ESC = 27;
const CSI = 0x5b;

export interface KeyboardOptions {
  readonly fd: number;
  /** Whether ESC and a letter are one key (`M-x`), or two. */
  readonly escape: 'meta' | 'alone';
}

export class Keyboard {
  readonly #sys: Sys;
  readonly #fd: number;
  readonly #escape: 'meta' | 'alone';
  readonly #bytes = new Uint8Array(1024);
  #at = 0;
  #end = 0;
  /** The line was hung up, or a signal asks for the end. */
  ended = false;

  constructor(sys: Sys, options: KeyboardOptions) {
    this.#sys = sys;
    this.#fd = options.fd;
    this.#escape = options.escape;
  }

  /** `a`, `^A`, `escape`, `up`; `signal` when a signal came in between, `end` when no more will come. */
  next(): string {
    if (!this.#fill()) return this.ended ? 'end' : 'signal';
    const first = this.#bytes[this.#at] ?? 0;
    if (first === ESC && this.#isAlone()) {
      this.#at++;
      return 'escape';
    }
    return keyName(readKey(() => this.#byte()));
  }

  /**
   * Waits for a key, for something to read from `other`, or for the time to end: says what came. With a
   * time of 0 it only looks.
   */
  wait(other: number, timeoutMs: number): 'key' | 'other' | 'signal' | 'time' {
    if (this.#at < this.#end || this.ended) return 'key';
    try {
      const asked = [this.#fd, other].map((fd) => ({ fd, events: POLLIN }));
      const [key, rest] = this.#sys.poll(asked, timeoutMs);
      if (((key?.revents ?? 0) & (POLLIN | POLLHUP)) !== 0) return 'key';
      return (rest?.revents ?? 0) !== 0 ? 'other' : 'time';
    } catch (error) {
      if (!(error instanceof PosixError) || error.errno !== EINTR) throw error;
      return 'signal';
    }
  }

  /** Forgets what was typed ahead. */
  forget(): void {
    this.#at = this.#end;
  }

  #isAlone(): boolean {
    if (this.#at + 1 === this.#end) {
      this.#bytes[0] = ESC;
      [this.#at, this.#end] = [0, 1];
      if (this.#poll(ESCAPE_MS)) this.#read();
    }
    if (this.#at + 1 >= this.#end) return true;
    return this.#escape === 'alone' && this.#bytes[this.#at + 1] !== CSI;
  }

  #poll(timeoutMs: number): boolean {
    try {
      const [entry] = this.#sys.poll([{ fd: this.#fd, events: POLLIN }], timeoutMs);
      return ((entry?.revents ?? 0) & POLLIN) !== 0;
    } catch (error) {
      if (error instanceof PosixError && error.errno === EINTR) return false;
      throw error;
    }
  }

  #byte(): number | undefined {
    while (this.#at === this.#end && !this.ended) this.#fill();
    return this.#at < this.#end ? this.#bytes[this.#at++] : undefined;
  }

  /** Makes sure of a byte; false when a signal came, or the end. */
  #fill(): boolean {
    if (this.#at < this.#end) return true;
    if (this.ended) return false;
    [this.#at, this.#end] = [0, 0];
    return this.#read();
  }

  /** Reads behind what is there; false when nothing came. */
  #read(): boolean {
    try {
      const count = this.#sys.read(this.#fd, this.#bytes.subarray(this.#end));
      if (count === 0) this.ended = true;
      this.#end += count;
      return count > 0;
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      if (error.errno === EIO) this.ended = true;
      else if (error.errno !== EINTR && error.errno !== EAGAIN) throw error;
      return false;
    }
  }
}

/** What is pasted comes as keys here: the programs do not ask for bracketed paste. */
function keyName(key: Key): string {
  if (key.type === 'key') return key.name === 'end' ? 'end-key' : key.name;
  return key.type === 'end' ? 'end' : key.text;
}
