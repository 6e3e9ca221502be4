// The ring: everything between two workers (DESIGN law 2). One producer, one consumer, slots of a
// fixed size in shared memory. A message is written into its slot first and becomes visible by one
// store of `tail`: a producer that is terminated before that store has sent nothing, one that is
// terminated after it has sent a whole message.
//
//   +0    tail       messages ever published, mod 2^32; written by the producer alone
//   +64   head       messages ever taken; written by the consumer alone
//   +128  slots, slotSize, written once by the kernel; producer seat, consumer seat: see `reseat`
//   +144  session: grows, by the kernel, when the worker at either end was replaced
//   +148  faults: how often that was because the server had failed by itself
//   +192  slot 0: length, grant index, grant generation, grant offset, grant length, flow, session,
//         repeated, payload …

import { assert, EPROTO, PosixError } from '../abi/errno.ts';
import { Recorder } from './baton/record.ts';
import type { GrantRef } from './grant.ts';
import { type Tracer, tracerOf } from './trace.ts';
import { COUNTERS, EVENTS } from './trace-events.ts';
import { Bell } from './wait.ts';

const TAIL = 0;
const HEAD = 16;
const SHAPE = 32;
const PRODUCER = 34;
const CONSUMER = 35;
const SESSION = 36;
const FAULTS = 37;
const SLOTS_AT = 192;
const SLOT_HEADER = 32;

export const RING_SLOTS = 16;
export const RING_SLOT_SIZE = 8192;
/** The largest message of a ring of the usual shape: 9P's msize. */
export const RING_PAYLOAD = RING_SLOT_SIZE - SLOT_HEADER;

/** Seats. */
export interface RingEnds {
  readonly producer: number;
  readonly consumer: number;
}

export interface RingShape extends RingEnds {
  /** A power of two, so that the counters may wrap. */
  readonly slots: number;
  /** Bytes of a slot, its header of 32 included; a multiple of 8. */
  readonly slotSize: number;
}

/** Bytes of `ram` that a ring takes. */
export const ringSize = (shape: Pick<RingShape, 'slots' | 'slotSize'>): number =>
  SLOTS_AT + shape.slots * shape.slotSize;

/** One slot. The producer fills it between `reserve` and `publish`, the consumer reads it between `peek` and `release`. */
export class Slot {
  readonly payload: Uint8Array;
  readonly view: DataView;
  readonly #header: Int32Array;

  constructor(ram: SharedArrayBuffer, at: number, size: number) {
    this.#header = new Int32Array(ram, at, SLOT_HEADER / 4);
    this.payload = new Uint8Array(ram, at + SLOT_HEADER, size - SLOT_HEADER);
    this.view = new DataView(ram, at + SLOT_HEADER, size - SLOT_HEADER);
  }

  /** Bytes of payload in use; never more than there are, whatever the ring says. */
  get length(): number {
    return Math.min((this.#header[0] ?? 0) >>> 0, this.payload.length);
  }

  set length(bytes: number) {
    this.#header[0] = bytes;
  }

  /** The grant that carries the bulk of the message, if any. */
  get grant(): GrantRef | undefined {
    const [, index = 0, generation = 0, offset = 0, length = 0] = this.#header;
    if (generation === 0) return undefined;
    return { index, generation, offset: offset >>> 0, length: length >>> 0 };
  }

  /** Grant index, generation, offset and length as bytes; all zero when there is none. */
  get grantWords(): Uint8Array {
    const { buffer, byteOffset } = this.#header;
    return new Uint8Array(buffer, byteOffset + 4, 16);
  }

  set grant(ref: GrantRef | undefined) {
    this.#header[1] = ref?.index ?? 0;
    this.#header[2] = ref?.generation ?? 0;
    this.#header[3] = ref?.offset ?? 0;
    this.#header[4] = ref?.length ?? 0;
  }

  /** What the message is sent for (trace.ts); only a traced machine sets it. */
  get flow(): number {
    return (this.#header[5] ?? 0) >>> 0;
  }

  set flow(number: number) {
    this.#header[5] = number;
  }

  /** In which session of the ring it was sent; what is left of an earlier one is void. */
  get session(): number {
    return this.#header[6] ?? 0;
  }

  set session(number: number) {
    this.#header[6] = number;
  }

  /** A worker that is gone may have seen it already: what it did then counts. */
  get repeated(): boolean {
    return this.#header[7] === 1;
  }

  set repeated(again: boolean) {
    this.#header[7] = again ? 1 : 0;
  }
}

export class Ring {
  readonly slots: number;
  readonly slotSize: number;
  readonly address: number;
  readonly #words: Int32Array;
  readonly #slot: Slot[];
  readonly #ram: SharedArrayBuffer;
  #bells: readonly [producer: Bell, consumer: Bell];
  #bellsOf: readonly [producer: number, consumer: number];
  readonly trace: Tracer;
  /** Of a repeatable run. */
  readonly #recorder: Recorder | undefined;
  #ringConsumer = false;
  #ringProducer = false;

  /** Writes an empty ring at `at`; then both sides construct it. The kernel alone does this. */
  static format(ram: SharedArrayBuffer, at: number, shape: RingShape): Ring {
    assert((shape.slots & (shape.slots - 1)) === 0 && shape.slotSize % 8 === 0);
    const words = new Int32Array(ram, at, SLOTS_AT / 4);
    words.fill(0);
    words.set([shape.slots, shape.slotSize, shape.producer, shape.consumer], SHAPE);
    return new Ring(ram, at);
  }

  constructor(ram: SharedArrayBuffer, at: number) {
    this.address = at;
    this.trace = tracerOf(ram);
    this.#recorder = Recorder.of(ram);
    this.#words = new Int32Array(ram, at, SLOTS_AT / 4);
    const [slots = 0, slotSize = 0, producer = 0, consumer = 0] = this.#words.subarray(SHAPE);
    this.slots = slots;
    this.slotSize = slotSize;
    this.#ram = ram;
    this.#bellsOf = [producer, consumer];
    this.#bells = [new Bell(ram, producer), new Bell(ram, consumer)];
    this.#slot = Array.from(
      { length: slots },
      (_, i) => new Slot(ram, at + SLOTS_AT + i * slotSize, slotSize),
    );
  }

  /** Seats of the two ends. */
  get producer(): number {
    return Atomics.load(this.#words, PRODUCER);
  }

  get consumer(): number {
    return Atomics.load(this.#words, CONSUMER);
  }

  /** The kernel: the worker of another seat is at one end from now on. */
  reseat({ producer = this.producer, consumer = this.consumer }: Partial<RingEnds>): void {
    Atomics.store(this.#words, PRODUCER, producer);
    Atomics.store(this.#words, CONSUMER, consumer);
  }

  /** Messages published and not yet taken. */
  get queued(): number {
    return (Atomics.load(this.#words, TAIL) - Atomics.load(this.#words, HEAD)) >>> 0;
  }

  /** Messages ever published. */
  get total(): number {
    return Atomics.load(this.#words, TAIL) >>> 0;
  }

  /** Messages ever taken. */
  get taken(): number {
    return Atomics.load(this.#words, HEAD) >>> 0;
  }

  /** Messages of an earlier session are void: whoever sent or would have taken them is gone. */
  get session(): number {
    return Atomics.load(this.#words, SESSION);
  }

  /** How many sessions ended because the server failed by itself. */
  get faults(): number {
    return Atomics.load(this.#words, FAULTS);
  }

  /** The kernel: the worker at one end is gone, and another takes its place. */
  newSession(cause: 'server failed' | 'ordered'): void {
    if (cause === 'server failed') Atomics.add(this.#words, FAULTS, 1);
    Atomics.add(this.#words, SESSION, 1);
    this.takeOver();
  }

  get full(): boolean {
    return this.queued >= this.slots;
  }

  /** Producer: the next free slot, or undefined when the ring is full. */
  reserve(): Slot | undefined {
    const slot = this.full ? undefined : this.#slotAt(Atomics.load(this.#words, TAIL));
    if (slot === undefined) return undefined;
    slot.grant = undefined;
    slot.session = this.session;
    slot.repeated = false;
    return slot;
  }

  /** Producer: makes the reserved slot visible. `flush` tells the consumer: one bell for many messages. */
  publish(): void {
    if (this.#recorder !== undefined) this.#record(this.#recorder);
    const slot = this.#slotAt(Atomics.load(this.#words, TAIL));
    if (this.trace.on) slot.flow = this.trace.flow;
    const number = Atomics.add(this.#words, TAIL, 1);
    this.trace.count(COUNTERS.messages);
    this.trace.count(COUNTERS.messageBytes, slot.length);
    this.trace.instant(EVENTS.publish, this.address, number >>> 0);
    this.#ringConsumer = true;
  }

  /** Producer: rings the consumer's bell if anything was published since the last flush. */
  flush(): void {
    if (!this.#ringConsumer) return;
    this.#ringConsumer = false;
    this.#bell('consumer').ring();
  }

  /**
   * Consumer: the oldest message, or undefined when the ring is empty. Throws EPROTO when the
   * counters contradict each other, which only a broken producer can cause.
   */
  peek(): Slot | undefined {
    const head = Atomics.load(this.#words, HEAD);
    const queued = (Atomics.load(this.#words, TAIL) - head) >>> 0;
    if (queued === 0) return undefined;
    if (queued > this.slots) throw new PosixError(EPROTO, `ring holds ${queued} of ${this.slots}`);
    const slot = this.#slotAt(head);
    if (this.trace.on) this.trace.flow = slot.flow;
    return slot;
  }

  /**
   * Consumer: gives the slot back; its bytes may change from now on. Rings a producer that found the ring
   * full, once half of it is free: woken for a slot, it would fill one and sleep again.
   */
  release(): void {
    // Head first, tail after: either the producer sees the new head, or this sees that it filled up.
    const head = Atomics.add(this.#words, HEAD, 1);
    this.trace.instant(EVENTS.take, this.address, head >>> 0);
    const queued = (Atomics.load(this.#words, TAIL) - head) >>> 0;
    if (queued >= this.slots) this.#ringProducer = true;
    if (!this.#ringProducer || queued - 1 > this.slots / 2) return;
    this.#ringProducer = false;
    this.#bell('producer').ring();
  }

  /** Either side, on taking over from a worker that may have ended between a store and its bell. */
  takeOver(): void {
    this.#bell('producer').ring();
    this.#bell('consumer').ring();
  }

  #bell(end: keyof RingEnds): Bell {
    const { producer, consumer } = this;
    const [knownProducer, knownConsumer] = this.#bellsOf;
    if (producer !== knownProducer || consumer !== knownConsumer) {
      this.#bellsOf = [producer, consumer];
      this.#bells = [new Bell(this.#ram, producer), new Bell(this.#ram, consumer)];
    }
    return this.#bells[end === 'producer' ? 0 : 1];
  }

  #record(recorder: Recorder): void {
    const { payload, length, grantWords } = this.#slotAt(Atomics.load(this.#words, TAIL));
    const { producer: from, consumer: to } = this;
    recorder.add(
      { kind: 'message', from, to, place: this.address },
      payload.subarray(0, length),
      grantWords,
    );
  }

  #slotAt(counter: number): Slot {
    const slot = this.#slot[(counter >>> 0) % this.slots];
    assert(slot !== undefined);
    return slot;
  }
}
