// The baton of a repeatable run (DESIGN, "Repeatable runs"). Exactly one worker runs, the one that
// holds it; who would sleep chooses the next one that can go on, with the run's own random numbers.
// When nobody can, the virtual clock jumps to the next deadline. This file decides and keeps the
// books; wait.ts alone sleeps and wakes.
//
// Host time enters nowhere: a worker that is powered on is waited for by the board, which holds the
// baton meanwhile; so is one that is terminated. The board (the main thread) is a seat like the
// others. When nothing can go on, and no urgent deadline is left, it gets the baton: the machine is
// idle, virtual time stands still, and the host's own events (keys, calls of the library) have theirs.
// A deadline is urgent unless its owner only looks around periodically: those alone move no clock.

import { SEAT_BOARD, SEAT_CONFIG, SEAT_CONFIG_SIZE, seatPage } from '../../abi/memlayout.ts';
import { decodeText, encodeText } from '../../abi/text.ts';
import { RandomStream, STREAM_WORDS, seedStream } from '../random-stream.ts';
import { type Deck, dealPriority, rules, STRATEGIES, type Strategy } from './strategy.ts';
import {
  ASKED,
  HANDOFFS,
  HOLDER,
  IDLE,
  LOOKED,
  OFF,
  PRIORITY,
  READY,
  READY_SINCE,
  SEEDED,
  STALLED,
  STATE,
  STRATEGY,
  STREAM,
  seatDeadline,
  seatWord,
  TIME,
  TOLD,
  TOP,
  TURN,
  URGENT,
  WAITING,
} from './words.ts';

/** What a hand-off and a look at the clock cost in virtual time, so that it never stands still. */
const HANDOFF_US = 20;
const LOOK_US = 1;
const LOOK_AROUND_US = 10_000;

export interface BatonOptions {
  readonly seed: number;
  readonly strategy: Strategy;
}

export interface WaitLimit {
  readonly timeoutMs: number;
  /** The virtual clock may jump to it. */
  readonly urgent: boolean;
}

const batons = new WeakMap<SharedArrayBuffer, Baton>();

export class Baton {
  readonly words: Int32Array;
  readonly #times: Float64Array;
  readonly #deck: Deck;
  readonly #strategy: Strategy;
  readonly #bytes: Uint8Array;

  /** Makes the machine's run a repeatable one; the board holds the baton. Before anything else. */
  static start(ram: SharedArrayBuffer, options: BatonOptions): Baton {
    const words = new Int32Array(ram);
    words[SEEDED] = 1;
    words[HOLDER] = SEAT_BOARD;
    words[STRATEGY] = STRATEGIES.indexOf(options.strategy);
    seedStream(words.subarray(STREAM, STREAM + STREAM_WORDS), options.seed, 'baton');
    const baton = new Baton(ram);
    rules[options.strategy].deal(baton.#deck);
    baton.expect(SEAT_BOARD);
    baton.words[seatWord(SEAT_BOARD, STATE)] = READY;
    return baton;
  }

  /** The baton of a machine with a seed. */
  static of(ram: SharedArrayBuffer): Baton | undefined {
    const known = batons.get(ram);
    if (known !== undefined) return known;
    return Atomics.load(new Int32Array(ram, 0, SEEDED + 1), SEEDED) === 0
      ? undefined
      : new Baton(ram);
  }

  /** Tells, a line each, what the work in this worker waits for. */
  describe: () => string = () => '';

  private constructor(ram: SharedArrayBuffer) {
    batons.set(ram, this);
    this.#bytes = new Uint8Array(ram);
    this.words = new Int32Array(ram);
    this.#times = new Float64Array(ram, 0, Math.floor(ram.byteLength / 8));
    const state = this.words.subarray(STREAM, STREAM + STREAM_WORDS);
    this.#deck = { words: this.words, random: new RandomStream(state) };
    this.#strategy = STRATEGIES[this.words[STRATEGY] ?? 0] ?? 'random';
  }

  get holder(): number {
    return Atomics.load(this.words, HOLDER);
  }

  /** Hand-offs so far: stands still while somebody computes. */
  get handoffs(): number {
    return Atomics.load(this.words, HANDOFFS);
  }

  /** Milliseconds of virtual time since power-on. */
  get timeMs(): number {
    return (this.#times[TIME] ?? 0) / 1000;
  }

  /** As `timeMs`, for whoever holds the baton: looking costs, so that waiting by looking ends. */
  lookAtClock(): number {
    this.#times[TIME] = (this.#times[TIME] ?? 0) + LOOK_US;
    return this.timeMs;
  }

  /** The board powers a seat on. The order of these, not of the workers' starts, is repeatable. */
  expect(seat: number): void {
    this.words[TOP] = Math.max(this.words[TOP] ?? 0, seat + 1);
    this.words[seatWord(seat, STATE)] = OFF;
    this.words[seatWord(seat, TURN)] = 0;
    this.words[seatWord(seat, STALLED)] = 0;
    this.words[seatWord(seat, PRIORITY)] = dealPriority(this.#deck);
  }

  /** A seat's bell rang, or it was given its orders; whether it waited. */
  wake(seat: number): boolean {
    if (this.words[seatWord(seat, STATE)] !== WAITING) return false;
    this.words[seatWord(seat, STATE)] = READY;
    this.words[seatWord(seat, READY_SINCE)] = this.words[HANDOFFS] ?? 0;
    return true;
  }

  /** The holder is about to wait, at most for so long. */
  rest(seat: number, { timeoutMs, urgent }: WaitLimit): void {
    if (seat === SEAT_BOARD) this.#times[LOOKED] = this.#times[TIME] ?? 0;
    this.#times[seatDeadline(seat)] = (this.#times[TIME] ?? 0) + timeoutMs * 1000;
    this.words[seatWord(seat, URGENT)] = urgent && timeoutMs < Number.POSITIVE_INFINITY ? 1 : 0;
    this.words[seatWord(seat, STATE)] = WAITING;
  }

  /** Whether the holder, which woke somebody, is to let others go first. The board cannot. */
  get interrupts(): boolean {
    return this.holder !== SEAT_BOARD && rules[this.#strategy].interrupts(this.#deck);
  }

  /** Chooses who runs next and makes it the holder; the board, with IDLE set, when nobody can. */
  next(): number {
    for (;;) {
      const ready = this.#ready();
      if (ready.length > 0) return this.#give(rules[this.#strategy].choose(this.#deck, ready));
      const deadline = this.#nextDeadline();
      if (deadline === undefined) {
        this.words[IDLE] = 1;
        return this.#give(SEAT_BOARD);
      }
      this.#times[TIME] = Math.max(this.#times[TIME] ?? 0, deadline);
    }
  }

  /** The board asks whether it runs only since nobody else can; forgets it. */
  takeIdle(): boolean {
    return Atomics.exchange(this.words, IDLE, 0) === 1;
  }

  /** The holder goes on in another seat. */
  move(from: number, to: number): void {
    this.expect(to);
    this.words[seatWord(to, STATE)] = READY;
    this.words[seatWord(from, STATE)] = OFF;
    Atomics.store(this.words, HOLDER, to);
  }

  /** The worker is no more. The board goes on in its place. */
  leave(seat: number): void {
    this.words[seatWord(seat, STATE)] = OFF;
    if (this.holder === seat) this.seize();
  }

  /** The board takes the baton, whoever has it. */
  seize(): void {
    Atomics.store(this.words, HOLDER, SEAT_BOARD);
    this.words[seatWord(SEAT_BOARD, STATE)] = READY;
  }

  /** Seats whose workers wait, to be asked one after the other. */
  get sleepers(): number[] {
    const seats = Array.from({ length: this.words[TOP] ?? 0 }, (_, seat) => seat);
    return seats.filter((seat) => this.words[seatWord(seat, STATE)] === WAITING);
  }

  /** Everybody who gets a turn now is asked what it waits for. */
  ask(): void {
    this.words[ASKED] = 1;
  }

  get asked(): boolean {
    return this.words[ASKED] === 1;
  }

  /** This worker's answer; its orders, which lie there, were read long ago. */
  tell(seat: number): void {
    const bytes = encodeText(this.describe()).subarray(0, SEAT_CONFIG_SIZE);
    this.#bytes.set(bytes, seatPage(seat) + SEAT_CONFIG);
    this.words[seatWord(seat, TOLD)] = bytes.length;
  }

  told(seat: number): string {
    const at = seatPage(seat) + SEAT_CONFIG;
    const length = Math.min(this.words[seatWord(seat, TOLD)] ?? 0, SEAT_CONFIG_SIZE);
    return decodeText(this.#bytes.slice(at, at + length));
  }

  #give(seat: number): number {
    this.words[seatWord(seat, STATE)] = READY;
    this.words[seatWord(seat, READY_SINCE)] = this.words[HANDOFFS] ?? 0;
    Atomics.add(this.words, HANDOFFS, 1);
    Atomics.store(this.words, HOLDER, seat);
    this.#times[TIME] = (this.#times[TIME] ?? 0) + HANDOFF_US;
    return seat;
  }

  /** Those that could go on now, in order. */
  #ready(): number[] {
    const ready: number[] = [];
    const now = this.#times[TIME] ?? 0;
    const top = this.words[TOP] ?? 0;
    for (let seat = 0; seat < top; seat++) {
      const state = this.words[seatWord(seat, STATE)];
      const due = state === WAITING && (this.#deadline(seat) <= now || this.#looks(seat, now));
      if (due) this.wake(seat);
      if (due || state === READY) ready.push(seat);
    }
    return ready;
  }

  #deadline(seat: number): number {
    return this.#times[seatDeadline(seat)] ?? 0;
  }

  /** The board looks for the host's events now and then, however busy the others are. */
  #looks(seat: number, now: number): boolean {
    return seat === SEAT_BOARD && now - (this.#times[LOOKED] ?? 0) >= LOOK_AROUND_US;
  }

  /** The earliest deadline of all, if any is urgent. */
  #nextDeadline(): number | undefined {
    let earliest = Number.POSITIVE_INFINITY;
    let urgent = false;
    const top = this.words[TOP] ?? 0;
    for (let seat = 0; seat < top; seat++) {
      if (this.words[seatWord(seat, STATE)] !== WAITING) continue;
      earliest = Math.min(earliest, this.#deadline(seat));
      urgent ||= this.words[seatWord(seat, URGENT)] === 1;
    }
    return urgent ? earliest : undefined;
  }
}
