// One trace of it all: each worker counts what it does in its seat's page, and, when the machine was
// powered on with a trace, records events in a ring of its own. That ring is the board's memory, not
// the machine's: it lies outside `ram`, as a logic analyser stands beside the desk.
//
//   +0    tail   events ever written; by the worker alone, stored last
//   +4    lost   events that found no room; by the worker alone
//   +64   head   events ever read; by the board alone
//   +128  records of six f64: time in µs, event × 8 + phase, flow, two arguments, span
//
// A flow is the number of the system call that everything else is done for. It travels in the head
// of each ring slot, and each task keeps the one it was started with.

import type { Clock } from '../abi/board.ts';
import { SEAT_COUNTERS, SEATS, seatPage } from '../abi/memlayout.ts';
import { encodeText } from '../abi/text.ts';
import { COUNTERS, type CounterName, EVENTS, type TraceEvent } from './trace-events.ts';

export const TRACE_TAIL = 0;
export const TRACE_LOST = 1;
export const TRACE_HEAD = 16;
export const TRACE_RECORDS = 128; // bytes
export const TRACE_WORDS = 6; // f64 of one record
/** Text of a label: what three words hold. */
export const LABEL_BYTES = 24;

/** A sync span nests in its worker's others; an async one may overlap them and end in another step. */
export const PHASE = { instant: 0, begin: 1, end: 2, asyncBegin: 3, asyncEnd: 4 } as const;

const LABELS_MAX = 4096;
const COUNTER_COUNT = Object.keys(COUNTERS).length;

/** Bytes of an event ring of `count` records, a power of two. */
export const traceRingSize = (count: number): number => TRACE_RECORDS + count * TRACE_WORDS * 8;

export interface TraceOptions {
  readonly seat: number;
  readonly clock: Clock;
  /** The event ring; none when nobody traces. */
  readonly events?: SharedArrayBuffer | undefined;
}

export class Tracer {
  /** Whether events are recorded: the one load that a tracepoint costs when they are not. */
  on = false;
  /** What the worker's current step is done for; 0 = for nobody. */
  flow = 0;
  #counters: Float64Array = new Float64Array(COUNTER_COUNT);
  #words: Int32Array = new Int32Array(TRACE_RECORDS / 4);
  #records: Float64Array = new Float64Array(0);
  #mask = 0; // of record numbers
  #now: () => number = () => 0;
  #nextFlow = 0;
  #nextSpan = 0;
  readonly #labels = new Map<string, number>();

  /** Called once in each worker, before anything is traced. */
  attach(ram: SharedArrayBuffer, { seat, clock, events }: TraceOptions): void {
    this.#counters = new Float64Array(ram, seatPage(seat) + SEAT_COUNTERS, COUNTER_COUNT);
    if (events === undefined) return;
    this.#words = new Int32Array(events, 0, TRACE_RECORDS / 4);
    this.#records = new Float64Array(events, TRACE_RECORDS);
    this.#mask = this.#records.length / TRACE_WORDS - 1;
    this.#now = () => clock.monotonicMs() * 1000;
    // A seat that is powered on again goes on behind the numbers of the worker before.
    const before = Atomics.load(this.#words, TRACE_TAIL) >>> 0;
    this.#nextFlow = seat * 2 ** 24 + (before % 2 ** 24);
    this.#nextSpan = before;
    this.on = true;
  }

  /** Adds to a counter, traced or not. */
  count(counter: number, by = 1): void {
    this.#counters[counter] = (this.#counters[counter] ?? 0) + by;
  }

  /** A system call begins: a new flow, which the current step serves from now on. */
  newFlow(): void {
    if (this.on) this.flow = ++this.#nextFlow >>> 0;
  }

  instant(event: TraceEvent, a0 = 0, a1 = 0): void {
    if (this.on) this.#put(event.id * 8 + PHASE.instant, a0, a1);
  }

  /** Begins a span that ends in the same step; spans of a worker nest. */
  begin(event: TraceEvent, a0 = 0, a1 = 0): void {
    if (this.on) this.#put(event.id * 8 + PHASE.begin, a0, a1);
  }

  end(event: TraceEvent, result = 0): void {
    if (this.on) this.#put(event.id * 8 + PHASE.end, result, 0);
  }

  /** Begins a span that may end in another step; returns what `asyncEnd` wants. */
  asyncBegin(event: TraceEvent, a0 = 0, a1 = 0): number {
    if (!this.on) return 0;
    this.#put(event.id * 8 + PHASE.asyncBegin, a0, a1, ++this.#nextSpan);
    return this.#nextSpan;
  }

  asyncEnd(event: TraceEvent, span: number, result = 0): void {
    if (this.on) this.#put(event.id * 8 + PHASE.asyncEnd, result, 0, span);
  }

  /** A number for a text, which is recorded when it is used for the first time. */
  label(text: string): number {
    if (!this.on) return 0;
    const known = this.#labels.get(text);
    if (known !== undefined) return known;
    if (this.#labels.size >= LABELS_MAX) this.#labels.clear(); // said again when used again
    const number = ++this.#nextSpan;
    this.#labels.set(text, number);
    this.#putText(number, encodeText(text).subarray(0, LABEL_BYTES));
    return number;
  }

  #put(code: number, a0: number, a1: number, span = 0): void {
    const at = this.#claim();
    if (at < 0) return;
    const records = this.#records;
    records[at] = this.#now();
    records[at + 1] = code;
    records[at + 2] = this.flow;
    records[at + 3] = a0;
    records[at + 4] = a1;
    records[at + 5] = span;
    Atomics.add(this.#words, TRACE_TAIL, 1);
  }

  /** A label's number stands where others have their flow, its text in the last three words. */
  #putText(number: number, text: Uint8Array): void {
    const at = this.#claim();
    if (at < 0) return;
    const records = this.#records;
    records[at] = this.#now();
    records[at + 1] = EVENTS.label.id * 8;
    records[at + 2] = number;
    records.fill(0, at + 3, at + TRACE_WORDS);
    new Uint8Array(records.buffer, records.byteOffset + (at + 3) * 8, LABEL_BYTES).set(text);
    Atomics.add(this.#words, TRACE_TAIL, 1);
  }

  /** Where the next record goes; -1 when there is no room: the event is counted as lost. */
  #claim(): number {
    const tail = Atomics.load(this.#words, TRACE_TAIL);
    const used = (tail - Atomics.load(this.#words, TRACE_HEAD)) >>> 0;
    if (used <= this.#mask) return ((tail >>> 0) & this.#mask) * TRACE_WORDS;
    Atomics.add(this.#words, TRACE_LOST, 1);
    return -1;
  }
}

const tracers = new WeakMap<SharedArrayBuffer, Tracer>();

/** This worker's tracer for a machine. On the main thread several machines may live. */
export function tracerOf(ram: SharedArrayBuffer): Tracer {
  let tracer = tracers.get(ram);
  if (tracer === undefined) {
    tracer = new Tracer();
    tracers.set(ram, tracer);
  }
  return tracer;
}

/** A worker's counters as they are now; without a seat the sums of all. */
export function readCounters(ram: SharedArrayBuffer, seat?: number): Record<CounterName, number> {
  const sums = Object.fromEntries(Object.keys(COUNTERS).map((name) => [name, 0]));
  const seats = seat === undefined ? Array.from({ length: SEATS }, (_, i) => i) : [seat];
  for (const one of seats) {
    const words = new Float64Array(ram, seatPage(one) + SEAT_COUNTERS, COUNTER_COUNT);
    for (const [name, at] of Object.entries(COUNTERS))
      sums[name] = (sums[name] ?? 0) + (words[at] ?? 0);
  }
  return sums as Record<CounterName, number>;
}
