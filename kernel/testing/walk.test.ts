// Path walk: limits, '..', trailing slashes, symbolic links, and the order of errors.

import test from 'ava';
import { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW } from '../abi/constants.ts';
import { machine } from './machine.ts';

const root = () => {
  const m = machine();
  return { m, p: m.program() };
};

test('a chain of 40 symbolic links is followed, one of 41 is ELOOP', (t) => {
  const { p } = root();
  p.put('/tmp/l0', 'end');
  for (let i = 1; i <= 41; i++) p.ok('symlink', [], `l${i - 1}\0/tmp/l${i}`);
  t.is(p.get('/tmp/l40'), 'end');
  t.is(p.told('stat', [], '/tmp/l41'), 'ELOOP');
  t.is(p.told('open', [O_CREAT, 0o644], '/tmp/l40'), 'ok');
  t.is(p.told('open', [O_CREAT, 0o644], '/tmp/l41'), 'ELOOP');
  p.ok('symlink', [], 'self\0/tmp/self');
  t.is(p.told('stat', [], '/tmp/self/x'), 'ELOOP');
});

test('a name of 255 bytes is made, one of 256 is ENAMETOOLONG, in letters and in UTF-8', (t) => {
  const { p } = root();
  const euro = '€'.repeat(85); // 255 bytes
  for (const name of ['a'.repeat(255), euro]) {
    p.put(`/tmp/${name}`, 'x');
    t.is(p.get(`/tmp/${name}`), 'x');
    t.is(p.told('open', [O_CREAT, 0o644], `/tmp/${name}b`), 'ENAMETOOLONG');
    t.is(p.told('stat', [], `/tmp/${name}b`), 'ENAMETOOLONG');
    t.is(p.told('rename', [], `/tmp/${name}\0/tmp/${name}b`), 'ENAMETOOLONG');
  }
});

test('a path of 4095 bytes is walked, one of 4096 is ENAMETOOLONG', (t) => {
  const { p } = root();
  p.put('/tmp/f', 'x');
  const long = (size: number): string => `${'/'.repeat(size - 5)}tmp/f`;
  t.is(p.told('stat', [], long(4095)), 'ok');
  t.is(p.told('stat', [], long(4096)), 'ENAMETOOLONG');
  const wide = (size: number): string => `/tmp/${'€/'.repeat(300)}${'/'.repeat(size)}`;
  t.is(p.told('stat', [], wide(4095 - 5 - 1200)), 'ENOENT');
  t.is(p.told('stat', [], wide(4096 - 5 - 1200)), 'ENAMETOOLONG');
});

test("'..' leaves a mounted directory for the one around it, and stays at the root", (t) => {
  const { p } = root();
  t.is(p.stat('/tmp/..').ino, p.stat('/').ino);
  t.is(p.stat('/tmp/..').dev, p.stat('/').dev);
  t.is(p.stat('/../../..').ino, p.stat('/').ino);
  p.ok('chdir', [], '/tmp/../dev');
  t.is(p.cwd, '/dev');
  p.ok('chdir', [], '..');
  t.is(p.cwd, '/');
});

const errors = test.macro({
  exec(t, calls: [string, ...string[]][]) {
    const { p } = root();
    p.ok('chdir', [], '/tmp');
    p.ok('mkdir', [0o755], 'd');
    p.ok('mkdir', [0o755], 'full');
    p.put('full/x');
    p.put('f', 'file');
    p.ok('symlink', [], 'd\0ld');
    p.ok('symlink', [], 'f\0lf');
    p.ok('symlink', [], 'none\0dangling');
    p.ok('symlink', [], 'f/\0slash');
    for (const [expected, name = '', ...paths] of calls) {
      const args = name === 'mkdir' ? [0o755] : [];
      const told = p.told(name as 'stat', args, paths.join('\0'));
      t.is(told, expected, `${name} ${paths.join(' ')}`);
    }
  },
  title: (what) => what ?? '',
});

test('a path that ends in a slash names a directory', errors, [
  ['ENOTDIR', 'stat', 'f/'],
  ['ENOTDIR', 'open', 'f/'],
  ['ENOTDIR', 'lstat', 'lf/'],
  ['ENOTDIR', 'stat', 'slash'],
  ['ok', 'lstat', 'slash'],
  ['ok', 'stat', 'd//'],
  ['ok', 'lstat', 'ld/'],
  ['ok', 'mkdir', 'new/'],
  ['ok', 'rmdir', 'new///'],
  ['ENOENT', 'link', 'f', 'g/'],
  ['ENOENT', 'symlink', 'f', 'g/'],
  ['ENOTDIR', 'unlink', 'f/'],
  ['ENOTDIR', 'unlink', 'lf/'],
  ['ENOTDIR', 'unlink', 'ld/'],
  ['ENOTDIR', 'rmdir', 'ld/'],
  ['ENOTDIR', 'rename', 'f/', 'g'],
  ['ENOTDIR', 'rename', 'f', 'g/'],
  ['ok', 'rename', 'd/', 'e/'],
]);

test("'.' and '..' are not made, removed or renamed", errors, [
  ['EEXIST', 'mkdir', '.'],
  ['EEXIST', 'mkdir', 'd/..'],
  ['EEXIST', 'mkdir', '/'],
  ['EEXIST', 'symlink', 'f', 'd/.'],
  ['EINVAL', 'rmdir', 'd/.'],
  ['ENOTEMPTY', 'rmdir', 'd/..'],
  ['EBUSY', 'rmdir', '/'],
  ['EISDIR', 'unlink', 'd/.'],
  ['EISDIR', 'unlink', '/'],
  ['EBUSY', 'rename', 'd/.', 'e'],
  ['EBUSY', 'rename', 'd', 'full/..'],
  ['EBUSY', 'rename', '/', 'e'],
]);

test('a name that is there, or is not, is told before anything else of it', errors, [
  ['ENOENT', 'stat', ''],
  ['ENOENT', 'stat', 'none/x'],
  ['ENOTDIR', 'stat', 'f/x'],
  ['ENOTDIR', 'stat', 'f/..'],
  ['ENOTDIR', 'mkdir', 'f/x'],
  ['ENOENT', 'mkdir', 'none/x'],
  ['EEXIST', 'mkdir', 'f'],
  ['EEXIST', 'mkdir', 'dangling'],
  ['EEXIST', 'link', 'f', 'd'],
  ['EPERM', 'link', 'd', 'hard'],
  ['ENOENT', 'symlink', '', 'x'],
  ['EINVAL', 'readlink', 'f'],
  ['ENOTEMPTY', 'rmdir', 'full'],
  ['ENOTDIR', 'rmdir', 'f'],
  ['EISDIR', 'unlink', 'd'],
  ['EISDIR', 'rename', 'f', 'd'],
  ['ENOTDIR', 'rename', 'd', 'f'],
  ['ENOTEMPTY', 'rename', 'd', 'full'],
  ['EINVAL', 'rename', 'd', 'd/sub'],
  ['ENOTEMPTY', 'rename', 'full/x', 'full'],
  ['EXDEV', 'rename', 'f', '/root/f'],
  ['EXDEV', 'link', 'f', '/root/f'],
  ['ok', 'rename', 'full', 'd'],
]);

test('O_CREAT makes the file that a dangling link names; O_EXCL and O_NOFOLLOW do not follow it', (t) => {
  const { p } = root();
  p.ok('mkdir', [0o755], '/tmp/d');
  p.ok('symlink', [], '../made\0/tmp/d/link');
  t.is(p.told('open', [O_CREAT | O_EXCL, 0o644], '/tmp/d/link'), 'EEXIST');
  t.is(p.told('open', [O_CREAT | O_NOFOLLOW, 0o644], '/tmp/d/link'), 'ELOOP');
  t.is(p.told('open', [O_NOFOLLOW], '/tmp/d/link'), 'ELOOP');
  t.is(p.told('open', [], '/tmp/d/link'), 'ENOENT');
  t.is(p.told('open', [O_CREAT, 0o644], '/tmp/d/link'), 'ok');
  t.deepEqual(p.names('/tmp'), ['d', 'made']);
  t.is(p.told('open', [O_CREAT, 0o644], '/tmp/new/'), 'EISDIR');
  t.is(p.told('open', [O_DIRECTORY], '/tmp/made'), 'ENOTDIR');
  t.is(p.told('open', [2], '/tmp/d'), 'EISDIR');
});

test('who may not search a directory learns nothing of what is in it', (t) => {
  const { m, p } = root();
  p.ok('mkdir', [0o700], '/tmp/closed');
  p.put('/tmp/closed/f');
  const user = m.program({ uid: 1000, gid: 1000 });
  t.is(user.told('stat', [], '/tmp/closed'), 'ok');
  t.is(user.told('stat', [], '/tmp/closed/f'), 'EACCES');
  t.is(user.told('stat', [], '/tmp/closed/none'), 'EACCES');
  t.is(user.told('stat', [], '/tmp/closed/..'), 'EACCES');
  t.is(user.told('chdir', [], '/tmp/closed'), 'EACCES');
  t.is(user.told('unlink', [], '/tmp/closed/f'), 'EACCES');
  p.ok('chmod', [0o711], '/tmp/closed');
  t.is(user.told('stat', [], '/tmp/closed/f'), 'ok');
  t.is(user.told('open', [O_DIRECTORY], '/tmp/closed'), 'EACCES');
  t.is(user.told('open', [O_CREAT, 0o644], '/tmp/closed/g'), 'EACCES');
  t.is(user.told('open', [O_CREAT, 0o644], '/tmp/closed/f'), 'ok');
});

test('a file that is no directory is ENOTDIR even for those who may not search it', (t) => {
  const { m, p } = root();
  p.put('/tmp/f', '', 0o600);
  const user = m.program({ uid: 1000, gid: 1000 });
  t.is(user.told('stat', [], '/tmp/f/x'), 'ENOTDIR');
});
