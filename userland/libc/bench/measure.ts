// Runs one operation of `bench` and measures it: time, and what every layer counted meanwhile.

import { O_RDONLY } from '../../../kernel/abi/constants.ts';
import { decodeText } from '../../../kernel/abi/text.ts';
import type { Sys } from '../sys.ts';
import type { Load, Operation } from './operations.ts';

export interface Measured {
  readonly count: number;
  readonly totalMs: number;
  /** Microseconds of one run; 0 when only the total was measured. */
  readonly p50Us: number;
  readonly p95Us: number;
  /** Bells rung for workers, and those of them that had to wake one, for one run. */
  readonly hops: number;
  readonly wakes: number;
  readonly bytes: number; // of all runs
}

/** More runs than this are measured only as a whole. */
const LATENCIES_MAX = 100_000;

export function measure(operation: Operation, load: Load): Measured {
  const { sys, count } = load;
  const prepared = operation.prepare(load);
  const us = count <= LATENCIES_MAX ? new Float64Array(count) : undefined;
  try {
    const first = readCounters(sys);
    const before = readCounters(sys);
    const beginMs = sys.monotonicMs();
    if (us) runTimed(sys, prepared.run, us);
    else for (let i = 0; i < count; i++) prepared.run(i);
    prepared.last?.();
    if (load.sync) sys.sync();
    const totalMs = sys.monotonicMs() - beginMs;
    const after = readCounters(sys);
    // Reading the counters is system calls, too: as many as between the first two readings.
    const perRun = (name: string): number =>
      (at(after, name) - 2 * at(before, name) + at(first, name)) / count;
    const sorted = us?.sort() ?? new Float64Array(1);
    return {
      ...{ count, totalMs, bytes: (prepared.bytes ?? 0) * count },
      ...{ p50Us: sorted[count >> 1] ?? 0, p95Us: sorted[Math.floor(count * 0.95)] ?? 0 },
      ...{ hops: perRun('bells'), wakes: perRun('wakes') },
    };
  } finally {
    if (!load.keep) prepared.clean?.();
  }
}

function runTimed(sys: Sys, run: (i: number) => void, us: Float64Array): void {
  let before = sys.monotonicMs();
  for (let i = 0; i < us.length; i++) {
    run(i);
    const now = sys.monotonicMs();
    us[i] = (now - before) * 1000;
    before = now;
  }
}

type Counters = ReadonlyMap<string, number>;

const at = (counters: Counters, name: string): number => counters.get(name) ?? 0;

function readCounters(sys: Sys): Counters {
  const fd = sys.open('/proc/counters', O_RDONLY);
  const bytes = new Uint8Array(4096);
  const length = sys.read(fd, bytes);
  sys.close(fd);
  const lines = decodeText(bytes.subarray(0, length)).trim().split('\n');
  return new Map(
    lines.map((line) => {
      const [name = '', value = ''] = line.split(' ');
      return [name, Number(value)];
    }),
  );
}
