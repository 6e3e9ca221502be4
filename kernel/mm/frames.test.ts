// The allocator of frames, against a model.

import test from 'ava';
import fc from 'fast-check';
import { PAGE_SIZE } from '../abi/memlayout.ts';
import { Frames } from './frames.ts';

test('runs never overlap, and all frames come back, whatever the order of taking and giving', (t) => {
  const sizes = fc.array(fc.record({ take: fc.boolean(), n: fc.integer({ min: 1, max: 70 }) }), {
    maxLength: 300,
  });
  fc.assert(
    fc.property(sizes, (steps) => {
      const frames = new Frames(3 * PAGE_SIZE, 1003 * PAGE_SIZE);
      const owner = new Map<number, number>();
      const runs: { at: number; n: number }[] = [];
      for (const [id, { take, n }] of steps.entries()) {
        if (take) {
          const at = frames.take(n);
          if (at === undefined) continue;
          for (let i = 0; i < n; i++) {
            if (owner.has(at + i * PAGE_SIZE)) return false;
            owner.set(at + i * PAGE_SIZE, id);
          }
          runs.push({ at, n });
        } else {
          const run = runs.splice(n % Math.max(1, runs.length), 1)[0];
          if (!run) continue;
          for (let i = 0; i < run.n; i++) owner.delete(run.at + i * PAGE_SIZE);
          frames.give(run.at, run.n);
        }
      }
      if (frames.free !== 1000 - owner.size) return false;
      for (const run of runs) frames.give(run.at, run.n);
      return frames.free === 1000 && frames.take(512) !== undefined;
    }),
    { numRuns: 200 },
  );
  t.pass();
});

test('a run that does not exist is undefined, and mustTake names what it was for', (t) => {
  const frames = new Frames(0, 8 * PAGE_SIZE);
  t.is(frames.take(9), undefined);
  t.throws(() => frames.mustTake(9, 'a window'), { message: /window/ });
});

test('a part of a run can be given back alone', (t) => {
  const frames = new Frames(0, 16 * PAGE_SIZE);
  const at = frames.mustTake(16, 'all');
  frames.give(at + 4 * PAGE_SIZE, 2);
  t.is(frames.free, 2);
  t.is(frames.take(2), at + 4 * PAGE_SIZE);
});
