// A worker that writes stamped sectors to a drive until it is terminated: what the test of the write
// cache and the overlay in the board's memory starts, and kills.

import { parentPort, workerData } from 'node:worker_threads';
import { integersFrom } from '../../../kernel/ipc/random.ts';
import { openDisk } from '../disk/disk.ts';
import type { OverlayMemory } from '../disk/overlay-memory.ts';
import { WriteCache } from '../disk/write-cache.ts';

export interface WriterJob {
  readonly file: string;
  readonly sectors: number;
  readonly cache: SharedArrayBuffer;
  readonly overlay: OverlayMemory;
  readonly seed: number;
  /** Words: see REPORT; then for each sector the stamp acknowledged, and the stamp flushed. */
  readonly report: SharedArrayBuffer;
}

/** Indices into the report: what is being written, and the last stamp given out. */
export const REPORT = { from: 0, count: 1, stamp: 2, writes: 3, words: 16 } as const;

export function openDrive({ file, cache, overlay }: WriterJob): WriteCache {
  return new WriteCache(openDisk({ file, mode: 'overlay', overlay }), cache);
}

function main(job: WriterJob): void {
  const random = integersFrom(job.seed);
  const drive = openDrive(job);
  const words = new Int32Array(job.report);
  const acknowledged = words.subarray(REPORT.words, REPORT.words + job.sectors);
  const flushed = words.subarray(REPORT.words + job.sectors);
  for (;;) {
    const count = 1 + random(random(6) === 0 ? 200 : 12);
    const from = random(job.sectors - count);
    const stamp = (words[REPORT.stamp] ?? 0) + 1;
    words[REPORT.from] = from;
    words[REPORT.count] = count;
    Atomics.store(words, REPORT.stamp, stamp);
    const data = new Uint8Array(new Int32Array(count * 128).fill(stamp).buffer);
    const cut = 512 * random(count);
    const pieces = [data.subarray(0, cut), data.subarray(cut)];
    if (random(20) === 0) drive.writeThrough(from * 512, pieces);
    else drive.writev(from * 512, pieces);
    acknowledged.fill(stamp, from, from + count);
    Atomics.add(words, REPORT.writes, 1);
    if (random(40) > 0) continue;
    drive.flush();
    flushed.set(acknowledged);
  }
}

if (parentPort) main(workerData as WriterJob);
