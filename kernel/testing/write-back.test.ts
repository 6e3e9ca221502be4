// Write-back against a server that delays, refuses and takes less: what is sent when, with what, and that
// nothing is lost when the file goes on changing meanwhile.

import test from 'ava';
import { EIO } from '../abi/errno.ts';
import { machine } from './machine.ts';
import { volume } from './volume.ts';

const PAGE = 4096;
const CREATE = 0o102; // O_RDWR | O_CREAT
const APPEND = 0o2001; // O_WRONLY | O_APPEND
const BATCH = 4 * 1024 * 1024; // what one exchange carries of one file

const mounted = () => {
  const m = machine({ mib: 256 });
  const v = volume(m, '/v');
  const p = m.program();
  const onServer = (path: string): string => {
    m.kernel.pages.dropClean();
    return p.get(path);
  };
  const sent = (): string[] => v.transport.log.map(({ name }) => name);
  return { m, v, p, onServer, sent };
};

const text = (bytes: number): string => 'abcdefgh'.repeat(Math.ceil(bytes / 8)).slice(0, bytes);

test('a file that grows while it is written back loses nothing of its last page', (t) => {
  const { m, v, p, onServer } = mounted();
  const writer = m.program();
  p.put('/v/f', text(BATCH + 3 * PAGE + 100));
  v.transport.held.add('Twrite');
  const sync = p.start('sync'); // the first batch is on its way, the last page in none yet
  const fd = writer.open('/v/f', APPEND);
  writer.write(fd, 'more');
  v.transport.release();
  t.is(p.look(sync).told, 'ok');
  p.ok('sync');
  t.is(onServer('/v/f'), `${text(BATCH + 3 * PAGE + 100)}more`);
});

test('a file that is cut off while it is written back gets no longer by it', (t) => {
  const { m, v, p, onServer } = mounted();
  const other = m.program();
  p.put('/v/f', text(BATCH + 3 * PAGE));
  v.transport.held.add('Twrite');
  const sync = p.start('sync');
  const truncate = other.start('truncate', [PAGE + 7], '/v/f');
  v.transport.release();
  t.is(p.look(sync).told, 'ok');
  t.is(other.look(truncate).told, 'ok');
  t.is(onServer('/v/f'), text(PAGE + 7));
});

test('small files go together: their data first, then the times of each', (t) => {
  const { v, p, sent, onServer } = mounted();
  for (let i = 0; i < 16; i++) p.put(`/v/f${i}`, text(i * 100 + 1));
  v.transport.log.length = 0;
  p.ok('sync');
  const names = sent().filter((name) => name !== 'Tfsync');
  t.deepEqual(names.slice(0, 16), Array(16).fill('Twrite'));
  t.deepEqual(names.slice(16, 48), Array(16).fill(['Tsetattr', 'Tgetattr']).flat());
  t.is(v.superblock.dirtyInodes.size, 0);
  for (let i = 0; i < 16; i++) t.is(onServer(`/v/f${i}`), text(i * 100 + 1));
});

test('of small files that go together one that fails harms no other', (t) => {
  const { v, p, onServer } = mounted();
  for (let i = 0; i < 5; i++) p.put(`/v/f${i}`, text(PAGE + i));
  const bad = v.superblock.inodes.get(p.stat('/v/f2').ino)?.fid;
  v.transport.refuse = (m) => (m.name === 'Twrite' && m.fid === bad ? EIO : undefined);
  t.is(p.told('sync'), 'EIO');
  v.transport.refuse = () => undefined;
  t.is(p.told('sync'), 'ok');
  for (const i of [0, 1, 3, 4]) t.is(onServer(`/v/f${i}`), text(PAGE + i));
});

test('a small file that is written to while its group is on its way is sent again', (t) => {
  const { m, v, p, onServer } = mounted();
  const writer = m.program();
  for (const name of ['a', 'b', 'c']) p.put(`/v/${name}`, 'old');
  v.transport.held.add('Twrite');
  const sync = p.start('sync');
  const fd = writer.open('/v/b', APPEND);
  writer.write(fd, ' and new');
  v.transport.release();
  t.is(p.look(sync).told, 'ok');
  p.ok('sync');
  t.is(onServer('/v/b'), 'old and new');
});

test('when the server takes less of a write, the rest follows, and the times behind it once more', (t) => {
  const { v, p, sent, onServer } = mounted();
  const fd = p.open('/v/f', CREATE);
  p.write(fd, text(5000));
  v.transport.log.length = 0;
  v.transport.change = (m) => (m.name === 'Twrite' && m.count > 3000 ? { ...m, count: 3000 } : m);
  p.ok('fsync', [fd]);
  const expected = ['Twrite', 'Tsetattr', 'Tgetattr', 'Twrite', 'Tsetattr', 'Tgetattr', 'Tfsync'];
  t.deepEqual(sent(), expected);
  t.is(onServer('/v/f'), text(5000));
});

test('a clean page between two dirty ones goes along if it has a place on the disk', (t) => {
  const { v, p, onServer } = mounted();
  const writes = (): (readonly [number, number])[] =>
    v.transport.log.flatMap((m) =>
      m.name === 'Twrite' ? [[m.offset / PAGE, m.count] as const] : [],
    );
  const change = (fd: number, word: string): void => {
    v.transport.log.length = 0;
    for (const page of [0, 2]) p.ok('pwrite', [fd, 0, page * PAGE], word);
    p.ok('fsync', [fd]);
  };
  const fd = p.open('/v/f', CREATE);
  p.write(fd, text(3 * PAGE));
  p.ok('fsync', [fd]);
  change(fd, 'A');
  t.deepEqual(writes(), [[0, 3 * PAGE]]);
  t.is(onServer('/v/f'), p.get('/v/f'));
  const alone = [
    [0, PAGE],
    [2, PAGE],
  ];
  change(fd, 'B'); // now the pages come from the server: what lies between may be a hole
  t.deepEqual(writes(), alone);
  for (const page of [0, 1, 2]) p.ok('pwrite', [fd, 0, page * PAGE], text(PAGE));
  p.ok('ftruncate', [fd, 2 * PAGE - 100]);
  p.ok('fsync', [fd]);
  change(fd, 'C'); // the page between was the end of the file: of its blocks there may be the first
  t.deepEqual(writes(), alone.with(1, [2, 1]));
});

test('what is wrong with the place of a clean page harms no write beside it', (t) => {
  const { v, p, onServer } = mounted();
  const fd = p.open('/v/f', CREATE);
  p.write(fd, text(3 * PAGE));
  p.ok('fsync', [fd]);
  v.transport.refuse = (m) =>
    m.name === 'Twrite' && m.offset <= PAGE && m.offset + m.count > PAGE ? EIO : undefined;
  for (const page of [0, 2]) p.ok('pwrite', [fd, 0, page * PAGE], 'X');
  p.ok('fsync', [fd]);
  const [a, b, c] = [0, 1, 2].map((page) => onServer('/v/f').slice(page * PAGE, (page + 1) * PAGE));
  t.deepEqual([a?.[0], b, c?.[0]], ['X', text(PAGE), 'X']);
});
