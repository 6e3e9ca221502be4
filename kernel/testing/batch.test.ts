// Batches: many system calls in one submission, each with its own answer.

import test from 'ava';
import { BATCH_ENTRY_SIZE, BATCH_MOST, getBatchAnswer, putBatchEntry } from '../abi/batch.ts';
import { EFAULT, EINVAL, ENOENT, type Errno, ESPIPE, errnoName } from '../abi/errno.ts';
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

/** One call of a batch on a descriptor, its bytes behind the table. */
function transfer(number: number, fd: number, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(BATCH_ENTRY_SIZE + content.length);
  bytes.set(content, BATCH_ENTRY_SIZE);
  const { length } = content;
  const args = [fd, length, 0] as const;
  const entry = { number, data: BATCH_ENTRY_SIZE, length, room: length, args };
  putBatchEntry(new DataView(bytes.buffer), 0, entry);
  return bytes;
}

test('a batch writes and reads at places of files, and answers how many bytes', (t) => {
  const m = machine();
  const p = m.program();
  const fd = p.open('/tmp/f', 0o102);
  const content = encodeText('what is written is read');
  const wrote = p.start('batch', [1], transfer(SYS.pwrite, fd, content));
  t.like(getBatchAnswer(new DataView(wrote.data.buffer), 0), { errno: 0, r0: content.length });
  const read = p.start('batch', [1], transfer(SYS.pread, fd, new Uint8Array(100)));
  const answer = getBatchAnswer(new DataView(read.data.buffer), 0);
  t.like(answer, { errno: 0, r0: content.length, length: content.length });
  const found = read.data.subarray(BATCH_ENTRY_SIZE, BATCH_ENTRY_SIZE + content.length);
  t.deepEqual(found, content);
  t.is(p.ok('lseek', [fd, 0, 1]).r0, 0, 'the offset stays');
  t.deepEqual(m.bugs(), []);
});

test('a batch waits for no pipe', (t) => {
  const m = machine();
  const p = m.program();
  const { r0: read, r1: write } = p.ok('pipe', [0]);
  for (const [number, fd] of [
    [SYS.pread, read],
    [SYS.pwrite, write],
  ] as const) {
    const done = p.start('batch', [1], transfer(number, fd, new Uint8Array(8)));
    t.deepEqual(told(done.data, 1), [errnoName(ESPIPE)]);
  }
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
