// The baton: who has the next turn, and when the virtual clock moves. One thread plays all seats.

import test from 'ava';
import { FRAMES, SEAT_BOARD } from '../../abi/memlayout.ts';
import { Baton } from './baton.ts';
import { STRATEGIES, type Strategy } from './strategy.ts';
import { READY, STATE, seatWord } from './words.ts';

const SEATS = [1, 2, 3, 4, 5];
const NEVER = { timeoutMs: Number.POSITIVE_INFINITY, urgent: false };

function started(seed = 7, strategy: Strategy = 'random') {
  const baton = Baton.start(new SharedArrayBuffer(FRAMES), { seed, strategy });
  for (const seat of SEATS) {
    baton.expect(seat);
    baton.words[seatWord(seat, STATE)] = READY; // as a worker that has come up
  }
  return baton;
}

/** Everybody rests but these. */
function onlyReady(baton: Baton, seats: readonly number[]): void {
  for (const seat of [SEAT_BOARD, ...SEATS]) if (!seats.includes(seat)) baton.rest(seat, NEVER);
}

const turns = (baton: Baton, count: number): number[] =>
  Array.from({ length: count }, () => baton.next());

const choices = test.macro({
  exec(t, strategy: Strategy) {
    const [a, b, other] = [started(7, strategy), started(7, strategy), started(8, strategy)].map(
      (baton) => turns(baton, 1000),
    );
    t.deepEqual(a, b);
    t.notDeepEqual(a, other);
  },
  title: (_, strategy) => `${strategy}: a seed always makes the same choices, another one others`,
});
for (const strategy of STRATEGIES) test(choices, strategy);

const fairness = test.macro({
  exec(t, strategy: Strategy) {
    const seen = new Set(turns(started(7, strategy), 25_000));
    t.deepEqual([...seen].sort(), [SEAT_BOARD, ...SEATS]);
  },
  title: (_, strategy) => `${strategy}: whoever is ready has his turn in the end`,
});
for (const strategy of STRATEGIES) test(fairness, strategy);

test('only who is ready is chosen, and a bell makes ready', (t) => {
  const baton = started();
  onlyReady(baton, [2]);
  t.deepEqual(turns(baton, 3), [2, 2, 2]);
  t.true(baton.wake(4));
  t.false(baton.wake(4)); // is ready already
  baton.rest(2, NEVER);
  t.deepEqual(turns(baton, 3), [4, 4, 4]);
});

/** The next one but the board, which looks around when time has passed. */
function nextWorker(baton: Baton): number {
  for (;;) {
    const seat = baton.next();
    if (seat !== SEAT_BOARD) return seat;
    baton.rest(SEAT_BOARD, NEVER);
  }
}

test('when nobody is ready the clock jumps to the earliest deadline', (t) => {
  const baton = started();
  onlyReady(baton, []);
  baton.rest(3, { timeoutMs: 5000, urgent: true });
  baton.rest(2, { timeoutMs: 800, urgent: false });
  t.is(nextWorker(baton), 2); // on the way to an urgent one, the others' are kept, too
  t.true(baton.timeMs >= 800 && baton.timeMs < 801);
  baton.rest(2, NEVER);
  t.is(nextWorker(baton), 3);
  t.true(baton.timeMs >= 5000 && baton.timeMs < 5001);
});

test('who only looks around moves no clock: the board is told that all is idle', (t) => {
  const baton = started();
  onlyReady(baton, []);
  baton.rest(3, { timeoutMs: 800, urgent: false });
  t.is(baton.next(), SEAT_BOARD);
  t.true(baton.takeIdle());
  t.false(baton.takeIdle());
  t.true(baton.timeMs < 1);
});

test('the board goes on in place of a worker that ended with the baton', (t) => {
  const baton = started();
  onlyReady(baton, [5]);
  t.is(baton.next(), 5);
  baton.leave(5);
  t.is(baton.holder, SEAT_BOARD);
  onlyReady(baton, []);
  t.is(baton.next(), SEAT_BOARD); // nobody else is left
});

test('looking at the clock costs time, so that a program which waits by looking ends', (t) => {
  const baton = started();
  const from = baton.timeMs;
  let looks = 0;
  while (baton.lookAtClock() < from + 1) looks++;
  t.true(looks > 10 && looks < 100_000);
});
