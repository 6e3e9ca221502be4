// Claims about the boot archive as a file system: what is in it is there, and nothing changes it.

import test from 'ava';
import { O_RDONLY, O_RDWR, S_IFDIR, S_IFLNK, S_IFREG } from '../abi/constants.ts';
import { EROFS, EUCLEAN } from '../abi/errno.ts';
import { encodeText } from '../abi/text.ts';
import { decodeDirEntries } from '../ninep/codec.ts';
import { P9_GETATTR_BASIC, type TMessage } from '../ninep/types.ts';
import { BootFs } from './bootfs.ts';
import { type NewCpioEntry, writeCpio } from './cpio.ts';
import { epoch, session } from './test-session.ts';

const entries: NewCpioEntry[] = [
  { name: 'bin', mode: S_IFDIR | 0o711 },
  { name: 'bin/cat', mode: S_IFREG | 0o755, data: encodeText('#!native cat\n'), uid: 3, mtime: 99 },
  { name: 'etc/deep/motd', mode: S_IFREG | 0o644, data: encodeText('welcome') },
  { name: 'lib', mode: S_IFLNK | 0o777, data: encodeText('bin') },
];
const boot = () => session(new BootFs(writeCpio(entries)));

test('files are read, links followed, directories without an entry implied', (t) => {
  const s = boot();
  s.walk(t, 1, 'bin', 'cat');
  const { attr } = s.ok(t, { name: 'Tgetattr', fid: 1, requestMask: P9_GETATTR_BASIC });
  t.like(attr, { mode: S_IFREG | 0o755, uid: 3, size: 13, nlink: 1, mtime: { sec: 99, nsec: 0 } });
  s.ok(t, { name: 'Tlopen', fid: 1, flags: O_RDONLY });
  t.is(s.text(t, 1), '#!native cat\n');
  s.walk(t, 2, 'etc', 'deep', '..', '..', 'lib');
  t.is(s.ok(t, { name: 'Treadlink', fid: 2 }).target, 'bin');
  s.walk(t, 3, 'bin');
  t.is(s.ok(t, { name: 'Tgetattr', fid: 3, requestMask: 1 }).attr.mode, S_IFDIR | 0o711);
});

test('the root lists what the archive holds', (t) => {
  const s = boot();
  s.walk(t, 1);
  s.ok(t, { name: 'Tlopen', fid: 1, flags: O_RDONLY });
  const { data } = s.ok(t, { name: 'Treaddir', fid: 1, offset: 0, count: 4096 });
  const listed = decodeDirEntries(data);
  if (typeof listed === 'number') return t.fail();
  t.deepEqual(
    listed.map((e) => e.name),
    ['.', '..', 'bin', 'etc', 'lib'],
  );
  const { count } = s.ok(t, { name: 'Treaddir', fid: 1, offset: 5, count: 4096 });
  t.is(count, 0);
});

test('every change is EROFS', (t) => {
  const s = boot();
  s.walk(t, 1, 'bin', 'cat');
  s.walk(t, 2);
  const gid = 0;
  const attr = { valid: 1, mode: 0, uid: 0, gid, size: 0, atime: epoch, mtime: epoch };
  const asks: TMessage[] = [
    { name: 'Tmkdir', dfid: 0, filename: 'x', mode: 0o755, gid },
    { name: 'Tlcreate', fid: 2, filename: 'x', flags: O_RDWR, mode: 0, gid },
    { name: 'Tunlinkat', dirfd: 0, filename: 'lib', flags: 0 },
    { name: 'Trenameat', olddirfid: 0, oldname: 'lib', newdirfid: 0, newname: 'x' },
    { name: 'Tlopen', fid: 1, flags: O_RDWR },
    { name: 'Tsetattr', fid: 1, attr },
  ];
  for (const message of asks) s.refused(t, message, EROFS);
});

const contradictory = test.macro({
  exec(t, more: NewCpioEntry[]) {
    const archive = writeCpio([...entries, ...more]);
    t.like(
      t.throws(() => new BootFs(archive)),
      { errno: EUCLEAN },
    );
  },
  title: (what) => `an archive with ${what} is corruption`,
});
const mode = S_IFREG | 0o644;
test('a file twice', contradictory, [{ name: 'bin/cat', mode }]);
test('a file in a file', contradictory, [{ name: 'bin/cat/x', mode }]);
test('a file below a link', contradictory, [{ name: 'lib/x', mode }]);
test('a root that is a file', contradictory, [{ name: '.', mode }]);
