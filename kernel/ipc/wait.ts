// The one place to sleep (DESIGN law 3). Every worker has one bell, at the start of its seat's page:
//
//   +0  count     grows at every ring; what a sleeper waits on
//   +4  asleep    1 while the owner sleeps (or is about to): only then is a notify needed
//   +8  awake     1 while the owner is counted in the header's number of awake workers
//   +12 wakes     how often a ring had to wake the owner: the hop counter
//
// An eventcount: read the count, look for work, then sleep only if the count is still the same, so
// no wake-up is lost whatever the order. A worker may be terminated between any two lines.

import { HEADER_AWAKE, HEADER_CORES, seatPage } from '../abi/memlayout.ts';
import { type Tracer, tracerOf } from './trace.ts';
import { COUNTERS, EVENTS } from './trace-events.ts';

const COUNT = 0;
const ASLEEP = 1;
const AWAKE = 2;
const WAKES = 3;

/** Loads of the count before sleeping, 7 ns each: about 2 µs, the price of one missed hand-off. */
const SPIN_SHORT = 250;
/**
 * While no more workers are awake than there are cores, spinning costs nobody: about 150 µs, longer
 * than a wake-up takes. With less, both sides of a conversation could always just miss each other.
 */
const SPIN_LONG = 20_000;

export class Bell {
  readonly #words: Int32Array;
  readonly #header: Int32Array;
  readonly #seat: number;
  readonly #trace: Tracer;

  constructor(ram: SharedArrayBuffer, seat: number) {
    this.#seat = seat;
    this.#trace = tracerOf(ram);
    this.#words = new Int32Array(ram, seatPage(seat), 4);
    this.#header = new Int32Array(ram, 0, 16);
  }

  /** The count to hand to `wait`: read it before looking for work. */
  read(): number {
    return Atomics.load(this.#words, COUNT);
  }

  /** Called by others: there is work. */
  ring(): void {
    Atomics.add(this.#words, COUNT, 1);
    this.#trace.count(COUNTERS.bells);
    if (Atomics.load(this.#words, ASLEEP) === 0) return;
    Atomics.add(this.#words, WAKES, 1);
    this.#trace.count(COUNTERS.wakes);
    Atomics.notify(this.#words, COUNT);
    this.#trace.instant(EVENTS.wake, this.#seat);
  }

  /** Called by the owner: returns when the count is no longer `seen`, or after `timeoutMs`. */
  wait(seen: number, timeoutMs: number): void {
    if (timeoutMs <= 0) return;
    this.#trace.begin(EVENTS.idle);
    if (!this.#spin(seen)) this.#sleep(seen, timeoutMs);
    this.#trace.end(EVENTS.idle);
  }

  /** As `wait`, for the main thread, which may not block. */
  async waitAsync(seen: number, timeoutMs: number): Promise<void> {
    if (timeoutMs <= 0) return;
    Atomics.store(this.#words, ASLEEP, 1);
    const result = Atomics.waitAsync(this.#words, COUNT, seen, timeoutMs);
    if (result.async) await result.value;
    Atomics.store(this.#words, ASLEEP, 0);
  }

  /** The owner begins to run, or is gone: corrects the number of awake workers. */
  setRunning(running: boolean): void {
    this.#setAwake(running ? 1 : 0);
  }

  /** How often this bell had to wake its owner. */
  get wakes(): number {
    return Atomics.load(this.#words, WAKES);
  }

  #sleep(seen: number, timeoutMs: number): void {
    this.#trace.begin(EVENTS.sleep);
    this.#trace.count(COUNTERS.sleeps);
    this.#setAwake(0);
    Atomics.store(this.#words, ASLEEP, 1);
    Atomics.wait(this.#words, COUNT, seen, timeoutMs);
    Atomics.store(this.#words, ASLEEP, 0);
    this.#setAwake(1);
    this.#trace.end(EVENTS.sleep);
  }

  #spin(seen: number): boolean {
    for (let done = 0; done < SPIN_LONG; done += SPIN_SHORT) {
      for (let i = 0; i < SPIN_SHORT; i++) {
        if (Atomics.load(this.#words, COUNT) !== seen) return true;
      }
      if (this.#crowded) return false; // somebody else woke up meanwhile and needs the core
    }
    return false;
  }

  get #crowded(): boolean {
    return Atomics.load(this.#header, HEADER_AWAKE) > Atomics.load(this.#header, HEADER_CORES);
  }

  #setAwake(value: 0 | 1): void {
    const before = Atomics.exchange(this.#words, AWAKE, value);
    if (before !== value) Atomics.add(this.#header, HEADER_AWAKE, value - before);
  }
}

/** Sleeps until the word differs from `value`: a seat waiting for its orders at power-on. */
export function waitWord(words: Int32Array, index: number, value: number): void {
  while (Atomics.load(words, index) === value) Atomics.wait(words, index, value);
}

/** Stores the word and wakes whoever waits for it. */
export function storeWord(words: Int32Array, index: number, value: number): void {
  Atomics.store(words, index, value);
  Atomics.notify(words, index);
}
