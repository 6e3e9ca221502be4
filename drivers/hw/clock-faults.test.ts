// Faults of the wall clock.

import test from 'ava';
import { FRAMES } from '../../kernel/abi/memlayout.ts';
import { FaultTable } from '../../kernel/ipc/fault/table.ts';
import { faultyClock } from './clock-faults.ts';

function rig() {
  const ram = new SharedArrayBuffer(FRAMES);
  const table = new FaultTable(ram);
  table.format(1);
  const time = { ms: 0 };
  const clock = {
    monotonicMs: () => time.ms,
    wallclock: () => ({ sec: 1000 + Math.floor(time.ms / 1000), nsec: (time.ms % 1000) * 1e6 }),
  };
  const [one, other] = [2, 3].map((seat) => faultyClock(clock, { ram, seat }));
  return { table, time, one, other };
}

test('a jump moves the wall clock of every worker, and no monotonic one', (t) => {
  const { table, time, one, other } = rig();
  table.add('on clock nth=2 do jump -1h');
  t.is(one?.wallclock().sec, 1000);
  t.is(one?.wallclock().sec, 1000 - 3600);
  time.ms = 1500;
  t.deepEqual(other?.wallclock(), { sec: 1001 - 3600, nsec: 500_000_000 });
  t.is(other?.monotonicMs(), 1500);
});

test('drift grows with time, and what has drifted stays when it changes', (t) => {
  const { table, time, one } = rig();
  table.add('on clock nth=1 do drift 1000');
  t.is(one?.wallclock().sec, 1000);
  time.ms = 100_000;
  t.deepEqual(one?.wallclock(), { sec: 1100, nsec: 100_000_000 });
  table.add('on clock nth=1 do drift 0');
  t.deepEqual(one?.wallclock(), { sec: 1100, nsec: 100_000_000 });
  time.ms = 200_000;
  t.deepEqual(one?.wallclock(), { sec: 1200, nsec: 100_000_000 });
});
