// Names: what is cached of them, renaming, working directories that move or go, mounts.

import test from 'ava';
import { O_CREAT, O_EXCL, O_RDWR } from '../abi/constants.ts';
import { machine } from './machine.ts';
import { volume } from './volume.ts';

const root = (options: { dentries?: number } = {}) => {
  const m = machine(options);
  return { m, p: m.program() };
};

test('a name that was missing is found as soon as something makes it', (t) => {
  const { m, p } = root();
  volume(m, '/v');
  p.put('/v/file');
  p.ok('mkdir', [0o755], '/v/dir');
  const makers: [string, () => void][] = [
    ['a', () => p.put('/v/a')],
    ['b', () => p.ok('mkdir', [0o755], '/v/b')],
    ['c', () => p.ok('link', [], '/v/file\0/v/c')],
    ['d', () => p.ok('symlink', [], 'file\0/v/d')],
    ['e', () => p.ok('mknod', [0o010644, 0], '/v/e')],
    ['f', () => p.ok('rename', [], '/v/file\0/v/f')],
    ['g', () => p.ok('rename', [], '/v/dir\0/v/g')],
  ];
  for (const [name, make] of makers) {
    t.is(p.told('lstat', [], `/v/${name}`), 'ENOENT');
    make();
    t.is(p.told('lstat', [], `/v/${name}`), 'ok', name);
  }
  t.is(p.told('stat', [], '/v/file'), 'ENOENT');
  p.ok('rmdir', [], '/v/g');
  t.is(p.told('stat', [], '/v/g'), 'ENOENT');
});

test('a missing name is asked for once, then known to be missing', (t) => {
  const { m, p } = root();
  const v = volume(m, '/v');
  p.told('stat', [], '/v/none');
  const before = v.transport.log.length;
  t.is(p.told('stat', [], '/v/none'), 'ENOENT');
  t.is(v.transport.log.length, before);
});

test('the dentry cache forgets the names that were not used for longest, and keeps what is held', (t) => {
  const { m, p } = root({ dentries: 100 });
  const v = volume(m, '/v');
  p.ok('mkdir', [0o755], '/v/held');
  p.ok('chdir', [], '/v/held');
  const fd = p.open('/v/open', O_CREAT | O_RDWR);
  for (let i = 0; i < 500; i++) p.told('stat', [], `/v/none${i}`);
  for (let i = 0; i < 500; i++) p.put(`/v/f${i}`);
  t.true(m.kernel.dcache.size <= 102, `${m.kernel.dcache.size}`);
  t.is(p.cwd, '/v/held');
  t.is(p.write(fd, 'x'), 1);
  m.settle();
  t.is(v.superblock.client.fidsInUse, v.superblock.inodes.size);
  t.is(p.told('stat', [], '/v/f0'), 'ok');
});

test('a cache of one name still opens files deep in a tree', (t) => {
  const { p } = root({ dentries: 1 });
  for (const dir of ['/tmp/a', '/tmp/a/b', '/tmp/a/b/c']) p.ok('mkdir', [0o755], dir);
  p.put('/tmp/a/b/c/f', 'deep');
  t.is(p.get('/tmp/a/b/c/f'), 'deep');
});

test('a working directory that is moved has a new name; one that is removed has none', (t) => {
  const { m, p } = root();
  p.ok('mkdir', [0o755], '/tmp/a');
  p.ok('mkdir', [0o755], '/tmp/a/sub');
  p.ok('mkdir', [0o755], '/tmp/b');
  p.ok('chdir', [], '/tmp/a/sub');
  p.put('f', 'x');
  p.ok('rename', [], '/tmp/a\0/tmp/b/c');
  t.is(p.cwd, '/tmp/b/c/sub');
  t.is(p.get('f'), 'x');
  t.is(p.get('/tmp/b/c/sub/f'), 'x');
  t.is(p.stat('..').ino, p.stat('/tmp/b/c').ino);
  p.ok('unlink', [], 'f');
  p.ok('rmdir', [], '/tmp/b/c/sub');
  t.is(p.told('getcwd'), 'ENOENT');
  t.is(p.told('open', [O_CREAT, 0o644], 'g'), 'ENOENT');
  t.is(p.told('mkdir', [0o755], 'g'), 'ENOENT');
  t.is(p.told('stat', [], '.'), 'ok');
  p.ok('mkdir', [0o755], '/tmp/b/c/sub');
  t.is(p.told('getcwd'), 'ENOENT');
  p.exit();
  t.deepEqual(m.bugs(), []);
});

test('a file open under its old name goes on after a rename, and a replaced one keeps its content', (t) => {
  const { p } = root();
  p.put('/tmp/a', 'first');
  p.put('/tmp/b', 'second');
  const [a, b] = [p.open('/tmp/a'), p.open('/tmp/b')];
  p.ok('rename', [], '/tmp/a\0/tmp/b');
  t.is(p.read(a), 'first');
  t.is(p.read(b), 'second');
  t.is(p.fstat(b).nlink, 0);
  t.is(p.get('/tmp/b'), 'first');
});

test('renaming one name of a file to another of its names changes nothing', (t) => {
  const { p } = root();
  p.put('/tmp/a', 'x');
  p.ok('link', [], '/tmp/a\0/tmp/b');
  p.ok('rename', [], '/tmp/a\0/tmp/b');
  p.ok('rename', [], '/tmp/a\0/tmp/a');
  t.deepEqual(p.names('/tmp'), ['a', 'b']);
  t.is(p.stat('/tmp/a').nlink, 2);
});

test('a mount point is busy: not removed, not renamed, not replaced', (t) => {
  const { p } = root();
  p.ok('mkdir', [0o755], '/tmp/d');
  p.ok('mkdir', [0o755], '/tmp/m');
  p.ok('mount', [], 'none\0/tmp/m\0tmpfs\0');
  t.is(p.told('rmdir', [], '/tmp/m'), 'EBUSY');
  t.is(p.told('rename', [], '/tmp/m\0/tmp/n'), 'EBUSY');
  t.is(p.told('rename', [], '/tmp/d\0/tmp/m'), 'EBUSY');
  p.ok('umount', [], '/tmp/m');
  p.ok('rmdir', [], '/tmp/m');
});

test('a mount is busy while a file, a working directory or another mount is below it', (t) => {
  const { m, p } = root();
  const q = m.program();
  p.ok('mkdir', [0o755], '/tmp/m');
  p.ok('mount', [], 'none\0/tmp/m\0tmpfs\0');
  p.ok('mkdir', [0o755], '/tmp/m/d');
  const fd = p.open('/tmp/m/f', O_CREAT | O_RDWR);
  t.is(p.told('umount', [], '/tmp/m'), 'EBUSY');
  p.ok('unlink', [], '/tmp/m/f');
  t.is(p.told('umount', [], '/tmp/m'), 'EBUSY');
  p.close(fd);
  q.ok('chdir', [], '/tmp/m/d');
  t.is(p.told('umount', [], '/tmp/m'), 'EBUSY');
  p.ok('rmdir', [], '/tmp/m/d');
  t.is(p.told('umount', [], '/tmp/m'), 'EBUSY');
  q.ok('chdir', [], '/');
  p.ok('mkdir', [0o755], '/tmp/m/n');
  p.ok('mount', [], 'none\0/tmp/m/n\0tmpfs\0');
  t.is(p.told('umount', [], '/tmp/m'), 'EBUSY');
  p.ok('umount', [], '/tmp/m/n');
  p.ok('umount', [], '/tmp/m');
  t.is(p.told('umount', [], '/tmp/m'), 'EINVAL');
  t.is(p.told('umount', [], '/'), 'EBUSY');
  const user = m.program({ uid: 1000 });
  t.is(user.told('mount', [], 'none\0/tmp/m\0tmpfs\0'), 'EPERM');
  t.is(user.told('umount', [], '/tmp'), 'EPERM');
});

test('unmounting a tmpfs gives its memory back', (t) => {
  const { m, p } = root();
  p.ok('mkdir', [0o755], '/tmp/m');
  const { free } = m.kernel.frames;
  p.ok('mount', [], 'none\0/tmp/m\0tmpfs\0');
  p.ok('mkdir', [0o755], '/tmp/m/d');
  p.put('/tmp/m/d/f', 'x'.repeat(300_000));
  t.true(m.kernel.frames.free < free - 70);
  p.ok('umount', [], '/tmp/m');
  t.is(m.kernel.frames.free, free);
});

test('a bind mount shows the same files in a second place, and goes alone', (t) => {
  const { p } = root();
  for (const dir of ['/tmp/a', '/tmp/a/in', '/tmp/b']) p.ok('mkdir', [0o755], dir);
  p.put('/tmp/a/f', 'same');
  p.ok('mount', [], '/tmp/a\0/tmp/b\0bind\0');
  t.is(p.get('/tmp/b/f'), 'same');
  p.put('/tmp/b/g', 'new');
  t.is(p.get('/tmp/a/g'), 'new');
  p.ok('chdir', [], '/tmp/b/in');
  t.is(p.cwd, '/tmp/b/in');
  t.is(p.told('umount', [], '/tmp/b'), 'EBUSY');
  p.ok('chdir', [], '..');
  t.is(p.cwd, '/tmp/b');
  p.ok('chdir', [], '..');
  t.is(p.cwd, '/tmp');
  p.ok('umount', [], '/tmp/b');
  t.deepEqual(p.names('/tmp/b'), []);
  t.deepEqual(p.names('/tmp/a'), ['f', 'g', 'in']);
});

test('a mount over a mount covers it until it goes', (t) => {
  const { p } = root();
  p.ok('mkdir', [0o755], '/tmp/m');
  for (const name of ['one', 'two']) {
    p.ok('mount', [], 'none\0/tmp/m\0tmpfs\0');
    p.put(`/tmp/m/${name}`);
  }
  t.deepEqual(p.names('/tmp/m'), ['two']);
  p.ok('umount', [], '/tmp/m');
  t.deepEqual(p.names('/tmp/m'), ['one']);
  p.ok('umount', [], '/tmp/m');
  t.deepEqual(p.names('/tmp/m'), []);
});

test('who may not make a name never gets the file that is there already', (t) => {
  const { m, p } = root();
  volume(m, '/v');
  p.ok('chmod', [0o1777], '/v');
  const hidden = (): void => {
    m.kernel.dcache.prune(m.kernel.mounts.all.at(-1)?.root ?? t.fail());
  };
  p.ok('mkdir', [0o755], '/v/dir');
  p.put('/v/file', 'x', 0o644);
  const user = m.program({ uid: 1000, gid: 1000 });
  for (const [name, ...paths] of [
    ['mkdir', '/v/dir'],
    ['symlink', 'x', '/v/file'],
    ['mkdir', '/v/file'],
  ] as const) {
    hidden();
    t.is(
      user.told(name, name === 'mkdir' ? [0o755] : [], paths.join('\0')),
      'EEXIST',
      paths.join(' '),
    );
  }
  hidden();
  t.is(user.told('open', [O_CREAT | 0o200, 0o644], '/v/file'), 'EEXIST');
  hidden();
  t.is(user.told('open', [O_CREAT | O_RDWR, 0o644], '/v/file'), 'EACCES');
  for (const path of ['/v', '/v/dir', '/v/file']) t.is(p.stat(path).uid, 0, path);
});

test('a directory read in small pieces shows each name once, while others come and go', (t) => {
  const { m, p } = root();
  volume(m, '/v');
  for (const dir of ['/tmp', '/v']) {
    for (let i = 0; i < 300; i++) p.put(`${dir}/name${i}`);
    const fd = p.open(dir);
    const seen: string[] = [];
    for (let round = 0; ; round++) {
      const { data } = p.ok('getdents', [fd, 400]);
      if (data.length === 0) break;
      const view = new DataView(data.buffer, data.byteOffset, data.length);
      for (let at = 0; at < data.length; ) {
        const length = view.getUint16(at + 9, true);
        seen.push(new TextDecoder().decode(data.slice(at + 11, at + 11 + length)));
        at += 11 + length;
      }
      if (round < 10) p.put(`${dir}/new${round}`);
      p.told('unlink', [], `${dir}/name${299 - round}`);
    }
    const old = seen.filter((name) => name.startsWith('name'));
    t.is(new Set(old).size, old.length);
    t.true(old.length > 200);
    p.ok('lseek', [fd, 0, 0]);
    t.true(p.ok('getdents', [fd, 400]).data.length > 0);
    t.is(p.told('getdents', [fd, 5]), 'EINVAL');
  }
});

test('names of one directory are made side by side; the same name, and a rename, wait', (t) => {
  const { m, p } = root();
  const v = volume(m, '/v');
  const [q, r, s] = [m.program(), m.program(), m.program()];
  v.transport.held.add('Tlcreate');
  const flags = O_CREAT | O_EXCL | O_RDWR;
  const a = p.start('open', [flags, 0o644], '/v/a');
  const b = q.start('open', [flags, 0o644], '/v/b');
  const again = r.start('open', [flags, 0o644], '/v/a');
  const moved = s.start('rename', [], '/v/a\0/v/c');
  const made = () => v.transport.of('Tlcreate').map(({ filename }) => filename);
  t.deepEqual(made(), ['a', 'b']);
  t.deepEqual(v.transport.of('Trenameat'), []);
  v.transport.release();
  const told = [p.look(a), q.look(b), r.look(again), s.look(moved)].map((call) => call.told);
  t.deepEqual(told, ['ok', 'ok', 'EEXIST', 'ok']);
  t.deepEqual(p.names('/v'), ['b', 'c']);
});

test('names of one directory are looked up side by side, each of them once', (t) => {
  const { m, p } = root();
  const v = volume(m, '/v');
  const [q, r] = [m.program(), m.program()];
  v.transport.held.add('Twalk');
  const calls = [p.start('stat', [], '/v/a'), q.start('stat', [], '/v/b')];
  const again = r.start('stat', [], '/v/a');
  const asked = () => v.transport.of('Twalk').map(({ wname }) => wname.join());
  const before = asked().filter((name) => name !== '');
  t.deepEqual(before, ['a', 'b']);
  v.transport.release();
  t.deepEqual(
    [p.look(calls[0] ?? again), q.look(calls[1] ?? again), r.look(again)].map((call) => call.told),
    ['ENOENT', 'ENOENT', 'ENOENT'],
  );
  t.deepEqual(
    asked().filter((name) => name !== ''),
    ['a', 'b'],
  );
});

test('a FIFO joins a reader and a writer that open it by name, in either order', (t) => {
  const { m, p } = root();
  const q = m.program();
  p.ok('mknod', [0o010644, 0], '/tmp/fifo');
  const reader = p.start('open', [0], '/tmp/fifo');
  t.false(reader.done);
  const writer = q.start('open', [1], '/tmp/fifo');
  t.is(p.look(reader).told, 'ok');
  t.is(q.look(writer).told, 'ok');
  q.write(writer.r0, 'through');
  t.is(p.read(reader.r0), 'through');
  t.is(p.fstat(reader.r0).ino, p.stat('/tmp/fifo').ino);
  t.is(p.told('lseek', [reader.r0, 0, 0]), 'ESPIPE');
  q.close(writer.r0);
  t.is(p.read(reader.r0), '');
  p.close(reader.r0);
  t.is(p.told('open', [1 | 0o4000], '/tmp/fifo'), 'ENXIO');
  const both = p.open('/tmp/fifo', O_RDWR);
  p.write(both, 'self');
  t.is(p.read(both), 'self');
  t.is(p.start('read', [both, 10]).done, false);
});

test('a socket or device on a file system opens nothing', (t) => {
  const { m, p } = root();
  p.ok('mknod', [0o020666, 259], '/tmp/null');
  t.is(p.told('open', [], '/tmp/null'), 'ENXIO');
  t.is(m.program({ uid: 5 }).told('mknod', [0o020666, 259], '/tmp/n2'), 'EPERM');
  t.is(p.told('open', [], '/dev/null'), 'ok');
});
