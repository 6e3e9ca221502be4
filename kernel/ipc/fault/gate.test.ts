// The gate: which hits fire, what the log and the plan say, and that a plan does the same again.

import test from 'ava';
import fc from 'fast-check';
import { type Errno, PosixError } from '../../abi/errno.ts';
import { FRAMES } from '../../abi/memlayout.ts';
import { powerCut } from './effects.ts';
import type { Hit } from './firing.ts';
import { FaultGate } from './gate.ts';
import { LOG_ENTRIES } from './layout.ts';
import { FaultLog } from './log.ts';
import { FaultTable } from './table.ts';

function rig(seed = 1) {
  const ram = new SharedArrayBuffer(FRAMES);
  const table = new FaultTable(ram);
  table.format(seed);
  const time = { ms: 0 };
  const gate = new FaultGate({ ram, seat: 5, clock: { monotonicMs: () => time.ms } });
  return { ram, table, time, gate, log: new FaultLog(ram) };
}

/** Which of the hits 1..count fire. */
function fires(rule: string, count: number, hit: (i: number) => Hit = () => ({})): number[] {
  const { table, gate } = rig();
  table.add(rule);
  const point = gate.point('sys', 'write');
  return Array.from({ length: count }, (_, i) => i + 1).filter((i) => point.hit(hit(i)));
}

const fire = test.macro({
  exec(t, when: string, expected: readonly number[]) {
    const hit = (i: number): Hit => ({ len: i * 10, pid: i % 2, path: `/a${i}` });
    t.deepEqual(fires(`on sys.write ${when} do err EIO`, 10, hit), expected);
  },
  title: (_, when: string) => `of ten hits '${when}' means those`,
});
test(fire, '', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
test(fire, 'nth=3', [3]);
test(fire, 'nth=3,5', [3, 5]);
test(fire, 'every=4', [4, 8]);
test(fire, 'after=7', [8, 9, 10]);
test(fire, 'times=2', [1, 2]);
test(fire, 'after=2 every=3 times=2', [3, 6]);
test(fire, 'len>=80', [8, 9, 10]);
test(fire, 'len=30..50', [3, 4, 5]);
test(fire, 'pid=1 nth=2', [3]);
test(fire, 'path~/a?', []);
test(fire, 'path~/a{2,4}', [2, 4]);
test(fire, 'budget=100', [5, 6, 7, 8, 9, 10]); // 10 + 20 + 30 + 40 pass
test(fire, 'state=other', []);

test('chance follows the seed and the rule, and nothing else', (t) => {
  const sequence = (seed: number, others: number): number[] => {
    const { table, gate } = rig(seed);
    for (let i = 0; i < others; i++) table.add('on sys.read p=1/2 do err EIO');
    table.add('mine: on sys.write p=1/3 do err EIO');
    const point = gate.point('sys', 'write');
    const other = gate.point('sys', 'read');
    return Array.from({ length: 200 }, (_, i) => i).filter(() => {
      other.hit();
      return point.hit() !== undefined;
    });
  };
  t.deepEqual(sequence(7, 0), sequence(7, 5));
  t.notDeepEqual(sequence(7, 0), sequence(8, 0));
  const share = sequence(7, 0).length;
  t.true(share > 40 && share < 95, `${share} of 200`);
});

test('a point that no rule listens at is not armed, nor after the last rule has gone', (t) => {
  const { table, gate } = rig();
  const point = gate.point('sys', 'open');
  t.false(point.armed);
  table.add('a: on sys.open do err EIO');
  t.true(point.armed);
  t.false(gate.point('blk', 'sdC0', 'read').armed);
  t.is(point.hit()?.errno, 5);
  table.remove('a');
  t.false(point.armed);
  t.is(point.hit(), undefined);
});

test('off switches the rule off, goto changes what other rules do, t= is a time', (t) => {
  const { table, gate, time } = rig();
  table.add('on sys.open do err EIO, goto later, off');
  table.add('on sys.read state=later nth=2 do err EBUSY');
  table.add('on sys.write t=5s..6s do err ENOSPC');
  const [open, read, write] = ['open', 'read', 'write'].map((name) => gate.point('sys', name));
  t.is(read?.hit(), undefined);
  t.is(open?.hit()?.errno, 5);
  t.is(open?.hit(), undefined);
  t.is(read?.hit(), undefined);
  t.is(read?.hit()?.errno, 16);
  t.is(write?.hit(), undefined);
  time.ms = 5000;
  t.is(write?.hit()?.errno, 28);
  time.ms = 6000;
  t.is(write?.hit(), undefined);
  table.rearm();
  t.deepEqual(
    table.list().map(({ on, fired }) => [on, fired]),
    [
      [false, 1],
      [true, 1],
      [true, 1],
    ],
  );
});

test('pause holds a server by name until resume', (t) => {
  const { table, gate } = rig();
  table.add('on sys.open do pause ext4fs');
  table.add('on sys.close do resume ext4fs');
  gate.point('sys', 'open').hit();
  gate.point('sys', 'open').hit();
  t.true(gate.paused('ext4fs'));
  t.false(gate.paused('ahci'));
  gate.point('sys', 'close').hit();
  t.false(gate.paused('ext4fs'));
});

test('crash ends the worker with the point in its last words', (t) => {
  const { table, gate } = rig();
  table.add('on ipc.ext4fs.Twrite do crash');
  const point = gate.point('ipc', 'ext4fs', 'Twrite');
  t.throws(() => point.hit(), { message: 'fault at ipc.ext4fs.Twrite: crash' });
  t.is(powerCut(gate.head), undefined);
});

test('two rules at one hit both fire; the log tells of both, in order', (t) => {
  const { table, gate, log, time } = rig();
  table.add('a: on blk.*.write lba=8..9 do delay 5ms');
  table.add('b: on blk.sdC0.{read,write} do err EIO');
  time.ms = 1234.5;
  const firing = gate.point('blk', 'sdC0', 'write').hit({ lba: 5, len: 2048 });
  t.is(firing?.errno, 5);
  t.is(firing?.delayMs, 5);
  t.deepEqual(log.since(1), [
    {
      ...{ number: 1, atMs: 1234.5, seat: 5, where: 'blk.sdC0.write lba=5 len=2048' },
      plan: 'a: on blk.*.write lba=8..9 nth=1 do delay 5ms',
    },
    {
      ...{ number: 2, atMs: 1234.5, seat: 5, where: 'blk.sdC0.write lba=5 len=2048' },
      plan: 'b: on blk.sdC0.{read,write} nth=1 do err EIO',
    },
  ]);
  t.is(gate.point('blk', 'sdC0', 'write').hit({ lba: 4, len: 2048 })?.delayMs, 0);
});

test('the log keeps the last firings', (t) => {
  const { table, gate, log } = rig();
  table.add('on sys.open do err EIO');
  for (let i = 0; i < LOG_ENTRIES + 10; i++) gate.point('sys', 'open').hit();
  t.is(log.count, LOG_ENTRIES + 10);
  const kept = log.since(1);
  t.is(kept.length, LOG_ENTRIES);
  t.is(kept[0]?.number, 11);
  t.is(log.since(LOG_ENTRIES + 9).length, 2);
});

test('the table refuses what it cannot take, and says why', (t) => {
  const { table } = rig();
  const errno = (action: () => unknown): Errno | undefined =>
    t.throws(action, { instanceOf: PosixError })?.errno;
  table.add('a: on sys.open do hang');
  t.is(
    errno(() => table.add('a: on sys.read do hang')),
    17,
  );
  t.is(
    errno(() => table.add('on sys.read do')),
    22,
  );
  t.is(
    errno(() => table.remove('b')),
    2,
  );
  for (let i = 1; i < 64; i++) table.add('on sys.open do hang');
  t.is(
    errno(() => table.add('on sys.open do hang')),
    28,
  );
  table.reset();
  t.deepEqual(table.list(), []);
});

test('the plan of a run fires at the same hits, whatever the rules were', (t) => {
  const when = fc.constantFrom(
    'p=1/3',
    'every=3',
    'after=4 times=3',
    'nth=2',
    'state=x',
    't=3ms..9ms',
  );
  const rules = fc.array(
    fc.tuple(when, fc.constantFrom('delay 5ms~4ms', 'err EIO', 'err EIO, goto x', 'short')),
    { minLength: 1, maxLength: 6 },
  );
  fc.assert(
    fc.property(rules, fc.nat(), (list, seed) => {
      const run = (texts: readonly string[], withSeed: number): string[] => {
        const { table, gate, time } = rig(withSeed);
        for (const text of texts) table.add(text);
        const point = gate.point('sys', 'write');
        return Array.from({ length: 30 }, (_, i) => {
          time.ms = i;
          const actions = point.hit({ len: 64 })?.actions.filter(({ do: what }) => what !== 'goto');
          return JSON.stringify(actions?.map((a) => JSON.stringify(a)).sort());
        });
      };
      const texts = list.map(([w, actions], i) => `n${i}: on sys.write ${w} do ${actions}`);
      const { table, gate, time, log } = rig(seed);
      for (const text of texts) table.add(text);
      const point = gate.point('sys', 'write');
      for (let i = 0; i < 30; i++) {
        time.ms = i;
        point.hit({ len: 64 });
      }
      const plans = log.since(1).map(({ plan }) => plan.replace(/^\w+: /, ''));
      if (plans.length > 60) return;
      t.deepEqual(run(plans, seed + 1), run(texts, seed));
    }),
    { numRuns: 200 },
  );
});
