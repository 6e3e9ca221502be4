// Claims about quota files: whatever we do to files and owners, e2fsck finds them right.
// ATOLL_SEED chooses the operations.

import test from 'ava';
import { P9_SETATTR_GID, P9_SETATTR_UID } from '../../../kernel/ninep/types.ts';
import { debugfs, fsck, haveE2fsprogs, mke2fs } from '../../../scripts/testing/e2fsprogs.ts';
import { imageMedium } from '../../lib/memory/image-medium.ts';
import { fsck as ourFsck } from '../fsck/fsck.ts';
import { seeded, TestFs, TestImage } from '../testing.ts';

const SEED = Number(process.env['ATOLL_SEED'] ?? Date.now() % 1_000_000);
const AT_REMOVEDIR = 0x200;
const world = { nowSec: 1_800_000_000, random: () => 7 };
const look = { mode: 'look', force: true, world } as const;

function chown(m: TestFs, path: string, { uid, gid }: { uid: number; gid: number }): void {
  const zero = { sec: 0, nsec: 0 };
  const valid = P9_SETATTR_UID | P9_SETATTR_GID;
  const attr = { valid, mode: 0, uid, gid, size: 0, atime: zero, mtime: zero };
  const ino = m.at(path);
  m.run((tx) => m.fs.setattr(tx, ino, attr));
}

const right = test.macro({
  exec(t, args: string[]) {
    if (!haveE2fsprogs()) return t.pass('no e2fsprogs here: skipped');
    t.log(`ATOLL_SEED=${SEED}`);
    const next = seeded(SEED);
    const image = new TestImage(mke2fs(16 << 20, ['-t', 'ext4', ...args]));
    image.forgetBlocks(() => next() % 8 === 0);
    const m = new TestFs(image);
    const files = new Set<string>();
    for (let i = 0; i < 300; i++) {
      const path = `/f${next() % 40}`;
      const id = next() % 3 === 0 ? next() : next() % 70; // as many ids as need new blocks
      switch (next() % 6) {
        case 0:
          if (files.delete(path)) m.unlink(path);
          break;
        case 1:
          if (files.has(path)) chown(m, path, { uid: id, gid: id % 1000 });
          break;
        case 2:
          if (files.has(path)) m.truncate(m.at(path), next() % 20_000);
          break;
        case 3:
          m.mkdir(`/d${i}`);
          chown(m, `/d${i}`, { uid: id, gid: 7 });
          if (next() % 2 === 0) m.unlink(`/d${i}`, AT_REMOVEDIR);
          break;
        default:
          if (!files.has(path)) m.create(path);
          files.add(path);
          m.write(m.at(path), next() % 30_000, new Uint8Array(1 + (next() % 9000)));
      }
    }
    m.unmount();
    const { status, output } = fsck(m.image.bytes);
    t.is(status, 0, output);
    t.deepEqual(ourFsck(imageMedium(m.image.bytes), look).problems, []);
  },
  title: (_, args: string[]) => `e2fsck finds the quota files right: ${args.join(' ')}`,
});
test(right, ['-b', '1024', '-O', 'quota']);
test(right, ['-b', '4096', '-O', 'quota,project', '-I', '256']);
test(right, ['-b', '1024', '-O', 'quota,^extent,^64bit', '-E', 'quotatype=usrquota']);

test('limits that are set in a quota file stay', (t) => {
  if (!haveE2fsprogs()) return t.pass('no e2fsprogs here: skipped');
  const image = mke2fs(16 << 20, ['-t', 'ext4', '-b', '1024', '-O', 'quota']);
  const m = new TestFs(new TestImage(image));
  for (let i = 0; i < 30; i++) {
    m.write(m.create(`/f${i}`), 0, new Uint8Array(2000));
    chown(m, `/f${i}`, { uid: 1000 + i, gid: 5 });
  }
  m.unmount();
  const listed = debugfs(m.image.bytes, ['lq user']);
  t.regex(listed, /^\s*1029\s+2048\s+0\s+0\s+1\s+0\s+0/m, listed);
});

test('fsck counts anew what a quota file says wrong, and makes one anew that cannot be read', (t) => {
  if (!haveE2fsprogs()) return t.pass('no e2fsprogs here: skipped');
  const image = mke2fs(16 << 20, ['-t', 'ext4', '-b', '1024', '-O', 'quota,project']);
  const m = new TestFs(new TestImage(image));
  for (let i = 0; i < 20; i++) {
    m.write(m.create(`/f${i}`), 0, new Uint8Array(2000));
    chown(m, `/f${i}`, { uid: 1000 + i, gid: 5 });
  }
  m.unmount();
  const { bytes } = m.image;
  const view = new DataView(bytes.buffer);
  const isHead = (at: number, magic: number): boolean => view.getUint32(at, true) === magic;
  for (let at = 0; at < bytes.length; at += 1024) {
    if (isHead(at, 0xd9c01f11)) view.setUint32(at, 0, true); // users: nothing can be read
    // The group's entry stands behind the tree's blocks.
    if (view.getUint32(at + 16 + 72, true) === 5) view.setUint32(at + 16 + 72 + 0x18, 77, true);
  }
  t.not(fsck(bytes).status, 0);
  const found = ourFsck(imageMedium(bytes), { ...look, mode: 'repair' });
  t.regex(found.problems.join('\n'), /user quota: .* made anew\n.*group quota: id 5 has \d+ bytes/);
  const { status, output } = fsck(bytes);
  t.is(status, 0, output);
});
