// What a drive holds without its model: the write cache and the overlay outlive the worker that runs
// the model, wherever that is terminated.

import * as fs from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import { integersFrom } from '../../../kernel/ipc/random.ts';
import { testSeed } from '../../../kernel/ipc/testing/seed.ts';
import { memoryDisk, tempDir } from '../test-rig.ts';
import { openDrive, REPORT, type WriterJob } from '../testing/drive-writer.ts';
import { openDisk } from './disk.ts';
import { overlayMemory } from './overlay-memory.ts';
import { WriteCache } from './write-cache.ts';
import { writeLogMemory } from './write-log.ts';

const dir = tempDir();
test.after.always(() => dir.remove());

const SECTORS = 2000;
const LIVES = 60;

function newJob(seed: number): WriterJob {
  const file = dir.path('base.img');
  fs.writeFileSync(file, new Uint8Array(SECTORS * 512));
  const cache = writeLogMemory(128 * 1024);
  const overlay = overlayMemory(SECTORS * 512);
  const report = new SharedArrayBuffer((REPORT.words + 2 * SECTORS) * 4);
  return { file, sectors: SECTORS, cache, overlay, seed, report };
}

/** Runs a writer until it wrote something and a random moment more. */
async function live(job: WriterJob, random: (limit: number) => number): Promise<void> {
  const words = new Int32Array(job.report);
  const before = Atomics.load(words, REPORT.writes);
  const worker = new Worker(new URL('../testing/drive-writer.js', import.meta.url), {
    workerData: job,
  });
  while (Atomics.load(words, REPORT.writes) - before < 20) await delay(1);
  for (let spin = random(300_000); spin > 0; spin--);
  await worker.terminate();
}

/** Every sector is whole, and holds what was acknowledged last or what was being written. */
function check(t: ExecutionContext, job: WriterJob, drive: WriteCache): void {
  const words = new Int32Array(job.report);
  const { from, count, stamp } = REPORT;
  const [at = 0, many = 0, newest = 0] = [words[from], words[count], words[stamp]];
  const bytes = new Uint8Array(SECTORS * 512);
  drive.readv(0, [bytes]);
  const found = new Int32Array(bytes.buffer);
  const problems: string[] = [];
  for (let sector = 0; sector < SECTORS; sector++) {
    const has = found[sector * 128] ?? -1;
    const whole = found.subarray(sector * 128, sector * 128 + 128).every((word) => word === has);
    const writing = sector >= at && sector < at + many && has === newest;
    const known = words[REPORT.words + sector];
    if (!whole || (has !== known && !writing)) problems.push(`${sector}: ${has}, not ${known}`);
    words[REPORT.words + sector] = has;
  }
  t.deepEqual(problems, []);
}

/** After a power cut every sector holds what was flushed, or something newer. */
function cutPower(t: ExecutionContext, job: WriterJob, drive: WriteCache): void {
  const words = new Int32Array(job.report);
  const { from, count, stamp } = REPORT;
  const [at = 0, many = 0, newest = 0] = [words[from], words[count], words[stamp]];
  drive.drop();
  const bytes = new Uint8Array(SECTORS * 512);
  drive.readv(0, [bytes]);
  const found = new Int32Array(bytes.buffer);
  for (let sector = 0; sector < SECTORS; sector++) {
    const has = found[sector * 128] ?? -1;
    const flushed = words[REPORT.words + SECTORS + sector] ?? 0;
    const last = words[REPORT.words + sector] ?? 0;
    // A write through the cache that was under way may have reached the medium behind older data.
    const writing = sector >= at && sector < at + many && has === newest;
    if (has < flushed || (has > last && !writing)) {
      t.fail(`sector ${sector}: ${has}, flushed ${flushed}`);
    }
    words[REPORT.words + sector] = has;
  }
}

test('a drive whose worker is killed anywhere has what it acknowledged, in whole sectors', async (t) => {
  const seed = testSeed();
  t.log(`ATOLL_SEED=${seed}`);
  const random = integersFrom(seed);
  let job = newJob(seed);
  for (let i = 0; i < LIVES; i++) {
    job = { ...job, seed: seed + i };
    await live(job, random);
    const drive = openDrive(job);
    check(t, job, drive);
    if (random(3) === 0) cutPower(t, job, drive);
  }
});

test('the next model of a drive finds what waits in its cache, and what was taken from it', (t) => {
  const memory = writeLogMemory(8192);
  const medium = memoryDisk(64);
  const first = new WriteCache(medium, memory);
  first.writev(0, [new Uint8Array(1024).fill(1)]);
  first.writev(2048, [new Uint8Array(1024).fill(2)]);
  first.writeThrough(512, [new Uint8Array(512).fill(3)]);
  first.trim(2048, 512);
  const next = new WriteCache(medium, memory);
  t.deepEqual(
    next.pending.map(({ sequence, offset }) => [sequence, offset]),
    [
      [0, 0],
      [1, 2048],
    ],
  );
  const bytes = new Uint8Array(3072);
  next.readv(0, [bytes]);
  t.deepEqual(
    [0, 512, 1024, 2048, 2560].map((at) => bytes[at]),
    [1, 3, 0, 0, 2],
  );
  next.flush();
  t.is(new WriteCache(medium, memory).pending.length, 0);
  t.is(medium.bytes[512], 3);
  t.is(next.flushes, 1);
});

test('the next model of a disk finds the overlay as it was, and reuses what was trimmed', (t) => {
  const file = dir.path('overlaid.img');
  fs.writeFileSync(file, new Uint8Array(1 << 20).fill(9));
  const overlay = overlayMemory(1 << 20);
  const options = { file, mode: 'overlay', overlay } as const;
  openDisk(options).writev(512, [new Uint8Array(512).fill(1)]);
  const next = openDisk(options);
  next.trim(65_536, 65_536);
  next.writev(131_072, [new Uint8Array(65_536).fill(2)]);
  next.trim(131_072, 65_536);
  next.writev(196_608, [new Uint8Array(512).fill(3)]);
  const bytes = new Uint8Array(262_144);
  openDisk(options).readv(0, [bytes]);
  const at = [0, 512, 1024, 65_536, 131_072, 196_608, 197_120];
  t.deepEqual(
    at.map((offset) => bytes[offset]),
    [9, 1, 9, 0, 0, 3, 9],
  );
  t.is(overlay.segments[0]?.byteLength, 1 << 20);
});
