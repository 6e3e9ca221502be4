// Set-up of the tests of kernel/ipc: a memory with two seats, rings between them, seeded randomness.

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { FRAMES, HEADER_CORES } from '../../abi/memlayout.ts';
import { Ring, type RingShape, ringSize } from '../ring.ts';
import { type PeerJob, REPORT } from './peer.ts';

export const SEAT_A = 5;
export const SEAT_B = 6;

export interface Rig {
  readonly ram: SharedArrayBuffer;
  readonly report: SharedArrayBuffer;
  /** Formats a ring behind the others; its address. */
  ring(shape: Partial<RingShape>): number;
  count(what: keyof typeof REPORT): number;
}

/** A machine's memory with nothing in it but the header. */
export function rig(): Rig {
  const ram = new SharedArrayBuffer(FRAMES + 512 * 1024);
  const report = new SharedArrayBuffer(64);
  new Int32Array(ram)[HEADER_CORES] = availableParallelism();
  let next = FRAMES;
  return {
    ram,
    report,
    ring(given) {
      const shape = { slots: 4, slotSize: 128, producer: SEAT_A, consumer: SEAT_B, ...given };
      const at = next;
      Ring.format(ram, at, shape);
      next += Math.ceil(ringSize(shape) / 64) * 64;
      return at;
    },
    count: (what) => Atomics.load(new Int32Array(report), REPORT[what]),
  };
}

/** Sets both counters of an empty ring, to begin anywhere in their 2^32. */
export function startCountersAt(ram: SharedArrayBuffer, ring: number, value: number): void {
  const words = new Int32Array(ram, ring, 32);
  words[0] = value;
  words[16] = value;
}

/** Starts a worker with this job. */
export const startPeer = (job: PeerJob): Worker =>
  new Worker(new URL('./peer.js', import.meta.url), { workerData: job });

/** Resolves when the worker has ended by itself; rejects with what it threw. */
export const ended = (worker: Worker): Promise<void> =>
  new Promise((resolve, reject) => {
    worker.once('exit', () => resolve());
    worker.once('error', reject);
  });
