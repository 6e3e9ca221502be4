// Limits, alarms, poll and what a process has used.

import test from 'ava';
import {
  O_NONBLOCK,
  O_RDWR,
  O_WRONLY,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  RLIMIT_CORE,
  RLIMIT_CPU,
  RLIMIT_FSIZE,
  RLIMIT_NOFILE,
  RLIMIT_NPROC,
  SIGALRM,
  SIGKILL,
  SIGXCPU,
  SIGXFSZ,
} from '../abi/constants.ts';
import { getPollEntries, putPollEntries } from '../abi/syscall.ts';
import { machine } from './machine.ts';
import type { Program } from './program.ts';

const polled = (entries: readonly (readonly [number, number])[]): Uint8Array => {
  const bytes = new Uint8Array(entries.length * 8);
  putPollEntries(
    bytes,
    entries.map(([fd, events]) => ({ fd, events, revents: 0 })),
  );
  return bytes;
};
const ready = (data: Uint8Array): number[] => getPollEntries(data).map(({ revents }) => revents);

function program() {
  const m = machine();
  return { m, p: m.program() };
}

test('poll tells what is ready now: files always, pipes by their ends', (t) => {
  const { p } = program();
  p.put('/tmp/f', 'x');
  const file = p.open('/tmp/f', O_RDWR);
  const { r0: read, r1: write } = p.ok('pipe');
  const both = POLLIN | POLLOUT;
  const ask = polled([
    [file, both],
    [read, both],
    [write, both],
    [77, both],
    [-1, both],
  ]);
  const { r0, data } = p.ok('poll', [0], ask);
  t.deepEqual(ready(data), [both, 0, POLLOUT, POLLNVAL, 0]);
  t.is(r0, 3);
  p.write(write, 'x');
  t.deepEqual(ready(p.ok('poll', [0], polled([[read, POLLIN]])).data), [POLLIN]);
  p.close(write);
  t.deepEqual(ready(p.ok('poll', [0], polled([[read, POLLIN]])).data), [POLLIN | POLLHUP]);
  const second = p.ok('pipe');
  p.close(second.r0);
  t.deepEqual(ready(p.ok('poll', [0], polled([[second.r1, 0]])).data), [POLLERR]);
});

test('poll waits for the first of several, for its time, or for a signal', (t) => {
  const { m, p } = program();
  const a = p.ok('pipe');
  const b = p.ok('pipe');
  const other = m.program({ parent: p });
  const ask = polled([
    [a.r0, POLLIN],
    [b.r0, POLLIN],
  ]);
  const waits = p.start('poll', [-1], ask);
  t.false(waits.done);
  other.write(b.r1, 'x');
  t.deepEqual(ready(p.look(waits).data), [0, POLLIN]);
  const timed = p.start('poll', [50], polled([[a.r0, POLLIN]]));
  m.pass(49);
  t.false(p.look(timed).done);
  m.pass(2);
  t.deepEqual([p.look(timed).r0, ready(timed.data)], [0, [0]]);
  p.ok('sigaction', [10, 2]);
  const interrupted = p.start('poll', [-1], polled([[a.r0, POLLIN]]));
  other.ok('kill', [p.pid, 10]);
  t.is(p.look(interrupted).told, 'EINTR');
  t.is(p.told('poll', [0], 'short'), 'EINVAL');
});

test('poll sees a line that was typed, and not half a line', (t) => {
  const { m, p } = program();
  p.ok('setsid');
  const tty = p.open('/dev/console', O_RDWR);
  const waits = p.start('poll', [-1], polled([[tty, POLLIN]]));
  m.type('half');
  t.false(p.look(waits).done);
  m.type('\r');
  t.deepEqual(ready(p.look(waits).data), [POLLIN]);
  t.deepEqual(ready(p.ok('poll', [0], polled([[tty, POLLOUT]])).data), [POLLOUT]);
});

test('O_NONBLOCK is set later, too, and is shared by duplicates', (t) => {
  const { p } = program();
  const { r0: read, r1: write } = p.ok('pipe');
  const twin = p.ok('dup', [read]).r0;
  p.ok('setfl', [read, O_NONBLOCK]);
  t.is(p.ok('getfl', [twin]).r0 & O_NONBLOCK, O_NONBLOCK);
  t.is(p.told('read', [twin, 1]), 'EAGAIN');
  t.is(p.ok('getfl', [write]).r0 & 3, O_WRONLY);
  p.ok('setfl', [twin, 0]);
  t.false(p.start('read', [read, 1]).done);
});

test('an alarm comes when it is due, again if wanted, and can be taken back', (t) => {
  const { m, p } = program();
  p.ok('sigaction', [SIGALRM, 2]);
  t.is(p.ok('setitimer', [100, 50]).r0, 0);
  m.pass(40);
  const { r0, r1 } = p.ok('setitimer', [30, 20]);
  t.deepEqual([r0, r1], [60, 50]);
  const sleeps = p.start('sleep', [1000]);
  m.pass(30);
  t.is(p.look(sleeps).told, 'EINTR');
  p.ok('takeSignals');
  const again = p.start('sleep', [1000]);
  m.pass(20);
  t.is(p.look(again).told, 'EINTR');
  p.ok('takeSignals');
  p.ok('setitimer', [0, 0]);
  m.pass(100);
  t.is(p.ok('getppid').signals, 0);
  t.is(p.told('setitimer', [-1, 0]), 'EINVAL');
});

const limit = (p: Program, resource: number, soft: number, hard = soft): string =>
  p.told('setrlimit', [resource, soft, hard]);

test('limits are inherited, lowered by anybody and raised by root alone', (t) => {
  const { m, p } = program();
  t.is(p.ok('getrlimit', [RLIMIT_CORE]).r0, 0);
  t.is(p.ok('getrlimit', [RLIMIT_CORE]).r1, Number.POSITIVE_INFINITY);
  t.is(p.told('getrlimit', [99]), 'EINVAL');
  t.is(limit(p, RLIMIT_FSIZE, 100, 200), 'ok');
  const child = m.program({ parent: p, uid: 7 });
  t.deepEqual([child.ok('getrlimit', [RLIMIT_FSIZE]).r0], [100]);
  t.is(limit(child, RLIMIT_FSIZE, 150, 200), 'ok');
  t.is(limit(child, RLIMIT_FSIZE, 150, 300), 'EPERM');
  t.is(limit(child, RLIMIT_FSIZE, 300, 200), 'EINVAL');
  t.is(limit(p, RLIMIT_FSIZE, Number.NaN, 1), 'EINVAL');
  t.is(limit(p, RLIMIT_FSIZE, 300, 300), 'ok');
});

test('the number of descriptors is limited', (t) => {
  const { p } = program();
  t.is(limit(p, RLIMIT_NOFILE, 4), 'ok');
  const fds = [0, 1, 2, 3].map(() => p.open('/dev/null'));
  t.deepEqual(fds, [0, 1, 2, 3]);
  t.is(p.told('open', [0], '/dev/null'), 'EMFILE');
  t.is(p.told('pipe'), 'EMFILE');
  t.is(p.told('dup2', [0, 4]), 'EBADF');
  t.is(limit(p, RLIMIT_NOFILE, 2000), 'EPERM');
});

test('a file grows to its limit and not beyond', (t) => {
  const { m, p } = program();
  p.ok('sigaction', [SIGXFSZ, 1]);
  limit(p, RLIMIT_FSIZE, 10);
  const fd = p.open('/tmp/f', O_RDWR | 0o100);
  t.is(p.write(fd, '1234567'), 7);
  t.is(p.write(fd, '1234567'), 3);
  t.is(p.told('write', [fd], 'x'), 'EFBIG');
  t.is(p.told('ftruncate', [fd, 11]), 'EFBIG');
  t.is(p.told('ftruncate', [fd, 4]), 'ok');
  const child = m.program({ parent: p });
  child.ok('sigaction', [SIGXFSZ, 0]);
  t.is(child.start('pwrite', [fd, 0, 10], 'x').told, 'DIED');
  t.is(p.ok('wait', [child.pid, 0]).r1, SIGXFSZ);
});

test('processes are limited in number, root’s too', (t) => {
  const { m, p } = program();
  limit(p, RLIMIT_NPROC, 2);
  p.put('/tmp/prog', '#!/tmp/other\n', 0o755);
  const request = JSON.stringify({ path: '/tmp/prog', argv: ['prog'], env: [] });
  t.is(p.told('spawn', [], request), 'ENOENT'); // it came as far as its interpreter
  m.program({ parent: p });
  t.is(p.told('spawn', [], request), 'EAGAIN');
});

test('what one program has started leaves places to others, and some of its own to itself', (t) => {
  const { m, p } = program();
  const { processes, workers } = m.kernel;
  p.put('/tmp/prog', '#!/tmp/other\n', 0o755);
  const request = JSON.stringify({ path: '/tmp/prog', argv: ['prog'], env: [] });
  const child = m.program({ parent: p });
  child.ok('setsid');
  const fill = (by: Program): number => {
    let count = 0;
    while (by.told('spawn', [], request) !== 'EAGAIN') {
      m.program({ parent: child });
      t.true(++count <= workers.most, 'it has an end');
    }
    return count;
  };
  t.true(fill(child) > 0);
  t.is(p.told('spawn', [], request), 'ENOENT'); // it came as far as its interpreter
  t.true(fill(p) > 0);
  t.is(m.program().told('spawn', [], request), 'ENOENT');
  const all = processes.all.filter(({ scope }) => scope === p.pid);
  t.is(all.length, workers.most - Math.floor(workers.most / 4));
});

test('CPU time is counted, and ends a process that has used its own', (t) => {
  const { m, p } = program();
  const child = m.program({ parent: p });
  p.start('sleep', [1e6]);
  child.ok('sigaction', [SIGXCPU, 2]);
  limit(child, RLIMIT_CPU, 1, 3); // and computes
  m.pass(900);
  t.is(child.ok('getppid').signals, 0);
  m.pass(200);
  t.is(child.ok('getppid').signals, 1 << SIGXCPU);
  t.true(child.ok('getrusage', [0]).r0 >= 1000);
  m.pass(2100);
  t.true(child.process.dead);
  t.is(child.process.status, SIGKILL);
  const waiter = m.program({ name: 'w' });
  t.is(waiter.ok('getrusage', [1]).r0, 0);
});

test('a nice process gets shorter slices, and only root takes it back', (t) => {
  const { m, p } = program();
  t.is(p.ok('getpriority', [0]).r0, 0);
  p.ok('setpriority', [0, 100]);
  t.is(p.ok('getpriority', [p.pid]).r0, 19);
  const user = m.program({ uid: 7 });
  t.is(user.told('setpriority', [0, 5]), 'ok');
  t.is(user.told('setpriority', [0, 4]), 'EACCES');
  t.is(user.told('setpriority', [p.pid, 4]), 'EPERM');
});

test('supplementary groups open what their bits allow', (t) => {
  const { m, p } = program();
  p.put('/tmp/shared', 'text', 0o640);
  p.ok('chown', [0, 50], '/tmp/shared');
  const user = m.program({ uid: 7, gid: 7 });
  t.is(user.told('open', [0], '/tmp/shared'), 'EACCES');
  t.is(user.told('setgroups', [], new Uint8Array([50, 0, 0, 0])), 'EPERM');
  user.process.uid = 0;
  user.ok('setgroups', [], new Uint8Array([50, 0, 0, 0]));
  t.deepEqual([...user.ok('getgroups').data], [50, 0, 0, 0]);
  user.process.uid = 7;
  t.is(user.get('/tmp/shared'), 'text');
});
