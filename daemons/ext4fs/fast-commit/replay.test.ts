// Claims about fast commits: Linux writes them, the power fails, and what we find is what Linux had made
// durable (e2fsck's own replay leaves old blocks in a file whose number was used again). Skips where
// loop mounts are not allowed.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import {
  cutOnHostKernel,
  fsck,
  haveE2fsprogs,
  mke2fs,
} from '../../../scripts/testing/e2fsprogs.ts';
import { imageMedium } from '../../lib/memory/image-medium.ts';
import type { LogEntry } from '../../lib/memory-device.ts';
import { TestClient } from '../../lib/testing/client.ts';
import { Machine } from '../../lib/testing/machine.ts';
import { fsck as ourFsck } from '../fsck/fsck.ts';
import { mountExt4 } from '../mount.ts';
import { seeded, TestFs, TestImage } from '../testing.ts';

const SEED = Number(process.env['ATOLL_SEED'] ?? Date.now() % 1_000_000);

/** Paths with mode, links and content, sorted. */
function treeOf(m: TestFs, path = '', lines: string[] = []): string[] {
  for (const { name, qid } of m.list(m.at(path), 300)) {
    if (name === 'lost+found') continue;
    const inner = `${path}/${name}`;
    const { mode, nlink } = m.run((tx) => m.fs.getattr(tx, qid.path));
    const isDir = (mode & 0o170000) === 0o040000;
    lines.push(line(inner, { mode, nlink }, isDir ? undefined : m.read(qid.path)));
    if (isDir) treeOf(m, inner, lines);
  }
  return lines;
}

function treeOfHost(root: string, path = '', lines: string[] = []): string[] {
  for (const name of readdirSync(join(root, path))) {
    if (name === 'lost+found') continue;
    const inner = `${path}/${name}`;
    const stat = lstatSync(join(root, inner));
    const full = join(root, inner);
    lines.push(line(inner, stat, stat.isDirectory() ? undefined : readFileSync(full)));
    if (stat.isDirectory()) treeOfHost(root, inner, lines);
  }
  return lines;
}

function line(
  path: string,
  { mode, nlink }: { mode: number; nlink: number },
  data: Uint8Array | undefined,
): string {
  const content = data && createHash('sha256').update(data).digest('hex').slice(0, 8);
  return `${path} ${mode.toString(8)} ${nlink} ${data?.length ?? 'directory'} ${content}`;
}

const sorted = (image: Uint8Array): string[] => treeOf(new TestFs(new TestImage(image))).sort();

const volume = (features: string): Uint8Array =>
  mke2fs(8 << 20, ['-t', 'ext4', '-b', '1024', '-J', 'size=2', '-O', features]);

function sync(path: string): void {
  const fd = openSync(path, 'r');
  fsyncSync(fd);
  closeSync(fd);
}

function put(path: string, size: number, seed: number): void {
  writeFileSync(path, Buffer.alloc(size, `${seed}-`));
  sync(path);
}

/** Before the first fast commit there must be a whole one; the work of each case follows. */
function prepare(root: string): void {
  mkdirSync(join(root, 'd'));
  for (let i = 0; i < 20; i++) writeFileSync(join(root, 'd', `old${i}`), Buffer.alloc(3000, i));
  linkSync(join(root, 'd/old0'), join(root, 'd/hard'));
  spawnSync('sync', []);
}

const CASES: Readonly<Record<string, (root: string) => void>> = {
  'files made and written': (root) => {
    for (let i = 0; i < 12; i++) put(join(root, `d/new${i}`), 100 + i * 1700, i);
  },
  'files that grow, shrink and get holes': (root) => {
    const fd = openSync(join(root, 'd/old1'), 'r+');
    for (const at of [9000, 40_000, 200_000, 90_000]) {
      writeSync(fd, Buffer.alloc(2500, at % 251), 0, 2500, at);
      fsyncSync(fd);
    }
    closeSync(fd);
    truncateSync(join(root, 'd/old2'), 700);
    sync(join(root, 'd/old2'));
    truncateSync(join(root, 'd/old3'), 0);
    put(join(root, 'd/old3'), 5000, 3);
  },
  'names that come and go': (root) => {
    linkSync(join(root, 'd/old4'), join(root, 'd/second'));
    sync(join(root, 'd/old4'));
    renameSync(join(root, 'd/old5'), join(root, 'd/renamed'));
    sync(join(root, 'd/renamed'));
    unlinkSync(join(root, 'd/old6'));
    unlinkSync(join(root, 'd/hard'));
    put(join(root, 'd/last'), 10, 1);
    sync(join(root, 'd/old0'));
  },
  'directories made and removed': (root) => {
    mkdirSync(join(root, 'd/sub'));
    put(join(root, 'd/sub/inner'), 2000, 7);
    mkdirSync(join(root, 'd/sub/deeper'));
    put(join(root, 'd/sub/deeper/inner'), 100, 8);
    mkdirSync(join(root, 'gone'));
    sync(join(root, 'd/sub/inner'));
    rmdirSync(join(root, 'gone'));
    put(join(root, 'd/sub/end'), 1, 9);
  },
  'a file made and deleted, its number used again': (root) => {
    for (let i = 0; i < 5; i++) {
      put(join(root, `d/short${i}`), 6000, i);
      unlinkSync(join(root, `d/short${i}`));
    }
    put(join(root, 'd/stays'), 4000, 5);
  },
  'many files in one directory': (root) => {
    mkdirSync(join(root, 'many'));
    for (let i = 0; i < 120; i++) put(join(root, `many/a name of some length ${i}`), 30, i);
  },
  'room reserved and written': (root) => {
    spawnSync('fallocate', ['-l', '200KiB', join(root, 'd/room')]);
    sync(join(root, 'd/room'));
    const fd = openSync(join(root, 'd/room'), 'r+');
    writeSync(fd, Buffer.alloc(3000, 1), 0, 3000, 50_000);
    fsyncSync(fd);
    closeSync(fd);
  },
};

const replayed = test.macro({
  exec(t, features: string, work: (root: string) => void) {
    t.log(`ATOLL_SEED=${SEED}`);
    let theirs: string[] = [];
    const image = haveE2fsprogs() ? volume(features) : undefined;
    const cut =
      image &&
      cutOnHostKernel(image, (root) => {
        prepare(root);
        work(root);
        put(join(root, 'd/the end'), 3000, 1);
        theirs = treeOfHost(root).sort();
      });
    if (cut === undefined) return t.pass('no e2fsprogs or loop mounts here: skipped');
    const looked = cut.slice();
    const reader = new Machine({ image: looked, format: mountExt4, readOnly: true });
    reader.mount();
    t.true(Buffer.compare(looked, cut) === 0, 'a read-only mount writes nothing');

    const ours = cut.slice();
    const machine = new Machine({ image: ours, format: mountExt4 });
    machine.mount();
    const log = machine.log.join('\n');
    // A long story may end as the area is full, and Linux has just written a whole transaction.
    if (work !== random) t.regex(log, /fast commits replayed: \d+ entries/, log);
    t.notRegex(log, /fast commit:/);
    const fs = new TestClient(machine);
    fs.attach();
    fs.detach();
    const judged = fsck(ours);
    t.is(judged.status, 0, judged.output);
    t.deepEqual(sorted(ours), theirs);

    const checked = cut.slice();
    const world = { nowSec: 1_800_000_000, random: () => 7 };
    ourFsck(imageMedium(checked), { mode: 'repair', force: true, world });
    const second = fsck(checked);
    t.is(second.status, 0, second.output);
    t.deepEqual(sorted(checked), theirs);
  },
  title: (title = '', features: string) => `fast commits are replayed: ${title}, ${features}`,
});
for (const [title, work] of Object.entries(CASES)) test(title, replayed, 'fast_commit', work);
const { 'files made and written': first } = CASES;
if (first) test('files made', replayed, 'fast_commit,^metadata_csum,^64bit', first);

/** Whatever Linux does of files, each change made durable. */
function randomWork(root: string, next: () => number): void {
  const dirs = ['', 'd', 'd/deep', 'e'];
  mkdirSync(join(root, 'd/deep'));
  mkdirSync(join(root, 'e'));
  const files = new Set<string>();
  const fresh = (): string => `${dirs[next() % dirs.length]}/n${next() % 40}`;
  for (let i = 0; i < 120; i++) {
    const [path, other] = [fresh(), fresh()];
    const full = join(root, path);
    switch (next() % 8) {
      case 0:
        if (files.delete(path)) unlinkSync(full);
        break;
      case 1:
        if (!files.has(path) || path === other) break;
        renameSync(full, join(root, other));
        files.delete(path);
        files.add(other);
        break;
      case 2:
        if (!files.has(path) || files.has(other)) break;
        linkSync(full, join(root, other));
        files.add(other);
        break;
      case 3:
        if (!files.has(path)) break;
        truncateSync(full, next() % 20_000);
        sync(full);
        break;
      case 4:
        mkdirSync(join(root, `sub${i}`));
        put(join(root, `sub${i}/x`), 10, i);
        if (next() % 2 === 0) rmSync(join(root, `sub${i}`), { recursive: true });
        break;
      case 5:
        if (!files.has(path)) break;
        writeAt(full, next() % 60_000, Buffer.alloc(1 + (next() % 5000), i));
        break;
      default:
        put(full, next() % 9000, i);
        files.add(path);
    }
  }
  // The first may have been a whole transaction: not everything can be a fast commit.
  put(join(root, 'end'), 1, 1);
  put(join(root, 'end2'), 1, 1);
}

function random(root: string): void {
  randomWork(root, seeded(SEED));
}

function writeAt(path: string, at: number, data: Uint8Array): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, data, 0, data.length, at);
  fsyncSync(fd);
  closeSync(fd);
}

test('random work', replayed, 'fast_commit', random);
test('random work', replayed, 'fast_commit,orphan_file,^dir_index', random);

test('a recovery that is cut short at any write is done again, as a whole', (t) => {
  let theirs: string[] = [];
  const cut =
    haveE2fsprogs() &&
    cutOnHostKernel(volume('fast_commit'), (root) => {
      prepare(root);
      for (const work of Object.values(CASES).slice(0, 4)) work(root);
      theirs = treeOfHost(root).sort();
    });
  if (!cut) return t.pass('no e2fsprogs or loop mounts here: skipped');
  const writeLog: LogEntry[] = [];
  const whole = new Machine({ image: cut.slice(), format: mountExt4, writeLog });
  whole.mount();
  whole.run(whole.volume.checkpoint());
  const step = Math.ceil(writeLog.length / 12);
  for (let end = 0; end < writeLog.length; end += step) {
    const image = cut.slice();
    for (const entry of writeLog.slice(0, end))
      if (entry.kind === 'write') image.set(entry.data, entry.offset);
    const machine = new Machine({ image, format: mountExt4 });
    machine.mount();
    machine.run(machine.volume.unmount());
    t.deepEqual(sorted(image), theirs, `behind write ${end} of ${writeLog.length}`);
    const { status, output } = fsck(image);
    t.is(status, 0, output);
  }
});
