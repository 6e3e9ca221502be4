// Pseudo-terminals: the master types and sees, the slave is a terminal, and both can go away.

import test from 'ava';
import { O_NOCTTY, O_NONBLOCK, O_RDWR, SIGHUP, SIGINT, SIGWINCH } from '../abi/constants.ts';
import {
  ECHO,
  getTermios,
  ICANON,
  putTermios,
  raw,
  SANE,
  TCSAFLUSH,
  TCSANOW,
  type Termios,
  VMIN,
  VTIME,
} from '../abi/termios.ts';
import { decodeText } from '../abi/text.ts';
import { machine } from './machine.ts';
import type { Program } from './program.ts';

/** A terminal emulator and, on the PTY it opened, the leader of a session. */
function terminal() {
  const m = machine();
  const emulator = m.program({ name: 'emulator' });
  const master = emulator.open('/dev/ptmx', O_RDWR | O_NOCTTY);
  const name = decodeText(emulator.ok('ptsname', [master]).data);
  const shell = m.program({ name: 'shell' });
  shell.ok('setsid');
  const tty = shell.open(name, O_RDWR);
  shell.ok('sigaction', [SIGINT, 2]);
  return { m, emulator, master, name, shell, tty };
}

const bytesOf = (termios: Termios): Uint8Array => {
  const bytes = new Uint8Array(36);
  putTermios(new DataView(bytes.buffer), termios);
  return bytes;
};
const set = (p: Program, tty: number, termios: Termios, when = TCSANOW): string =>
  p.told('tcsetattr', [tty, when], bytesOf(termios));

test('what is typed at the master is a line at the slave, and is echoed', (t) => {
  const { emulator, master, shell, tty } = terminal();
  const reads = shell.start('read', [tty, 100]);
  emulator.write(master, 'ls -l');
  t.false(shell.look(reads).done);
  emulator.write(master, '\r');
  t.is(decodeText(shell.look(reads).data), 'ls -l\n');
  t.is(emulator.read(master), 'ls -l\r\n');
  shell.write(tty, 'out\n');
  t.is(emulator.read(master), 'out\r\n');
});

test('a terminal has a name, numbers, an owner, and is listed while its master is open', (t) => {
  const { m, emulator, master, name, shell, tty } = terminal();
  t.is(name, '/dev/pts/0');
  t.is(decodeText(shell.ok('ttyname', [tty]).data), name);
  t.is(shell.told('isatty', [tty]), 'ok');
  t.is(shell.stat(name).rdev, 136 * 256);
  t.is(shell.stat(name).mode, 0o020620);
  const other = m.program({ uid: 7 });
  const second = other.open('/dev/ptmx', O_RDWR);
  t.is(decodeText(other.ok('ptsname', [second]).data), '/dev/pts/1');
  t.is(other.stat('/dev/pts/1').uid, 7);
  t.deepEqual(shell.names('/dev/pts'), ['0', '1']);
  t.is(other.told('open', [O_RDWR], '/dev/pts/0'), 'EACCES');
  t.is(shell.told('ptsname', [tty]), 'ENOTTY');
  other.close(second);
  t.deepEqual(shell.names('/dev/pts'), ['0']);
  t.is(shell.told('open', [O_RDWR], '/dev/pts/1'), 'ENOENT');
  shell.ok('sigaction', [SIGHUP, 1]);
  emulator.close(master);
  t.is(shell.told('open', [O_RDWR], '/dev/tty'), 'ENXIO');
});

test('a session leader gets the terminal that it opens, others and O_NOCTTY do not', (t) => {
  const { m, name, shell, tty } = terminal();
  t.is(shell.ok('tcgetsid', [tty]).r0, shell.pid);
  t.is(shell.ok('tcgetpgrp', [tty]).r0, shell.pid);
  t.is(decodeText(shell.ok('ttyname', [shell.open('/dev/tty', O_RDWR)]).data), name);
  const stranger = m.program();
  stranger.ok('setsid');
  const theirs = stranger.open(name, O_RDWR);
  t.is(stranger.told('tcgetpgrp', [theirs]), 'ENOTTY');
  t.is(stranger.told('setControllingTerminal', [theirs]), 'EPERM');
  const free = stranger.open('/dev/console', O_RDWR | O_NOCTTY);
  t.is(stranger.told('tcgetpgrp', [free]), 'ENOTTY');
  t.is(stranger.told('setControllingTerminal', [free]), 'ok');
  t.is(stranger.ok('tcgetpgrp', [free]).r0, stranger.pid);
  t.is(stranger.told('setsid'), 'EPERM');
});

test('raw mode gives bytes as they come, without echo and without meaning', (t) => {
  const { emulator, master, shell, tty } = terminal();
  t.is(set(shell, tty, raw(SANE)), 'ok');
  t.deepEqual(getTermios(new DataView(shell.ok('tcgetattr', [tty]).data.buffer)), raw(SANE));
  const reads = shell.start('read', [tty, 100]);
  emulator.write(master, '\x03');
  t.is(decodeText(shell.look(reads).data), '\x03');
  emulator.write(master, 'a\r\x04\x7f');
  t.is(shell.read(tty), 'a\r\x04\x7f');
  shell.write(tty, '\n');
  t.is(emulator.read(master), '\n');
  t.is(emulator.told('setfl', [master, O_NONBLOCK]), 'ok');
  t.is(emulator.told('read', [master, 10]), 'EAGAIN');
});

test('what was typed stays when the mode changes, unless the change says to forget it', (t) => {
  const { emulator, master, shell, tty } = terminal();
  emulator.write(master, 'half');
  const waits = shell.start('read', [tty, 100]);
  t.false(waits.done);
  set(shell, tty, { ...SANE, lflag: SANE.lflag & ~ICANON });
  t.is(decodeText(shell.look(waits).data), 'half');
  emulator.write(master, 'old');
  set(shell, tty, SANE, TCSAFLUSH);
  emulator.write(master, 'new\r');
  t.is(shell.read(tty), 'new\n');
  t.is(shell.told('tcsetattr', [tty, 9], bytesOf(SANE)), 'EINVAL');
  t.is(shell.told('tcsetattr', [tty, 0], 'short'), 'EINVAL');
});

const waiting = (min: number, time: number): Termios => ({
  ...raw(SANE),
  cc: SANE.cc.map((c, i) => (i === VMIN ? min : i === VTIME ? time : c)),
});

test('VMIN waits for so many bytes, VTIME for so long between two, and both 0 for nothing', (t) => {
  const { m, emulator, master, shell, tty } = terminal();
  set(shell, tty, waiting(3, 0));
  const three = shell.start('read', [tty, 100]);
  emulator.write(master, 'ab');
  t.false(shell.look(three).done);
  emulator.write(master, 'c');
  t.is(decodeText(shell.look(three).data), 'abc');
  set(shell, tty, waiting(0, 0));
  t.is(shell.read(tty), '');
  set(shell, tty, waiting(0, 5));
  const timed = shell.start('read', [tty, 100]);
  m.pass(499);
  t.false(shell.look(timed).done);
  m.pass(2);
  t.is(shell.look(timed).r0, 0);
  t.true(timed.done);
  set(shell, tty, waiting(4, 1));
  const between = shell.start('read', [tty, 100]);
  m.pass(1000);
  t.false(shell.look(between).done); // the time begins with the first byte
  emulator.write(master, 'x');
  m.pass(90);
  emulator.write(master, 'y');
  m.pass(90);
  t.false(shell.look(between).done);
  m.pass(20);
  t.is(decodeText(shell.look(between).data), 'xy');
});

test('echo can be off, and Ctrl-S holds output until Ctrl-Q', (t) => {
  const { emulator, master, shell, tty } = terminal();
  set(shell, tty, { ...SANE, lflag: SANE.lflag & ~ECHO });
  emulator.write(master, 'secret\r');
  t.is(shell.read(tty), 'secret\n');
  emulator.write(master, '\x13');
  const writes = shell.start('write', [tty], 'held');
  t.false(writes.done);
  emulator.write(master, '\x11');
  t.true(shell.look(writes).done);
  t.is(emulator.read(master), 'held');
});

test('a new size is told to the foreground group, once', (t) => {
  const { m, emulator, master, shell, tty } = terminal();
  shell.ok('sigaction', [SIGWINCH, 2]);
  emulator.ok('tcsetwinsize', [master, 132, 43]);
  const { r0, r1, signals } = shell.ok('tcgetwinsize', [tty]);
  t.deepEqual([r0, r1, signals], [132, 43, 1 << SIGWINCH]);
  shell.ok('takeSignals');
  emulator.ok('tcsetwinsize', [master, 132, 43]);
  t.is(shell.ok('getppid').signals, 0);
  t.is(emulator.told('tcsetwinsize', [master, -1, 4]), 'EINVAL');
  t.is(m.program().told('tcgetwinsize', [0]), 'EBADF');
});

test('a full screen makes the writer wait, and the master sees all of it in order', (t) => {
  const { m, emulator, master, shell, tty } = terminal();
  const text = Array.from({ length: 20_000 }, (_, i) => `line ${i}\n`).join('');
  const writes = shell.start('write', [tty], text);
  t.false(writes.done);
  let seen = '';
  while (!shell.look(writes).done || m.kernel.terminals.masters[0]?.poll() !== 4) {
    seen += emulator.read(master, 10_000);
  }
  t.is(seen, text.replaceAll('\n', '\r\n'));
});

test('typing ahead of a reader waits at last, and nothing of it is lost', (t) => {
  const { emulator, master, shell, tty } = terminal();
  set(shell, tty, raw(SANE));
  const typed = 'x'.repeat(200_000);
  const types = emulator.start('write', [master], typed);
  t.false(types.done);
  let seen = '';
  while (seen.length < typed.length) {
    seen += shell.read(tty, 50_000);
    emulator.look(types);
  }
  t.is(types.r0, typed.length);
  t.is(seen, typed);
});

test('closing the master hangs up: SIGHUP, end of file for readers, EIO for writers', (t) => {
  const { m, emulator, master, shell, tty } = terminal();
  shell.ok('sigaction', [SIGHUP, 1]);
  const job = m.program({ parent: shell });
  job.ok('setpgid', [0, 0]);
  const reads = shell.start('read', [tty, 10]);
  emulator.close(master);
  t.is(shell.look(reads).r0, 0);
  t.true(reads.done);
  t.is(shell.told('write', [tty], 'x'), 'EIO');
  t.is(shell.told('tcgetattr', [tty]), 'EIO');
  t.false(job.process.dead);
  const { m: m2, emulator: e2, master: m2fd, shell: s2 } = terminal();
  e2.close(m2fd);
  m2.settle();
  t.true(s2.process.dead);
});

test('closing the master hangs up although a read of it waits', (t) => {
  const { m, emulator, master, shell } = terminal();
  const reads = emulator.start('read', [master, 10]);
  emulator.close(master);
  t.is(emulator.look(reads).told, 'EIO');
  m.settle();
  t.true(shell.process.dead);
  t.deepEqual(m.kernel.terminals.masters, []);
});

test('the master ends when the last slave is closed, after what was shown', (t) => {
  const { m, emulator, master, name, shell, tty } = terminal();
  const child = m.program({ parent: shell });
  shell.write(tty, 'bye');
  shell.close(tty);
  child.close(tty);
  t.is(emulator.read(master), 'bye');
  t.is(emulator.told('read', [master, 10]), 'EIO');
  const again = shell.open(name, O_RDWR);
  const reads = emulator.start('read', [master, 10]);
  shell.write(again, 'back');
  t.is(decodeText(emulator.look(reads).data), 'back');
});

test('the end of a session’s leader hangs up on what it left behind', (t) => {
  const { m, emulator, master, shell, tty } = terminal();
  const child = m.program({ parent: shell });
  child.ok('setpgid', [0, 0]);
  shell.exit();
  t.is(emulator.told('read', [master, 10]), 'EIO');
  t.is(child.told('write', [tty], 'x'), 'EIO');
  t.is(child.read(tty), '');
  t.is(m.kernel.terminals.ofSession(shell.pid), undefined);
  t.deepEqual(m.bugs(), []);
});
