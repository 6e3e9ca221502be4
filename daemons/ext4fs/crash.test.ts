// Power cuts: a volume is used while the disk logs its writes; then the image is put together as it
// would be after a cut at any flush, or between two with only some of the writes done. Each must
// mount, be clean for e2fsck, and hold every file that was synced.

import test, { type ExecutionContext } from 'ava';
import { EINVAL, fail } from '../../kernel/abi/errno.ts';
import { sleep, type Task, WaitQueue } from '../../kernel/ipc/task.ts';
import { e2fsckRepair, fsck, haveE2fsprogs, mke2fs } from '../../scripts/testing/e2fsprogs.ts';
import type { BlockDevice } from '../lib/device.ts';
import type { LogEntry, MemoryDevice } from '../lib/memory-device.ts';
import { bootVolume } from '../lib/testing/boot.ts';
import { TestClient } from '../lib/testing/client.ts';
import { Machine, type MachineOptions } from '../lib/testing/machine.ts';
import { mountExt4 } from './mount.ts';
import { JBD2_MAGIC, JBD2_SUPERBLOCK_V2 } from './ondisk-journal.ts';
import { seeded } from './testing.ts';

const SEED = Number(process.env['ATOLL_SEED'] ?? 20261121);
const CUTS = Number(process.env['ATOLL_CUTS'] ?? 10);

/** What must be there after a cut behind `at` entries of the write log. */
interface Synced {
  at: number;
  files: Map<string, Uint8Array>;
}

interface Story {
  image: Uint8Array;
  log: LogEntry[];
  syncs: Synced[];
}

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** Workers that serve one volume, one after the other, and what they write to its disk. */
class Lives {
  readonly log: LogEntry[] = [];
  fs: TestClient;
  machine: Machine;
  died = 0;
  readonly #options: MachineOptions;
  /** Transfers and flushes until the worker stops for ever; it is where a kill finds it. */
  #fuse = Number.POSITIVE_INFINITY;

  constructor(image: Uint8Array) {
    this.#options = {
      ...{ image, format: mountExt4, writeLog: this.log, cacheBytes: 2 << 20 },
      device: (disk) => this.#mortal(disk),
    };
    this.machine = new Machine(this.#options);
    this.fs = this.#begin();
  }

  /** The worker dies in what `action` makes it do, or behind it; the next one has its place. */
  die(fuse: number, action: () => void): void {
    this.#fuse = fuse;
    try {
      action();
    } catch (error) {
      if (!String(error).includes('the machine hangs')) throw error;
    }
    this.#fuse = Number.POSITIVE_INFINITY;
    this.machine = new Machine({ ...this.#options, after: this.machine });
    this.fs = this.#begin();
    this.died++;
  }

  #begin(): TestClient {
    this.machine.mount();
    const fs = new TestClient(this.machine);
    fs.attach();
    return fs;
  }

  #mortal(disk: MemoryDevice): BlockDevice {
    const grave = new WaitQueue('grave');
    const live = function* (this: Lives): Task<void> {
      if (this.#fuse-- <= 0) yield* sleep(grave);
    }.bind(this);
    const { sizeBytes, sectorSize, readOnly } = disk;
    return {
      ...{ sizeBytes, sectorSize, readOnly },
      *read(pieces) {
        yield* live();
        yield* disk.read(pieces);
      },
      *write(pieces) {
        yield* live();
        yield* disk.write(pieces);
      },
      *flush() {
        yield* live();
        yield* disk.flush();
      },
    };
  }
}

/** Creates, overwrites, renames, truncates and removes files, syncing now and then, or dying. */
function live(args: string[], { seed, steps, deaths }: Plot): Story {
  const random = seeded(seed);
  const pick = (n: number): number => random() % n;
  const start = mke2fs(16 << 20, args);
  const lives = new Lives(start.slice());
  const { log } = lives;
  for (let i = 0; i < 4; i++) lives.fs.mkdir(`d${i}`);
  const now = new Map<string, Uint8Array>();
  const syncs: Synced[] = [];
  for (let step = 0; step < steps; step++) {
    const { fs, machine } = lives;
    const path = `d${pick(4)}/f${pick(40)}`;
    const held = now.get(path);
    const action = pick(10);
    if (held === undefined || action < 4) {
      const fid = held === undefined ? fs.create(path) : fs.open(path);
      const offset = pick(3) === 0 ? pick(60_000) : 0;
      const data = new Uint8Array(1 + pick(40_000)).map(() => random());
      fs.write(fid, offset, data);
      const size = Math.max(held?.length ?? 0, offset + data.length);
      const whole = new Uint8Array(size);
      whole.set(held ?? []);
      whole.set(data, offset);
      now.set(path, whole);
      if (lives.died < deaths && pick(6) === 0) {
        lives.die(pick(8), () => fs.fsync(fid)); // in the middle of a commit, or after it
        continue;
      }
      if (pick(4) === 0) {
        fs.fsync(fid);
        syncs.push({ at: log.length, files: new Map(now) });
      }
      fs.clunk(fid);
    } else if (action < 6) {
      fs.unlink(path);
      now.delete(path);
    } else if (action < 8) {
      const target = `d${pick(4)}/f${pick(40)}`;
      if (target === path) continue;
      fs.rename(path, target);
      now.delete(path);
      now.set(target, held);
    } else {
      const fid = fs.open(path);
      const size = pick(held.length + 5000);
      fs.truncate(fid, size);
      fs.clunk(fid);
      const whole = new Uint8Array(size);
      whole.set(held.subarray(0, size));
      now.set(path, whole);
    }
    // The timer commits; when nothing came since, it checkpoints.
    if (pick(20) === 0) for (let i = pick(3); i >= 0; i--) machine.advance(6000);
  }
  return { image: start, log, syncs };
}

interface Plot {
  readonly seed: number;
  readonly steps: number;
  /** Workers that die on the way, at most. */
  readonly deaths: number;
}

/** Which of the writes behind the last flush reached the medium, and how much of each (0 to 1). */
type Fate = (index: number, count: number) => number;

/** The image after the first `upTo` entries, and of those up to the next flush what fate allows. */
function cutAt({ image, log }: Story, upTo: number, fate: Fate): Uint8Array {
  const out = image.slice();
  for (const entry of log.slice(0, upTo)) {
    if (entry.kind === 'write') out.set(entry.data, entry.offset);
  }
  const next = log.findIndex((entry, i) => i >= upTo && entry.kind === 'flush');
  const open = log.slice(upTo, next < 0 ? log.length : next);
  open.forEach((entry, i) => {
    if (entry.kind === 'flush') return;
    const sectors = entry.data.length / 512; // a write may tear at a sector
    const length = Math.floor(fate(i, open.length) * sectors) * 512;
    out.set(entry.data.subarray(0, length), entry.offset);
  });
  return out;
}

/** A cut at a flush; then a random half, all but one write, the last one alone. */
function fates(random: () => number): Fate[] {
  const lost = random();
  return [
    () => 0,
    () => (random() % 2 === 0 ? 0 : random() % 2 === 0 ? 1 : 0.5),
    (i, count) => (i === lost % count ? 0 : 1),
    (i, count) => (i === lost % count ? 0.5 : 1),
    (i, count) => (i === count - 1 ? 1 : 0),
  ];
}

/** Do the writes from `at` to the next flush include the journal's superblock? */
function movesTail(log: readonly LogEntry[], at: number): boolean {
  for (const entry of log.slice(at)) {
    if (entry.kind === 'flush') return false;
    const view = new DataView(entry.data.buffer, entry.data.byteOffset);
    if (view.getUint32(0) === JBD2_MAGIC && view.getUint32(4) === JBD2_SUPERBLOCK_V2) return true;
  }
  return false;
}

function remount(image: Uint8Array): { fs: TestClient; machine: Machine } {
  const { machine, fs } = bootVolume({ image, format: mountExt4 });
  return { fs, machine };
}

/** Files that no later step touched between the sync and the cut are as they were synced. */
function checkSynced(t: ExecutionContext, fs: TestClient, story: Story, at: number): void {
  const last = story.syncs.findLast((sync) => sync.at <= at);
  const next = story.syncs.find((sync) => sync.at > at);
  for (const [path, content] of last?.files ?? []) {
    const later = next?.files.get(path);
    if (later !== content) continue; // changed, moved or removed by what came after
    const fid = fs.open(path, 0);
    t.true(same(fs.read(fid), content), `${path} is not what was synced, cut at ${at}`);
    fs.clunk(fid);
  }
}

const survives = test.macro({
  exec(t, args: string[], deaths: number) {
    if (!haveE2fsprogs()) {
      t.log('no e2fsprogs here: skipped');
      return t.pass();
    }
    t.log(`seed ${SEED} (ATOLL_SEED), ${CUTS} cuts (ATOLL_CUTS)`);
    const story = live(args, { seed: SEED, steps: 260, deaths });
    const random = seeded(SEED + 1);
    const flushes = story.log.flatMap((entry, i) => (entry.kind === 'flush' ? [i + 1] : []));
    const tails = flushes.filter((at) => movesTail(story.log, at));
    t.true(flushes.length > 20 && tails.length > 2);
    for (let i = 0; i < CUTS; i++) {
      const among = i % 3 === 0 ? tails : flushes;
      const upTo = among[random() % among.length] ?? 0;
      const kinds = fates(random);
      const image = cutAt(story, upTo, kinds[i % kinds.length] ?? fail(EINVAL));
      const { fs, machine } = remount(image);
      checkSynced(t, fs, story, upTo);
      fs.detach();
      const { status, output } = fsck(image);
      t.is(status, 0, `cut at ${upTo}: ${output} ${machine.log.join('\n')}`);
    }
  },
  title: (_, args: string[], deaths: number) =>
    `a power cut leaves what replay repairs: ${args.join(' ')}${deaths > 0 ? `, after ${deaths} workers died` : ''}`,
});
test(survives, ['-t', 'ext4', '-b', '1024', '-J', 'size=1'], 0);
test(survives, ['-t', 'ext4', '-b', '4096', '-J', 'size=4'], 0);
test(survives, ['-t', 'ext4', '-b', '1024', '-O', '^metadata_csum,^64bit', '-J', 'size=1'], 0);
test(survives, ['-t', 'ext3', '-b', '1024', '-J', 'size=1'], 0);
test(survives, ['-t', 'ext4', '-b', '1024', '-J', 'size=1'], 15);
test(survives, ['-t', 'ext3', '-b', '1024', '-J', 'size=1'], 15);

test('e2fsck replays our journal to the same files as we do', (t) => {
  if (!haveE2fsprogs()) {
    t.log('no e2fsprogs here: skipped');
    return t.pass();
  }
  const story = live(['-t', 'ext4', '-b', '1024', '-J', 'size=1'], {
    ...{ seed: SEED + 2, steps: 200, deaths: 0 },
  });
  const flushes = story.log.flatMap((entry, i) => (entry.kind === 'flush' ? [i + 1] : []));
  for (let i = 1; i <= 4; i++) {
    const upTo = flushes[Math.floor((i * flushes.length) / 5)] ?? 0;
    const theirs = cutAt(story, upTo, () => 0);
    const repaired = e2fsckRepair(theirs);
    t.true(repaired.status <= 1, repaired.output);
    // The superblock's totals are brought up to date at unmount only, as Linux does.
    const totals = /Free (blocks|inodes) count wrong \(\d+, counted=\d+\)\.\nFix\? yes/g;
    t.notRegex(repaired.output.replaceAll(totals, ''), /\? yes/, `cut at ${upTo}`);
    t.regex(repaired.output, /recovering journal/);
    const ours = cutAt(story, upTo, () => 0);
    const a = remount(repaired.image);
    const b = remount(ours);
    for (let d = 0; d < 4; d++) {
      const names = b.fs.list(`d${d}`);
      t.deepEqual(a.fs.list(`d${d}`), names);
      for (const name of names) {
        const path = `d${d}/${name}`;
        t.true(same(a.fs.read(a.fs.open(path, 0)), b.fs.read(b.fs.open(path, 0))), path);
      }
    }
  }
});
