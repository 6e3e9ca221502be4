// The record of a repeatable run: a hash over all messages that were published (with what their grants
// name), all writes to a medium and the console's output, in the order in which they happened. As one
// worker runs at a time, they all write the same record, in the header and an area of the board's:
//
//   header +384  hash (2 words)  events (f64)  INTERVAL  KEPT  AREA  –  first event watched (f64)
//   area   checkpoints: the hash after each INTERVAL-th event, 8 bytes; when their place is full,
//          every second one is dropped and INTERVAL doubles
//          window: 32 bytes each for the events from the first one watched on
//            kind u8, from u8, to u8, –, place u32, length u32, digest (2 words), first 12 bytes

import { RECORD, SEEDED } from './words.ts';

const HASH = RECORD;
const EVENTS = (RECORD + 2) / 2;
const INTERVAL = RECORD + 4;
const KEPT = RECORD + 5;
const AREA = RECORD + 6;
const WATCHED = (RECORD + 8) / 2;

const CHECKPOINTS = 16_384;
const WINDOW = 16_384;
const EVENT_SIZE = 32;
const HEAD = 12;
const FIRST_INTERVAL = 16;
/** Bytes of the record's area. */
export const RECORD_SIZE = CHECKPOINTS * 8 + WINDOW * EVENT_SIZE;

export type EventKind = 'message' | 'write' | 'flush' | 'console';
const KINDS: readonly EventKind[] = ['message', 'write', 'flush', 'console'];

export interface RecordedEvent {
  /** Its number in the run, from 0. */
  readonly step: number;
  readonly kind: EventKind;
  /** Seats of a message; the disk's port of a write, twice. */
  readonly from: number;
  readonly to: number;
  /** A message's ring, a write's first sector. */
  readonly place: number;
  readonly length: number;
  readonly digest: string;
  /** The first bytes. */
  readonly head: Uint8Array;
}

/** What a run leaves for comparison. */
export interface RunRecord {
  readonly hash: string;
  readonly events: number;
  readonly interval: number;
  /** The hash after each `interval` events. */
  readonly checkpoints: readonly string[];
  readonly window: readonly RecordedEvent[];
}

interface Place {
  readonly kind: EventKind;
  readonly from: number;
  readonly to: number;
  readonly place: number;
}

export class Recorder {
  readonly #words: Int32Array;
  readonly #floats: Float64Array;
  readonly #bytes: Uint8Array;
  #a = 0;
  #b = 0;
  #length = 0;
  readonly #head = new Uint8Array(HEAD);

  /** Before the first event: where the record lies, and which events are kept in full. */
  static start(ram: SharedArrayBuffer, { area, from }: { area: number; from: number }): void {
    const words = new Int32Array(ram);
    words.set([0x6a09e667, 0x3c6ef372], HASH); // whatever, but always the same
    words[INTERVAL] = FIRST_INTERVAL;
    words[AREA] = area;
    new Float64Array(ram, 0, 256)[WATCHED] = from;
  }

  /** The recorder of a repeatable run. */
  static of(ram: SharedArrayBuffer): Recorder | undefined {
    const words = new Int32Array(ram, 0, AREA + 1);
    return Atomics.load(words, SEEDED) === 0 || words[AREA] === 0 ? undefined : new Recorder(ram);
  }

  private constructor(ram: SharedArrayBuffer) {
    this.#words = new Int32Array(ram);
    this.#floats = new Float64Array(ram, 0, 256);
    this.#bytes = new Uint8Array(ram);
  }

  /** One event and its bytes. */
  add(place: Place, ...pieces: readonly Uint8Array[]): void {
    this.#begin(place);
    for (const piece of pieces) this.#take(piece);
    this.#end(place);
  }

  get hash(): string {
    return hex(this.#words[HASH], this.#words[HASH + 1]);
  }

  read(): RunRecord {
    const area = (this.#words[AREA] ?? 0) / 4;
    const checkpoints = Array.from({ length: this.#words[KEPT] ?? 0 }, (_, i) =>
      hex(this.#words[area + i * 2], this.#words[area + i * 2 + 1]),
    );
    const events = this.#floats[EVENTS] ?? 0;
    const from = this.#floats[WATCHED] ?? 0;
    const count = Math.max(0, Math.min(WINDOW, events - from));
    const window = Array.from({ length: count }, (_, i) => this.#event(from + i, i));
    return { hash: this.hash, events, interval: this.#words[INTERVAL] ?? 1, checkpoints, window };
  }

  #begin({ kind, from, to, place }: Place): void {
    this.#a = KINDS.indexOf(kind) + 1;
    this.#b = 0x3779b9;
    this.#length = 0;
    this.#head.fill(0);
    this.#mix((from << 8) | to);
    this.#mix(place);
  }

  #take(bytes: Uint8Array): void {
    this.#head.set(
      bytes.subarray(0, Math.max(0, HEAD - this.#length)),
      Math.min(HEAD, this.#length),
    );
    this.#length += bytes.length;
    let at = 0;
    if (bytes.byteOffset % 4 === 0) {
      const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
      for (let i = 0; i < words.length; i++) this.#mix(words[i] ?? 0);
      at = words.length * 4;
    }
    for (; at < bytes.length; at++) this.#mix(bytes[at] ?? 0);
  }

  #end(place: Place): void {
    this.#mix(this.#length);
    const step = this.#floats[EVENTS] ?? 0;
    this.#keep(step, place);
    const [a, b] = [this.#a, this.#b];
    this.#a = this.#words[HASH] ?? 0;
    this.#b = this.#words[HASH + 1] ?? 0;
    this.#mix(a);
    this.#mix(b);
    this.#words[HASH] = this.#a;
    this.#words[HASH + 1] = this.#b;
    this.#floats[EVENTS] = step + 1;
    if ((step + 1) % (this.#words[INTERVAL] ?? 1) === 0) this.#checkpoint();
  }

  /** Two lanes of a multiplicative hash: enough to tell runs apart, no defence against anybody. */
  #mix(word: number): void {
    const a = Math.imul(this.#a ^ word, 0x85eb_ca6b);
    this.#a = (a << 13) | (a >>> 19);
    const b = Math.imul(this.#b + word, 0xc2b2_ae35);
    this.#b = b ^ (b >>> 15);
  }

  #keep(step: number, { kind, from, to, place }: Place): void {
    const index = step - (this.#floats[WATCHED] ?? 0);
    if (index < 0 || index >= WINDOW) return;
    const at = this.#windowAt(index);
    this.#bytes.set([KINDS.indexOf(kind), from, to, 0], at);
    this.#words.set([place, this.#length, this.#a, this.#b], at / 4 + 1);
    this.#bytes.set(this.#head, at + EVENT_SIZE - HEAD);
  }

  #event(step: number, index: number): RecordedEvent {
    const at = this.#windowAt(index);
    const [kind = 0, from = 0, to = 0] = this.#bytes.subarray(at, at + 3);
    const [place = 0, length = 0, a, b] = this.#words.subarray(at / 4 + 1, at / 4 + 5);
    return {
      ...{ step, kind: KINDS[kind] ?? 'message', from, to, place, length },
      digest: hex(a, b),
      head: this.#bytes.slice(at + EVENT_SIZE - HEAD, at + EVENT_SIZE),
    };
  }

  #checkpoint(): void {
    const area = (this.#words[AREA] ?? 0) / 4;
    let kept = this.#words[KEPT] ?? 0;
    if (kept === CHECKPOINTS) {
      for (let i = 1; i < CHECKPOINTS; i += 2) {
        const pair = this.#words.subarray(area + i * 2, area + i * 2 + 2);
        this.#words.set(pair, area + (i - 1));
      }
      kept = CHECKPOINTS / 2;
      this.#words[INTERVAL] = (this.#words[INTERVAL] ?? 1) * 2;
      // The one that is due has an odd number in the new count: it comes with the next event of it.
      this.#words[KEPT] = kept;
      return;
    }
    this.#words[area + kept * 2] = this.#words[HASH] ?? 0;
    this.#words[area + kept * 2 + 1] = this.#words[HASH + 1] ?? 0;
    this.#words[KEPT] = kept + 1;
  }

  #windowAt(index: number): number {
    return (this.#words[AREA] ?? 0) + CHECKPOINTS * 8 + index * EVENT_SIZE;
  }
}

const hex = (a = 0, b = 0): string =>
  [a, b].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
