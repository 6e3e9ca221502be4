// Random streams: repeatable, apart from each other, even.

import test from 'ava';
import { namedStream, RandomStream, STREAM_WORDS, seedStream } from './random-stream.ts';

const take = (stream: RandomStream, count: number): number[] =>
  Array.from({ length: count }, () => stream.u32());

test('a seed and a name always give the same numbers', (t) => {
  t.deepEqual(take(namedStream(7, 'fault'), 100), take(namedStream(7, 'fault'), 100));
  // The numbers of a failure's seed must be the same in every version.
  t.deepEqual(take(namedStream(7, 'fault'), 2), [2175113768, 182156063]);
});

test('another seed or another name gives other numbers', (t) => {
  const streams = [
    namedStream(7, 'a'),
    namedStream(8, 'a'),
    namedStream(7, 'b'),
    namedStream(2 ** 53 - 1, 'a'),
    namedStream(2 ** 53 - 2, 'a'),
  ];
  const numbers = streams.flatMap((stream) => take(stream, 1000));
  t.true(new Set(numbers).size > 4990);
});

test('a stream whose state is shared is carried on by the next', (t) => {
  const state = new Int32Array(new SharedArrayBuffer(STREAM_WORDS * 4));
  seedStream(state, 7, 'a');
  const whole = take(namedStream(7, 'a'), 20);
  const first = take(new RandomStream(state), 10);
  t.deepEqual([...first, ...take(new RandomStream(state), 10)], whole);
});

test('numbers below a bound are spread evenly over all of it', (t) => {
  const stream = namedStream(1, 'even');
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 100_000; i++) {
    const at = stream.below(10);
    counts[at] = (counts[at] ?? 0) + 1;
  }
  t.true(
    counts.every((count) => count > 9_500 && count < 10_500),
    counts.join(' '),
  );
});
