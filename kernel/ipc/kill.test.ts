// A ring whose producer or consumer is terminated at random moments, by its worker.

import { setTimeout as delay } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import { integersFrom } from './random.ts';
import { REPORT } from './testing/peer.ts';
import { type Rig, rig, SEAT_A, SEAT_B, startPeer } from './testing/rig.ts';
import { testSeed } from './testing/seed.ts';
import { wakeAll } from './wait.ts';

const ENDLESS = 0xffff_ffff;
/** More of them: ATOLL_KILLS. */
const KILLS = Number(process.env['ATOLL_KILLS'] ?? 50);
const LAGS = [0, 0, 50, 2000];

/** Waits until `more` whole messages were taken; false when that does not happen at all. */
async function flows(machine: Rig, more: number): Promise<boolean> {
  const words = new Int32Array(machine.report);
  const from = Atomics.load(words, REPORT.whole);
  for (let i = 0; i < 20_000; i++) {
    if (Atomics.load(words, REPORT.whole) - from >= more) return true;
    await delay(1);
  }
  return false;
}

type Side = 'producer' | 'consumer';

function starter(machine: Rig, random: (below: number) => number): (side: Side) => Worker {
  const at = machine.ring({ slots: 4, slotSize: 1024 });
  return (side) => {
    const end = { at, until: ENDLESS, lag: LAGS[random(LAGS.length)] ?? 0 };
    const job = { ram: machine.ram, report: machine.report };
    const worker =
      side === 'producer'
        ? startPeer({ ...job, seat: SEAT_A, send: end })
        : startPeer({ ...job, seat: SEAT_B, receive: end });
    worker.unref();
    return worker;
  };
}

/** Terminates the worker at a moment that differs from one time to the next by microseconds. */
async function terminate(worker: Worker, random: (below: number) => number): Promise<void> {
  await delay(random(3));
  for (let spin = random(200_000); spin > 0; spin--);
  await worker.terminate();
}

async function campaign(t: ExecutionContext, sides: readonly Side[]): Promise<void> {
  const seed = testSeed();
  t.log(`ATOLL_SEED=${seed}`);
  const random = integersFrom(seed);
  const machine = rig();
  const start = starter(machine, random);
  const workers = { producer: start('producer'), consumer: start('consumer') };
  let terminations = 0;
  t.true(await flows(machine, 20));
  while (terminations < KILLS) {
    const victims = sides.filter(() => random(2) === 0);
    if (victims.length === 0) continue;
    for (const side of victims) {
      await terminate(workers[side], random);
      wakeAll(machine.ram);
      workers[side] = start(side);
      terminations++;
    }
    if (!(await flows(machine, 20))) {
      t.fail(`stuck after termination ${terminations}, of ${victims.join(' and ')}`);
      break;
    }
    if (machine.count('torn') > 0) break;
  }
  await Promise.all([workers.producer.terminate(), workers.consumer.terminate()]);
  t.is(machine.count('torn'), 0);
  t.is(machine.count('lostWakeUps'), 0);
  t.log(`${terminations} terminations, ${machine.count('whole')} whole messages`);
}

test('a producer terminated at any moment leaves whole messages, and its successor goes on', (t) =>
  campaign(t, ['producer']));
test('a consumer terminated at any moment leaves its producer going', (t) =>
  campaign(t, ['consumer']));
test('both sides terminated, in any order: the ring goes on', (t) =>
  campaign(t, ['producer', 'consumer']));
