// Claims about the board's clock.

import test from 'ava';
import { hostClock, powerOnNow } from './clock.ts';

test('monotonic time never goes back, in two workers alike', (t) => {
  const epoch = powerOnNow();
  const clocks = [hostClock(epoch), hostClock(epoch)];
  let before = 0;
  for (let i = 0; i < 10_000; i++) {
    const now = clocks[i % 2]?.monotonicMs() ?? 0;
    t.true(now >= before - 0.01, `${now} after ${before}`);
    before = now;
  }
});

test("the wall clock is the host's, in whole nanoseconds", (t) => {
  const clock = hostClock(powerOnNow());
  const { sec, nsec } = clock.wallclock();
  t.true(Math.abs(sec * 1000 + nsec / 1e6 - Date.now()) < 1000);
  t.true(Number.isInteger(nsec) && nsec >= 0 && nsec < 1e9);
});

test("the wall clock follows when the host's is set", (t) => {
  const { hrtimeNs, wallMs } = powerOnNow();
  const clock = hostClock({ hrtimeNs, wallMs: wallMs - 3_600_000 });
  t.true(Math.abs(clock.wallclock().sec - Date.now() / 1000) < 2);
});
