// Rows: processes, pipes, system calls, rings.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Outcome, Row } from '../row.ts';
import { inside, type Stage } from '../stage.ts';
import { dashSpawns, ddPipe, MIB, nodeCall, nodeWrites } from '../yardsticks.ts';
import { postMessages } from './post-message.ts';

async function spawn(stage: Stage): Promise<Outcome> {
  const count = stage.size(500, 30);
  const { p50Us, p95Us, hops } = await stage.fresh(64, async (os) => {
    await inside(os, `-n ${count} spawn`);
    return await inside(os, `-n ${count} spawn`);
  });
  const dashMs = dashSpawns(count);
  const yard = dashMs === undefined ? undefined : dashMs / count;
  const [p50, p95] = [p50Us / 1000, p95Us / 1000];
  return {
    figure: { value: p50, unit: 'ms' },
    ...(yard !== undefined && {
      yardstick: { what: 'dash, fork and exec', value: yard, unit: 'ms' },
      ratio: yard / p50,
    }),
    met: p50 < 0.3 && p95 < 1.5 && (yard === undefined || p50 < yard),
    note: `p95 ${p95.toFixed(2)} ms, ${hops.toFixed(1)} hops`,
  };
}

async function pipe(stage: Stage): Promise<Outcome> {
  const bytes = stage.size(1024, 32) * MIB;
  const { mbPerSecond, hops } = await stage.fresh(64, (os) =>
    inside(os, `-n ${bytes / 65536} -s 65536 -r ${stage.rounds} pipe`),
  );
  const yard = ddPipe(bytes);
  return {
    figure: { value: mbPerSecond, unit: 'MB/s' },
    ...(yard !== undefined && {
      yardstick: { what: 'dd | dd of the host', value: yard, unit: 'MB/s' },
      ratio: mbPerSecond / yard,
    }),
    met: mbPerSecond >= 1000,
    note: `${hops.toFixed(1)} hops for 64 KiB`,
  };
}

async function syscall(stage: Stage): Promise<Outcome> {
  const count = stage.size(20_000, 1000);
  const { p50Us, p95Us, hops, wakes } = await stage.fresh(64, async (os) => {
    await inside(os, `-n ${count} getppid`);
    return await inside(os, `-n ${count} getppid`);
  });
  const file = join(stage.directory, 'empty');
  nodeWrites(file, MIB);
  const yard = nodeCall('/dev/null', count);
  return {
    figure: { value: p50Us, unit: 'µs' },
    yardstick: { what: 'fs.fstatSync', value: yard, unit: 'µs' },
    ratio: yard / p50Us,
    note: `p95 ${p95Us.toFixed(1)} µs, ${hops.toFixed(1)} hops, ${wakes.toFixed(1)} wake-ups`,
  };
}

const RING_BENCH = fileURLToPath(new URL('../../../kernel/ipc/ring.bench.js', import.meta.url));

/** The ring's own bench: microseconds of the line that begins with `name`. */
function ringUs(name: string, stage: Stage): number {
  const share = String(stage.size(1, 0.05));
  const { stdout } = spawnSync(process.execPath, [RING_BENCH, share], { encoding: 'utf8' });
  const line = stdout.split('\n').find((one) => one.startsWith(name));
  return Number(/([\d.]+) µs/.exec(line ?? '')?.[1] ?? Number.NaN);
}

async function ring(stage: Stage): Promise<Outcome> {
  const us = ringUs('stream of 4 KiB', stage);
  const { streamUs } = await postMessages(stage.size(20_000, 1000));
  return {
    figure: { value: us, unit: 'µs' },
    yardstick: { what: 'postMessage, streaming', value: streamUs, unit: 'µs' },
    ratio: streamUs / us,
    met: us < 1,
  };
}

async function roundTrip(stage: Stage): Promise<Outcome> {
  const us = ringUs('round trip of 64 bytes', stage);
  const { roundTripUs } = await postMessages(stage.size(20_000, 1000));
  return {
    figure: { value: us, unit: 'µs' },
    yardstick: { what: 'postMessage and back', value: roundTripUs, unit: 'µs' },
    ratio: roundTripUs / us,
  };
}

export const processRows: readonly Row[] = [
  {
    id: 'spawn',
    what: 'spawn + wait of true, p50',
    target: 'p50 under 0.3 ms, p95 under 1.5 ms, and below dash',
    run: spawn,
  },
  { id: 'pipe', what: 'pipe, two processes, 64 KiB writes', target: '1,000 MB/s', run: pipe },
  { id: 'ring', what: 'ring, one way, 4 KiB messages', target: 'under 1 µs', run: ring },
  { id: 'ring-trip', what: 'ring, round trip', target: '', run: roundTrip },
  {
    id: 'syscall',
    what: 'system call through the kernel (getppid), p50',
    target: '',
    run: syscall,
  },
];
