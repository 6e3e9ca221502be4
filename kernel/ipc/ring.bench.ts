// What the ring costs: `node dist/kernel/ipc/ring.bench.js [SHARE]`, a share of the usual counts. A
// stream of 4 KiB messages one way, and round trips of 64 bytes and 4 KiB, between this thread and a
// worker, on rings of the usual shape.

import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { RING_SLOT_SIZE, RING_SLOTS, Ring } from './ring.ts';
import { rig, SEAT_A, SEAT_B } from './testing/rig.ts';
import { Bell } from './wait.ts';

interface Job {
  readonly ram: SharedArrayBuffer;
  readonly forth: number;
  readonly back: number;
  /** Answer each message with as many bytes, or only count. */
  readonly echo: boolean;
  readonly count: number;
}

const block = new Uint8Array(4096).fill(7);

function exchange(bell: Bell, ready: () => boolean): void {
  for (;;) {
    const seen = bell.read();
    if (ready()) return;
    bell.wait(seen, 60_000);
  }
}

function put(ring: Ring, bell: Bell, length: number): void {
  exchange(bell, () => {
    const slot = ring.reserve();
    if (slot === undefined) ring.flush();
    else {
      slot.payload.set(length === block.length ? block : block.subarray(0, length));
      slot.length = length;
      ring.publish();
    }
    return slot !== undefined;
  });
}

function take(ring: Ring, bell: Bell): number {
  let length = 0;
  exchange(bell, () => {
    const slot = ring.peek();
    if (slot === undefined) return false;
    length = slot.length;
    block.set(slot.payload.subarray(0, length));
    ring.release();
    return true;
  });
  return length;
}

function answer({ ram, forth, back, echo, count }: Job): void {
  const [requests, replies, bell] = [
    new Ring(ram, forth),
    new Ring(ram, back),
    new Bell(ram, SEAT_B),
  ];
  bell.setRunning(true);
  for (let i = 0; i < count; i++) {
    const length = take(requests, bell);
    if (!echo && i + 1 < count) continue;
    put(replies, bell, length);
    replies.flush();
  }
}

async function measure(name: string, o: { echo: boolean; size: number; count: number }) {
  const machine = rig();
  const { ram } = machine;
  const shape = { slots: RING_SLOTS, slotSize: RING_SLOT_SIZE };
  const forth = machine.ring(shape);
  const back = machine.ring({ ...shape, producer: SEAT_B, consumer: SEAT_A });
  const workerData: Job = { ram, forth, back, echo: o.echo, count: o.count };
  const worker = new Worker(new URL(import.meta.url), { workerData });
  await new Promise((resolve) => worker.once('online', resolve));
  const [requests, replies, bell] = [
    new Ring(ram, forth),
    new Ring(ram, back),
    new Bell(ram, SEAT_A),
  ];
  bell.setRunning(true);
  let from = 0;
  for (let i = 0; i < o.count; i++) {
    if (i === o.count / 10) from = performance.now();
    put(requests, bell, o.size);
    if (o.echo) {
      requests.flush();
      take(replies, bell);
    } else if (i % 4 === 3) requests.flush();
  }
  requests.flush();
  if (!o.echo) take(replies, bell);
  const us = ((performance.now() - from) * 1000) / (o.count * 0.9);
  console.log(
    `${name.padEnd(32)}${us.toFixed(2).padStart(8)} µs, hops ${bell.wakes + new Bell(ram, SEAT_B).wakes}`,
  );
  await worker.terminate();
}

if (isMainThread) {
  const share = Number(process.argv[2] ?? 1);
  const [many, some] = [200_000 * share, 50_000 * share];
  await measure('stream of 4 KiB, one way', { echo: false, size: 4096, count: many });
  await measure('round trip of 64 bytes', { echo: true, size: 64, count: some });
  await measure('round trip of 4 KiB', { echo: true, size: 4096, count: some });
} else answer(workerData as Job);
