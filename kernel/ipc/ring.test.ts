// The ring in one thread: empty, full, wrapped round, taken over, and counters that lie.

import test from 'ava';
import { EPROTO, PosixError } from '../abi/errno.ts';
import { RING_PAYLOAD, RING_SLOT_SIZE, Ring } from './ring.ts';
import { holdsNumbered, putNumbered } from './testing/messages.ts';
import { ended, rig, SEAT_A, SEAT_B, startCountersAt, startPeer } from './testing/rig.ts';
import { Bell } from './wait.ts';

function pair(slots = 4) {
  const { ram, ring } = rig();
  const at = ring({ slots });
  return { ram, at, producer: new Ring(ram, at), consumer: new Ring(ram, at) };
}

function send(ring: Ring): boolean {
  const slot = ring.reserve();
  if (slot === undefined) return false;
  putNumbered(slot, ring.total);
  ring.publish();
  return true;
}

function receive(ring: Ring): boolean | undefined {
  const slot = ring.peek();
  if (slot === undefined) return undefined;
  const whole = holdsNumbered(slot, ring.taken);
  ring.release();
  return whole;
}

test('an empty ring has nothing to peek, a full one nothing to reserve', (t) => {
  const { producer, consumer } = pair();
  t.is(consumer.peek(), undefined);
  for (let i = 0; i < 4; i++) t.true(send(producer));
  t.true(producer.full);
  t.is(producer.reserve(), undefined);
  t.true(receive(consumer));
  t.false(producer.full);
  t.true(send(producer));
  t.is(producer.reserve(), undefined);
  for (let i = 0; i < 4; i++) t.true(receive(consumer));
  t.is(consumer.peek(), undefined);
  t.is(consumer.queued, 0);
});

test('a message is invisible until it is published, whatever was written', (t) => {
  const { producer, consumer } = pair();
  const slot = producer.reserve();
  slot?.payload.fill(0xff);
  t.is(consumer.peek(), undefined);
  t.true(send(producer));
  t.true(receive(consumer));
});

test('slots wrap round at every fill level', (t) => {
  const { producer, consumer } = pair();
  for (let level = 1; level <= 4; level++) {
    for (let round = 0; round < 7; round++) {
      for (let i = 0; i < level; i++) t.true(send(producer));
      t.is(consumer.queued, level);
      for (let i = 0; i < level; i++) t.true(receive(consumer));
    }
  }
});

const wraps = test.macro({
  exec(t, start: number) {
    const { ram, at, producer, consumer } = pair();
    startCountersAt(ram, at, start);
    t.is(producer.total, start >>> 0);
    for (let i = 0; i < 4; i++) t.true(send(producer));
    t.is(producer.reserve(), undefined);
    for (let i = 0; i < 12; i++) {
      t.true(receive(consumer));
      t.is(consumer.queued, 3);
      t.true(send(producer));
    }
    for (let i = 0; i < 4; i++) t.true(receive(consumer));
    t.is(consumer.peek(), undefined);
    t.is(consumer.taken, (start + 16) >>> 0);
  },
  title: (_, start: number) => `the counters go on through 0x${start.toString(16)}`,
});
test(wraps, 0x7fff_fffa); // the sign bit of the Int32Array
test(wraps, 0xffff_fff9); // 2^32
test(wraps, 0xffff_ffff);

test('many messages published together ring the bell once, and a flush without any not at all', (t) => {
  const { ram, at } = pair(16);
  const producer = new Ring(ram, at);
  const bell = new Bell(ram, SEAT_B);
  const before = bell.read();
  for (let i = 0; i < 16; i++) send(producer);
  t.is(bell.read(), before);
  producer.flush();
  producer.flush();
  t.is(bell.read(), before + 1);
});

test('a ring that was full rings its producer once, when half of it is free; any other rings nobody', (t) => {
  const { ram, producer, consumer } = pair();
  const bell = new Bell(ram, SEAT_A);
  const before = bell.read();
  for (let i = 0; i < 3; i++) send(producer);
  for (let i = 0; i < 3; i++) receive(consumer);
  t.is(bell.read(), before);
  for (let i = 0; i < 4; i++) send(producer);
  receive(consumer);
  t.is(bell.read(), before, 'one slot is free');
  receive(consumer);
  t.is(bell.read(), before + 1, 'half of them are');
  receive(consumer);
  receive(consumer);
  t.is(bell.read(), before + 1);
});

test('whoever takes over a ring rings both sides: its predecessor may not have come to it', (t) => {
  const { ram, at } = pair();
  const bells = [new Bell(ram, SEAT_A), new Bell(ram, SEAT_B)];
  const before = bells.map((bell) => bell.read());
  new Ring(ram, at).takeOver();
  t.deepEqual(
    bells.map((bell) => bell.read()),
    before.map((count) => count + 1),
  );
});

test('a ring given to another seat rings the bell there, from an end that knew the old one', (t) => {
  const { ram, producer, consumer } = pair();
  const [a, b] = [new Bell(ram, SEAT_A), new Bell(ram, SEAT_B)];
  new Ring(ram, producer.address).reseat({ consumer: SEAT_A });
  const [seenA, seenB] = [a.read(), b.read()];
  send(producer);
  producer.flush();
  t.is(a.read(), seenA + 1);
  t.is(b.read(), seenB);
  t.is(consumer.consumer, SEAT_A);
  t.is(consumer.producer, SEAT_A);
});

const contradicts = test.macro({
  exec(t, [head, tail]: [number, number]) {
    const { ram, at, producer, consumer } = pair();
    const words = new Int32Array(ram, at, 32);
    words[0] = tail;
    words[16] = head;
    const error = t.throws(() => consumer.peek(), { instanceOf: PosixError });
    t.is(error?.errno, EPROTO);
    t.is(producer.reserve(), undefined); // for the producer it is full, not an exception
  },
  title: (_, [head, tail]) => `head ${head} and tail ${tail} are EPROTO`,
});
test(contradicts, [0, 5]); // more than there are slots
test(contradicts, [1, 0]); // taken before it was sent
test(contradicts, [0, -1]);
test(contradicts, [-1, 0x7fff_ffff]);

test('a length beyond the slot is cut to the slot', (t) => {
  const { producer, consumer } = pair();
  for (const length of [121, 0x7fff_ffff, -1, 97]) {
    const slot = producer.reserve();
    if (slot) slot.length = length;
    producer.publish();
    t.is(consumer.peek()?.length, 128 - 32);
    consumer.release();
  }
});

test('a slot carries its grant, and forgets the grant of the message before', (t) => {
  const { producer, consumer } = pair(1);
  const grant = { index: 7, generation: 0x7fff_ffff, offset: 0xffff_0000, length: 0xffff_ffff };
  const slot = producer.reserve();
  if (slot) slot.grant = grant;
  producer.publish();
  t.deepEqual(consumer.peek()?.grant, grant);
  consumer.release();
  t.true(send(producer));
  t.is(consumer.peek()?.grant, undefined);
});

test('both sides read the shape that the kernel wrote', (t) => {
  const { ram, ring } = rig();
  const at = ring({ slots: 16, slotSize: RING_SLOT_SIZE });
  const other = new Ring(ram, at);
  t.like(other, { slots: 16, slotSize: 8192, producer: SEAT_A, consumer: SEAT_B });
  t.is(other.reserve()?.payload.length, RING_PAYLOAD);
});

interface Hammer {
  readonly slots: number;
  readonly lagA: number; // of the sender forth
  readonly lagB: number; // of its receiver
  readonly messages: number;
}

// Each worker is the producer of one ring and the consumer of the other, and has one bell for both.
const hammers = test.macro({
  async exec(t, o: Hammer) {
    const machine = rig();
    const { ram, report } = machine;
    const forth = machine.ring({ slots: o.slots });
    const back = machine.ring({ slots: o.slots, producer: SEAT_B, consumer: SEAT_A });
    startCountersAt(ram, forth, 0);
    const until = o.messages;
    const a = startPeer({
      ...{ ram, report, seat: SEAT_A },
      send: { at: forth, until, lag: o.lagA },
      receive: { at: back, until, lag: 0 },
    });
    const b = startPeer({
      ...{ ram, report, seat: SEAT_B },
      send: { at: back, until, lag: 0 },
      receive: { at: forth, until, lag: o.lagB },
    });
    await Promise.all([ended(a), ended(b)]);
    t.is(machine.count('lostWakeUps'), 0);
    t.is(machine.count('torn'), 0);
    t.is(machine.count('whole'), 2 * until);
    t.log(`${2 * until} messages, ${machine.count('sleeps')} sleeps`);
  },
  title: (_, o: Hammer) =>
    `no wake-up is lost both ways: ${o.slots} slots, lags ${o.lagA} and ${o.lagB}`,
});
test(hammers, { slots: 1, lagA: 0, lagB: 0, messages: 15_000 });
test(hammers, { slots: 2, lagA: 0, lagB: 0, messages: 20_000 });
test(hammers, { slots: 16, lagA: 0, lagB: 0, messages: 40_000 });
test(hammers, { slots: 4, lagA: 3000, lagB: 0, messages: 8_000 }); // mostly empty
test(hammers, { slots: 4, lagA: 0, lagB: 3000, messages: 8_000 }); // mostly full

// One way, nothing but the ring itself ever wakes a producer that found it full.
const streams = test.macro({
  async exec(t, o: Hammer) {
    const machine = rig();
    const { ram, report } = machine;
    const at = machine.ring({ slots: o.slots });
    const until = o.messages;
    const a = startPeer({ ram, report, seat: SEAT_A, send: { at, until, lag: o.lagA } });
    const b = startPeer({ ram, report, seat: SEAT_B, receive: { at, until, lag: o.lagB } });
    await Promise.all([ended(a), ended(b)]);
    t.is(machine.count('lostWakeUps'), 0);
    t.is(machine.count('torn'), 0);
    t.is(machine.count('whole'), until);
  },
  title: (_, o: Hammer) =>
    `no wake-up is lost one way: ${o.slots} slots, lags ${o.lagA}, ${o.lagB}`,
});
test(streams, { slots: 1, lagA: 0, lagB: 0, messages: 15_000 });
test(streams, { slots: 2, lagA: 0, lagB: 0, messages: 60_000 });
test(streams, { slots: 2, lagA: 100, lagB: 100, messages: 20_000 });
