// The request queue, over a device whose commands end when the test says so.

import test from 'ava';
import { DISK_COLUMNS, DISK_STATS_BYTES, diskStatsAt } from '../../kernel/abi/disk/stats.ts';
import { EIO, PosixError } from '../../kernel/abi/errno.ts';
import { integersFrom } from '../../kernel/ipc/random.ts';
import type { Task } from '../../kernel/ipc/task.ts';
import { testSeed } from '../../kernel/ipc/testing/seed.ts';
import { Tracer } from '../../kernel/ipc/trace.ts';
import { handClock } from '../hw/test-rig.ts';
import { BlockQueue } from './queue.ts';
import { type BlockRequest, type RequestLimits, splitRequest, totalLength } from './request.ts';
import { DiskStats } from './stats.ts';

const limits: RequestLimits = {
  maxSectors: 64,
  maxSegments: 4,
  maxSegmentBytes: 8192,
  maxTrimSectors: 100,
};
const flush: BlockRequest = { op: 'flush', lba: 0, count: 0, segments: [] };
const request = (op: 'read' | 'write', lba: number, count = 8): BlockRequest => ({
  op,
  lba,
  count,
  segments: [{ address: lba * 512, length: count * 512 }],
});

function rig({ slots = 4, depth = 8 } = {}) {
  const ram = new SharedArrayBuffer(DISK_STATS_BYTES);
  const time = handClock();
  const running: { request: BlockRequest; finish: (fault: PosixError | undefined) => void }[] = [];
  const started: string[] = [];
  const device = {
    name: 'fake',
    sectorCount: 1000,
    limits,
    trace: new Tracer(),
    stats: new DiskStats({ ram, address: 0, nowMs: () => time.ms }, 0),
    get freeSlots() {
      return slots - running.length;
    },
    issue(started_: BlockRequest, finish: (fault: PosixError | undefined) => void) {
      started.push(`${started_.op} ${started_.lba}+${started_.count}`);
      running.push({ request: started_, finish });
    },
  };
  const queue = new BlockQueue(device, depth);
  const results: string[] = [];
  const runnable: (() => void)[] = [];
  const step = (task: Task<void>, name: string) => {
    try {
      const next = task.next();
      if (next.done) results.push(name);
      else next.value.waiting.push({ resume: () => runnable.push(() => step(task, name)) });
    } catch (error) {
      results.push(`${name}: ${error instanceof PosixError ? error.code : error}`);
    }
  };
  const settle = () => {
    for (let next = runnable.shift(); next; next = runnable.shift()) next();
  };
  const submit = (name: string, wanted: BlockRequest) => {
    step(queue.submit(wanted), name);
    settle();
  };
  /** Ends the oldest command. */
  const end = (fault?: PosixError) => {
    running.shift()?.finish(fault);
    settle();
  };
  /** The columns that are not zero. */
  const counts = () => {
    const row = diskStatsAt(ram, 0, 0);
    return Object.fromEntries(DISK_COLUMNS.map((name, i) => [name, row[i]]).filter(([, n]) => n));
  };
  return { started, results, submit, end, running, time, counts };
}

test('the first request starts at once; those behind it are merged while it runs', (t) => {
  const { started, submit, end, results } = rig();
  submit('a', request('read', 0));
  for (const [name, lba] of [
    ['b', 100],
    ['c', 108],
    ['d', 116],
    ['e', 200],
  ] as const)
    submit(name, request('read', lba));
  t.deepEqual(started, ['read 0+8']);
  end();
  t.deepEqual(started, ['read 0+8', 'read 100+24', 'read 200+8']);
  end();
  end();
  t.deepEqual(results, ['a', 'b', 'c', 'd', 'e']);
});

test('merging ends at the limits of a command, and between read and write', (t) => {
  const { started, submit, end } = rig({ depth: 20 });
  submit('first', request('read', 900));
  for (let i = 0; i < 6; i++) submit(`${i}`, request('read', i * 8));
  submit('write', request('write', 48));
  end();
  t.deepEqual(started, ['read 900+8', 'read 0+32', 'read 32+16', 'write 48+8']);
});

test('when a merged command fails its parts run alone, and only the bad one fails', (t) => {
  const { started, submit, end, results } = rig();
  submit('first', request('read', 900));
  submit('good', request('read', 0));
  submit('bad', request('read', 8));
  end();
  end(new PosixError(EIO));
  t.deepEqual(started.slice(2), ['read 0+8', 'read 8+8']);
  end();
  end(new PosixError(EIO));
  t.deepEqual(results, ['first', 'good', 'bad: EIO']);
});

test('a flush is a barrier in both directions', (t) => {
  const { started, submit, end } = rig();
  submit('a', request('write', 0));
  submit('flush', flush);
  submit('b', request('write', 100));
  t.deepEqual(started, ['write 0+8']);
  end();
  t.deepEqual(started, ['write 0+8', 'flush 0+0']);
  end();
  t.deepEqual(started, ['write 0+8', 'flush 0+0', 'write 100+8']);
});

test('requests of the same sectors run one after the other when one of them writes', (t) => {
  const { started, submit, end } = rig();
  submit('first', request('read', 900));
  submit('w1', request('write', 4));
  submit('w2', request('write', 8));
  submit('r1', request('read', 0, 5));
  submit('r2', request('read', 2, 5));
  end();
  t.deepEqual(started, ['read 900+8', 'write 4+8']);
  end();
  t.deepEqual(started.slice(2), ['read 0+5', 'read 2+5', 'write 8+8']);
});

test('no more commands than slots, no more waiting requests than the depth', (t) => {
  const { running, submit, end, results } = rig({ slots: 2, depth: 3 });
  for (let i = 0; i < 10; i++) submit(`${i}`, request('read', i * 20));
  for (let i = 0; i < 30; i++) {
    t.true(running.length <= 2);
    end();
  }
  t.deepEqual([...results].sort(), ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
});

test('what lies side by side is one command, whatever came in between', (t) => {
  const { started, submit, end, counts } = rig({ depth: 20 });
  submit('first', request('write', 900));
  for (const lba of [16, 100, 24, 8, 200, 0]) submit(`${lba}`, request('write', lba));
  end();
  t.deepEqual(started.slice(1), ['write 0+32', 'write 100+8', 'write 200+8']);
  end();
  t.like(counts(), { writes: 2, writeMerges: 3, writeSectors: 40, inFlight: 2 });
});

test('a write is merged with none that came after a flush, and passes no other write of its sectors', (t) => {
  const { started, submit, end } = rig({ depth: 20, slots: 1 });
  submit('first', request('read', 900));
  submit('a', request('write', 0));
  submit('b', request('write', 20));
  submit('c', request('write', 16));
  submit('again', request('write', 8));
  submit('over', request('write', 10, 2));
  submit('flush', flush);
  submit('behind', request('write', 28));
  for (let i = 0; i < 6; i++) end();
  t.deepEqual(started.slice(1), [
    'write 0+16',
    'write 20+8',
    'write 16+8',
    'write 10+2',
    'flush 0+0',
    'write 28+8',
  ]);
});

test('reads go before writes, but a write is passed by no more than sixteen commands', (t) => {
  const { started, submit, end } = rig({ depth: 100, slots: 1 });
  submit('first', request('read', 900));
  submit('write', request('write', 0));
  submit('same', request('read', 4));
  for (let i = 0; i < 40; i++) submit(`${i}`, request('read', 100 + 20 * i));
  for (let i = 0; i < 20; i++) end();
  t.is(started[1], 'read 100+8');
  t.is(started.indexOf('write 0+8'), 17);
  t.is(started[18], 'read 4+8');
});

test('columns of /proc/diskstats: commands, merges, sectors, and the time of requests', (t) => {
  const { submit, end, time, counts } = rig({ slots: 1 });
  submit('a', request('read', 0));
  time.ms += 5;
  submit('b', request('read', 100));
  submit('c', request('read', 108));
  time.ms += 5;
  end();
  t.deepEqual(counts(), {
    ...{ reads: 1, readSectors: 8, readMs: 10, inFlight: 2, busyMs: 10, weightedMs: 20 },
  });
  time.ms += 10;
  end();
  submit('flush', flush);
  time.ms += 1;
  end();
  t.deepEqual(counts(), {
    ...{ reads: 2, readMerges: 1, readSectors: 24, readMs: 40, busyMs: 21, weightedMs: 41 },
    ...{ flushes: 1, flushMs: 1 },
  });
});

test('random requests: whatever is merged and passed, sectors end as if all were done in order', (t) => {
  const seed = testSeed();
  t.log(`ATOLL_SEED=${seed}`);
  const random = integersFrom(seed);
  for (let round = 0; round < 200; round++) {
    const { submit, end, running, results } = rig({ depth: 64, slots: 1 + random(4) });
    const disk = new Map<number, number>(); // sector: where its bytes came from
    const model = new Map<number, number>();
    const wanted: (number | undefined)[][] = [];
    const found: (number | undefined)[][] = [];
    const finishOne = () => {
      const [at = 0] = [random(running.length)];
      const [one] = running.splice(at, 1);
      if (one === undefined) return;
      const { request: done, finish } = one;
      const places = done.segments.flatMap(({ address, length }) =>
        Array.from({ length: length / 512 }, (_, i) => address / 512 + i),
      );
      places.forEach((place, i) => {
        if (done.op === 'write') disk.set(done.lba + i, place);
        else {
          const which = Math.floor(place / 1000);
          const sectors = found[which] ?? [];
          sectors[place % 1000] = disk.get(done.lba + i);
          found[which] = sectors;
        }
      });
      running.unshift(one);
      finishFirst(running, () => finish(undefined));
    };
    for (let i = 0; i < 60; i++) {
      const op = random(5) === 0 ? 'flush' : random(2) === 0 ? 'read' : 'write';
      const [lba, count] = [random(40), 1 + random(8)];
      if (op === 'flush') submit(`${i}`, flush);
      else {
        const segments = [{ address: i * 1000 * 512, length: count * 512 }];
        if (op === 'read') wanted[i] = Array.from({ length: count }, (_, k) => model.get(lba + k));
        else for (let k = 0; k < count; k++) model.set(lba + k, i * 1000 + k);
        submit(`${i}`, { op, lba, count, segments });
      }
      while (random(3) === 0 && running.length > 0) finishOne();
    }
    for (let i = 0; i < 1000 && running.length > 0; i++) finishOne();
    end();
    t.is(results.length, 60);
    t.deepEqual([...disk].sort(byKey), [...model].sort(byKey));
    t.deepEqual(found, wanted);
  }
});

const byKey = ([a]: [number, number], [b]: [number, number]): number => a - b;

/** Ends the first of the commands; others may start in its place. */
function finishFirst<T>(running: T[], finish: () => void): void {
  running.shift();
  finish();
}

test('a request is cut at the limits, on sectors, and nothing of it is lost', (t) => {
  const pieces = Array.from({ length: 40 }, (_, i) => ({
    address: i * 10_000,
    length: i % 2 ? 612 : 412,
  }));
  const count = totalLength(pieces) / 512;
  const parts = splitRequest({ op: 'read', lba: 7, count, segments: pieces }, limits);
  let lba = 7;
  for (const part of parts) {
    t.is(part.lba, lba);
    t.is(totalLength(part.segments), part.count * 512);
    t.true(part.segments.length <= limits.maxSegments && part.count <= limits.maxSectors);
    lba += part.count;
  }
  t.is(lba, 7 + count);
  const bytes = parts.flatMap(({ segments }) =>
    segments.flatMap(({ address, length }) => [address, address + length]),
  );
  t.is(bytes[0], 0);
  t.is(bytes.at(-1), 39 * 10_000 + 612);
});
