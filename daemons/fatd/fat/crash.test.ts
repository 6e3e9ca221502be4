// Power cuts: what the disk was told is recorded while files are made, written, cut and removed; then
// images are made of it as a drive with a volatile cache may leave them, any sectors of the last window
// missing. fsck.fat must find nothing but what is lost, and every file that was fsynced must be whole.

import test from 'ava';
import { integersFrom } from '../../../kernel/ipc/random.ts';
import { testSeed } from '../../../kernel/ipc/testing/seed.ts';
import {
  fsckFat,
  haveDosfstools,
  mkfsFat,
  seriousFat,
} from '../../../scripts/testing/dosfstools.ts';
import type { LogEntry } from '../../lib/memory-device.ts';
import { bootVolume } from '../../lib/testing/boot.ts';
import { TestClient } from '../../lib/testing/client.ts';
import { Machine } from '../../lib/testing/machine.ts';
import { mountFat } from './mount.ts';

const CUTS = Number(process.env['ATOLL_CUTS'] ?? 5);
const SEED = testSeed();
const SECTOR = 512;

/** A file that was fsynced when the log had `at` entries, and is not touched later. */
interface Synced {
  readonly path: string;
  readonly data: Uint8Array;
  readonly at: number;
}

interface Story {
  readonly log: readonly LogEntry[];
  readonly synced: readonly Synced[];
}

function tell(image: Uint8Array, random: (below: number) => number): Story {
  const log: LogEntry[] = [];
  const synced: Synced[] = [];
  const { machine, fs } = bootVolume({ format: mountFat, image, writeLog: log });
  fs.mkdir('old');
  for (let i = 0; i < 40; i++) {
    const dir = i % 3 === 0 ? 'old' : `a directory of its own ${i}`;
    if (i % 3 !== 0) fs.mkdir(dir);
    const path = `${dir}/a file with number ${i}`;
    const data = new Uint8Array(random(30_000)).fill(1 + (i % 250));
    const fid = fs.create(path);
    for (let from = 0; from < data.length; from += 7000) {
      fs.write(fid, from, data.subarray(from, from + 7000));
    }
    const kept = random(2) === 0;
    if (kept) {
      fs.fsync(fid);
      synced.push({ path, data, at: log.length });
    } else if (random(2) === 0) fs.truncate(fid, random(data.length + 1));
    else fs.unlink(path);
    fs.clunk(fid);
    if (random(8) === 0) machine.advance(6000);
  }
  fs.detach();
  return { log, synced };
}

/** The image after a cut behind `cut` entries: what was not flushed may be there or not. */
function imageAfter(
  base: Uint8Array,
  log: readonly LogEntry[],
  { cut, random }: { cut: number; random: (below: number) => number },
): Uint8Array {
  const image = base.slice();
  const flushed = log.slice(0, cut).findLastIndex((entry) => entry.kind === 'flush');
  log.slice(0, cut).forEach((entry, i) => {
    if (entry.kind === 'flush') return;
    for (let at = 0; at < entry.data.length; at += SECTOR) {
      if (i < flushed || random(2) === 0) {
        image.set(entry.data.subarray(at, at + SECTOR), entry.offset + at);
      }
    }
  });
  return image;
}

const keeps = test.macro({
  exec(t, sizeBytes: number, args: string[]) {
    if (!haveDosfstools()) {
      t.log('no dosfstools here: skipped');
      return t.pass();
    }
    t.log(`ATOLL_SEED=${SEED}, ${CUTS} cuts (ATOLL_CUTS)`);
    const random = integersFrom(SEED + sizeBytes);
    const base = mkfsFat(sizeBytes, args);
    const { log, synced } = tell(base.slice(), random);
    for (let i = 0; i < CUTS; i++) {
      const cut = 1 + random(log.length);
      const image = imageAfter(base, log, { cut, random });
      const { output } = fsckFat(image);
      t.is(seriousFat(output), undefined, `cut at ${cut} of ${log.length}: ${output}`);
      const machine = new Machine({ format: mountFat, image });
      machine.mount();
      const fs = new TestClient(machine);
      fs.attach();
      for (const { path, data, at } of synced) {
        if (at > cut) continue;
        const seen = fs.read(fs.open(path, 0));
        t.is(Buffer.compare(seen, data), 0, `cut at ${cut}: ${path} was fsynced at ${at}`);
      }
      fs.detach();
      t.notRegex(fsckFat(image).output, /FATs differ/, 'the copies of the table are equal again');
    }
  },
  title: (_, _size: number, args: string[]) =>
    `mkfs.fat ${args.join(' ')}: whatever a power cut leaves, no cluster has two owners and fsynced files are whole`,
});
test(keeps, 2880 * 1024, ['-F', '12']);
test(keeps, 16 << 20, ['-F', '16', '-s', '4']);
test(keeps, 34 << 20, ['-F', '32']);
