// Reading without the kernel, in one thread: every read is checked against a model of the file, and the
// kernel must not have been called. What workers do at the same time: scripts/system/zero-hop.test.ts.

import test from 'ava';
import { SIGUSR1 } from '../../../kernel/abi/constants.ts';
import { descriptorAt, TABLE_ATTENTION } from '../../../kernel/abi/file-tables.ts';
import type { Stat } from '../../../kernel/abi/stat.ts';
import { machine } from '../../../kernel/testing/machine.ts';
import type { Program } from '../../../kernel/testing/program.ts';
import { volume } from '../../../kernel/testing/volume.ts';
import { CachedFiles } from './cached.ts';

const PAGE = 4096;
const RW = 2;
const CREATE = 0o102;
const [SET, CUR, END] = [0, 1, 2];

const mounted = (options: { mib?: number } = {}) => {
  const m = machine(options);
  const v = volume(m, '/v');
  const p = m.program();
  const tables = { ...m.kernel.pages.index.tables, ...m.kernel.inodes.tables };
  /** What the runtime of a program reads by itself. */
  const cachedOf = ({ seat }: Program): CachedFiles =>
    new CachedFiles(
      m.kernel.ram,
      { ...tables, descriptors: seat.table?.address ?? 0 },
      () => undefined,
    );
  return { m, v, p, cachedOf, cached: cachedOf(p), drop: () => m.kernel.pages.dropClean() };
};

const pattern = (bytes: number, seed = 0): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, i) => (i * 7 + seed + (i >> 12) * 13) & 0xff);

/** The bytes that pread gives without the kernel; undefined when it must be asked. */
function pread(cached: CachedFiles, fd: number, at: { offset: number; length: number }) {
  const into = new Uint8Array(at.length);
  const count = cached.pread(fd, into, at.offset);
  return cached.complete ? into.subarray(0, count) : undefined;
}

test('pread, read, lseek and fstat of cached pages make no call, and tell what calls would tell', (t) => {
  const { p, cached } = mounted();
  const content = pattern(10 * PAGE + 100);
  p.put('/v/f', content);
  const fd = p.open('/v/f');
  const told = p.fstat(fd);
  const { calls } = p.process;
  t.deepEqual(pread(cached, fd, { offset: 5000, length: 20_000 }), content.slice(5000, 25_000));
  t.deepEqual(pread(cached, fd, { offset: 10 * PAGE, length: 500 }), content.slice(10 * PAGE));
  t.deepEqual(pread(cached, fd, { offset: 1e9, length: 10 }), new Uint8Array(0));
  const into = new Uint8Array(6000);
  t.is(cached.read(fd, into), 6000);
  t.is(cached.read(fd, into), 6000);
  t.deepEqual(into, content.slice(6000, 12_000));
  t.is(cached.lseek(fd, 0, CUR), 12_000);
  t.is(cached.lseek(fd, -100, END), content.length - 100);
  t.is(cached.read(fd, into), 100);
  t.is(cached.read(fd, into), 0);
  t.true(cached.complete);
  t.is(cached.lseek(fd, 7, SET), 7);
  t.deepEqual(cached.fstat(fd), told as Stat);
  t.is(p.process.calls, calls);
  t.is(p.seat.table?.answered, 11);
  t.is(p.ok('read', [fd, 10]).data[0], content[7]); // the kernel goes on where the reader was
  t.is(cached.lseek(fd, 0, CUR), 17);
});

test('what is not certain is left to the kernel', (t) => {
  const { p, cached, drop } = mounted();
  p.put('/v/f', pattern(4 * PAGE));
  p.put('/tmp/f', 'in memory');
  const reader = p.open('/v/f');
  const writer = p.open('/v/f', 1);
  const pages = { offset: 0, length: PAGE };
  t.is(pread(cached, p.open('/tmp/f'), pages), undefined, 'not in the page cache');
  t.is(pread(cached, p.open('/v', 0o200000), pages), undefined, 'a directory');
  t.is(pread(cached, writer, pages), undefined, 'not open for reading');
  t.not(cached.fstat(writer), undefined);
  t.is(pread(cached, 77, pages), undefined, 'not open');
  for (const fd of [-1, 1000, 1.5, Number.NaN]) t.is(cached.fstat(fd), undefined);
  t.is(cached.lseek(reader, -1, SET), undefined);
  t.is(cached.lseek(reader, 0, 9), undefined);
  t.is(pread(cached, reader, { offset: -1, length: 1 }), undefined);
  t.not(pread(cached, reader, pages), undefined);
  p.ok('sync');
  drop();
  t.is(pread(cached, reader, pages), undefined, 'not cached');
  p.close(reader);
  t.is(pread(cached, reader, pages), undefined, 'closed');
});

test('a read that begins in the cache and leaves it is finished by the kernel behind what it got', (t) => {
  const { m, p, cached, drop } = mounted();
  const content = pattern(6 * PAGE);
  p.put('/v/f', content);
  p.ok('sync');
  drop();
  const fd = p.open('/v/f');
  p.pread(fd, 0, PAGE); // fetches two pages
  const into = new Uint8Array(6 * PAGE);
  const count = cached.read(fd, into);
  t.false(cached.complete);
  t.is(count, 2 * PAGE);
  t.is(m.kernel.pages.count, 2);
  const rest = p.ok('read', [fd, 6 * PAGE]).data;
  t.deepEqual(Buffer.concat([into.subarray(0, count), rest]), Buffer.from(content));
});

test('reads at random places load what they ask for and no page more', (t) => {
  const { m, p, cached, drop } = mounted();
  const content = pattern(64 * PAGE);
  p.put('/v/f', content);
  p.ok('sync');
  drop();
  const fd = p.open('/v/f');
  const places = [40, 7, 33, 50, 12, 61, 2, 25];
  for (const [i, page] of places.entries()) {
    const at = { offset: page * PAGE, length: PAGE };
    t.is(pread(cached, fd, at), undefined);
    p.ok('load', [fd, cached.missing ?? 0, PAGE]);
    t.deepEqual(pread(cached, fd, at), content.slice(page * PAGE, (page + 1) * PAGE));
    t.is(m.kernel.pages.count, i + 1);
  }
});

test('an offset that two descriptors share is moved by the kernel alone, and given back', (t) => {
  const { m, p, cached, cachedOf } = mounted();
  p.put('/v/f', pattern(4 * PAGE));
  const fd = p.open('/v/f');
  const into = new Uint8Array(100);
  t.is(cached.read(fd, into), 100);
  const twin = p.ok('dup', [fd]).r0;
  t.is(cached.read(fd, into), 0);
  t.false(cached.complete);
  t.is(cached.lseek(twin, 0, CUR), undefined);
  t.is(cached.pread(twin, into, 50), 100); // that moves nothing
  t.is(p.ok('lseek', [twin, 0, CUR]).r0, 100);
  const child = m.program({ parent: p });
  p.close(twin);
  t.is(cached.lseek(fd, 0, CUR), undefined);
  const inChild = cachedOf(child);
  t.is(inChild.lseek(fd, 0, CUR), undefined);
  child.read(fd, 23);
  child.close(fd);
  child.close(twin);
  t.is(cached.lseek(fd, 0, CUR), 123);
  t.is(cached.read(fd, into), 100);
  p.ok('dup2', [fd, 40]);
  p.close(fd);
  t.is(cached.lseek(40, 0, CUR), 223);
});

test('a program that is ended leaves an offset behind that the others go on from', (t) => {
  const { m, p, cached, cachedOf } = mounted();
  p.put('/v/f', pattern(4 * PAGE));
  const fd = p.open('/v/f');
  const child = m.program({ parent: p });
  const inChild = cachedOf(child);
  child.read(fd, 1000);
  p.ok('kill', [child.pid, 9]);
  t.is(inChild.pread(fd, new Uint8Array(10), 0), 0);
  t.false(inChild.complete);
  t.is(cached.lseek(fd, 0, CUR), 1000);
});

test('a signal that waits to be handled sends every call to the kernel', (t) => {
  const { m, p, cached } = mounted();
  p.put('/v/f', pattern(PAGE));
  const fd = p.open('/v/f');
  p.ok('sigaction', [SIGUSR1, 2]);
  const whole = { offset: 0, length: PAGE };
  t.not(pread(cached, fd, whole), undefined);
  m.program().ok('kill', [p.pid, SIGUSR1]);
  t.is(pread(cached, fd, whole), undefined);
  t.is(cached.fstat(fd), undefined);
  t.is(p.ok('takeSignals').r0, 1 << SIGUSR1);
  t.not(pread(cached, fd, whole), undefined);
});

test('stat is told as the kernel would tell it, after every kind of change', (t) => {
  const { p, cached } = mounted();
  p.put('/v/f', pattern(3 * PAGE));
  const fd = p.open('/v/f', RW);
  const agrees = (after: string): void => {
    const here = cached.fstat(fd);
    const there = p.fstat(fd);
    if (here) t.deepEqual(here, there, after);
    t.deepEqual(cached.fstat(fd), there, `${after}, asked once`);
  };
  agrees('open');
  p.write(fd, 'x'.repeat(5 * PAGE));
  agrees('write');
  p.ok('fsync', [fd]);
  agrees('fsync');
  p.ok('chmod', [0o600], '/v/f');
  agrees('chmod');
  p.ok('link', [], '/v/f\0/v/g');
  agrees('link');
  p.ok('ftruncate', [fd, 100]);
  agrees('truncation');
  p.ok('rename', [], '/v/g\0/v/h');
  agrees('rename');
  p.ok('unlink', [], '/v/f');
  p.ok('unlink', [], '/v/h');
  agrees('unlink');
  p.ok('ftruncate', [fd, PAGE * 2]);
  agrees('growth');
});

/** A buffer into which the first copy is made only after `meanwhile` has happened. */
function disturbed(length: number, meanwhile: () => void): Uint8Array {
  const into = new Uint8Array(length);
  let calls = 0;
  into.set = (from, at) => {
    const before = Uint8Array.from(from).subarray(0, from.length >> 1);
    if (calls++ === 0) meanwhile();
    Uint8Array.prototype.set.call(into, from, at);
    if (calls === 1) Uint8Array.prototype.set.call(into, before, at); // half of it was copied already
  };
  return into;
}

type Change = (on: { p: Program; fd: number; drop: () => void }) => void;

const inTheMiddle = test.macro({
  exec(t, _: string, { change, zeroes }: { change: Change; zeroes?: boolean }) {
    const { p, m, cached, drop } = mounted();
    p.put('/v/f', zeroes ? new Uint8Array(3 * PAGE) : pattern(3 * PAGE));
    p.ok('sync');
    const other = m.program();
    const fd = p.open('/v/f');
    const writer = other.open('/v/f', RW);
    p.pread(fd, 0, 3 * PAGE);
    let changed = false;
    const into = disturbed(PAGE, () => {
      change({ p: other, fd: writer, drop });
      changed = true;
    });
    const count = cached.pread(fd, into, PAGE);
    t.true(changed);
    const { data } = p.ok('pread', [fd, PAGE, PAGE]);
    if (cached.complete) t.is(count, data.length);
    t.deepEqual(Buffer.from(into.subarray(0, count)), Buffer.from(data.subarray(0, count)));
  },
  title: (_, what: string) => `${what} while a page is copied: the reader sees what is true then`,
});
test(inTheMiddle, 'a write', {
  change: ({ p, fd }) => void p.ok('pwrite', [fd, 0, PAGE], pattern(PAGE, 99)),
});
test(inTheMiddle, 'a truncation inside the page', {
  change: ({ p, fd }) => void p.ok('ftruncate', [fd, PAGE + 100]),
});
test(inTheMiddle, 'a truncation that changes no byte', {
  change: ({ p, fd }) => void p.ok('ftruncate', [fd, PAGE + 100]),
  zeroes: true,
});
test(inTheMiddle, 'a truncation, and growth to the old size', {
  change: ({ p, fd }) => {
    p.ok('ftruncate', [fd, 0]);
    p.ok('ftruncate', [fd, 3 * PAGE]);
  },
});
test(inTheMiddle, 'eviction, and another file in the same frames', {
  change: ({ p, drop }) => {
    drop();
    p.put('/v/g', pattern(40 * PAGE, 50));
  },
});
test(inTheMiddle, 'the end of the file’s names', {
  change: ({ p }) => void p.ok('unlink', [], '/v/f'),
});

test('a file that is written without a pause is read by the kernel in the end', (t) => {
  const { m, p, cached } = mounted();
  p.put('/v/f', pattern(PAGE));
  const fd = p.open('/v/f', RW);
  const other = m.program();
  const theirs = other.open('/v/f', RW);
  let copies = 0;
  const into = new Uint8Array(PAGE);
  into.set = () => void other.ok('pwrite', [theirs, 0, 0], pattern(PAGE, ++copies));
  t.is(cached.pread(fd, into, 0), 0);
  t.false(cached.complete);
  t.true(copies > 1 && copies < 100, `${copies} attempts`);
});

test('a reader without calls rings once in each window, and the next one is there in time', (t) => {
  const { m, v, p, drop } = mounted();
  const content = pattern(100 * PAGE);
  p.put('/v/f', content);
  p.ok('sync');
  drop();
  v.transport.log.length = 0;
  const rings: number[] = [];
  const tables = { ...m.kernel.pages.index.tables, ...m.kernel.inodes.tables };
  const cached = new CachedFiles(
    m.kernel.ram,
    { ...tables, descriptors: p.seat.table?.address ?? 0 },
    (fd) => {
      rings.push(fd);
      p.start('readAhead', [fd]);
    },
  );
  const fd = p.open('/v/f');
  const into = new Uint8Array(PAGE);
  let loads = 0;
  for (let i = 0; i < 100; i++) {
    cached.read(fd, into);
    if (cached.missing !== undefined) {
      loads++;
      p.ok('load', [fd, cached.missing, PAGE]);
      cached.read(fd, into);
    }
    t.deepEqual(into, content.slice(i * PAGE, (i + 1) * PAGE));
  }
  t.is(loads, 1);
  const windows = v.transport.of('Tread').map(({ count }) => count / PAGE);
  t.deepEqual(windows, [2, 4, 8, 16, 32, 38]);
  t.is(rings.length, 6);
  for (let i = 0; i < 100; i++) pread(cached, fd, { offset: i * PAGE, length: PAGE });
  t.is(rings.length, 6, 'what is cached needs no ring');
  t.deepEqual(m.bugs(), []);
});

test('no frame of a page that is gone is found, and the pages of others are', (t) => {
  const { p, cached, drop } = mounted();
  const files = Array.from({ length: 20 }, (_, i) => ({
    name: `/v/f${i}`,
    bytes: pattern(PAGE, i),
  }));
  for (const { name, bytes } of files) p.put(name, bytes);
  p.ok('sync');
  for (const { name } of files.filter((_, i) => i % 2 === 0)) p.ok('unlink', [], name);
  const open = files.map(({ name }, i) => (i % 2 === 0 ? -1 : p.open(name)));
  for (const [i, fd] of open.entries()) {
    if (fd >= 0) t.deepEqual(pread(cached, fd, { offset: 0, length: PAGE }), files[i]?.bytes);
  }
  drop();
  for (const fd of open) t.is(pread(cached, fd, { offset: 0, length: PAGE }), undefined);
});

test('what a reader uses without the kernel stays cached longer than what nobody uses', (t) => {
  const { m, p, cached } = mounted({ mib: 8 });
  p.put('/v/hot', pattern(8 * PAGE));
  p.ok('sync');
  const hot = p.open('/v/hot');
  const big = p.open('/v/big', CREATE);
  const piece = pattern(64 * PAGE);
  for (let i = 0; i < 40; i++) {
    p.ok('pwrite', [big, 0, i * piece.length], piece);
    p.ok('fsync', [big]);
    t.not(pread(cached, hot, { offset: 0, length: 8 * PAGE }), undefined, `after ${i} pieces`);
  }
  t.true(m.kernel.pages.count < 40 * 64, 'memory was short');
});

test('random operations of two programs, read without the kernel wherever it can be', (t) => {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1e9));
  t.log(`SEED=${seed}`);
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const { m, p, cached } = mounted({ mib: 8 });
  const writer = m.program();
  const [mine, theirs] = [p.open('/v/f', CREATE), writer.open('/v/f', CREATE)];
  const model = new Uint8Array(80 * PAGE);
  let size = 0;
  let answered = 0;
  for (let step = 0; step < 3000; step++) {
    const at = random(60 * PAGE);
    const what = random(12);
    if (what < 3) {
      const data = pattern(1 + random(what === 0 ? 12 * PAGE : 3000), step);
      writer.ok('pwrite', [theirs, 0, at], data);
      model.set(data, at);
      size = Math.max(size, at + data.length);
    } else if (what === 3) {
      writer.ok('ftruncate', [theirs, at]);
      model.fill(0, at);
      size = at;
    } else if (what === 4 && random(8) === 0) m.kernel.pages.dropClean();
    else if (what === 5) writer.ok('fsync', [theirs]);
    else {
      const length = 1 + random(20_000);
      const into = new Uint8Array(length);
      const count = cached.pread(mine, into, at);
      const wanted = model.slice(at, Math.max(at, Math.min(size, at + length)));
      if (cached.complete) answered++;
      else p.pread(mine, at, length); // now it is cached
      const sure = cached.complete ? wanted : wanted.slice(0, count);
      if (Buffer.compare(into.subarray(0, count), sure) !== 0) t.fail(`step ${step}`);
      const known = cached.lseek(mine, 0, END);
      if (known !== undefined) t.is(known, size);
    }
  }
  t.true(answered > 300, `${answered} reads without the kernel`);
});

test('a descriptor table is its seat’s alone, and tells nothing of the process before', (t) => {
  const { m, p, cached } = mounted();
  p.put('/v/f', pattern(PAGE));
  const fd = p.open('/v/f');
  const { table } = p.seat;
  const words = new Int32Array(m.kernel.ram, table?.address ?? 0, descriptorAt(fd) / 4 + 16);
  t.not(words[descriptorAt(fd) / 4], 0);
  p.exit();
  t.is(words[descriptorAt(fd) / 4], 0);
  t.is(words[TABLE_ATTENTION], 1);
  t.is(cached.pread(fd, new Uint8Array(1), 0), 0);
});
