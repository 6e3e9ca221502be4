// Faults of the wall clock (`clock`): it jumps, or runs too fast or too slow. What happened lies in
// the fault area, so that every worker reads the same time. The monotonic clock is never touched.

import type { Clock } from '../../kernel/abi/board.ts';
import { FAULT_AREA } from '../../kernel/abi/memlayout.ts';
import { FaultGate } from '../../kernel/ipc/fault/gate.ts';
import { HEAD } from '../../kernel/ipc/fault/layout.ts';

const SEC = 1000; // milliseconds

/** The clock of a worker, with its faults. */
export function faultyClock(clock: Clock, worker: { ram: SharedArrayBuffer; seat: number }): Clock {
  const head = new Int32Array(worker.ram, FAULT_AREA, 64);
  const point = new FaultGate({ ...worker, clock }).point('clock');
  return {
    monotonicMs: () => clock.monotonicMs(),
    wallclock() {
      const now = clock.wallclock();
      if (point.armed) {
        const firing = point.hit();
        const jump = firing?.find('jump');
        const drift = firing?.find('drift');
        if (jump) shift(head, jump.ms);
        if (drift) setDrift(head, drift.ppm, clock.monotonicMs());
      }
      if (Atomics.load(head, HEAD.clockChanges) === 0) return now;
      const ms = now.sec * SEC + now.nsec / 1e6 + shiftMs(head, clock.monotonicMs());
      const sec = Math.floor(ms / SEC);
      return { sec, nsec: Math.min(999_999_999, Math.floor((ms - sec * SEC) * 1e6)) };
    },
  };
}

/** What the clock is ahead by now. */
function shiftMs(head: Int32Array, monotonicMs: number): number {
  const jumped = Atomics.load(head, HEAD.jumpSec) * SEC + Atomics.load(head, HEAD.jumpMs);
  const since = monotonicMs - Atomics.load(head, HEAD.driftFromSec) * SEC;
  return jumped + (since * Atomics.load(head, HEAD.driftPpm)) / 1e6;
}

function shift(head: Int32Array, ms: number): void {
  Atomics.add(head, HEAD.jumpSec, Math.trunc(ms / SEC));
  Atomics.add(head, HEAD.jumpMs, Math.trunc(ms % SEC));
  Atomics.add(head, HEAD.clockChanges, 1);
}

/** What has drifted so far stays. */
function setDrift(head: Int32Array, ppm: number, monotonicMs: number): void {
  const nowSec = Math.floor(monotonicMs / SEC);
  const since = nowSec - Atomics.load(head, HEAD.driftFromSec);
  shift(head, Math.round((since * SEC * Atomics.load(head, HEAD.driftPpm)) / 1e6));
  Atomics.store(head, HEAD.driftFromSec, nowSec);
  Atomics.store(head, HEAD.driftPpm, ppm);
}
