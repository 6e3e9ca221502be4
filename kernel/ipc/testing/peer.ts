// A worker at one end, or at an end each, of two rings: what the tests of the ring start, hammer and
// terminate. It sends and checks numbered messages until its counts are reached.

import { parentPort, workerData } from 'node:worker_threads';
import { Ring } from '../ring.ts';
import { Bell } from '../wait.ts';
import { holdsNumbered, putNumbered } from './messages.ts';

/** One end of a ring: where it lies, how far to go, how slow to be. */
export interface End {
  readonly at: number;
  readonly until: number; // messages ever published or taken
  /** Loads of the bell between two messages: makes the ring run full or empty. */
  readonly lag: number;
}

export interface PeerJob {
  readonly ram: SharedArrayBuffer;
  readonly seat: number;
  readonly send?: End;
  readonly receive?: End;
  /** Words: see REPORT. */
  readonly report: SharedArrayBuffer;
}

/** Indices into the report, an Int32Array. */
export const REPORT = { sent: 0, whole: 1, torn: 2, lostWakeUps: 3, sleeps: 4 } as const;

/** Messages between two flushes, at most. */
const BATCH = 5;
const PATIENCE_MS = 10_000;

function main(job: PeerJob): void {
  const report = new Int32Array(job.report);
  const bell = new Bell(job.ram, job.seat);
  const out = job.send && new Ring(job.ram, job.send.at);
  const incoming = job.receive && new Ring(job.ram, job.receive.at);
  out?.takeOver();
  incoming?.takeOver();
  bell.setRunning(true);
  const ended = (): boolean =>
    (out === undefined || out.total >= (job.send?.until ?? 0)) &&
    (incoming === undefined || incoming.taken >= (job.receive?.until ?? 0));
  while (!ended()) {
    const seen = bell.read();
    const sent = out && job.send ? sendSome(out, { ...job.send, bell, report }) : 0;
    const taken =
      incoming && job.receive ? takeSome(incoming, { ...job.receive, bell, report }) : 0;
    if (sent + taken > 0) continue;
    if (ended()) break;
    Atomics.add(report, REPORT.sleeps, 1);
    const sinceMs = performance.now();
    bell.wait(seen, PATIENCE_MS);
    const asleep = bell.read() === seen && performance.now() - sinceMs >= PATIENCE_MS;
    const work = (incoming?.queued ?? 0) > 0 || out?.full === false;
    if (asleep && work) Atomics.add(report, REPORT.lostWakeUps, 1);
  }
  bell.setRunning(false);
}

interface Work extends End {
  readonly bell: Bell;
  readonly report: Int32Array;
}

function sendSome(ring: Ring, work: Work): number {
  let count = 0;
  for (; count < BATCH && ring.total < work.until; count++) {
    const slot = ring.reserve();
    if (slot === undefined) break;
    dawdle(work);
    putNumbered(slot, ring.total);
    ring.publish();
    Atomics.add(work.report, REPORT.sent, 1);
  }
  ring.flush();
  return count;
}

function takeSome(ring: Ring, work: Work): number {
  let count = 0;
  for (; count < BATCH; count++) {
    const slot = ring.peek();
    if (slot === undefined) break;
    dawdle(work);
    const whole = holdsNumbered(slot, ring.taken);
    Atomics.add(work.report, whole ? REPORT.whole : REPORT.torn, 1);
    ring.release();
  }
  return count;
}

function dawdle({ bell, lag }: Work): void {
  for (let i = 0; i < lag; i++) bell.read();
}

if (parentPort) main(workerData as PeerJob);
