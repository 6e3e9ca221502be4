// The log of firings in `ram`: any worker adds, whoever wants follows. An entry is claimed by one
// atomic add and published by one store of its sequence; a worker that dies between leaves a gap.

import { FAULT_AREA } from '../../abi/memlayout.ts';
import { decodeText, encodeText } from '../../abi/text.ts';
import { HEAD, LOG_AT, LOG_ENTRIES, LOG_SIZE, LOG_TEXT } from './layout.ts';

/** A firing, as the log has it. */
export interface LoggedFiring {
  readonly number: number; // of all firings, from 1
  readonly atMs: number; // since power-on
  readonly seat: number;
  /** `blk.sdC0.write lba=8 len=512`. */
  readonly where: string;
  /** The rule that does exactly this again: its hit by number, its chance decided. */
  readonly plan: string;
}

export class FaultLog {
  readonly #ram: SharedArrayBuffer;
  readonly #head: Int32Array;

  constructor(ram: SharedArrayBuffer) {
    this.#ram = ram;
    this.#head = new Int32Array(ram, FAULT_AREA, 64);
  }

  /** Firings so far. */
  get count(): number {
    return Atomics.load(this.#head, HEAD.logHead) >>> 0;
  }

  /** Returns the firing's number. */
  add(entry: Omit<LoggedFiring, 'number'>): number {
    const index = Atomics.add(this.#head, HEAD.logHead, 1);
    const { words, at } = this.#entry(index);
    Atomics.store(words, 0, 0);
    const bytes = encodeText(`${entry.where}\0${entry.plan}`).subarray(0, LOG_SIZE - LOG_TEXT);
    new Uint8Array(this.#ram, at + LOG_TEXT, bytes.length).set(bytes);
    words[1] = bytes.length;
    words[2] = Math.round(entry.atMs * 1000) | 0; // microseconds, their low and high words
    words[3] = Math.floor(Math.round(entry.atMs * 1000) / 2 ** 32);
    words[4] = entry.seat;
    Atomics.store(words, 0, index + 1);
    return index + 1;
  }

  /** The firings from number `from` on that are still kept and already published. */
  since(from: number): LoggedFiring[] {
    const end = this.count;
    const found: LoggedFiring[] = [];
    for (let index = Math.max(from - 1, end - LOG_ENTRIES, 0); index < end; index++) {
      const entry = this.#read(index);
      if (entry) found.push(entry);
    }
    return found;
  }

  #read(index: number): LoggedFiring | undefined {
    const { words, at } = this.#entry(index);
    if (Atomics.load(words, 0) !== index + 1) return undefined;
    const [, length = 0, low = 0, high = 0, seat = 0] = words;
    const size = Math.min(length, LOG_SIZE - LOG_TEXT);
    const text = decodeText(new Uint8Array(this.#ram, at + LOG_TEXT, size).slice());
    if (Atomics.load(words, 0) !== index + 1) return undefined; // written over meanwhile
    const [where = '', plan = ''] = text.split('\0');
    const atMs = (high * 2 ** 32 + (low >>> 0)) / 1000;
    return { number: index + 1, atMs, seat, where, plan };
  }

  #entry(index: number): { words: Int32Array; at: number } {
    const at = LOG_AT + ((index >>> 0) % LOG_ENTRIES) * LOG_SIZE;
    return { words: new Int32Array(this.#ram, at, LOG_TEXT / 4), at };
  }
}
