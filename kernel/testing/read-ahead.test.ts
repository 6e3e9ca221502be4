// Read-ahead through system calls, against a server that counts, delays and refuses. What readers without
// calls have to do with it: userland/libc/runtime/cached.test.ts.

import test from 'ava';
import { EIO } from '../abi/errno.ts';
import { machine } from './machine.ts';
import { volume } from './volume.ts';

const PAGE = 4096;

const mounted = () => {
  const m = machine();
  const v = volume(m, '/v');
  return { m, v, p: m.program(), drop: (): void => m.kernel.pages.dropClean() };
};

const pattern = (bytes: number): string =>
  Array.from({ length: bytes }, (_, i) =>
    String.fromCharCode(97 + ((i * 7 + (i >> 12)) % 26)),
  ).join('');

test('a sequential reader fetches 2, 4, 8 … pages at a time, up to what the mount allows', (t) => {
  const { v, p, drop } = mounted();
  p.put('/v/f', pattern(200 * PAGE));
  p.ok('sync');
  drop();
  v.transport.log.length = 0;
  v.superblock.readAheadPages = 64;
  const fd = p.open('/v/f');
  for (let i = 0; i < 200; i++) p.read(fd, PAGE);
  const windows = v.transport.of('Tread').map(({ count }) => count / PAGE);
  t.deepEqual(windows, [2, 4, 8, 16, 32, 64, 64, 10]);
});

test('a random reader fetches what it asks for, and a sequential one starts anew', (t) => {
  const { v, p, drop } = mounted();
  p.put('/v/f', pattern(200 * PAGE));
  p.ok('sync');
  drop();
  v.transport.log.length = 0;
  const fd = p.open('/v/f');
  for (const page of [50, 10, 120, 121, 122, 123]) p.pread(fd, page * PAGE, 100);
  const windows = v.transport.of('Tread').map(({ offset, count }) => [offset / PAGE, count / PAGE]);
  t.deepEqual(windows, [
    [50, 1],
    [10, 1],
    [120, 1],
    [121, 4],
    [125, 8],
  ]);
});

test('a random reader who has missed as often as all of the file costs gets what lies around its places', (t) => {
  const { v, p, drop } = mounted();
  const content = pattern(400 * PAGE);
  p.put('/v/f', content);
  p.ok('sync');
  drop();
  v.transport.log.length = 0;
  const fd = p.open('/v/f');
  const read = (page: number): string => p.pread(fd, page * PAGE, 100);
  for (let i = 1; i <= 64; i++) read((i * 37) % 200);
  t.true(v.transport.of('Tread').every(({ count }) => count === PAGE));
  v.transport.log.length = 0;
  for (const page of [300, 260, 330, 331, 399]) {
    t.is(read(page), content.slice(page * PAGE, page * PAGE + 100));
  }
  const windows = v.transport.of('Tread').map(({ offset, count }) => [offset / PAGE, count / PAGE]);
  t.deepEqual(windows, [
    [256, 64],
    [320, 64],
    [384, 16],
  ]);
});

test('a reader who gets to the mark has the next window fetched, and waits for nothing', (t) => {
  const { v, p, drop } = mounted();
  p.put('/v/f', pattern(100 * PAGE));
  p.ok('sync');
  drop();
  v.transport.log.length = 0;
  const fd = p.open('/v/f');
  p.read(fd, PAGE);
  v.transport.held.add('Tread');
  t.true(p.start('read', [fd, PAGE]).done);
  t.is(v.transport.of('Tread').length, 2);
  const waits = p.start('read', [fd, PAGE]); // in the window that is under way
  t.false(waits.done);
  t.is(v.transport.of('Tread').length, 2);
  v.transport.release();
  t.is(p.look(waits).told, 'ok');
});

test('read-ahead ends with the file, asks for no page twice, and a failure of it harms nobody', (t) => {
  const { m, v, p, drop } = mounted();
  p.put('/v/f', pattern(20 * PAGE));
  p.ok('sync');
  drop();
  v.transport.log.length = 0;
  const fd = p.open('/v/f');
  p.pread(fd, 9 * PAGE, PAGE); // page 9 is there already
  const at = (index: number): string => pattern(20 * PAGE).slice(index * PAGE, (index + 1) * PAGE);
  v.transport.refuse = (message) =>
    message.name === 'Tread' && message.offset === 4 * PAGE ? EIO : undefined;
  for (let i = 0; i < 4; i++) t.is(p.pread(fd, i * PAGE, PAGE), at(i)); // the window behind fails
  t.is(p.told('pread', [fd, PAGE, 4 * PAGE]), 'EIO');
  v.transport.refuse = () => undefined;
  v.transport.log.length = 0;
  for (let i = 4; i < 20; i++) t.is(p.pread(fd, i * PAGE, PAGE), at(i));
  const asked = v.transport
    .of('Tread')
    .flatMap(({ offset, count }) =>
      Array.from({ length: count / PAGE }, (_, i) => offset / PAGE + i),
    );
  t.is(new Set(asked).size, asked.length);
  t.deepEqual(
    asked.filter((page) => page >= 20 || page === 9),
    [],
  );
  t.deepEqual(m.bugs(), []);
});

test('the option readahead sets the largest window', (t) => {
  const { v, p, drop } = mounted();
  v.superblock.readAheadPages = 4;
  p.put('/v/f', pattern(30 * PAGE));
  p.ok('sync');
  drop();
  v.transport.log.length = 0;
  const fd = p.open('/v/f');
  for (let i = 0; i < 30; i++) p.read(fd, PAGE);
  const windows = v.transport.of('Tread').map(({ count }) => count / PAGE);
  t.deepEqual(windows, [2, 4, 4, 4, 4, 4, 4, 4]);
});

test('a large read is one request for all that is missing', (t) => {
  const { v, p, drop } = mounted();
  p.put('/v/f', pattern(64 * PAGE));
  p.ok('sync');
  drop();
  v.transport.log.length = 0;
  const fd = p.open('/v/f');
  t.is(p.pread(fd, 0, 64 * PAGE), pattern(64 * PAGE));
  t.is(v.transport.of('Tread').length, 1);
  p.pread(fd, 0, 64 * PAGE);
  t.is(v.transport.of('Tread').length, 1);
});
