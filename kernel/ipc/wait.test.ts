// Sleeping and waking: nothing is missed, nobody is woken for nothing.

import test from 'ava';
import { HEADER_AWAKE, seatPage } from '../abi/memlayout.ts';
import { ended, rig, SEAT_A, SEAT_B, startPeer } from './testing/rig.ts';
import { Bell, giveOrders, waitForOrders, wakeAll } from './wait.ts';

test('a bell that was rung after the count was read does not sleep', (t) => {
  const { ram } = rig();
  const bell = new Bell(ram, SEAT_A);
  const seen = bell.read();
  bell.ring();
  bell.wait(seen, Number.POSITIVE_INFINITY); // would never return
  t.is(bell.read(), seen + 1);
});

test('a wait ends after its timeout, one of 0 ms or less at once', (t) => {
  const { ram } = rig();
  const bell = new Bell(ram, SEAT_A);
  for (const timeoutMs of [1, 0, -5]) bell.wait(bell.read(), timeoutMs);
  t.is(bell.read(), 0);
});

test('ringing one who is awake costs no hop: only sleepers are counted', async (t) => {
  const { ram } = rig();
  const bell = new Bell(ram, SEAT_A);
  for (let i = 0; i < 100; i++) bell.ring();
  t.is(bell.wakes, 0);
  const sleeping = bell.waitAsync(bell.read(), Number.POSITIVE_INFINITY);
  bell.ring();
  await sleeping;
  t.is(bell.wakes, 1);
  bell.ring();
  t.is(bell.wakes, 1);
});

test('who was about to be woken when the waker died is woken by the board', async (t) => {
  const { ram } = rig();
  const bell = new Bell(ram, SEAT_A);
  const sleeping = bell.waitAsync(bell.read(), 60_000);
  const words = new Int32Array(ram, seatPage(SEAT_A), 2);
  words.set([1, 0]); // rung, and taken out of its sleep; the notify is missing
  bell.ring();
  wakeAll(ram);
  await sleeping;
  t.is(bell.wakes, 0);
});

test('an asynchronous wait times out too', async (t) => {
  const { ram } = rig();
  const bell = new Bell(ram, SEAT_A);
  await bell.waitAsync(bell.read(), 1);
  await bell.waitAsync(bell.read(), 0);
  bell.ring();
  t.is(bell.wakes, 0); // nobody sleeps any more
});

test('the number of awake workers is right whatever was said how often', (t) => {
  const { ram } = rig();
  const header = new Int32Array(ram);
  const bells = [new Bell(ram, SEAT_A), new Bell(ram, SEAT_B)];
  for (const bell of bells) for (let i = 0; i < 3; i++) bell.setRunning(true);
  t.is(header[HEADER_AWAKE], 2);
  bells[0]?.wait(0, 1); // counts itself out and in again
  t.is(header[HEADER_AWAKE], 2);
  for (const bell of bells) for (let i = 0; i < 3; i++) bell.setRunning(false);
  t.is(header[HEADER_AWAKE], 0);
});

test('workers that ended of themselves are not counted as awake', async (t) => {
  const machine = rig();
  const { ram, report } = machine;
  const at = machine.ring({});
  const end = { at, until: 1000, lag: 0 };
  const workers = [
    startPeer({ ram, report, seat: SEAT_A, send: end }),
    startPeer({ ram, report, seat: SEAT_B, receive: end }),
  ];
  await Promise.all(workers.map(ended));
  t.is(machine.count('whole'), 1000);
  t.is(new Int32Array(ram)[HEADER_AWAKE], 0);
});

test('orders that are there already are not waited for', (t) => {
  const { ram } = rig();
  giveOrders(ram, SEAT_A, 7);
  t.is(waitForOrders(ram, SEAT_A), 7);
});
