// What other systems wrote is read, what is written others find right: images by the real mke2fs,
// judged by e2fsck and debugfs.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { EFBIG, EMLINK, ENOSPC, EUCLEAN, PosixError } from '../../kernel/abi/errno.ts';
import {
  debugfs,
  fsck,
  haveE2fsprogs,
  mke2fs,
  optimised,
  withTempDir,
} from '../../scripts/testing/e2fsprogs.ts';
import { without } from '../../scripts/testing/skip.ts';
import { seeded, TestFs, TestImage } from './testing.ts';

const missing = without('e2fsprogs', haveE2fsprogs);

const mount = (bytes: Uint8Array): TestFs => new TestFs(new TestImage(bytes));

const clean = (t: ExecutionContext, mounted: TestFs): void => {
  mounted.unmount();
  const { status, output } = fsck(mounted.image.bytes);
  t.is(status, 0, output);
};

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

const fileName = (i: number): string => `entry-${i}-${'x'.repeat(i % 40)}`;

const reads = test.macro({
  exec(t, args: string[], hash?: string) {
    if (missing(t)) return;
    const random = seeded(7);
    const big = new Uint8Array(3_000_000).map(() => random());
    const bytes = withTempDir((dir) => {
      mkdirSync(join(dir, 'deep/er'), { recursive: true });
      mkdirSync(join(dir, 'many'));
      writeFileSync(join(dir, 'deep/er/big'), big);
      writeFileSync(join(dir, 'sparse'), 'begin');
      truncateSync(join(dir, 'sparse'), 5_000_000);
      symlinkSync('deep/er/big', join(dir, 'fast'));
      symlinkSync(`deep/${'./'.repeat(100)}er/big`, join(dir, 'slow'));
      for (let i = 0; i < 900; i++) writeFileSync(join(dir, 'many', fileName(i)), `${i}`);
      return mke2fs(64 << 20, [...args, '-d', dir]);
    });
    for (const image of [bytes, optimised(bytes, hash)]) {
      const mounted = mount(image);
      t.true(same(mounted.read(mounted.at('/deep/er/big')), big));
      const sparse = mounted.read(mounted.at('/sparse'));
      t.is(sparse.length, 5_000_000);
      t.is(new TextDecoder().decode(sparse.subarray(0, 6)), 'begin\0');
      const [fast, slow] = [mounted.at('/fast'), mounted.at('/slow')];
      t.is(
        mounted.run((tx) => mounted.fs.readlink(tx, fast)),
        'deep/er/big',
      );
      t.is(mounted.run((tx) => mounted.fs.readlink(tx, slow)).length, 200 + 5 + 6);
      const names = mounted.names(mounted.at('/many'));
      t.is(new Set(names).size, 900);
      t.is(names.length, 900);
      for (let i = 0; i < 900; i += 7)
        t.is(new TextDecoder().decode(mounted.read(mounted.at(`/many/${fileName(i)}`))), `${i}`);
    }
  },
  title: (_, args: string[], hash = '') =>
    `what mke2fs -d and e2fsck -D wrote is read: ${args.join(' ')} ${hash}`,
});
test(reads, ['-t', 'ext4']);
test(reads, ['-t', 'ext4', '-b', '4096']);
test(reads, ['-t', 'ext3']);
test(reads, ['-t', 'ext2', '-b', '1024', '-I', '128']);
test(reads, ['-t', 'ext4', '-O', '^metadata_csum'], 'tea');
test(reads, ['-t', 'ext4', '-O', '64bit'], 'legacy');

test('debugfs sees the same bytes, times, links and attributes', (t) => {
  if (missing(t)) return;
  const mounted = mount(mke2fs(32 << 20, ['-t', 'ext4', '-b', '4096']));
  const random = seeded(3);
  const data = new Uint8Array(700_000).map(() => random());
  mounted.mkdir('/d');
  const ino = mounted.create('/d/f');
  mounted.write(ino, 0, data.subarray(0, 300_000));
  mounted.write(ino, 300_000, data.subarray(300_000));
  const { fs } = mounted;
  const value = new TextEncoder().encode('sea');
  const long = new TextEncoder().encode('b'.repeat(1000));
  mounted.run((tx) => fs.setxattr(tx, ino, 'user.small', value, 0));
  mounted.run((tx) => fs.setxattr(tx, ino, 'user.long', long, 0));
  const dir = mounted.at('/d');
  mounted.run((tx) => fs.symlink(tx, dir, { name: 'l', target: 'f', gid: 0 }));
  const time = { sec: 2 ** 33 + 5, nsec: 123_456_789 };
  const attr = { valid: 0x1a0, mode: 0, uid: 0, gid: 0, size: 0, atime: time, mtime: time };
  mounted.run((tx) => fs.setattr(tx, ino, { ...attr, valid: 0x10 | 0x20 | 0x80 | 0x100 }));
  t.deepEqual(mounted.run((tx) => fs.getattr(tx, ino)).mtime, time);
  const node = { name: 'null', mode: 0o020666, major: 1, minor: 3, gid: 0 };
  mounted.run((tx) => fs.mknod(tx, dir, node));
  clean(t, mounted);
  const out = debugfs(mounted.image.bytes, [
    'stat /d/f',
    'stat /d/null',
    'ea_get /d/f user.small',
    'ea_get /d/f user.long',
    'stat /d/l',
  ]);
  t.regex(out, /mtime: 0x00000005:\w+ -- .* 2242/);
  t.regex(out, /user\.small \(3\) = "sea"/);
  t.true(out.includes('b'.repeat(1000)));
  t.regex(out, /Fast link dest: "f"/);
  t.regex(out, /Device major\/minor number: 01:03/);
  const dumped = withTempDir((tmp) => {
    const [image, file] = [join(tmp, 'i'), join(tmp, 'f')];
    writeFileSync(image, mounted.image.bytes);
    execFileSync('/usr/sbin/debugfs', ['-R', `dump /d/f ${file}`, image], { stdio: 'ignore' });
    return createHash('sha256')
      .update(execFileSync('cat', [file]))
      .digest('hex');
  });
  t.is(dumped, createHash('sha256').update(data).digest('hex'));
});

test('a sparse file reaches beyond 4 GiB, and EFBIG ends it', (t) => {
  if (missing(t)) return;
  for (const args of [
    ['-t', 'ext4'],
    ['-t', 'ext3', '-b', '4096'],
    ['-t', 'ext2'],
  ]) {
    const mounted = mount(mke2fs(32 << 20, args));
    const ino = mounted.create('/sparse');
    const far = 5 * 2 ** 30 + 77;
    mounted.write(ino, far, new TextEncoder().encode('far out'));
    t.is(new TextDecoder().decode(mounted.read(ino, far)), 'far out');
    t.true(mounted.read(ino, far - 5000, 5000).every((byte) => byte === 0));
    t.like(
      t.throws(() => mounted.write(ino, 2 ** 50, Uint8Array.of(1))),
      { errno: EFBIG },
    );
    clean(t, mounted);
  }
});

test('a file of thousands of fragments has a deep tree, and shrinks to nothing again', (t) => {
  if (missing(t)) return;
  const mounted = mount(mke2fs(64 << 20, ['-t', 'ext4', '-b', '1024']));
  const before = mounted.run((tx) => mounted.fs.statfs(tx)).bfree;
  const ino = mounted.create('/f');
  const count = 8000;
  // Every second block, in an order that goes up and down.
  for (let i = 0; i < count; i++) {
    const at = (i % 2 === 0 ? i : count - i) * 2048;
    mounted.write(ino, at, Uint8Array.of(i & 0xff, i >>> 8));
  }
  const check = mounted.read(ino);
  for (let i = 0; i < count; i++) {
    const at = (i % 2 === 0 ? i : count - i) * 2048;
    if ((check[at] ?? 0) + (check[at + 1] ?? 0) * 256 !== i) t.fail(`fragment ${i}`);
  }
  clean(t, mounted);
  const out = debugfs(mounted.image.bytes, ['ex /f']);
  t.regex(out, /2\/ 2/);
  // Fill the holes: extents join.
  const whole = new Uint8Array(count * 2048).fill(9);
  mounted.write(ino, 0, whole);
  t.true(same(mounted.read(ino, 0, whole.length), whole));
  clean(t, mounted);
  mounted.truncate(ino, 100);
  clean(t, mounted);
  mounted.unlink('/f');
  clean(t, mounted);
  t.is(mounted.run((tx) => mounted.fs.statfs(tx)).bfree, before);
});

const fills = test.macro({
  exec(t, args: string[]) {
    if (missing(t)) return;
    const mounted = mount(mke2fs(12 << 20, args));
    const free = (): number => mounted.run((tx) => mounted.fs.statfs(tx)).bfree;
    mounted.mkdir('/d');
    const before = free();
    const chunk = new Uint8Array(200_000).fill(5);
    let files = 0;
    const full = t.throws(() => {
      for (; ; files++) {
        const ino = mounted.create(`/d/f${files}`);
        for (let i = 0; i < 4; i++) mounted.write(ino, i * chunk.length, chunk);
      }
    });
    t.like(full, { errno: ENOSPC });
    t.true(free() < 8, `${free()} blocks are left`);
    clean(t, mounted);
    for (let i = 0; i <= files; i++) if (mounted.has(`/d/f${i}`)) mounted.unlink(`/d/f${i}`);
    clean(t, mounted);
    t.is(free(), before);
  },
  title: (_, args: string[]) => `the last block is used, then all come back: ${args.join(' ')}`,
});
test(fills, ['-t', 'ext4', '-b', '1024']);
test(fills, ['-t', 'ext4', '-b', '4096', '-O', '^has_journal']);
test(fills, ['-t', 'ext2', '-b', '1024']);

test('a file has 65000 links and no more', (t) => {
  if (missing(t)) return;
  const mounted = mount(mke2fs(32 << 20, ['-t', 'ext4', '-b', '4096']));
  mounted.mkdir('/d');
  const [dir, ino] = [mounted.at('/d'), mounted.create('/d/0')];
  for (let i = 1; i < 65000; i++) mounted.run((tx) => mounted.fs.link(tx, dir, ino, `${i}`));
  const error = t.throws(() => mounted.run((tx) => mounted.fs.link(tx, dir, ino, 'more')));
  t.like(error, { errno: EMLINK });
  clean(t, mounted);
});

const damaged = test.macro({
  exec(t, args: string[]) {
    if (missing(t)) return;
    const bytes = mke2fs(8 << 20, args);
    const mounted = mount(bytes);
    mounted.mkdir('/d');
    for (let i = 0; i < 200; i++)
      mounted.write(mounted.create(`/d/${fileName(i)}`), i * 700, chunkOf(i));
    mounted.unmount();
    const seed = Number(process.env['ATOLL_SEED'] ?? Date.now() % 1_000_000);
    t.log(`ATOLL_SEED=${seed}`);
    const random = seeded(seed);
    for (let round = 0; round < 150; round++) {
      const broken = bytes.slice();
      for (let i = 0; i < 200; i++) {
        const at = random() % 2_000_000;
        if (at < 1024 || at >= 2048) broken[at] = (broken[at] ?? 0) ^ (1 << (random() % 8));
      }
      try {
        useAll(mount(broken));
      } catch (error) {
        if (!(error instanceof PosixError)) throw error;
      }
    }
    t.pass();
  },
  title: (_, args: string[]) =>
    `bits turned over are EUCLEAN or unseen, never anything else: ${args.join(' ')}`,
});
test(damaged, ['-t', 'ext4', '-b', '1024']);
test(damaged, ['-t', 'ext4', '-b', '1024', '-O', '^metadata_csum']);
test(damaged, ['-t', 'ext2', '-b', '1024']);

const chunkOf = (i: number): Uint8Array => new Uint8Array(1 + (i % 50) * 40).fill(i);

function useAll(mounted: TestFs): void {
  for (const name of mounted.names(mounted.at('/d'))) {
    const attempt = (body: () => void): void => {
      try {
        body();
      } catch (error) {
        if (!(error instanceof PosixError)) throw error;
      }
    };
    attempt(() => void mounted.read(mounted.at(`/d/${name}`), 0, 1_000_000));
    attempt(() => mounted.write(mounted.at(`/d/${name}`), 0, new Uint8Array(3000)));
    attempt(() => mounted.unlink(`/d/${name}`));
  }
}

test('a damaged index, extent or inode names itself', (t) => {
  if (missing(t)) return;
  const mounted = mount(mke2fs(8 << 20, ['-t', 'ext4', '-b', '1024', '-O', '^metadata_csum']));
  const ino = mounted.create('/f');
  for (let i = 0; i < 20; i++) mounted.write(ino, i * 4096, Uint8Array.of(1));
  mounted.unmount();
  const map = debugfs(mounted.image.bytes, ['ex /f', 'imap /f']);
  const index = /0\/ 1\s+1\/\s+\d+\s+\d+ -\s+\d+\s+(\d+)/.exec(map);
  const block = Number(index?.[1]);
  mounted.image.bytes[block * 1024] = 0x77;
  const again = mount(mounted.image.bytes);
  const error = t.throws(() => again.read(again.at('/f')));
  t.like(error, { errno: EUCLEAN });
  t.is(error?.message, `inode ${ino}: extent block ${block}: bad magic 0xf377`);
});
