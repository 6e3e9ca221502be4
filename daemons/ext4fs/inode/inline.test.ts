// Claims about files and directories that lie in their inodes: debugfs made them, we read, change and
// outgrow them, e2fsck judges. ATOLL_SEED chooses the operations.

import test, { type ExecutionContext } from 'ava';
import { PosixError } from '../../../kernel/abi/errno.ts';
import {
  debugfs,
  debugfsWrite,
  fsck,
  haveE2fsprogs,
  mke2fs,
} from '../../../scripts/testing/e2fsprogs.ts';
import { without } from '../../../scripts/testing/skip.ts';
import { imageMedium } from '../../lib/memory/image-medium.ts';
import type { LogEntry } from '../../lib/memory-device.ts';
import { bootVolume } from '../../lib/testing/boot.ts';
import { TestClient } from '../../lib/testing/client.ts';
import { Machine } from '../../lib/testing/machine.ts';
import { fsck as ourFsck } from '../fsck/fsck.ts';
import { mountExt4 } from '../mount.ts';
import { EXT4_INLINE_DATA_FL } from '../ondisk.ts';
import { Op } from '../op.ts';
import { seeded, TestFs, TestImage } from '../testing.ts';

const SEED = Number(process.env['ATOLL_SEED'] ?? Date.now() % 1_000_000);

const missing = without('e2fsprogs', haveE2fsprogs);

const bytesOf = (length: number, seed: number): Uint8Array =>
  new Uint8Array(length).map((_, i) => (i * 7 + seed * 31) & 0xff);

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

const clean = (t: ExecutionContext, image: Uint8Array): void => {
  const { status, output } = fsck(image);
  t.is(status, 0, output);
};

const isInline = (m: TestFs, ino: number): boolean =>
  m.run((tx) => {
    const op = new Op(tx, m.volume, { isOpen: () => false, unfinished: () => {} });
    return (op.inode(ino).flags & EXT4_INLINE_DATA_FL) !== 0;
  });

const made = (args: readonly string[]): Uint8Array =>
  mke2fs(4 << 20, ['-t', 'ext4', '-b', '1024', '-O', 'inline_data,^has_journal', ...args]);

const theirs = test.macro({
  exec(t, length: number) {
    if (missing(t)) return;
    const data = bytesOf(length, 3);
    const image = debugfsWrite(made([]), data, ['write DATA f', 'mkdir d', 'write DATA d/g']);
    const m = new TestFs(new TestImage(image));
    t.true(same(m.read(m.at('/f')), data));
    t.true(same(m.read(m.at('/d/g')), data));
    t.deepEqual(m.names(m.at('/d')), ['g']);
    t.is(m.fs.volume.inodeSize, 256);
    m.write(m.at('/f'), length, bytesOf(30, 4));
    m.unlink('/d/g');
    m.unlink('/d', 0x200);
    m.unmount();
    clean(t, m.image.bytes);
    t.is(m.read(m.at('/f')).length, length + 30);
  },
  title: (_, length: number) => `a file of ${length} bytes by debugfs is read, and grows`,
});
for (const length of [0, 1, 59, 60, 61, 130, 157, 400]) test(theirs, length);

test('a small file lies in its inode, and moves to a block when it grows', (t) => {
  if (missing(t)) return;
  const m = new TestFs(new TestImage(made([])));
  const ino = m.create('/f');
  m.write(ino, 0, bytesOf(100, 1));
  t.true(isInline(m, ino));
  t.is(m.run((tx) => m.fs.getattr(tx, ino)).blocks, 0);
  clean(t, m.image.bytes);
  t.regex(debugfs(m.image.bytes, ['stat /f']), /Size of inline data: 100/);
  m.write(ino, 100, bytesOf(100, 2));
  t.false(isInline(m, ino));
  const all = new Uint8Array(200);
  all.set(bytesOf(100, 1));
  all.set(bytesOf(100, 2), 100);
  t.true(same(m.read(ino), all));
  m.unmount();
  clean(t, m.image.bytes);
});

test('a directory in its inode takes names, gets a block, and an index', (t) => {
  if (missing(t)) return;
  const m = new TestFs(new TestImage(made([])));
  const dir = m.mkdir('/d');
  const names: string[] = [];
  let moved = 0;
  for (let i = 0; i < 100; i++) {
    const name = `n${i}${'x'.repeat(i % 9)}`;
    m.create(`/d/${name}`);
    names.push(name);
    if (moved === 0 && !isInline(m, dir)) moved = i;
    if (i % 10 === 0) t.deepEqual(m.names(dir).sort(), [...names].sort());
  }
  t.true(moved > 4 && moved < 20, `${moved} names in the inode`);
  m.mkdir('/d/inner');
  m.run((tx) => m.fs.rename(tx, { dir, name: 'inner' }, { dir: 2, name: 'outer' }));
  t.is(
    m.run((tx) => m.fs.walk(tx, m.at('/outer'), '..')),
    2,
  );
  m.unmount();
  clean(t, m.image.bytes);
});

test('a scan of a directory goes on when it moves to a block', (t) => {
  if (missing(t)) return;
  for (const args of [[], ['-O', 'inline_data,^has_journal,^dir_index']]) {
    const m = new TestFs(new TestImage(made(args)));
    const dir = m.mkdir('/d');
    for (let i = 0; i < 6; i++) m.create(`/d/before${i}`);
    t.true(isInline(m, dir));
    const seen: string[] = [];
    for (let offset = 0, added = 0; ; ) {
      let got = 0;
      m.run((tx) => {
        got = 0;
        m.fs.readdir(tx, dir, offset, {
          add(entry) {
            if (got > 0) return false;
            got++;
            seen.push(entry.name);
            offset = entry.offset;
            return true;
          },
        });
      });
      if (got === 0) break;
      if (seen.length === 4) for (; added < 20; added++) m.create(`/d/while${added}`);
    }
    const before = seen.filter((name) => name.startsWith('before'));
    t.deepEqual(
      before.sort(),
      Array.from({ length: 6 }, (_, i) => `before${i}`),
    );
    t.is(new Set(seen).size, seen.length);
  }
});

const random = test.macro({
  exec(t, args: string[]) {
    if (missing(t)) return;
    t.log(`ATOLL_SEED=${SEED}`);
    const next = seeded(SEED);
    const image = new TestImage(made(args));
    image.forgetBlocks(() => next() % 4 === 0);
    const m = new TestFs(image);
    const files = new Map<string, Uint8Array>();
    const dirs = ['', '/d0', '/d1'];
    for (const dir of dirs.slice(1)) m.mkdir(dir);
    for (let i = 0; i < 400; i++) {
      const path = `${dirs[next() % 3]}/f${next() % 12}${'y'.repeat(next() % 4)}`;
      const old = files.get(path);
      const size = next() % 300;
      switch (next() % 6) {
        case 0:
          if (old !== undefined) m.unlink(path);
          files.delete(path);
          break;
        case 1:
          if (old === undefined) break;
          m.truncate(m.at(path), size);
          files.set(path, resized(old, size));
          break;
        case 2:
          if (old !== undefined) setAttribute(m, path, next() % 90);
          break;
        default: {
          const ino = old === undefined ? m.create(path) : m.at(path);
          const at = next() % ((old?.length ?? 0) + 20);
          const data = bytesOf(1 + (next() % 80), i);
          m.write(ino, at, data);
          const grown = resized(
            old ?? new Uint8Array(0),
            Math.max(old?.length ?? 0, at + data.length),
          );
          grown.set(data, at);
          files.set(path, grown);
        }
      }
    }
    for (const [path, data] of files) t.true(same(m.read(m.at(path)), data), path);
    const inside = [...files.keys()].filter((path) => isInline(m, m.at(path))).length;
    t.true(inside > 0, `${inside} of ${files.size} files in their inodes`);
    m.unmount();
    clean(t, m.image.bytes);
  },
  title: (_, args: string[]) => `random small files: ${args.join(' ') || 'inodes of 256 bytes'}`,
});
test(random, []);
test(random, ['-I', '512']);
test(random, ['-O', 'inline_data,^has_journal,^metadata_csum']);
test(random, ['-O', 'inline_data,^has_journal,^extent,^64bit,^dir_index']);

function resized(bytes: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size);
  out.set(bytes.subarray(0, size));
  return out;
}

function setAttribute(m: TestFs, path: string, length: number): void {
  const ino = m.at(path);
  m.run((tx) => m.fs.setxattr(tx, ino, 'user.a', bytesOf(length, 9), 0));
  const names = m.run((tx) => m.fs.getxattr(tx, ino, ''));
  const list = new TextDecoder().decode(names).split('\0');
  if (list.includes('system.data')) throw new Error('system.data is shown');
}

test('through the server: small files grow, shrink, and are there after a crash', (t) => {
  if (missing(t)) return;
  const image = mke2fs(8 << 20, ['-t', 'ext4', '-b', '1024', '-J', 'size=1', '-O', 'inline_data']);
  const { fs } = bootVolume({ image, format: mountExt4 });
  const contents = new Map<string, Uint8Array>();
  for (let i = 0; i < 40; i++) {
    const fid = fs.create(`f${i}`);
    let all: Uint8Array = new Uint8Array(0);
    for (let part = 0; part < 4; part++) {
      const data = bytesOf(10 + ((i * 13) % 70), part);
      fs.write(fid, all.length, data);
      all = resized(all, all.length + data.length);
      all.set(data, all.length - data.length);
    }
    if (i % 5 === 0) {
      fs.truncate(fid, i * 10);
      all = resized(all, i * 10);
    }
    t.true(same(fs.read(fid), all), `f${i}`);
    contents.set(`f${i}`, all);
    if (i === 39) fs.fsync(fid);
    fs.clunk(fid);
  }
  const after = new Machine({ image, format: mountExt4 });
  after.mount();
  const again = new TestClient(after);
  again.attach();
  for (const [name, all] of contents) t.true(same(again.read(again.open(name)), all), name);
  again.detach();
  clean(t, image);
});

test('a power cut at any write leaves each file with what was synced, or with what came then', (t) => {
  if (missing(t)) return;
  const image = mke2fs(4 << 20, ['-t', 'ext4', '-b', '1024', '-J', 'size=1', '-O', 'inline_data']);
  const begin = image.slice();
  const writeLog: LogEntry[] = [];
  const { fs } = bootVolume({ image, format: mountExt4, writeLog });
  // Each grows out of its inode; what is said of it is its length, once it was synced.
  const story: { at: number; name: string; length: number }[] = [];
  for (let i = 0; i < 4; i++) {
    const fid = fs.create(`f${i}`);
    for (const length of [50, 120, 900]) {
      fs.write(fid, 0, bytesOf(length, i));
      fs.fsync(fid);
      story.push({ at: writeLog.length, name: `f${i}`, length });
    }
    fs.clunk(fid);
  }
  const step = Math.ceil(writeLog.length / 24);
  for (let end = writeLog.length; end > 0; end -= step) {
    const cut = begin.slice();
    for (const entry of writeLog.slice(0, end))
      if (entry.kind === 'write') cut.set(entry.data, entry.offset);
    const after = new Machine({ image: cut, format: mountExt4 });
    after.mount();
    const files = new TestClient(after);
    files.attach();
    for (const { name } of story) {
      const synced = story.findLast((said) => said.name === name && said.at <= end)?.length ?? 0;
      if (synced === 0 && !files.list('/').includes(name)) continue;
      const data = files.read(files.open(name));
      t.true(data.length >= synced, `${name} behind write ${end}: ${data.length}, not ${synced}`);
      t.true(same(data, bytesOf(data.length, Number(name.slice(1)))), `${name} at ${end}`);
    }
    files.detach();
    clean(t, cut);
  }
});

const endures = test.macro({
  exec(t, features: string) {
    if (missing(t)) return;
    t.log(`ATOLL_SEED=${SEED}`);
    const next = seeded(SEED + 1);
    const args = ['-t', 'ext4', '-b', '1024', '-N', '64', '-O', `^metadata_csum,${features}`];
    const m = new TestFs(new TestImage(mke2fs(3 << 20, args)));
    populate(m);
    const golden = m.image.bytes;
    const used = usedBytes(golden);
    for (let round = 0; round < 120; round++) {
      const bytes = golden.slice();
      for (let i = next() % 3; i >= 0; i--) {
        const at = used[next() % used.length] ?? 0;
        bytes[at] =
          [0, 1, 0xff, (bytes[at] ?? 0) ^ (1 << (next() % 8)), next() & 0xff][next() % 5] ?? 0;
      }
      t.notThrows(() => exercise(bytes, next), `round ${round}`);
    }
  },
  title: (_, features: string) =>
    `whatever bytes of it change, a volume answers errnos: ${features}`,
});
test(endures, 'inline_data,^has_journal');
test(endures, 'inline_data,orphan_file,quota');

function populate(m: TestFs): void {
  for (let i = 0; i < 6; i++) {
    const dir = m.mkdir(`/d${i}`);
    for (let k = 0; k < i; k++) m.write(m.create(`/d${i}/f${k}`), 0, bytesOf(30 + k * 40, k));
    m.run((tx) => m.fs.setxattr(tx, dir, 'user.x', bytesOf(10, i), 0));
  }
  const ino = m.create('/orphan');
  m.open.add(ino);
  m.unlink('/orphan');
  m.unmount();
}

/** Where anything but zeroes lies, outside the superblock. */
function usedBytes(image: Uint8Array): number[] {
  const out: number[] = [];
  for (let at = 2048; at < image.length; at++) if (image[at] !== 0) out.push(at);
  return out;
}

/** Everything that can be done to it; what is no errno is thrown. */
function exercise(bytes: Uint8Array, next: () => number): void {
  const attempt = (body: () => void): void => {
    try {
      body();
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
    }
  };
  const m = new TestFs(new TestImage(bytes));
  attempt(() => {
    while (m.run((tx) => m.fs.drainOrphanFile(tx)));
  });
  attempt(() => m.run((tx) => m.fs.orphans(tx)));
  for (let i = 0; i < 6; i++) {
    attempt(() => m.names(m.at(`/d${i}`)));
    for (let k = 0; k < i; k++) {
      const path = `/d${i}/f${k}`;
      attempt(() => m.read(m.at(path)));
      attempt(() => m.write(m.at(path), next() % 300, bytesOf(50, 1)));
      attempt(() => m.truncate(m.at(path), next() % 200));
    }
    attempt(() => setAttribute(m, `/d${i}`, 40));
    attempt(() => m.create(`/d${i}/a longer name ${'x'.repeat(next() % 60)}`));
    attempt(() => m.unlink(`/d${i}/f0`));
    attempt(() => m.unlink(`/d${i}`, 0x200));
  }
  attempt(() => m.unmount());
  attempt(() => {
    const world = { nowSec: 1_800_000_000, random: next };
    ourFsck(imageMedium(bytes), { mode: 'repair', force: true, world });
  });
}
