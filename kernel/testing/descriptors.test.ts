// Descriptors, offsets, pipes.

import test from 'ava';
import {
  O_APPEND,
  O_CLOEXEC,
  O_CREAT,
  O_NONBLOCK,
  O_RDWR,
  O_TRUNC,
  PIPE_BUF,
} from '../abi/constants.ts';
import { machine } from './machine.ts';

const root = () => {
  const m = machine();
  return { m, p: m.program() };
};

test('open, dup and pipe give the lowest free numbers', (t) => {
  const { p } = root();
  const fds = [p.open('/dev/null'), p.open('/dev/null'), p.open('/dev/null')];
  t.deepEqual(fds, [0, 1, 2]);
  p.close(1);
  t.is(p.ok('dup', [0]).r0, 1);
  t.is(p.ok('dup', [0, 10]).r0, 10);
  p.close(0);
  const { r0, r1 } = p.ok('pipe');
  t.deepEqual([r0, r1], [0, 3]);
  t.is(p.ok('dup2', [2, 20]).r0, 20);
  t.is(p.ok('dup2', [2, 2]).r0, 2);
  t.is(p.told('dup2', [5, 6]), 'EBADF');
  t.is(p.told('dup2', [2, 1024]), 'EBADF');
  t.is(p.told('dup2', [2, -1]), 'EBADF');
  t.is(p.told('dup', [2, -1]), 'EINVAL');
  t.is(p.told('dup', [2, 1024]), 'EINVAL');
});

test('the 1025th descriptor is EMFILE, and nothing leaks of it', (t) => {
  const { m, p } = root();
  p.put('/tmp/f');
  for (let i = 0; i < 1024; i++) p.open('/tmp/f');
  const { refs } =
    [...(m.kernel.mounts.all[1]?.superblock.inodes.values() ?? [])].at(-1) ?? t.fail();
  t.is(p.told('open', [], '/tmp/f'), 'EMFILE');
  t.is(p.told('dup', [5]), 'EMFILE');
  t.is(p.told('pipe'), 'EMFILE');
  p.close(7);
  t.is(p.told('pipe'), 'EMFILE');
  t.is(p.open('/tmp/f'), 7);
  const [inode] = [...(m.kernel.mounts.all[1]?.superblock.inodes.values() ?? [])].slice(-1);
  t.is(inode?.refs, refs);
  p.exit();
  t.is(inode?.opens, 0);
});

test('an open without a descriptor to give has made nothing, and cut nothing', (t) => {
  const { p } = root();
  p.put('/tmp/f', 'content');
  for (let i = 0; i < 1024; i++) p.open('/tmp/f');
  t.is(p.told('open', [O_CREAT | O_RDWR, 0o644], '/tmp/new'), 'EMFILE');
  t.is(p.told('open', [O_TRUNC | O_RDWR], '/tmp/f'), 'EMFILE');
  p.close(7);
  t.is(p.get('/tmp/f'), 'content');
  t.is(p.told('access', [0], '/tmp/new'), 'ENOENT');
  t.is(p.open('/tmp/new', O_CREAT | O_RDWR), 7);
});

test('what no file can mean is EBADF or EINVAL, never a crash', (t) => {
  const { m, p } = root();
  p.put('/tmp/f', 'content');
  const fd = p.open('/tmp/f', O_RDWR);
  for (const bad of [-1, 3.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 40]) {
    t.is(p.told('read', [bad, 10]), 'EBADF');
    t.is(p.told('close', [bad]), 'EBADF');
    t.is(p.told('fstat', [bad]), 'EBADF');
    t.is(p.told('dup2', [bad, 4]), 'EBADF');
  }
  for (const bad of [-1, Number.NaN, 0.5]) {
    t.is(p.told('pread', [fd, 10, bad]), 'EINVAL');
    t.is(p.told('pwrite', [fd, 0, bad], 'x'), 'EINVAL');
    t.is(p.told('lseek', [fd, bad, 0]), 'EINVAL');
    t.is(p.told('ftruncate', [fd, bad]), 'EINVAL');
    t.is(p.told('read', [fd, bad]), 'EINVAL');
    t.is(p.told('truncate', [bad], '/tmp/f'), 'EINVAL');
    t.is(p.told('chmod', [bad], '/tmp/f'), 'EINVAL');
    t.is(p.told('access', [bad], '/tmp/f'), 'EINVAL');
  }
  t.is(p.told('chown', [Number.NaN, 0], '/tmp/f'), 'EINVAL');
  t.is(p.told('lseek', [fd, 0, 7]), 'EINVAL');
  t.is(p.told('setuid', [Number.NaN]), 'EINVAL');
  t.is(p.told('kill', [Number.NaN, 1]), 'EINVAL');
  t.is(p.told('spawn', [], 'no json'), 'EINVAL');
  t.is(p.told('spawn', [], '{"path":1,"argv":[],"env":[]}'), 'EINVAL');
  t.is(p.told('spawn', [], '{"path":"/tmp/f","argv":[1],"env":[]}'), 'EINVAL');
  t.is(p.told('spawn', [], '{"path":"/tmp/f","argv":[],"env":[["a"]]}'), 'EINVAL');
  t.is(p.told('open', [], '/tmp/f\0'), 'EINVAL');
  t.is(p.get('/tmp/f'), 'content');
  t.deepEqual(m.bugs(), []);
});

test('a duplicate and a child share the offset; a second open has its own', (t) => {
  const { m, p } = root();
  p.put('/tmp/f', 'abcdefghij');
  const fd = p.open('/tmp/f');
  const own = p.open('/tmp/f');
  const twin = p.ok('dup', [fd]).r0;
  const child = m.program({ parent: p });
  t.is(p.read(fd, 2), 'ab');
  t.is(p.read(twin, 2), 'cd');
  t.is(child.read(fd, 2), 'ef');
  t.is(p.read(own, 2), 'ab');
  p.close(fd);
  t.is(child.read(fd, 2), 'gh');
  t.is(p.ok('lseek', [twin, -1, 1]).r0, 7);
  t.is(p.told('lseek', [twin, -8, 1]), 'EINVAL');
  t.is(p.ok('lseek', [twin, 5, 2]).r0, 15);
  t.is(p.read(twin), '');
});

test('O_APPEND writes at the end, whoever wrote there', (t) => {
  const { m, p } = root();
  const q = m.program();
  p.put('/tmp/f', '');
  const [a, b] = [p.open('/tmp/f', O_RDWR | O_APPEND), q.open('/tmp/f', O_RDWR | O_APPEND)];
  p.write(a, 'one ');
  q.write(b, 'two ');
  p.ok('lseek', [a, 0, 0]);
  p.write(a, 'three');
  t.is(p.get('/tmp/f'), 'one two three');
});

test('read on a descriptor for writing, and write on one for reading, are EBADF', (t) => {
  const { p } = root();
  p.put('/tmp/f', 'x');
  t.is(p.told('read', [p.open('/tmp/f', 1), 1]), 'EBADF');
  t.is(p.told('write', [p.open('/tmp/f', 0)], 'y'), 'EBADF');
  t.is(p.told('ftruncate', [p.open('/tmp/f', 0), 0]), 'EINVAL');
  t.is(p.told('read', [p.open('/tmp'), 1]), 'EISDIR');
  const { r0, r1 } = p.ok('pipe');
  t.is(p.told('read', [r1, 1]), 'EBADF');
  t.is(p.told('write', [r0], 'x'), 'EBADF');
  t.is(p.told('lseek', [r0, 0, 0]), 'ESPIPE');
  t.is(p.told('pread', [r0, 1, 0]), 'ESPIPE');
  t.is(p.told('fsync', [r0]), 'EINVAL');
  t.is(p.told('getdents', [r0, 100]), 'ENOTDIR');
  t.is(p.told('isatty', [r0]), 'ENOTTY');
  t.is(p.told('open', [O_CREAT | O_CLOEXEC, 0o600], '/tmp/g'), 'ok');
});

test('a reader waits for the writer, and sees the end when the last writer has closed', (t) => {
  const { m, p } = root();
  const { r0, r1 } = p.ok('pipe');
  const child = m.program({ parent: p });
  child.close(r1);
  const read = child.start('read', [r0, 100]);
  t.false(read.done);
  p.write(r1, 'some');
  t.is(new TextDecoder().decode(child.look(read).data), 'some');
  const last = child.start('read', [r0, 100]);
  t.false(last.done);
  p.exit();
  t.is(child.look(last).told, 'ok');
  t.is(last.r0, 0);
});

test('writes of up to PIPE_BUF bytes from several writers never mix', (t) => {
  const { m, p } = root();
  const { r0, r1 } = p.ok('pipe');
  const writers = Array.from({ length: 6 }, (_, i) => {
    const writer = m.program({ parent: p });
    const piece = String.fromCharCode(97 + i).repeat(PIPE_BUF - i * 300);
    return { writer, piece, left: 20, now: writer.start('write', [r1], piece) };
  });
  let text = '';
  for (let round = 0; round < 2000; round++) {
    for (const one of writers) {
      if (!one.writer.look(one.now).done || one.left === 0) continue;
      t.is(one.now.r0, one.piece.length);
      if (--one.left > 0) one.now = one.writer.start('write', [r1], one.piece);
    }
    if (writers.every((one) => one.left === 0)) break;
    text += p.read(r0, 1 + ((round * 7919) % 5000));
  }
  while (text.length < writers.reduce((sum, { piece }) => sum + piece.length * 20, 0)) {
    text += p.read(r0, 60_000);
  }
  for (const { piece } of writers) {
    const runs = text.match(new RegExp(`${piece[0]}+`, 'g')) ?? [];
    t.true(runs.every((run) => run.length % piece.length === 0));
    t.is(runs.join('').length, piece.length * 20);
  }
});

test('a full pipe makes its writer wait, and a large write passes in pieces', (t) => {
  const { m, p } = root();
  const { r0, r1 } = p.ok('pipe');
  const writer = m.program({ parent: p });
  const write = writer.start('write', [r1], 'x'.repeat(200_000));
  t.false(write.done);
  let got = 0;
  for (let i = 0; i < 100 && got < 200_000; i++) got += p.read(r0, 10_000).length;
  t.is(got, 200_000);
  t.is(writer.look(write).r0, 200_000);
});

test('a pipe without readers is EPIPE and SIGPIPE, which ends a process that does not ignore it', (t) => {
  const { m, p } = root();
  p.ok('sigaction', [13, 1]);
  const { r0, r1 } = p.ok('pipe');
  const child = m.program({ parent: p });
  child.close(r0);
  p.close(r0);
  t.is(p.told('write', [r1], 'x'), 'EPIPE');
  t.is(child.told('write', [r1], 'x'), 'DIED');
  const { r0: pid, r1: status } = p.ok('wait', [-1, 0]);
  t.deepEqual([pid, status], [child.pid, 13]);
});

test('the memory of a pipe is given back with its last end, even of a killed process', (t) => {
  const { m, p } = root();
  const { free } = m.kernel.frames;
  const { r0, r1 } = p.ok('pipe');
  p.write(r1, 'left behind');
  t.is(m.kernel.frames.free, free - 17);
  p.close(r0);
  m.kernel.setCaller(p.process);
  p.ok('sigaction', [15, 0]);
  const q = m.program();
  const held = m.kernel.frames.free;
  q.ok('kill', [p.pid, 9]);
  t.is(m.kernel.frames.free, held, 'its worker may be about to write into the pipe');
  p.start('ready');
  t.is(m.kernel.frames.free, held + 17);
});

test('O_NONBLOCK on a FIFO gives EAGAIN in place of waiting', (t) => {
  const { p } = root();
  p.ok('mknod', [0o010600, 0], '/tmp/fifo');
  const fd = p.open('/tmp/fifo', O_RDWR | O_NONBLOCK);
  t.is(p.told('read', [fd, 10]), 'EAGAIN');
  t.is(p.write(fd, 'x'.repeat(65_536)), 65_536);
  t.is(p.told('write', [fd], 'x'), 'EAGAIN');
});
