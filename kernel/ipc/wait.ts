// The one place to sleep (DESIGN law 3). Every worker has one bell, at the start of its seat's page:
//
//   +0  count     grows at every ring; what a sleeper waits on
//   +4  asleep    1 while the owner sleeps (or is about to): only then is a notify needed, and who sets
//                 it back to 0 gives it; 2 while the host makes the owner wait
//   +8  awake     1 while the owner is counted in the header's number of awake workers
//   +12 wakes     how often a ring had to wake the owner: the hop counter
//   +48 beat      grows at every turn of the owner's loop: awake without it, the owner hangs
//   +52 held      1 while the owner is stopped (SIGSTOP); written by the kernel
//
// An eventcount: read the count, look for work, then sleep only if the count is still the same, so
// no wake-up is lost whatever the order. A worker may be terminated between any two lines.
//
// In a repeatable run one baton passes among the workers (baton/baton.ts): who would sleep hands it
// on, and whoever does not hold it sleeps in `awaitTurn`.

import {
  HEADER_AWAKE,
  HEADER_CORES,
  SEAT_BOARD,
  SEAT_BOOT,
  SEATS,
  seatPage,
} from '../abi/memlayout.ts';
import { Baton, type WaitLimit } from './baton/baton.ts';
import { OFF, READY, STATE, seatWord, TURN, WAITING } from './baton/words.ts';
import { type Tracer, tracerOf } from './trace.ts';
import { COUNTERS, EVENTS } from './trace-events.ts';

const COUNT = 0;
const ASLEEP = 1;
const AWAKE = 2;
const WAKES = 3;
const BEAT = 12;
const HELD = 13;
const WORDS = 14;

/** Loads of the count before sleeping, 7 ns each: about 2 µs, the price of one missed hand-off. */
const SPIN_SHORT = 250;
/**
 * While no more workers are awake than there are cores, spinning costs nobody: about 300 µs, longer
 * than a wake-up takes. With less, both sides of a conversation could always just miss each other.
 */
const SPIN_LONG = 40_000;

/**
 * When a worker more is awake than there are cores, who has waited longer than this, about 10 µs, goes to
 * sleep at once: of those who wait for each other in a row the last one has its answer first.
 */
const PATIENCE = 1500;

/** Why an asynchronous wait ended: `idle` = in a repeatable run nobody can go on by himself. */
export type Woken = 'rung' | 'idle';

export class Bell {
  readonly #seat: number;
  readonly #words: Int32Array;
  readonly #header: Int32Array;
  readonly #trace: Tracer;
  readonly #baton: Baton | undefined;

  constructor(ram: SharedArrayBuffer, seat: number) {
    this.#seat = seat;
    this.#trace = tracerOf(ram);
    this.#words = new Int32Array(ram, seatPage(seat), WORDS);
    this.#header = new Int32Array(ram, 0, 16);
    this.#baton = Baton.of(ram);
  }

  /** Whether this is a repeatable run. */
  get inTurns(): boolean {
    return this.#baton !== undefined;
  }

  /** The count to hand to `wait`: read it before looking for work. */
  read(): number {
    return Atomics.load(this.#words, COUNT);
  }

  /** Called by others: there is work. */
  ring(): void {
    Atomics.add(this.#words, COUNT, 1);
    this.#trace.count(COUNTERS.bells);
    if (this.#baton !== undefined) this.#ringInTurn(this.#baton);
    else if (Atomics.compareExchange(this.#words, ASLEEP, 1, 0) === 1) {
      this.#countWake();
      // From now on: those who spin leave it a core while it wakes up.
      if (this.#seat !== SEAT_BOARD) this.#setAwake(1);
      Atomics.notify(this.#words, ASLEEP);
      this.#trace.instant(EVENTS.wake, this.#seat);
    }
  }

  /** Called by the owner: returns when the count is no longer `seen`, or after `timeoutMs`. */
  wait(seen: number, timeoutMs: number): void {
    this.#wait(seen, { timeoutMs, urgent: true });
  }

  /** As `wait`, by one who only looks around when the time is up: that moves no virtual clock. */
  waitIdly(seen: number, timeoutMs: number): void {
    this.#wait(seen, { timeoutMs, urgent: false });
  }

  /** As `wait`, for the main thread, which may not block. */
  async waitAsync(seen: number, timeoutMs: number): Promise<Woken> {
    if (this.#baton !== undefined) return this.#waitInTurnAsync(this.#baton, seen, timeoutMs);
    if (timeoutMs <= 0) return 'rung';
    Atomics.store(this.#words, ASLEEP, 1);
    if (this.read() === seen) {
      const result = Atomics.waitAsync(this.#words, ASLEEP, 1, timeoutMs);
      if (result.async) await result.value;
    }
    Atomics.store(this.#words, ASLEEP, 0);
    return 'rung';
  }

  /**
   * For the owner, before it sleeps for a word that another worker is about to change: whether it did,
   * within the time that a wake-up takes. Not in a repeatable run, and not while cores are scarce.
   */
  spinFor(words: Int32Array, index: number, seen: number): boolean {
    return this.#baton === undefined && this.#spinOn(words, index, seen);
  }

  /** The owner begins to run, or is gone: corrects the number of awake workers. */
  setRunning(running: boolean): void {
    Atomics.store(this.#words, ASLEEP, 0); // who died in its sleep is not to be woken
    this.#setAwake(running ? 1 : 0);
  }

  /** The owner, at every turn of its loop: a sign of life; where it stays while it is stopped. */
  beat(): void {
    const words = this.#words;
    words[BEAT] = ((words[BEAT] ?? 0) + 1) | 0;
    while (Atomics.load(words, HELD) === 1) {
      if (this.#baton === undefined) Atomics.wait(words, HELD, 1);
      else {
        this.#baton.rest(this.#seat, { timeoutMs: Number.POSITIVE_INFINITY, urgent: false });
        handOn(this.#baton, this.#seat);
      }
    }
  }

  /** The owner does something in which the host makes it wait: it is as good as asleep meanwhile. */
  away<T>(call: () => T): T {
    this.#setAwake(0);
    Atomics.store(this.#words, ASLEEP, 2);
    try {
      return call();
    } finally {
      Atomics.store(this.#words, ASLEEP, 0);
      this.#setAwake(1);
    }
  }

  /** Stops the owner at its next turn, or lets it go on. */
  hold(held: 'held' | 'free'): void {
    Atomics.store(this.#words, HELD, held === 'held' ? 1 : 0);
    Atomics.notify(this.#words, HELD);
    this.ring();
  }

  /** How often its owner's loop turned; undefined while it sleeps, as it may. */
  get pulse(): number | undefined {
    const waits = this.#baton?.words[seatWord(this.#seat, STATE)] === WAITING;
    const asleep = waits || Atomics.load(this.#words, ASLEEP) !== 0;
    return asleep ? undefined : Atomics.load(this.#words, BEAT);
  }

  /** More workers are awake than there are cores: any of them may have to wait. */
  get crowded(): boolean {
    return Atomics.load(this.#header, HEADER_AWAKE) > Atomics.load(this.#header, HEADER_CORES);
  }

  /** How often this bell had to wake its owner. */
  get wakes(): number {
    return Atomics.load(this.#words, WAKES);
  }

  #wait(seen: number, limit: WaitLimit): void {
    if (limit.timeoutMs <= 0) return;
    this.#trace.begin(EVENTS.idle);
    if (this.#baton !== undefined) this.#waitInTurn(this.#baton, seen, limit);
    else if (!this.#spin(seen)) this.#sleep(seen, limit.timeoutMs);
    this.#trace.end(EVENTS.idle);
  }

  #countWake(): void {
    Atomics.add(this.#words, WAKES, 1);
    this.#trace.count(COUNTERS.wakes);
  }

  #sleep(seen: number, timeoutMs: number): void {
    this.#trace.begin(EVENTS.sleep);
    this.#trace.count(COUNTERS.sleeps);
    this.#setAwake(0);
    Atomics.store(this.#words, ASLEEP, 1);
    if (this.read() === seen) Atomics.wait(this.#words, ASLEEP, 1, timeoutMs);
    Atomics.store(this.#words, ASLEEP, 0);
    this.#setAwake(1);
    this.#trace.end(EVENTS.sleep);
  }

  #spin(seen: number): boolean {
    return this.#spinOn(this.#words, COUNT, seen);
  }

  #spinOn(words: Int32Array, index: number, seen: number): boolean {
    for (let done = 0; done < SPIN_LONG; done += SPIN_SHORT) {
      for (let i = 0; i < SPIN_SHORT; i++) {
        if (Atomics.load(words, index) !== seen) return true;
      }
      if (done > PATIENCE && this.crowded) return false; // somebody else needs the core
    }
    return false;
  }

  #setAwake(value: 0 | 1): void {
    const before = Atomics.exchange(this.#words, AWAKE, value);
    if (before !== value) Atomics.add(this.#header, HEADER_AWAKE, value - before);
  }

  #ringInTurn(baton: Baton): void {
    if (baton.wake(this.#seat)) {
      this.#countWake();
      this.#trace.instant(EVENTS.wake, this.#seat);
    }
    if (baton.interrupts) handOn(baton, baton.holder);
  }

  #waitInTurn(baton: Baton, seen: number, limit: WaitLimit): void {
    if (this.read() !== seen) return;
    this.#trace.count(COUNTERS.sleeps);
    baton.rest(this.#seat, limit);
    handOn(baton, this.#seat);
  }

  async #waitInTurnAsync(baton: Baton, seen: number, timeoutMs: number): Promise<Woken> {
    if (timeoutMs <= 0 || this.read() !== seen) return 'rung';
    baton.rest(this.#seat, { timeoutMs, urgent: true });
    const next = baton.next();
    if (next !== this.#seat) {
      giveTurn(baton, next);
      await changed(baton, seatWord(this.#seat, TURN), 0);
      Atomics.store(baton.words, seatWord(this.#seat, TURN), 0);
    }
    return baton.takeIdle() ? 'idle' : 'rung';
  }
}

/**
 * For the board, when a worker has ended: it may have died after it took a sleeper out of its sleep and
 * before it gave the notify, which nobody else would give any more. Who is woken for nothing sleeps again.
 */
export function wakeAll(ram: SharedArrayBuffer): void {
  const words = new Int32Array(ram);
  for (let seat = 0; seat < SEATS; seat++) Atomics.notify(words, seatPage(seat) / 4 + ASLEEP);
}

/** Whether `waitForOrders` would return at once. */
export const hasOrders = (ram: SharedArrayBuffer, seat: number): boolean =>
  Atomics.load(new Int32Array(ram, seatPage(seat) + SEAT_BOOT, 1), 0) !== 0;

/** A worker that was powered on sleeps until its seat has orders; returns how long they are. */
export function waitForOrders(ram: SharedArrayBuffer, seat: number): number {
  const boot = new Int32Array(ram, seatPage(seat) + SEAT_BOOT, 1);
  const baton = Baton.of(ram);
  if (baton !== undefined) arrive(baton, seat);
  for (;;) {
    const length = Atomics.load(boot, 0);
    if (length !== 0) return length;
    if (baton === undefined) Atomics.wait(boot, 0, 0);
    else {
      baton.rest(seat, { timeoutMs: Number.POSITIVE_INFINITY, urgent: false });
      handOn(baton, seat);
    }
  }
}

/** Hangs: the worker does nothing more, and is ended from outside. */
export function waitForEnd(ram: SharedArrayBuffer, seat: number): never {
  const baton = Baton.of(ram);
  const turn = new Int32Array(ram, seatPage(seat) + TURN * 4, 1);
  for (;;) {
    if (baton === undefined) Atomics.wait(turn, 0, 0);
    else {
      baton.rest(seat, { timeoutMs: Number.POSITIVE_INFINITY, urgent: false });
      handOn(baton, seat);
    }
  }
}

/** The orders lie in the seat's page: lets its worker go. */
export function giveOrders(ram: SharedArrayBuffer, seat: number, length: number): void {
  const boot = new Int32Array(ram, seatPage(seat) + SEAT_BOOT, 1);
  Atomics.store(boot, 0, length);
  Atomics.notify(boot, 0);
  Baton.of(ram)?.wake(seat);
}

/** For the board, in a repeatable run: resolves when the worker of a seat has come up. */
export const arrival = (baton: Baton, seat: number): Promise<void> =>
  changed(baton, seatWord(seat, STATE), OFF);

/** For the board, in a repeatable run: the worker of a seat is no more. */
export function leave(baton: Baton, seat: number): void {
  const ran = baton.holder === seat;
  baton.leave(seat);
  if (ran) seize(baton);
}

/** For the board: takes the baton from whoever computes with it. */
export function seize(baton: Baton): void {
  baton.seize();
  giveTurn(baton, SEAT_BOARD);
}

/** For the board, when all wait: what each worker says that it waits for. */
export async function askAll(baton: Baton): Promise<{ seat: number; text: string }[]> {
  const turn = seatWord(SEAT_BOARD, TURN);
  const seats = baton.sleepers;
  baton.ask();
  for (const seat of seats) {
    giveTurn(baton, seat);
    await changed(baton, turn, 0);
    Atomics.store(baton.words, turn, 0);
  }
  return seats.map((seat) => ({ seat, text: baton.told(seat) }));
}

/** The holder gives the baton to whom the baton chooses, and goes on when it comes back. */
function handOn(baton: Baton, from: number): void {
  // A worker that the board took the baton from is about to be terminated: it waits for that.
  const next = baton.holder === from ? baton.next() : undefined;
  if (next === from) return;
  if (next !== undefined) giveTurn(baton, next);
  awaitTurn(baton, from);
  while (baton.asked) {
    baton.tell(from);
    giveTurn(baton, SEAT_BOARD);
    awaitTurn(baton, from);
  }
}

function giveTurn(baton: Baton, seat: number): void {
  const turn = seatWord(seat, TURN);
  Atomics.store(baton.words, turn, 1);
  Atomics.notify(baton.words, turn);
}

function awaitTurn(baton: Baton, seat: number): void {
  const turn = seatWord(seat, TURN);
  while (Atomics.load(baton.words, turn) === 0) Atomics.wait(baton.words, turn, 0);
  Atomics.store(baton.words, turn, 0);
}

function arrive(baton: Baton, seat: number): void {
  const state = seatWord(seat, STATE);
  Atomics.store(baton.words, state, READY);
  Atomics.notify(baton.words, state);
  awaitTurn(baton, seat);
}

/** Resolves when the word is no longer `value`. */
async function changed(baton: Baton, word: number, value: number): Promise<void> {
  while (Atomics.load(baton.words, word) === value) {
    const result = Atomics.waitAsync(baton.words, word, value);
    if (result.async) await result.value;
  }
}
