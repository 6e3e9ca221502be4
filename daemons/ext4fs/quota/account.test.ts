// Claims about quota files: whatever we do to files and owners, e2fsck finds them right.
// ATOLL_SEED chooses the operations.

import test from 'ava';
import { P9_SETATTR_GID, P9_SETATTR_UID } from '../../../kernel/ninep/types.ts';
import { debugfs, fsck, haveE2fsprogs, mke2fs } from '../../../scripts/testing/e2fsprogs.ts';
import { seeded, TestFs, TestImage } from '../testing.ts';

const SEED = Number(process.env['ATOLL_SEED'] ?? Date.now() % 1_000_000);
const AT_REMOVEDIR = 0x200;

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
