// The record of a run: what the hash sees, and what is kept for comparison.

import test from 'ava';
import { FRAMES } from '../../abi/memlayout.ts';
import { Baton } from './baton.ts';
import { RECORD_SIZE, Recorder } from './record.ts';

function recorder(from = 0): Recorder {
  const ram = new SharedArrayBuffer(FRAMES + RECORD_SIZE);
  Baton.start(ram, { seed: 1, strategy: 'random' });
  Recorder.start(ram, { area: FRAMES, from });
  return Recorder.of(ram) as Recorder;
}

const message = { kind: 'message', from: 1, to: 2, place: 0x1000 } as const;
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

const told = test.macro({
  exec(t, change: (record: Recorder) => void) {
    const plain = recorder();
    plain.add(message, bytes(1, 2, 3));
    plain.add({ ...message, from: 3 }, bytes(4));
    const other = recorder();
    change(other);
    t.not(other.hash, plain.hash);
  },
  title: (name) => `the hash tells ${name}`,
});
test('another byte', told, (record) => {
  record.add(message, bytes(1, 2, 4));
  record.add({ ...message, from: 3 }, bytes(4));
});
test('another length', told, (record) => {
  record.add(message, bytes(1, 2, 3, 0));
  record.add({ ...message, from: 3 }, bytes(4));
});
test('another order', told, (record) => {
  record.add({ ...message, from: 3 }, bytes(4));
  record.add(message, bytes(1, 2, 3));
});
test('another ring', told, (record) => {
  record.add({ ...message, place: 0x2000 }, bytes(1, 2, 3));
  record.add({ ...message, from: 3 }, bytes(4));
});
test('a message from a write', told, (record) => {
  record.add({ ...message, kind: 'write' }, bytes(1, 2, 3));
  record.add({ ...message, from: 3 }, bytes(4));
});

test('the window keeps events in full from the wanted one on', (t) => {
  const record = recorder(2);
  for (let i = 0; i < 5; i++) record.add({ ...message, place: i }, bytes(i, 9), bytes(7));
  const { window, events } = record.read();
  t.is(events, 5);
  t.deepEqual(
    window.map(({ step, place, length, head }) => [step, place, length, ...head.subarray(0, 4)]),
    [2, 3, 4].map((i) => [i, i, 3, i, 9, 7, 0]),
  );
});

test('checkpoints stay at even distances, however many events come', (t) => {
  const record = recorder();
  const hashes: string[] = [];
  for (let i = 0; i < 300_000; i++) {
    record.add(message, bytes(i, i >> 8, i >> 16));
    hashes.push(record.hash);
  }
  const { checkpoints, interval } = record.read();
  t.is(interval, 32);
  t.is(checkpoints.length, Math.floor(300_000 / 32));
  checkpoints.forEach((hash, i) => {
    if (hash !== hashes[(i + 1) * interval - 1]) t.fail(`checkpoint ${i}`);
  });
});
