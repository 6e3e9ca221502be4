// Requests that are published together.

import test from 'ava';
import { EIO, ENOENT, fail, PosixError } from '../../../kernel/abi/errno.ts';
import { Engine } from '../engine.ts';
import { bankArea, bankRam, openBank } from '../testing/bank.ts';
import type { Transaction } from '../transaction.ts';
import type { BlockCache } from './block-cache.ts';
import { Joint } from './joint.ts';
import { RECORD_REPLIES } from './layout.ts';

const never = () => fail(EIO, 'no disk here');

function engine(ram: SharedArrayBuffer): Engine {
  return new Engine({
    ...{ ram, area: bankArea, blockSize: 1024, volume: new Int32Array([1, 2, 3, 4]), resume: true },
    device: {
      sizeBytes: 0,
      sectorSize: 512,
      readOnly: false,
      read: never,
      write: never,
      flush: never,
    },
    clock: { monotonicMs: () => 0, wallclock: () => ({ sec: 0, nsec: 0 }) },
    random: () => {},
    log: () => {},
  });
}

const CHANGES = { changes: true };
const put = (no: number, value: number) => (tx: Transaction) => tx.create(no).bytes.fill(value);
const add = (no: number) => (tx: Transaction) => {
  const { bytes } = tx.edit(no);
  bytes[0] = (bytes[0] ?? 0) + 1;
};
const first = (cache: BlockCache, no: number): number | undefined => cache.find(no)?.bytes[0];
const replyOf = (tag: number) => ({ tag, bytes: new Uint8Array([tag]) });

test('each sees those before it; one that fails or lacks a block leaves nothing; the others happen at once', (t) => {
  const ram = bankRam();
  const host = engine(ram);
  const joint = new Joint(host);
  joint.run(put(1, 10), { ...CHANGES, outcome: () => replyOf(1) });
  const failed = joint.run((tx) => {
    add(1)(tx);
    put(2, 1)(tx);
    fail(ENOENT);
  }, CHANGES);
  t.true(failed !== 'alone' && 'error' in failed && failed.error instanceof PosixError);
  t.is(
    joint.run((tx) => {
      add(1)(tx);
      tx.read(99);
    }, CHANGES),
    'alone',
  );
  joint.run(add(1), { ...CHANGES, outcome: () => replyOf(2) });
  joint.run(add(1), { ...CHANGES, outcome: () => 'drop' as const });
  t.is(first(host.cache, 1), undefined, 'nothing has happened yet');
  joint.publish();
  t.is(first(host.cache, 1), 11);
  t.is(first(host.cache, 2), undefined);
  const after = openBank(ram);
  t.is(first(after, 1), 11, 'a worker after this one finds it');
  for (const tag of [1, 2]) t.deepEqual(after.table.storedReply(tag), new Uint8Array([tag]));
});

test('a block that one of them forgets is gone for the next, and may be made anew', (t) => {
  const host = engine(bankRam());
  const joint = new Joint(host);
  let seals = 0;
  joint.run((tx) => tx.create(5, () => seals++).bytes.fill(1), CHANGES);
  joint.run((tx) => tx.forget(5), CHANGES);
  joint.run(put(5, 3), CHANGES);
  joint.publish();
  t.is(first(host.cache, 5), 3);
  t.is(seals, 0, 'the seal of what it was before is not put on it');
});

test('more than a record holds is published in parts', (t) => {
  const ram = bankRam();
  const host = engine(ram);
  const joint = new Joint(host);
  const many = RECORD_REPLIES + 10;
  for (let i = 0; i < many; i++) {
    const done = joint.run(put(i, i), { ...CHANGES, outcome: () => replyOf(i) });
    t.true(done !== 'alone' && 'value' in done);
  }
  joint.publish();
  const after = openBank(ram);
  for (let i = 0; i < many; i++) {
    t.is(first(after, i), i);
    t.deepEqual(after.table.storedReply(i), new Uint8Array([i]), `reply ${i}`);
  }
});
