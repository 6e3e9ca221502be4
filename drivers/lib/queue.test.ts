// The request queue, over a device whose commands end when the test says so.

import test from 'ava';
import { EIO, PosixError } from '../../kernel/abi/errno.ts';
import type { Task } from '../../kernel/ipc/task.ts';
import { Tracer } from '../../kernel/ipc/trace.ts';
import { BlockQueue } from './queue.ts';
import { type BlockRequest, type RequestLimits, splitRequest, totalLength } from './request.ts';

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
  const running: { request: BlockRequest; finish: (fault: PosixError | undefined) => void }[] = [];
  const started: string[] = [];
  const device = {
    name: 'fake',
    sectorCount: 1000,
    limits,
    trace: new Tracer(),
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
  return { started, results, submit, end, running };
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
  t.deepEqual(started.slice(2), ['write 8+8', 'read 0+5', 'read 2+5']);
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
