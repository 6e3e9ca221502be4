// The rules on names: what rename may do, link counts, files that live on without a name.

import test, { type ExecutionContext } from 'ava';
import {
  EEXIST,
  EINVAL,
  EISDIR,
  ENAMETOOLONG,
  ENOENT,
  ENOTDIR,
  ENOTEMPTY,
  EOPNOTSUPP,
  EPERM,
  ESTALE,
  EUCLEAN,
} from '../../kernel/abi/errno.ts';
import { AT_REMOVEDIR } from '../../kernel/ninep/types.ts';
import { debugfs, fsck, haveE2fsprogs, mke2fs } from '../../scripts/testing/e2fsprogs.ts';
import { seeded, TestFs, TestImage } from './testing.ts';
import { openVolume } from './volume/superblock.ts';

const text = (s: string): Uint8Array => new TextEncoder().encode(s);

function mounted(t: ExecutionContext, args: string[] = ['-t', 'ext4']): TestFs | undefined {
  if (haveE2fsprogs()) return new TestFs(new TestImage(mke2fs(16 << 20, args)));
  t.log('no e2fsprogs here: skipped');
  t.pass();
  return undefined;
}

const clean = (t: ExecutionContext, m: TestFs): void => {
  m.unmount();
  const { status, output } = fsck(m.image.bytes);
  t.is(status, 0, output);
};

const rename = (m: TestFs, from: string, to: string): void => {
  const [a, b] = [m.place(from), m.place(to)];
  m.run((tx) => m.fs.rename(tx, a, b));
};

const links = (m: TestFs, path: string): number => {
  const ino = m.at(path);
  return m.run((tx) => m.fs.getattr(tx, ino)).nlink;
};

test('rename does what rename(2) says', (t) => {
  const m = mounted(t);
  if (m === undefined) return;
  const refuses = (from: string, to: string, errno: number): void =>
    void t.like(
      t.throws(() => rename(m, from, to)),
      { errno },
      `${from} to ${to}`,
    );
  for (const dir of ['/a', '/a/b', '/a/b/c', '/full', '/full/x', '/empty']) m.mkdir(dir);
  for (const file of ['/f', '/g']) m.write(m.create(file), 0, text(file));
  refuses('/a', '/a/b/c/d', EINVAL);
  refuses('/a', '/a/b', EINVAL);
  refuses('/f', '/empty', EISDIR);
  refuses('/empty', '/f', ENOTDIR);
  refuses('/a', '/full', ENOTEMPTY);
  refuses('/none', '/x', ENOENT);
  t.deepEqual([links(m, '/a'), links(m, '/a/b'), links(m, '/')], [3, 3, 6]);
  rename(m, '/a/b', '/full/b');
  t.deepEqual([links(m, '/a'), links(m, '/full'), links(m, '/')], [2, 4, 6]);
  t.is(m.at('/full/b/..'), m.at('/full'));
  rename(m, '/full/b/c', '/empty');
  t.is(m.at('/empty/..'), m.at('/'));
  t.deepEqual([links(m, '/full/b'), links(m, '/')], [2, 6]);
  rename(m, '/a', '/empty');
  t.is(links(m, '/'), 5);
  rename(m, '/f', '/g');
  t.is(new TextDecoder().decode(m.read(m.at('/g'))), '/f');
  t.false(m.has('/f'));
  const ino = m.at('/g');
  m.run((tx) => m.fs.link(tx, m.fs.attach(tx), ino, 'h'));
  rename(m, '/g', '/h'); // two names of one file: nothing happens
  t.true(m.has('/g') && m.has('/h'));
  rename(m, '/g', '/full/g');
  clean(t, m);
});

test('names that cannot be are refused', (t) => {
  const m = mounted(t);
  if (m === undefined) return;
  m.mkdir('/d');
  m.create('/d/f');
  const root = m.at('/');
  const throwsErrno = (body: () => void, errno: number): void =>
    void t.like(t.throws(body), { errno });
  throwsErrno(() => m.mkdir('/d'), EEXIST);
  throwsErrno(() => m.unlink('/d'), EISDIR);
  throwsErrno(() => m.unlink('/d', AT_REMOVEDIR), ENOTEMPTY);
  throwsErrno(() => m.unlink('/d/f', AT_REMOVEDIR), ENOTDIR);
  throwsErrno(() => m.create(`/${'x'.repeat(256)}`), ENAMETOOLONG);
  throwsErrno(() => m.run((tx) => m.fs.link(tx, root, m.fs.attach(tx), 'r')), EPERM);
  const target = 'x'.repeat(2000);
  throwsErrno(
    () => m.run((tx) => m.fs.symlink(tx, root, { name: 's', target, gid: 0 })),
    ENAMETOOLONG,
  );
  const gone = m.at('/d/f');
  m.unlink('/d/f');
  throwsErrno(() => m.run((tx) => m.fs.getattr(tx, gone)), ESTALE);
  clean(t, m);
});

test('an open file lives on without a name, over a remount too, until it is closed', (t) => {
  const m = mounted(t);
  if (m === undefined) return;
  const free = (): number => m.run((tx) => m.fs.statfs(tx)).bfree;
  m.create('/first'); // the orphan list has more than one entry
  const before = free();
  const held = ['/x', '/y', '/z'].map((path) => m.create(path));
  for (const ino of [...held, m.at('/first')]) m.open.add(ino);
  for (const ino of held) m.write(ino, 0, new Uint8Array(300_000).fill(ino));
  for (const path of ['/x', '/y', '/z', '/first']) m.unlink(path);
  const [x = 0, y = 0, z = 0] = held;
  t.deepEqual(m.run((tx) => m.fs.orphans(tx)).length, 4);
  m.write(y, 300_000, text('more'));
  m.close(y);
  t.is(m.run((tx) => m.fs.orphans(tx)).length, 3);
  t.is(m.read(x).length, 300_000);
  m.unmount();
  const later = new TestFs(new TestImage(m.image.bytes));
  for (const ino of later.run((tx) => later.fs.orphans(tx)))
    while (later.run((tx) => later.fs.truncateStep(tx, ino)));
  t.deepEqual(
    later.run((tx) => later.fs.orphans(tx)),
    [],
  );
  t.is(later.run((tx) => later.fs.statfs(tx)).bfree, before);
  t.throws(() => later.read(z));
  clean(t, later);
});

test('what a killed truncation leaves, its next step finishes', (t) => {
  for (const args of [
    ['-t', 'ext4', '-b', '1024'],
    ['-t', 'ext3'],
  ]) {
    const m = mounted(t, args);
    if (m === undefined) return;
    const free = (fs: TestFs): number => fs.run((tx) => fs.fs.statfs(tx)).bfree;
    const before = free(m);
    const ino = m.create('/long');
    const between = m.create('/between');
    for (let i = 0; i < 1500; i++) {
      m.write(ino, i * 4096, new Uint8Array(1024));
      m.write(between, i * 1024, new Uint8Array(1024));
    }
    const zero = { sec: 0, nsec: 0 };
    const attr = { valid: 8, mode: 0, uid: 0, gid: 0, size: 1500, atime: zero, mtime: zero };
    // Past the small machine that would go on with it: only the first step is done.
    m.image.run((tx) => m.fs.setattr(tx, ino, attr));
    const later = new TestFs(new TestImage(m.image.bytes));
    t.deepEqual(
      later.run((tx) => later.fs.orphans(tx)),
      [ino],
    );
    let steps = 1;
    while (later.run((tx) => later.fs.truncateStep(tx, ino))) steps++;
    t.log(`${args.join(' ')}: ${steps} steps`);
    t.deepEqual(
      later.run((tx) => later.fs.orphans(tx)),
      [],
    );
    t.is(later.read(ino).length, 1500);
    later.unlink('/long');
    later.unlink('/between');
    t.is(free(later), before);
    clean(t, later);
  }
});

test('orphans in the orphan file of another system are taken over', (t) => {
  const m = mounted(t, ['-t', 'ext4', '-b', '1024', '-O', 'orphan_file,^metadata_csum']);
  if (m === undefined) return;
  const ino = m.create('/f');
  m.write(ino, 0, new Uint8Array(50_000));
  m.open.add(ino);
  m.unlink('/f');
  m.unmount();
  // Move it from the list to the file, as a newer kernel would have had it.
  const { bytes } = m.image;
  const view = new DataView(bytes.buffer);
  const file = view.getUint32(1024 + 0x280, true);
  const block = Number(
    /\(0\):(\d+)/.exec(debugfs(bytes, [`blocks <${file}>`, `ex <${file}>`]))?.[1],
  );
  const first = Number(
    /^(\d+)/m.exec(debugfs(bytes, [`blocks <${file}>`]).replace(/^debugfs:.*$/gm, ''))?.[1],
  );
  view.setUint32((block || first) * 1024, ino, true);
  view.setUint32(1024 + 0xe8, 0, true);
  view.setUint32(1024 + 0x64, view.getUint32(1024 + 0x64, true) | 0x10000, true);
  const later = new TestFs(new TestImage(bytes));
  while (later.run((tx) => later.fs.drainOrphanFile(tx)));
  t.deepEqual(
    later.run((tx) => later.fs.orphans(tx)),
    [ino],
  );
  while (later.run((tx) => later.fs.truncateStep(tx, ino)));
  clean(t, later);
});

test('blocks that wait for a commit are not handed out', (t) => {
  const m = mounted(t, ['-t', 'ext4', '-b', '1024', '-O', '^has_journal']);
  if (m === undefined) return;
  const busy = { start: 5000, end: 12_000 };
  const fs = new (m.fs.constructor as typeof import('./fs.ts').Ext4Fs)({
    volume: m.volume,
    readOnly: false,
    env: {
      isOpen: () => false,
      unfinished: () => {},
      busyUntil: (block) => (block >= busy.start && block < busy.end ? busy.end : 0),
    },
  });
  const ino = m.create('/f');
  for (let i = 0; i < 4000; ) {
    const request = { ino, offset: i * 1024, length: 500 * 1024 };
    for (const { block = 0, length } of m.run((tx) => fs.mapWrite(tx, request))) {
      const count = length / 1024;
      if (block + count > busy.start && block < busy.end) t.fail(`${block}+${count} is busy`);
      i += count;
    }
  }
  clean(t, m);
});

const refused = test.macro({
  exec(t, at: number, flag: number, expected: { errno: number; message: RegExp }) {
    const m = mounted(t, ['-t', 'ext4', '-O', '^metadata_csum']);
    if (m === undefined) return;
    const sb = m.image.bytes.slice(1024, 2048);
    const view = new DataView(sb.buffer);
    view.setUint32(at, flag >= 0 ? view.getUint32(at, true) | flag : -flag, true);
    const error = t.throws(() => openVolume(sb, m.image.bytes.length));
    t.like(error, { errno: expected.errno });
    t.regex(error?.message ?? '', expected.message);
  },
  title: (_, at: number, flag: number) =>
    `a superblock with 0x${Math.abs(flag).toString(16)} at 0x${at.toString(16)} is refused by name`,
});
test(refused, 0x60, 0x400, { errno: EOPNOTSUPP, message: /ea_inode/ });
test(refused, 0x60, 0x100, { errno: EOPNOTSUPP, message: /mmp/ });
test(refused, 0x60, 0x1000, { errno: EOPNOTSUPP, message: /dirdata/ });
test(refused, 0x60, 0x4000000, { errno: EOPNOTSUPP, message: /incompat 0x4000000/ });
test(refused, 0x20, -7, { errno: EUCLEAN, message: /7 blocks a group/ });
test(refused, 0x4, -99_999_999, { errno: EUCLEAN, message: /do not fit/ });

test('ro_compat features it does not know make a volume read-only, by name', (t) => {
  const m = mounted(t, ['-t', 'ext4', '-O', '^metadata_csum']);
  if (m === undefined) return;
  const { bytes } = m.image;
  new DataView(bytes.buffer).setUint32(1024 + 0x64, 0x4000 | 0x800000, true);
  const { fs } = new TestFs(new TestImage(bytes));
  t.true(fs.readOnly);
  t.deepEqual(fs.volume.readOnlyFeatures, ['shared_blocks', 'ro_compat 0x800000']);
});

test('attributes: in the inode, in a block, replaced, removed, refused', (t) => {
  for (const args of [
    ['-t', 'ext4'],
    ['-t', 'ext4', '-I', '128'],
    ['-t', 'ext2', '-b', '4096'],
  ]) {
    const m = mounted(t, args);
    if (m === undefined) return;
    const random = seeded(11);
    const ino = m.create('/f');
    const set = (name: string, value: Uint8Array | undefined, flags = 0): void =>
      m.run((tx) => m.fs.setxattr(tx, ino, name, value, flags));
    const model = new Map<string, string>();
    for (let i = 0; i < 300; i++) {
      const name = `${['user', 'trusted', 'security'][random() % 3]}.n${random() % 2}`;
      const value = random() % 4 === 0 ? undefined : 'v'.repeat(random() % 90);
      if (value === undefined && !model.has(name)) continue;
      set(name, value === undefined ? undefined : text(value));
      if (value === undefined) model.delete(name);
      else model.set(name, value);
    }
    const list = new TextDecoder().decode(m.run((tx) => m.fs.getxattr(tx, ino, '')));
    t.deepEqual(list.split('\0').filter(Boolean).sort(), [...model.keys()].sort());
    for (const [name, value] of model)
      t.is(new TextDecoder().decode(m.run((tx) => m.fs.getxattr(tx, ino, name))), value);
    set('user.one', text('1'), 1);
    t.throws(() => set('user.one', text('1'), 1), { code: 'EEXIST' });
    t.throws(() => set('user.two', text('1'), 2), { code: 'ENODATA' });
    t.throws(() => set('user.two', undefined), { code: 'ENODATA' });
    t.throws(() => set('nonsense', text('1')), { code: 'EOPNOTSUPP' });
    t.throws(() => set('user.big', new Uint8Array(m.blockSize)), { code: 'ENOSPC' });
    clean(t, m);
    m.unlink('/f');
    clean(t, m);
  }
});
