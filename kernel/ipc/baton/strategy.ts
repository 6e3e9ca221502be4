// Whose turn it is: how a seed chooses among the workers that could run. `random` is a random walk;
// `priority` follows S. Burckhardt et al., "A Randomized Scheduler with Probabilistic Guarantees of
// Finding Bugs" (PCT, ASPLOS 2010); `robin` goes round and now and then stalls one for a while.

import type { RandomStream } from '../random-stream.ts';
import {
  CHANGES,
  CHANGES_DONE,
  HANDOFFS,
  HOLDER,
  LOWEST,
  MOST_CHANGES,
  PRIORITY,
  READY_SINCE,
  STALLED,
  seatWord,
} from './words.ts';

export const STRATEGIES = ['random', 'priority', 'robin'] as const;
export type Strategy = (typeof STRATEGIES)[number];

export interface Deck {
  readonly words: Int32Array;
  readonly random: RandomStream;
}

interface Rules {
  /** At the start of a run. */
  deal(deck: Deck): void;
  /** One of `ready`, which is not empty and sorted. */
  choose(deck: Deck, ready: readonly number[]): number;
  /** May the worker that woke another be interrupted here? */
  interrupts(deck: Deck): boolean;
}

/** The random walk interrupts one in so many wakers. */
const INTERRUPT_ONE_IN = 4;
/** Hand-offs after which a worker that was ready all the time has its turn, whatever its priority. */
const PATIENCE = 20_000;
/** One choice in so many begins a stall, of at most so many hand-offs. */
const STALL_ONE_IN = 64;
const LONGEST_STALL = 60;
/** Priorities that are dealt; changes give lower ones. */
const DEALT = 1 << 20;

export const rules: Readonly<Record<Strategy, Rules>> = {
  random: {
    deal: () => undefined,
    choose: ({ random }, ready) => ready[random.below(ready.length)] ?? 0,
    interrupts: ({ random }) => random.below(INTERRUPT_ONE_IN) === 0,
  },
  priority: { deal: dealChanges, choose: choosePriority, interrupts: () => true },
  robin: { deal: () => undefined, choose: chooseNext, interrupts: () => false },
};

/** The priority of a seat that is powered on. */
export const dealPriority = ({ random }: Deck): number => MOST_CHANGES + 1 + random.below(DEALT);

/** Where priorities change: nobody knows how long the run will be, so each seed tries a length. */
function dealChanges({ words, random }: Deck): void {
  const length = 512 << random.below(9);
  const count = 1 + random.below(MOST_CHANGES);
  const changes = Array.from({ length: count }, () => 1 + random.below(length));
  changes.sort((a, b) => a - b);
  words.fill(0, CHANGES, CHANGES + MOST_CHANGES);
  words.set(changes, CHANGES);
  words[LOWEST] = MOST_CHANGES;
}

function choosePriority({ words }: Deck, ready: readonly number[]): number {
  demote(words);
  const now = words[HANDOFFS] ?? 0;
  let best = ready[0] ?? 0;
  for (const seat of ready) {
    if (((now - (words[seatWord(seat, READY_SINCE)] ?? 0)) | 0) > PATIENCE) return seat;
    const priority = words[seatWord(seat, PRIORITY)] ?? 0;
    if (priority > (words[seatWord(best, PRIORITY)] ?? 0)) best = seat;
  }
  return best;
}

/** At a point of change, the one that ran gets the lowest priority so far. */
function demote(words: Int32Array): void {
  const done = words[CHANGES_DONE] ?? 0;
  const at = done < MOST_CHANGES ? (words[CHANGES + done] ?? 0) : 0;
  if (at === 0 || (words[HANDOFFS] ?? 0) < at) return;
  const lowest = words[LOWEST] ?? 0;
  words[seatWord(words[HOLDER] ?? 0, PRIORITY)] = lowest;
  words[LOWEST] = lowest - 1;
  words[CHANGES_DONE] = done + 1;
}

function chooseNext({ words, random }: Deck, ready: readonly number[]): number {
  const now = words[HANDOFFS] ?? 0;
  const holder = words[HOLDER] ?? 0;
  const awake = ready.filter((seat) => (words[seatWord(seat, STALLED)] ?? 0) <= now);
  const able = awake.length > 0 ? awake : ready;
  const next = able.find((seat) => seat > holder) ?? able[0] ?? 0;
  if (random.below(STALL_ONE_IN) === 0) {
    words[seatWord(next, STALLED)] = now + 1 + random.below(LONGEST_STALL);
  }
  return next;
}
