// Credentials, modes, owners and times.

import test from 'ava';
import { O_CREAT, O_RDWR } from '../abi/constants.ts';
import type { Machine } from './machine.ts';
import { machine } from './machine.ts';
import { volume } from './volume.ts';

const root = () => {
  const m = machine();
  volume(m, '/v');
  const p = m.program();
  for (const dir of ['/tmp', '/v']) p.ok('chmod', [0o777], dir);
  return { m, p, user: m.program({ uid: 1000, gid: 100 }) };
};

/** Both kinds of superblock: cached, and asked directly. */
const onBoth = test.macro({
  exec(
    t,
    check: (t: import('ava').ExecutionContext, dir: string, on: ReturnType<typeof root>) => void,
  ) {
    for (const dir of ['/tmp', '/v']) check(t, dir, root());
  },
  title: (name) => name ?? '',
});

const mode = (m: Machine, path: string): string =>
  (m.program().stat(path).mode & 0o7777).toString(8);

test('umask takes bits away from what is made', onBoth, (t, dir, { m, user }) => {
  user.ok('umask', [0o027]);
  user.ok('close', [user.open(`${dir}/f`, O_CREAT | O_RDWR, 0o666)]);
  user.ok('mkdir', [0o777], `${dir}/d`);
  user.ok('mknod', [0o010666, 0], `${dir}/p`);
  t.deepEqual(
    ['f', 'd', 'p'].map((name) => mode(m, `${dir}/${name}`)),
    ['640', '750', '640'],
  );
  t.is(user.ok('umask', [0]).r0, 0o027);
});

test(
  'what a user makes is the user’s, and of the group, or of a setgid directory’s',
  onBoth,
  (t, dir, { p, user }) => {
    p.ok('mkdir', [0o777], `${dir}/g`);
    p.ok('chown', [0, 55], `${dir}/g`);
    p.ok('chmod', [0o2777], `${dir}/g`);
    user.ok('mkdir', [0o755], `${dir}/g/d`);
    user.put(`${dir}/g/f`);
    user.put(`${dir}/f`);
    user.ok('symlink', [], `f\0${dir}/l`);
    const ids = (path: string): number[] => {
      const { uid, gid } = p.stat(path, 'lstat');
      return [uid, gid];
    };
    t.deepEqual(ids(`${dir}/g/d`), [1000, 55]);
    t.is(p.stat(`${dir}/g/d`).mode & 0o7777, 0o2755);
    t.deepEqual(ids(`${dir}/g/f`), [1000, 55]);
    t.deepEqual(ids(`${dir}/f`), [1000, 100]);
    t.deepEqual(ids(`${dir}/l`), [1000, 100]);
  },
);

test(
  'owner, group and others have their own bits, and no more',
  onBoth,
  (t, dir, { m, p, user }) => {
    p.put(`${dir}/f`, 'x');
    p.ok('chown', [1000, 100], `${dir}/f`);
    const member = m.program({ uid: 2000, gid: 100 });
    const other = m.program({ uid: 3000, gid: 300 });
    p.ok('chmod', [0o046], `${dir}/f`);
    t.is(user.told('open', [0], `${dir}/f`), 'EACCES');
    t.is(member.told('open', [0], `${dir}/f`), 'ok');
    t.is(member.told('open', [1], `${dir}/f`), 'EACCES');
    t.is(other.told('open', [2], `${dir}/f`), 'ok');
    t.is(user.told('truncate', [0], `${dir}/f`), 'EACCES');
    t.is(other.told('access', [6], `${dir}/f`), 'ok');
    t.is(other.told('access', [7], `${dir}/f`), 'EACCES');
    t.is(p.told('access', [6], `${dir}/f`), 'ok');
    t.is(p.told('access', [1], `${dir}/f`), 'EACCES');
  },
);

test(
  'in a sticky directory one removes and renames one’s own files',
  onBoth,
  (t, dir, { m, p, user }) => {
    p.ok('mkdir', [0o777], `${dir}/s`);
    p.ok('chmod', [0o1777], `${dir}/s`);
    const other = m.program({ uid: 2000 });
    user.put(`${dir}/s/f`);
    other.put(`${dir}/s/g`);
    t.is(other.told('unlink', [], `${dir}/s/f`), 'EPERM');
    t.is(other.told('rename', [], `${dir}/s/f\0${dir}/s/h`), 'EPERM');
    t.is(other.told('rename', [], `${dir}/s/g\0${dir}/s/f`), 'EPERM');
    t.is(user.told('rename', [], `${dir}/s/f\0${dir}/s/h`), 'ok');
    t.is(user.told('unlink', [], `${dir}/s/h`), 'ok');
    t.is(p.told('unlink', [], `${dir}/s/g`), 'ok');
  },
);

test(
  'only the owner and root change a mode; others lose setgid',
  onBoth,
  (t, dir, { m, p, user }) => {
    user.put(`${dir}/f`);
    t.is(m.program({ uid: 2000 }).told('chmod', [0o777], `${dir}/f`), 'EPERM');
    user.ok('chmod', [0o6755], `${dir}/f`);
    t.is(mode(m, `${dir}/f`), '6755');
    p.ok('chown', [-1, 77], `${dir}/f`);
    t.is(mode(m, `${dir}/f`), '755');
    user.ok('chmod', [0o2755], `${dir}/f`);
    t.is(mode(m, `${dir}/f`), '755');
  },
);

test('only root gives files away', onBoth, (t, dir, { p, user }) => {
  user.put(`${dir}/f`);
  t.is(user.told('chown', [2000, -1], `${dir}/f`), 'EPERM');
  t.is(user.told('chown', [-1, 77], `${dir}/f`), 'EPERM');
  t.is(user.told('chown', [1000, 100], `${dir}/f`), 'ok');
  p.ok('chown', [2000, 77], `${dir}/f`);
  const { uid, gid } = p.stat(`${dir}/f`);
  t.deepEqual([uid, gid], [2000, 77]);
  t.is(user.told('chown', [1000, -1], `${dir}/f`), 'EPERM');
  p.ok('symlink', [], `f\0${dir}/l`);
  p.ok('chown', [5, 5, 1], `${dir}/l`);
  t.is(p.stat(`${dir}/l`, 'lstat').uid, 5);
  t.is(p.stat(`${dir}/l`).uid, 2000);
});

test(
  'who may write a file may set its times to now; to anything else, its owner alone',
  onBoth,
  (t, dir, { m, p, user }) => {
    user.put(`${dir}/f`);
    user.ok('chmod', [0o666], `${dir}/f`);
    const other = m.program({ uid: 2000 });
    const times = (atime: unknown, mtime: unknown): string =>
      `${dir}/f\0${JSON.stringify({ atime, mtime })}`;
    const then = { sec: 1, nsec: 2 };
    t.is(other.told('utimens', [], times('now', 'now')), 'ok');
    t.is(other.told('utimens', [], times(then, then)), 'EPERM');
    t.is(other.told('utimens', [], times('now', 'omit')), 'EPERM');
    t.is(user.told('utimens', [], times(then, 'omit')), 'ok');
    t.is(p.stat(`${dir}/f`).atime.sec, 1);
    user.ok('chmod', [0o644], `${dir}/f`);
    t.is(other.told('utimens', [], times('now', 'now')), 'EACCES');
    t.is(user.told('utimens', [], times({ sec: 1, nsec: 1e9 }, 'now')), 'EINVAL');
    t.is(user.told('utimens', [], times('soon', 'now')), 'EINVAL');
    t.is(user.told('utimens', [], `${dir}/f\0[`), 'EINVAL');
  },
);

test('a user cannot become another, root can', (t) => {
  const { m, user } = root();
  t.is(user.told('setuid', [0]), 'EPERM');
  t.is(user.told('setgid', [0]), 'EPERM');
  t.is(user.told('setuid', [1000]), 'ok');
  const p = m.program();
  p.ok('setgid', [9]);
  p.ok('setuid', [8]);
  t.is(p.told('setuid', [0]), 'EPERM');
});

test('a read-only volume refuses every change, and is read', (t) => {
  const { m, p } = root();
  p.put('/v/f', 'x');
  p.ok('sync');
  const { superblock } = m.kernel.mounts.all.at(-1) ?? t.fail();
  superblock.readOnly = true;
  t.is(p.get('/v/f'), 'x');
  for (const [name, data, ...args] of [
    ['open', '/v/f', 1],
    ['open', '/v/new', O_CREAT, 0o644],
    ['open', '/v/f', 0o1000],
    ['mkdir', '/v/d', 0o755],
    ['unlink', '/v/f'],
    ['rename', '/v/f\0/v/g'],
    ['link', '/v/f\0/v/g'],
    ['symlink', 'x\0/v/g'],
    ['truncate', '/v/f', 0],
    ['chmod', '/v/f', 0o777],
    ['chown', '/v/f', 1, 1],
    ['access', '/v/f', 2],
    ['setxattr', '/v/f\0user.a\0b'],
  ] as const) {
    t.is(p.told(name, args, data), 'EROFS', `${name} ${data}`);
  }
  t.is(p.told('mkdir', [0o755], '/v/f'), 'EEXIST');
  t.is(p.told('unlink', [], '/v/none'), 'ENOENT');
});
