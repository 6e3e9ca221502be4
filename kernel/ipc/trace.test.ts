// The tracer: what a worker's event ring holds, what is counted, and that a flow travels with a message.

import test from 'ava';
import { Ring } from './ring.ts';
import { rig, SEAT_A, SEAT_B } from './testing/rig.ts';
import {
  LABEL_BYTES,
  PHASE,
  readCounters,
  TRACE_HEAD,
  TRACE_LOST,
  TRACE_RECORDS,
  TRACE_TAIL,
  TRACE_WORDS,
  Tracer,
  traceRingSize,
} from './trace.ts';
import { EVENTS } from './trace-events.ts';

const clock = { monotonicMs: () => 1.5, wallclock: () => ({ sec: 0, nsec: 0 }) };

function traced(records = 8) {
  const ram = rig().ram;
  const events = new SharedArrayBuffer(traceRingSize(records));
  const tracer = new Tracer();
  tracer.attach(ram, { seat: SEAT_A, clock, events });
  const words = new Int32Array(events, 0, TRACE_RECORDS / 4);
  const record = (i: number) => [
    ...new Float64Array(events, TRACE_RECORDS + i * TRACE_WORDS * 8, TRACE_WORDS),
  ];
  return { ram, events, tracer, words, record };
}

test('a record holds time in microseconds, event and phase, flow, arguments and span', (t) => {
  const { tracer, words, record } = traced();
  tracer.flow = 9;
  tracer.instant(EVENTS.pageMiss, 12, 34);
  const span = tracer.asyncBegin(EVENTS.rpc, 116, 5);
  tracer.asyncEnd(EVENTS.rpc, span, 117);
  t.is(words[TRACE_TAIL], 3);
  t.deepEqual(record(0), [1500, EVENTS.pageMiss.id * 8, 9, 12, 34, 0]);
  t.deepEqual(record(1), [1500, EVENTS.rpc.id * 8 + PHASE.asyncBegin, 9, 116, 5, span]);
  t.deepEqual(record(2), [1500, EVENTS.rpc.id * 8 + PHASE.asyncEnd, 9, 117, 0, span]);
});

test('a label is recorded once, before it is used', (t) => {
  const { tracer, events, words } = traced();
  const number = tracer.label('Tread');
  t.is(tracer.label('Tread'), number);
  t.is(words[TRACE_TAIL], 1);
  const at = TRACE_RECORDS + 3 * 8;
  const text = new TextDecoder().decode(new Uint8Array(events, at, LABEL_BYTES).slice());
  t.is(text.replace(/\0+$/, ''), 'Tread');
});

test('a full ring loses events and says how many; what was read makes room', (t) => {
  const { tracer, words, record } = traced(4);
  for (let i = 0; i < 6; i++) tracer.instant(EVENTS.pageMiss, i);
  t.deepEqual([words[TRACE_TAIL], words[TRACE_LOST]], [4, 2]);
  words[TRACE_HEAD] = 4;
  tracer.instant(EVENTS.pageMiss, 6);
  t.is(words[TRACE_TAIL], 5);
  t.is(record(0)[3], 6);
});

test('a tracer without an event ring records nothing and counts all the same', (t) => {
  const { ram } = rig();
  const tracer = new Tracer();
  tracer.attach(ram, { seat: SEAT_A, clock });
  tracer.newFlow();
  tracer.instant(EVENTS.pageMiss);
  tracer.count(0, 5);
  t.false(tracer.on);
  t.is(tracer.flow, 0);
  t.is(readCounters(ram, SEAT_A).bells, 5);
  t.is(readCounters(ram).bells, 5);
});

test('a message carries the flow that it was published for', (t) => {
  const machine = rig();
  const events = new SharedArrayBuffer(traceRingSize(64));
  const at = machine.ring({});
  const ring = new Ring(machine.ram, at);
  ring.trace.attach(machine.ram, { seat: SEAT_A, clock, events });
  ring.trace.newFlow();
  const { flow } = ring.trace;
  t.not(flow, 0);
  t.truthy(ring.reserve());
  ring.publish();
  ring.trace.flow = 0;
  t.is(ring.peek()?.flow, flow);
  t.is(ring.trace.flow, flow);
  t.is(ring.consumer, SEAT_B);
});
