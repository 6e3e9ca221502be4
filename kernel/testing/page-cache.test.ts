// The page cache against a server that counts, delays and refuses: read-ahead, partial pages,
// truncation, write-back and its errors, full disks, memory pressure.

import test from 'ava';
import { EIO, ENOMEM, ENOSPC, PosixError } from '../abi/errno.ts';
import { abandon } from '../vfs/inode.ts';
import { machine } from './machine.ts';
import { volume } from './volume.ts';

const PAGE = 4096;
const RW = 2;
const CREATE = 0o102; // O_RDWR | O_CREAT

const mounted = (options: { mib?: number; bytes?: number; programs?: number } = {}) => {
  const m = machine(options);
  const v = volume(m, '/v', options.bytes);
  const p = m.program();
  /** Reads a whole file of the server, behind the cache's back. */
  const onServer = (path: string): string => {
    m.kernel.pages.dropClean();
    return p.get(path);
  };
  const drop = (): void => m.kernel.pages.dropClean();
  return { m, v, p, onServer, drop };
};

const pattern = (bytes: number, seed = 0): string =>
  Array.from({ length: bytes }, (_, i) =>
    String.fromCharCode(97 + ((i * 7 + seed + (i >> 12)) % 26)),
  ).join('');

test('what was written is read at once, and is on the server after fsync: all writes before Tfsync', (t) => {
  const { v, p, onServer } = mounted();
  const fd = p.open('/v/f', CREATE);
  const text = pattern(3 * 1024 * 1024 + 17);
  for (let at = 0; at < text.length; at += 100_000) p.write(fd, text.slice(at, at + 100_000));
  t.is(p.pread(fd, 1_000_000, 5000), text.slice(1_000_000, 1_005_000));
  v.transport.log.length = 0;
  p.ok('fsync', [fd]);
  const names = v.transport.log.map((message) => message.name);
  t.is(names.at(-1), 'Tfsync');
  t.is(names.indexOf('Tfsync'), names.length - 1);
  t.is(onServer('/v/f'), text);
});

test('fsync waits for a write-back that another has begun', (t) => {
  const { m, v, p } = mounted();
  const other = m.program();
  const fd = p.open('/v/f', CREATE);
  p.write(fd, 'data');
  v.transport.held.add('Twrite');
  const sync = other.start('sync');
  const fsync = p.start('fsync', [fd]);
  t.is(v.transport.of('Tfsync').length, 0);
  v.transport.release();
  t.is(p.look(fsync).told, 'ok');
  t.is(other.look(sync).told, 'ok');
  const names = v.transport.log.map((message) => message.name);
  t.true(names.indexOf('Twrite') < names.indexOf('Tfsync'));
});

test('a write into the middle of a page keeps the rest of it', (t) => {
  const { p, drop, onServer } = mounted();
  p.put('/v/f', pattern(2 * PAGE + 100));
  p.ok('sync');
  drop();
  const fd = p.open('/v/f', RW);
  p.ok('pwrite', [fd, 0, 100], 'HERE');
  p.ok('pwrite', [fd, 0, 2 * PAGE + 98], 'THERE');
  const text = pattern(2 * PAGE + 100);
  const expected = `${text.slice(0, 100)}HERE${text.slice(104, 2 * PAGE + 98)}THERE`;
  t.is(p.get('/v/f'), expected);
  p.ok('fsync', [fd]);
  t.is(onServer('/v/f'), expected);
});

test('what lies between the old end and a write behind it reads as zeroes', (t) => {
  const { p, onServer } = mounted();
  p.put('/v/f', 'x'.repeat(100));
  const fd = p.open('/v/f', RW);
  p.ok('pwrite', [fd, 0, 3 * PAGE + 10], 'end');
  const expected = `${'x'.repeat(100)}${'\0'.repeat(3 * PAGE - 90)}end`;
  t.is(p.get('/v/f'), expected);
  p.ok('fsync', [fd]);
  t.is(onServer('/v/f'), expected);
  t.is(p.stat('/v/f').size, 3 * PAGE + 13);
});

test('truncating down and up again leaves zeroes, cached or not, flushed or not', (t) => {
  for (const flushed of ['before', 'between', 'after']) {
    const { p, drop, onServer } = mounted();
    p.put('/v/f', 'x'.repeat(3 * PAGE));
    if (flushed === 'before') p.ok('sync');
    if (flushed === 'before') drop();
    p.ok('truncate', [PAGE + 50], '/v/f');
    t.is(p.stat('/v/f').size, PAGE + 50);
    if (flushed === 'between') p.ok('sync');
    p.ok('truncate', [3 * PAGE], '/v/f');
    const expected = `${'x'.repeat(PAGE + 50)}${'\0'.repeat(2 * PAGE - 50)}`;
    t.is(p.get('/v/f'), expected, flushed);
    p.ok('sync');
    t.is(onServer('/v/f'), expected, flushed);
  }
});

test('a truncation that fails loses nothing that was written', (t) => {
  const { v, p } = mounted();
  p.put('/v/f', pattern(5000));
  v.transport.refuse = (message) =>
    message.name === 'Tsetattr' && message.attr.valid & 8 ? EIO : undefined;
  t.is(p.told('truncate', [10], '/v/f'), 'EIO');
  t.is(p.get('/v/f'), pattern(5000));
});

test('random writes, truncations and evictions of two writers agree with a model', (t) => {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1e9));
  t.log(`SEED=${seed}`);
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const { m, p } = mounted({ mib: 8 });
  const q = m.program();
  const model = new Uint8Array(80 * PAGE);
  let size = 0;
  const fds = [p.open('/v/f', CREATE), q.open('/v/f', CREATE)];
  for (let step = 0; step < 1500; step++) {
    const who = random(2);
    const program = who === 0 ? p : q;
    const fd = fds[who] ?? -1;
    const at = random(60 * PAGE);
    const what = random(10);
    if (what < 5) {
      const data = new Uint8Array(1 + random(what === 0 ? 12 * PAGE : 3000)).fill(1 + random(255));
      program.ok('pwrite', [fd, 0, at], data);
      model.set(data, at);
      size = Math.max(size, at + data.length);
    } else if (what < 7) {
      const { data } = program.ok('pread', [fd, 20_000, at]);
      t.deepEqual(Buffer.from(data), Buffer.from(model.slice(at, Math.min(size, at + 20_000))));
    } else if (what === 7) {
      program.ok('ftruncate', [fd, at]);
      model.fill(0, at);
      size = at;
    } else if (what === 8) m.kernel.pages.dropClean();
    else program.ok('fsync', [fd]);
    t.is(program.fstat(fd).size, size);
  }
  p.ok('sync');
  m.kernel.pages.dropClean();
  let at = 0;
  for (let data = p.ok('pread', [fds[0], 65_536, at]).data; data.length > 0; ) {
    t.deepEqual(Buffer.from(data), Buffer.from(model.slice(at, at + data.length)), `at ${at}`);
    at += data.length;
    data = p.ok('pread', [fds[0], 65_536, at]).data;
  }
  t.is(at, size);
  t.deepEqual(m.bugs(), []);
});

test('more dirty pages than memory holds are all written: eviction never loses one', (t) => {
  const { m, p, onServer } = mounted({ mib: 8 });
  const piece = (i: number): string => String.fromCharCode(97 + (i % 26)).repeat(64 * 1024);
  const fd = p.open('/v/big', CREATE);
  for (let i = 0; i < 400; i++) p.write(fd, piece(i)); // 25 MiB through 8 MiB of memory
  t.true(m.kernel.pages.dirtyPages * PAGE < 8 * 1024 * 1024);
  const reader = p.open('/v/big');
  for (let i = 0; i < 400; i++) t.is(p.read(reader, 64 * 1024), piece(i));
  p.ok('sync');
  t.is(m.kernel.pages.dirtyPages, 0);
  t.is(onServer('/v/big').length, 400 * 64 * 1024);
});

test('ENOSPC is told at write(2), and everything acknowledged is on the full disk', (t) => {
  const { m, v, p, onServer } = mounted({ bytes: 4 * 1024 * 1024 });
  const fd = p.open('/v/f', CREATE);
  let written = 0;
  let told = 'ok';
  for (let i = 0; i < 200 && told === 'ok'; i++) {
    const done = p.call('write', [fd], pattern(50_000, i));
    told = done.told;
    if (told === 'ok') written += done.r0;
  }
  t.is(told, 'ENOSPC');
  t.true(written > 3.5 * 1024 * 1024, `${written}`);
  t.is(p.fstat(fd).size, written);
  t.is(p.told('fsync', [fd]), 'ok');
  t.is(m.kernel.pages.dirtyPages, 0);
  const text = onServer('/v/f');
  t.is(text.length, written);
  for (let i = 0; (i + 1) * 50_000 <= written; i++) {
    t.is(text.slice(i * 50_000, (i + 1) * 50_000), pattern(50_000, i));
  }
  p.ok('unlink', [], '/v/f');
  p.close(fd);
  m.settle();
  t.is(v.fs.usedBytes, 0);
  p.put('/v/again', pattern(1_000_000));
  t.is(p.get('/v/again'), pattern(1_000_000));
});

test('a write-back that fails is told once: by the next fsync, to each file on its own', (t) => {
  const { v, p } = mounted();
  const bad = p.open('/v/bad', CREATE);
  const good = p.open('/v/good', CREATE);
  p.write(bad, 'lost');
  v.transport.refuse = (message) => (message.name === 'Twrite' ? EIO : undefined);
  t.is(p.told('sync'), 'EIO');
  v.transport.refuse = () => undefined;
  p.write(good, 'kept');
  t.is(p.told('fsync', [good]), 'ok');
  t.is(p.told('fsync', [bad]), 'EIO');
  t.is(p.told('fsync', [bad]), 'ok');
});

test('the last close of a file tells that its write-back failed', (t) => {
  const { v, p } = mounted();
  const fd = p.open('/v/f', CREATE);
  p.write(fd, 'lost');
  v.transport.refuse = (message) => (message.name === 'Twrite' ? ENOSPC : undefined);
  t.is(p.told('sync'), 'ENOSPC');
  t.is(p.told('close', [fd]), 'ENOSPC');
  t.is(p.told('close', [fd]), 'EBADF');
});

test('a read that fails is EIO, and the next one asks again', (t) => {
  const { v, p, drop } = mounted();
  p.put('/v/f', 'content');
  p.ok('sync');
  drop();
  const fd = p.open('/v/f');
  v.transport.refuse = (message) => (message.name === 'Tread' ? EIO : undefined);
  t.is(p.told('read', [fd, 10]), 'EIO');
  v.transport.refuse = () => undefined;
  t.is(p.read(fd, 10), 'content');
});

test('two readers of one missing page cause one request', (t) => {
  const { m, v, p, drop } = mounted();
  const q = m.program();
  p.put('/v/f', 'content');
  p.ok('sync');
  drop();
  const [a, b] = [p.open('/v/f'), q.open('/v/f')];
  v.transport.log.length = 0;
  v.transport.held.add('Tread');
  const [first, second] = [p.start('read', [a, 10]), q.start('read', [b, 10])];
  v.transport.release();
  t.is(p.look(first).r0, 7);
  t.is(q.look(second).r0, 7);
  t.is(v.transport.of('Tread').length, 1);
});

test('times set by utimens stay after writes that came before', (t) => {
  const { m, p, onServer } = mounted();
  const fd = p.open('/v/f', CREATE);
  p.write(fd, 'x');
  m.time.ms += 5000;
  const time = JSON.stringify({ atime: { sec: 5, nsec: 6 }, mtime: { sec: 7, nsec: 8 } });
  p.ok('utimens', [], `/v/f\0${time}`);
  p.close(fd);
  p.ok('sync');
  t.is(onServer('/v/f'), 'x');
  t.deepEqual(p.stat('/v/f').mtime, { sec: 7, nsec: 8 });
  m.kernel.dcache.prune(m.kernel.mounts.all.at(-1)?.root ?? t.fail());
  t.deepEqual(p.stat('/v/f').mtime, { sec: 7, nsec: 8 });
});

test('the time of a write reaches the server with its pages', (t) => {
  const { m, p } = mounted();
  const fd = p.open('/v/f', CREATE);
  p.write(fd, 'x');
  const { mtime } = p.fstat(fd);
  m.pass(10);
  p.close(fd);
  p.ok('sync');
  m.kernel.dcache.prune(m.kernel.mounts.all.at(-1)?.root ?? t.fail());
  t.deepEqual(p.stat('/v/f').mtime, mtime);
});

test('an unlinked file that is open is read and written as before, then its pages go unwritten', (t) => {
  const { m, v, p } = mounted();
  const fd = p.open('/v/f', CREATE);
  p.write(fd, pattern(20_000));
  p.ok('unlink', [], '/v/f');
  t.is(p.fstat(fd).nlink, 0);
  t.is(p.pread(fd, 0, 20_000), pattern(20_000));
  p.write(fd, 'more');
  v.transport.log.length = 0;
  p.close(fd);
  p.ok('sync');
  t.is(v.transport.of('Twrite').length, 0);
  t.is(m.kernel.pages.dirtyPages, 0);
  t.is(v.fs.usedBytes, 0);
});

test('a file closed with dirty pages is written though nobody refers to it', (t) => {
  const { m, v, p } = mounted();
  p.put('/v/f', 'late');
  const root = m.kernel.mounts.all.at(-1)?.root ?? t.fail();
  m.kernel.dcache.prune(root);
  m.settle();
  t.is(m.kernel.pages.dirtyPages, 1);
  p.ok('sync');
  m.settle();
  t.is(m.kernel.pages.count, 0);
  t.is(v.superblock.inodes.size, 1); // the root
  t.is(p.get('/v/f'), 'late');
});

test('old dirty pages go to the disk without anybody asking', async (t) => {
  const { m, v, p } = mounted();
  const { startFlusher } = await import('../mm/flusher.ts');
  startFlusher(m.kernel);
  p.put('/v/f', 'late');
  m.pass(1000);
  t.is(v.transport.of('Twrite').length, 0);
  m.time.ms += 31_000;
  m.pass(1100);
  t.is(v.transport.of('Twrite').length, 1);
});

test('after everything is closed, the server holds one fid for each inode that is cached', (t) => {
  const { m, v, p } = mounted();
  const user = m.program({ uid: 1000, gid: 1000 });
  p.ok('chmod', [0o777], '/v');
  for (const who of [p, user]) {
    const d = `/v/d${who.pid}`;
    who.ok('mkdir', [0o755], d);
    who.told('mkdir', [0o755], d);
    who.put(`${d}/a`, 'a');
    who.ok('link', [], `${d}/a\0${d}/b`);
    who.ok('symlink', [], `a\0${d}/l`);
    who.told('open', [0o302, 0o644], `${d}/a`);
    who.told('stat', [], `${d}/none`);
    t.deepEqual(who.names(d), ['a', 'b', 'l']);
    who.ok('rename', [], `${d}/b\0${d}/c`);
    who.put(`${d}/t`, 'x');
    const fd = who.open(`${d}/t`);
    who.ok('unlink', [], `${d}/t`);
    who.close(fd);
    who.told('open', [0o1002], `${d}/l/x`);
    who.ok('setxattr', [], `${d}/a\0user.x\0value`);
    who.ok('getxattr', [], `${d}/a\0user.x`);
  }
  for (const who of [p, user]) who.exit();
  m.settle();
  const { client, inodes } = v.superblock;
  t.is(client.fidsInUse, inodes.size);
  t.is(v.server.fids().size, inodes.size);
  m.kernel.dcache.prune(m.kernel.mounts.all.at(-1)?.root ?? t.fail());
  m.run(m.kernel.flushAll(v.superblock));
  m.settle();
  t.is(v.server.fids().size, 1);
  t.is(inodes.size, 1);
  t.is(v.superblock.root.refs, 1);
  t.deepEqual(m.bugs(), []);
});

test('a server that dies leaves no dirty page behind, its files are EIO, and it is unmounted', (t) => {
  const { m, v, p } = mounted();
  const fd = p.open('/v/f', CREATE);
  p.write(fd, pattern(50_000));
  v.transport.refuse = () => EIO;
  abandon(m.kernel, v.superblock);
  m.settle();
  t.is(m.kernel.pages.dirtyPages, 0);
  t.is(m.kernel.pages.count, 0);
  t.is(p.told('fsync', [fd]), 'EIO');
  t.is(p.told('pread', [fd, 10, 0]), 'EIO');
  t.is(p.told('write', [fd], 'x'), 'EIO');
  t.is(p.told('sync'), 'EIO');
  t.is(p.told('sync'), 'ok');
  t.is(p.told('stat', [], '/v'), 'ok');
  t.is(p.told('umount', [], '/v'), 'EBUSY');
  p.told('close', [fd]);
  t.is(p.told('umount', [], '/v'), 'ok');
  t.deepEqual(p.names('/v'), []);
  t.deepEqual(m.bugs(), []);
});

test('memory of a worker that is powered off is given back when its last call has ended', (t) => {
  const { m, v, p, drop } = mounted();
  p.put('/v/f', 'content');
  p.ok('sync');
  drop();
  const child = m.program({ parent: p });
  const fd = child.open('/v/f');
  v.transport.held.add('Tread');
  const read = child.start('read', [fd, 100]);
  p.ok('kill', [child.pid, 9]);
  t.is(child.seat.calls, 1);
  child.seat.gone = true;
  v.transport.release();
  m.settle();
  t.is(child.seat.calls, 0);
  t.false(child.look(read).done); // nobody is there to be answered
  t.deepEqual(m.bugs(), []);
});

test('what dirty pages will take counts as blocks of the file', (t) => {
  const { p } = mounted();
  const fd = p.open('/v/f', CREATE);
  p.write(fd, 'x'.repeat(10_000));
  t.is(p.fstat(fd).blocks, 24);
  p.ok('pwrite', [fd, 0, 100 * PAGE], 'x');
  t.is(p.fstat(fd).blocks, 32);
});

test('a writer far ahead of the disk waits for it, is not failed, and others go on', (t) => {
  const { m, v, p } = mounted({ mib: 16 });
  const other = m.program();
  const fd = p.open('/v/f', CREATE);
  const piece = pattern(32 * PAGE);
  v.transport.held.add('Twrite');
  let written = 0;
  let last = p.start('write', [fd], piece);
  for (; last.done && written < 1000; written++) last = p.start('write', [fd], piece);
  const { unwritten } = v.superblock;
  const limit = m.kernel.pages.capacity / 10;
  t.true(unwritten > limit / 2 && unwritten <= limit + 64, `${unwritten} of ${limit} pages`);
  t.is(other.pread(other.open('/v/f'), 0, 100), piece.slice(0, 100));
  v.transport.release();
  t.is(p.look(last).told, 'ok');
  p.ok('fsync', [fd]);
  t.is(v.superblock.unwritten, 0);
  t.is(m.kernel.pages.unwritten, 0);
  t.is(p.fstat(fd).size, (written + 1) * piece.length);
  t.deepEqual(m.bugs(), []);
});

test('what could not be sent for want of memory stays dirty, and is written the next time', (t) => {
  const { v, p, onServer } = mounted();
  const fd = p.open('/v/f', CREATE);
  p.write(fd, pattern(10 * PAGE));
  v.transport.refuse = (message) => {
    if (message.name === 'Twrite') throw new PosixError(ENOMEM, 'no grant');
    return undefined;
  };
  t.is(p.told('fsync', [fd]), 'ENOMEM');
  t.is(p.told('sync'), 'ok'); // no file's failure is another's
  t.is(v.superblock.unwritten, 10);
  v.transport.refuse = () => undefined;
  p.ok('fsync', [fd]);
  t.is(v.superblock.unwritten, 0);
  t.is(onServer('/v/f'), pattern(10 * PAGE));
});

test('stat after a write-back asks nobody: the answer came with it', (t) => {
  const { m, v, p } = mounted();
  const fd = p.open('/v/f', CREATE);
  p.write(fd, pattern(5000));
  p.ok('fsync', [fd]);
  v.transport.log.length = 0;
  t.is(p.fstat(fd).size, 5000);
  p.stat('/v/f');
  t.is(v.transport.log.length, 0);
  p.write(fd, 'more');
  const other = m.program();
  v.transport.held.add('Tgetattr');
  const sync = other.start('sync');
  p.write(fd, 'again'); // the answer under way is no longer the newest
  v.transport.release();
  t.is(other.look(sync).told, 'ok');
  t.is(p.fstat(fd).size, 5009);
  t.is(p.fstat(fd).blocks, 16);
});

test('memory that the cache has in pieces is had back in one', (t) => {
  const { m, v, p } = mounted({ mib: 8 });
  v.superblock.readAheadPages = 1;
  p.put('/v/f', new Uint8Array(2000 * PAGE));
  p.ok('sync');
  const fd = p.open('/v/f');
  for (let i = 0; i < 2000; i++) p.pread(fd, ((i * 37) % 2000) * PAGE, 1);
  const runs = Array.from({ length: 4 }, () => m.kernel.frames.mustTake(64, 'a test'));
  for (const run of runs) m.kernel.frames.give(run, 64);
  p.ok('pipe');
  t.deepEqual(m.bugs(), []);
});
