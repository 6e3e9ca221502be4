// A worker is terminated at random moments while it publishes requests: each of them happened as a
// whole, with its reply, or not at all.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { FRAMES } from '../../../kernel/abi/memlayout.ts';
import {
  ACCOUNTS,
  audit,
  bankRam,
  FIRST_AMOUNT,
  fillBank,
  openBank,
  runBank,
} from '../testing/bank.ts';
import { DIRTY, H_PUBLISHED, LOGGED } from './layout.ts';

const KILLS = Number(process.env['ATOLL_KILLS'] ?? 50);
const SEED = Number(process.env['ATOLL_SEED'] ?? 4711);

test(`a request is whole after each of ${KILLS} terminations`, async (t) => {
  t.log(`seed ${SEED} (ATOLL_SEED), ${KILLS} kills (ATOLL_KILLS)`);
  const ram = bankRam();
  fillBank(openBank(ram));
  let last = 0;
  let redone = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const worker = new Worker(new URL('./publish.fuzz.js', import.meta.url), {
      workerData: { ram, seed: SEED + kill },
    });
    await new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', (code) => reject(new Error(`worker ended with ${code}`)));
    });
    await published(ram, (SEED * 31 + kill * 977) % 4000);
    await worker.terminate();
    const cache = openBank(ram);
    const { count, sum, replied, broken } = audit(cache);
    t.deepEqual(broken, [], `kill ${kill}`);
    t.is(sum, ACCOUNTS * FIRST_AMOUNT, `kill ${kill}`);
    t.is(replied, count, `kill ${kill}: the stored reply is that of the last request`);
    t.true(count >= last);
    if (count > last) redone++;
    last = count;
  }
  t.is(redone, KILLS);
});

/** Waits until the worker has published so many requests. */
async function published(ram: SharedArrayBuffer, count: number): Promise<void> {
  const header = new Int32Array(ram, FRAMES, H_PUBLISHED + 1);
  const first = Atomics.load(header, H_PUBLISHED);
  while (Atomics.load(header, H_PUBLISHED) - first <= count) await nextTurn();
}

test('a record that was published but not applied is applied by the next worker', (t) => {
  const ram = bankRam();
  const cache = openBank(ram);
  fillBank(cache);
  const { table } = cache;
  const frame = cache.allocate();
  const bytes = new Int32Array(frame.bytes.buffer, frame.bytes.byteOffset, 256);
  bytes.fill(4);
  const place = table.place;
  let stores = 0;
  table.place = (placement) => {
    if (stores++ === 0) throw new Error('terminated here');
    place.call(table, placement);
  };
  const placed = [{ frame: frame.index, no: 0, version: 1e6, tid: 1, state: DIRTY }] as const;
  const reply = { tag: 7, bytes: new Uint8Array([4, 0, 0, 0]) };
  t.throws(() => table.publish({ placed, freed: [], replies: [reply] }));
  const { count, replied } = audit(openBank(ram));
  t.is(count, 4);
  t.is(replied, 4);
});

test('frames keep the state that a commit and a checkpoint gave them', (t) => {
  const ram = bankRam();
  const cache = openBank(ram);
  fillBank(cache);
  cache.closeEpoch();
  runBank(cache, 2); // changes blocks that are being committed: in new frames
  const frozen = [...(cache.committing?.blocks.values() ?? [])];
  t.true(frozen.every((frame) => frame.state === DIRTY));
  t.is(frozen.length, ACCOUNTS + 1);
  t.true(frozen.filter((frame) => !frame.current).length >= 1);
  cache.epochLogged();
  t.true([...cache.logged.values()].every((frame) => frame.state === LOGGED));
  t.is(cache.logged.size, ACCOUNTS + 1);
  cache.checkpointed([...cache.logged.values()]);
  t.is(cache.logged.size, 0);
  t.is(cache.unwritten, cache.running.blocks.size);
  const again = openBank(ram);
  t.is(again.running.blocks.size, cache.running.blocks.size);
  t.deepEqual(audit(again).broken, []);
});
