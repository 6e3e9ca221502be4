// The terminal's line discipline, and the texts of /proc.

import test from 'ava';
import { O_CREAT, O_RDWR, SIGINT } from '../abi/constants.ts';
import { machine } from './machine.ts';

const terminal = () => {
  const m = machine();
  const p = m.program();
  p.ok('setsid');
  const fd = p.open('/dev/console', O_RDWR);
  const read = (count = 100) => p.start('read', [fd, count]);
  return { m, p, fd, read, text: (data: Uint8Array) => new TextDecoder().decode(data) };
};

const edits = test.macro({
  exec(t, keys: string, line: string, screen: string | undefined) {
    const { m, p, read, text } = terminal();
    const reads = read();
    m.type(keys);
    t.is(text(p.look(reads).data), line);
    if (screen !== undefined) t.is(m.screen(), screen);
  },
  title: (_, keys: string, line: string, _screen: string | undefined) =>
    `keys ${JSON.stringify(keys)} are ${JSON.stringify(line)}`,
});

test(edits, 'abc\r', 'abc\n', 'abc\r\n');
test(edits, 'abc\n', 'abc\n', 'abc\r\n');
test(edits, 'abx\x7fc\r', 'abc\n', 'abx\b \bc\r\n');
test(edits, 'ab\x7f\x7f\x7f\x7fc\r', 'c\n', 'ab\b \b\b \bc\r\n');
test(edits, 'né€😀\x7f\x7f\r', 'né\n', undefined);
test(edits, 'nothing\x15ok\r', 'ok\n', undefined);
test(edits, 'one two  \x17three\r', 'one three\n', undefined);
test(edits, 'one é€à\x17two\r', 'one two\n', undefined);
test(edits, 'à é\x17b\r', 'à b\n', undefined);
test(edits, 'word\x17\x17\x17x\r', 'x\n', undefined);
test(edits, 'a\x01\x7fb\r', 'ab\n', 'a^A\b \b\b \bb\r\n');
test(edits, 'a\t\x7fb\r', 'ab\n', `a\t${'\b'.repeat(7)}b\r\n`);
test(edits, 'a\x16\x03b\r', 'a\x03b\n', 'a^\b^Cb\r\n');
test(edits, 'a\x16\x04\x16\x7f\r', 'a\x04\x7f\n', 'a^\b^D^\b^?\r\n');
test(edits, 'one\x12\r', 'one\n', 'one^R\r\none\r\n');
test(edits, 'part\x04', 'part', 'part');
test(edits, '\x04', '', undefined);

test('a line that never ends stops growing at 4096 bytes', (t) => {
  const { m, p, read } = terminal();
  m.type(`${'x'.repeat(5000)}\r`);
  t.is(p.look(read(9000)).r0, 4096);
});

test('a line longer than the buffer is read in pieces, then the next one', (t) => {
  const { m, p, read, text } = terminal();
  m.type('abcdef\rgh\r');
  t.is(text(p.look(read(4)).data), 'abcd');
  t.is(text(p.look(read(4)).data), 'ef\n');
  t.is(text(p.look(read(4)).data), 'gh\n');
  t.false(read().done);
});

test('Ctrl-D in a line gives what is there, and only the second one is the end', (t) => {
  const { m, p, read, text } = terminal();
  m.type('ab\x04');
  t.is(text(p.look(read()).data), 'ab');
  const waits = read();
  t.false(waits.done);
  m.type('\x04');
  t.is(p.look(waits).r0, 0);
  const next = read();
  m.type('on\r');
  t.is(text(p.look(next).data), 'on\n');
});

test('Ctrl-C forgets what was typed, in this line and ahead', (t) => {
  const { m, p, read, text } = terminal();
  p.ok('sigaction', [SIGINT, 1]);
  m.type('ahead\rthis\x03that\r');
  t.is(text(p.look(read()).data), 'that\n');
  t.is(m.screen(), 'ahead\r\nthis^Cthat\r\n');
});

test('a signal ends a read of the terminal with EINTR', (t) => {
  const { m, p, read } = terminal();
  p.ok('sigaction', [10, 2]);
  const waits = read();
  m.program().ok('kill', [p.pid, 10]);
  t.is(p.look(waits).told, 'EINTR');
});

test('output turns newlines into carriage return and newline, in order', (t) => {
  const { m, p, fd } = terminal();
  p.write(fd, 'a\nb\n');
  t.is(m.screen(), 'a\r\nb\r\n');
  const long = 'line of text\n'.repeat(10_000);
  p.start('write', [fd], long);
  t.is(m.screen(), long.replaceAll('\n', '\r\n'));
  t.is(p.told('isatty', [fd]), 'ok');
  t.is(p.told('isatty', [p.open('/dev/null')]), 'ENOTTY');
  t.is(p.told('lseek', [fd, 0, 0]), 'ESPIPE');
});

test('the devices do what their names say', (t) => {
  const { p } = terminal();
  t.is(p.get('/dev/null'), '');
  const [nul, zero, full, random] = ['null', 'zero', 'full', 'random'].map((name) =>
    p.open(`/dev/${name}`, O_RDWR),
  );
  t.is(p.write(nul ?? -1, 'gone'), 4);
  t.is(p.read(zero ?? -1, 5), '\0'.repeat(5));
  t.is(p.told('write', [full], 'x'), 'ENOSPC');
  t.is(p.ok('read', [random, 8]).r0, 8);
  t.is(p.told('open', [O_CREAT, 0o644], '/dev/new'), 'EPERM');
  t.is(p.told('fsync', [nul]), 'ok');
});

test('/proc tells of a process what ps shows', (t) => {
  const { m, p } = terminal();
  p.ok('chdir', [], '/tmp');
  p.ok('umask', [0o27]);
  const status = p.get('/proc/self/status');
  for (const line of [
    'Name:\ttest',
    'Umask:\t0027',
    'State:\tR (running)',
    `Pid:\t${p.pid}`,
    'PPid:\t1',
    'Uid:\t0\t0\t0\t0',
  ]) {
    t.true(status.split('\n').includes(line), line);
  }
  t.is(new TextDecoder().decode(p.ok('readlink', [], '/proc/self/cwd').data), '/tmp');
  t.is(new TextDecoder().decode(p.ok('readlink', [], `/proc/${p.pid}/fd/0`).data), '/dev/console');
  const child = m.program({ parent: p });
  child.exit();
  t.true(p.get(`/proc/${child.pid}/status`).includes('State:\tZ (zombie)'));
  p.ok('wait', [child.pid, 0]);
  t.is(p.told('stat', [], `/proc/${child.pid}`), 'ENOENT');
  t.is(p.told('stat', [], '/proc/1x'), 'ENOENT');
  t.true(p.names('/proc').includes(String(p.pid)));
  t.is(p.told('mkdir', [0o755], '/proc/x'), 'EPERM');
  t.is(p.told('open', [1], '/proc/uptime'), 'EACCES');
});

test('/proc/mounts is a table that fstab(5) describes, with blanks as octal', (t) => {
  const { p } = terminal();
  p.ok('mkdir', [0o755], '/tmp/a b');
  p.ok('mount', [], 'none\0/tmp/a b\0tmpfs\0');
  const lines = p.get('/proc/mounts').trimEnd().split('\n');
  t.is(lines[0], 'ramfs / ramfs rw 0 0');
  t.is(lines.at(-1), 'none /tmp/a\\040b tmpfs rw 0 0');
  for (const line of lines) t.is(line.split(' ').length, 6, line);
});

test('/proc/meminfo, uptime and kmsg have the shapes that programs read', (t) => {
  const { m, p } = terminal();
  m.time.ms = 12_345;
  for (const line of p.get('/proc/meminfo').trimEnd().split('\n')) {
    t.regex(line, /^[A-Za-z]+: +[0-9]+( kB)?$/);
  }
  t.regex(p.get('/proc/uptime'), /^12\.3[45] [0-9]+\.[0-9]{2}\n$/);
  m.kernel.log('a line');
  t.true(p.get('/proc/kmsg').endsWith('[   12.345000] a line\n'));
});

test('statfs tells the size of a file system, and what is left of it', (t) => {
  const { p } = terminal();
  const before = p.statfs('/tmp');
  t.is(before.blocks * before.bsize, 64 * 1024 * 1024);
  p.put('/tmp/f', 'x'.repeat(200_000));
  const after = p.statfs('/tmp/f');
  t.is((before.bfree - after.bfree) * after.bsize, 4 * 65_536);
  t.is(after.ffree, before.ffree - 1);
});
