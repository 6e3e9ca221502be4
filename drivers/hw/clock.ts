// The board's clock on the host's: one monotonic time for all workers, counted from power-on, and a
// wall clock that is the monotonic one plus a start, corrected when somebody sets the host's clock.

import type { Clock } from '../../kernel/abi/board.ts';

/** The moment of power-on, as the main thread took it; all workers count from it. */
export interface Epoch {
  readonly hrtimeNs: bigint;
  readonly wallMs: number;
}

export const powerOnNow = (): Epoch => ({
  hrtimeNs: process.hrtime.bigint(),
  wallMs: performance.timeOrigin + performance.now(),
});

/** Power-on of a repeatable run, unless told otherwise: 2026-01-01 00:00:00 UTC. */
export const SEEDED_EPOCH_MS = Date.UTC(2026, 0, 1);

/** Beyond this the host's clock was set: follow it. Below it is the coarseness of Date.now(). */
const STEP_MS = 100;

export function hostClock(epoch: Epoch): Clock {
  // performance.now() is the cheaper reading of the same clock as hrtime.
  const offset = offsetMs(epoch);
  let wallBase = epoch.wallMs;
  const monotonicMs = (): number => performance.now() + offset;
  return {
    monotonicMs,
    wallclock() {
      const sinceBoot = monotonicMs();
      const hostMs = Date.now();
      if (Math.abs(hostMs - wallBase - sinceBoot) > STEP_MS) wallBase = hostMs - sinceBoot;
      const ms = wallBase + sinceBoot;
      const sec = Math.floor(ms / 1000);
      return { sec, nsec: Math.min(999_999_999, Math.floor((ms - sec * 1000) * 1e6)) };
    },
  };
}

/** Pairs of readings, of which the closest counts. */
const READINGS = 20;

/**
 * What performance.now() is behind the epoch. A worker that has just begun may lose its core, or load
 * what it needs, between two readings: then they are milliseconds apart.
 */
function offsetMs({ hrtimeNs }: Epoch): number {
  let best = { apartMs: Number.POSITIVE_INFINITY, offset: 0 };
  for (let i = 0; i < READINGS; i++) {
    const before = performance.now();
    const sinceEpoch = Number(process.hrtime.bigint() - hrtimeNs) / 1e6;
    const after = performance.now();
    if (after - before >= best.apartMs) continue;
    best = { apartMs: after - before, offset: sinceEpoch - (before + after) / 2 };
  }
  return best.offset;
}

/** Virtual time since power-on, in milliseconds, is all there is. */
export function virtualClock(epoch: Epoch, timeMs: () => number): Clock {
  return {
    monotonicMs: timeMs,
    wallclock() {
      const ms = epoch.wallMs + timeMs();
      const sec = Math.floor(ms / 1000);
      return { sec, nsec: Math.min(999_999_999, Math.floor((ms - sec * 1000) * 1e6)) };
    },
  };
}
