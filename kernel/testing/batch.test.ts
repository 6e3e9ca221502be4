// Batches: many system calls in one submission, each with its own answer.

import test from 'ava';
import { BATCH_ENTRY_SIZE, BATCH_MOST, getBatchAnswer, putBatchEntry } from '../abi/batch.ts';
import { EFAULT, EINVAL, ENOENT, type Errno, errnoName } from '../abi/errno.ts';
import { getStat, STAT_SIZE, SYS } from '../abi/syscall.ts';
import { encodeText } from '../abi/text.ts';
import { machine } from './machine.ts';

interface Wanted {
  readonly number: number;
  readonly path: string;
  readonly args?: readonly [number, number, number];
  /** Instead of where the path lies. */
  readonly at?: number;
}

/** The data of a batch: each call has its path and room for a stat. */
function batchOf(calls: readonly Wanted[]): Uint8Array {
  const part = 512;
  const first = calls.length * BATCH_ENTRY_SIZE;
  const bytes = new Uint8Array(first + calls.length * part);
  const view = new DataView(bytes.buffer);
  for (const [i, { number, path, args, at = first + i * part }] of calls.entries()) {
    const text = encodeText(path);
    bytes.set(text, first + i * part);
    putBatchEntry(view, i, {
      number,
      data: at,
      length: text.length,
      room: STAT_SIZE,
      args: args ?? [0, 0, 0],
    });
  }
  return bytes;
}

const told = (data: Uint8Array, count: number): string[] => {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  return Array.from({ length: count }, (_, i) => {
    const { errno } = getBatchAnswer(view, i);
    return errno === 0 ? 'ok' : errnoName(errno as Errno);
  });
};

test('each call of a batch succeeds or fails for itself, and only one reply comes', (t) => {
  const m = machine();
  const p = m.program();
  p.start('mkdir', [0o755], '/tmp/d');
  const calls = [
    { number: SYS.mkdir, path: '/tmp/d/a', args: [0o700, 0, 0] as const },
    { number: SYS.mkdir, path: '/tmp/none/a', args: [0o700, 0, 0] as const },
    { number: SYS.mkdir, path: '/tmp/d', args: [0o700, 0, 0] as const },
    { number: SYS.lstat, path: '/tmp/d' },
    { number: SYS.unlink, path: '/tmp/d' },
  ];
  const before = p.seat.replies.total;
  const done = p.start('batch', [calls.length], batchOf(calls));
  t.is(done.told, 'ok');
  t.is(p.seat.replies.total - before, 1);
  t.deepEqual(told(done.data, calls.length), ['ok', 'ENOENT', 'EEXIST', 'ok', 'EISDIR']);
  const stat = getStat(new DataView(done.data.buffer, calls.length * BATCH_ENTRY_SIZE + 3 * 512));
  t.is(stat.mode & 0o170000, 0o040000);
  t.deepEqual(m.bugs(), []);
});

test('a batch answers nothing outside of the room that it was given', (t) => {
  const m = machine();
  const p = m.program();
  const lying = batchOf([{ number: SYS.lstat, path: '/', at: 1 << 20 }]);
  t.deepEqual(told(p.start('batch', [1], lying).data, 1), [errnoName(EFAULT)]);
  const small = batchOf([{ number: SYS.lstat, path: '/' }]);
  new DataView(small.buffer).setUint32(16, 8, true); // room for 8 bytes
  t.deepEqual(told(p.start('batch', [1], small).data, 1), [errnoName(EINVAL)]);
});

test('what may wait for somebody, or for ever, is no call of a batch', (t) => {
  const m = machine();
  const p = m.program();
  const names = [
    'read',
    'write',
    'spawn',
    'exec',
    'exit',
    'wait',
    'sleep',
    'batch',
    'ready',
  ] as const;
  const calls = [
    ...names.map((name) => ({ number: SYS[name], path: '' })),
    { number: 9999, path: '' },
  ];
  const done = p.start('batch', [calls.length], batchOf(calls));
  t.deepEqual(
    told(done.data, calls.length),
    calls.map(() => errnoName(EINVAL)),
  );
  t.deepEqual(m.bugs(), []);
});

test('a batch of none, of too many, or whose table is cut off is refused as a whole', (t) => {
  const m = machine();
  const p = m.program();
  t.is(p.start('batch', [0], new Uint8Array(64)).told, errnoName(EINVAL));
  t.is(p.start('batch', [BATCH_MOST + 1], new Uint8Array(64)).told, errnoName(EINVAL));
  t.is(p.start('batch', [2], new Uint8Array(64)).told, errnoName(EFAULT));
  t.is(p.start('batch', [Number.NaN], new Uint8Array(64)).told, errnoName(EINVAL));
});

test('a batch of the most entries is answered whole', (t) => {
  const m = machine();
  const p = m.program();
  const calls = Array.from({ length: BATCH_MOST }, (_, i) => ({
    number: SYS.lstat,
    path: i % 2 === 0 ? '/tmp' : `/tmp/missing${i}`,
  }));
  const found = told(p.start('batch', [calls.length], batchOf(calls)).data, calls.length);
  t.is(found.filter((one) => one === 'ok').length, BATCH_MOST / 2);
  t.is(found.filter((one) => one === errnoName(ENOENT)).length, BATCH_MOST / 2);
});
