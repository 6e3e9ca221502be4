// Processes: signals, waiting, ids, and virtual CPUs.

import test from 'ava';
import { SIGCHLD, SIGINT, SIGKILL, SIGSTOP, SIGTERM, SIGUSR1, WNOHANG } from '../abi/constants.ts';
import { SLICE_MS } from '../sched/cpus.ts';
import { machine } from './machine.ts';
import { volume } from './volume.ts';

const root = (options: { cpus?: number } = {}) => {
  const m = machine(options);
  return { m, p: m.program() };
};

const endsBy = test.macro({
  exec(t, signal: number, ends: boolean) {
    const { m, p } = root();
    const child = m.program({ parent: p });
    p.ok('kill', [child.pid, signal]);
    t.is(child.process.dead, ends);
    const { r0, r1 } = p.ok('wait', [child.pid, WNOHANG]);
    t.deepEqual([r0, r1], ends ? [child.pid, signal] : [0, 0]);
  },
  title: (_, signal: number, ends: boolean) =>
    `signal ${signal} ${ends ? 'ends' : 'does nothing to'} a process that has not said otherwise`,
});
for (const signal of [1, 2, 3, 6, 9, 10, 11, 12, 13, 14, 15, 31]) test(endsBy, signal, true);
for (const signal of [0, 17, 18, 28]) test(endsBy, signal, false);

test('an ignored signal does nothing; KILL and STOP cannot be ignored or caught', (t) => {
  const { m, p } = root();
  const child = m.program({ parent: p });
  child.ok('sigaction', [SIGTERM, 1]);
  p.ok('kill', [child.pid, SIGTERM]);
  t.false(child.process.dead);
  for (const signal of [SIGKILL, SIGSTOP]) {
    t.is(child.told('sigaction', [signal, 1]), 'EINVAL');
    t.is(child.told('sigaction', [signal, 2]), 'EINVAL');
  }
  for (const signal of [0, 32, -1, Number.NaN]) {
    t.is(child.told('sigaction', [signal, 1]), 'EINVAL');
  }
  t.is(child.told('sigaction', [SIGTERM, 3]), 'EINVAL');
  p.ok('kill', [child.pid, SIGKILL]);
  t.true(child.process.dead);
});

test('a signal with a handler interrupts a call that waits, and is told with the reply', (t) => {
  const { m, p } = root();
  const child = m.program({ parent: p });
  child.ok('sigaction', [SIGUSR1, 2]);
  child.ok('sigaction', [31, 2]);
  const { r0 } = child.ok('pipe');
  for (const [name, args] of [
    ['read', [r0, 1]],
    ['sleep', [10_000]],
  ] as const) {
    const waits = child.start(name, args);
    t.false(waits.done);
    p.ok('kill', [child.pid, SIGUSR1]);
    p.ok('kill', [child.pid, 31]);
    t.is(child.look(waits).told, 'EINTR');
    t.is(waits.signals, 1 << SIGUSR1);
    t.is(child.ok('takeSignals').r0, ((1 << SIGUSR1) | (1 << 31)) >>> 0);
    t.is(child.ok('takeSignals').r0, 0);
  }
});

test('a killed process leaves its call at once, and the worker is told to unwind', (t) => {
  const { m, p } = root();
  const child = m.program({ parent: p });
  const waits = child.start('sleep', [10_000]);
  p.ok('kill', [child.pid, SIGKILL]);
  t.is(child.look(waits).told, 'DIED');
  t.is(child.told('getppid'), 'DIED');
});

test('what a process was opening when it was killed is closed again', (t) => {
  const { m, p } = root();
  const v = volume(m, '/v');
  p.put('/v/f', 'x');
  p.ok('mkdir', [0o755], '/v/d');
  p.ok('sync');
  const child = m.program({ parent: p });
  for (const [name, data] of [
    ['open', '/v/f'],
    ['chdir', '/v/d'],
    ['stat', '/v/f'],
  ] as const) {
    m.kernel.dcache.prune(m.kernel.mounts.all.at(-1)?.root ?? t.fail());
    v.transport.held.add('Twalk').add('Tlopen').add('Tgetattr');
    const victim = m.program({ parent: child });
    const waits = victim.start(name, [], data);
    p.ok('kill', [victim.pid, SIGKILL]);
    v.transport.release();
    m.settle();
    t.is(victim.look(waits).told, 'DIED');
  }
  child.exit();
  m.kernel.dcache.prune(m.kernel.mounts.all.at(-1)?.root ?? t.fail());
  m.settle();
  t.is(v.superblock.inodes.size, 1);
  t.is(v.superblock.client.fidsInUse, 1);
  t.is(m.kernel.mounts.root.dentry.pins, 3); // its mount, the host's directory, this process's
});

test('kill reaches one process, a group, or everybody but the sender and pid 1', (t) => {
  const { m, p } = root();
  const group = m.program({ parent: p });
  group.ok('setpgid', [0, 0]);
  const member = m.program({ parent: group });
  const other = m.program({ parent: p });
  t.is(p.told('kill', [-group.pid, SIGTERM]), 'ok');
  t.deepEqual(
    [group, member, other].map((one) => one.process.dead),
    [true, true, false],
  );
  t.is(p.told('kill', [99_999, SIGTERM]), 'ESRCH');
  t.is(p.told('kill', [-99_999, SIGTERM]), 'ESRCH');
  t.is(p.told('kill', [other.pid, 32]), 'EINVAL');
  t.is(p.told('kill', [1, SIGKILL]), 'EPERM');
  t.is(p.told('kill', [-1, SIGKILL]), 'ok');
  t.true(other.process.dead);
  t.false(p.process.dead);
  const user = m.program({ uid: 7 });
  t.is(user.told('kill', [p.pid, SIGKILL]), 'EPERM');
  t.is(user.told('kill', [p.pid, 0]), 'EPERM');
});

test('a group is one’s own or one that exists', (t) => {
  const { m, p } = root();
  const [a, b] = [m.program({ parent: p }), m.program({ parent: p })];
  p.ok('setpgid', [a.pid, 0]);
  p.ok('setpgid', [b.pid, a.pid]);
  t.is(b.ok('getpgid', [0]).r0, a.pid);
  t.is(p.told('setpgid', [b.pid, 77_777]), 'EPERM');
  t.is(p.told('setpgid', [b.pid, -1]), 'EINVAL');
  t.is(a.told('setpgid', [b.pid, 0]), 'EPERM');
});

test('a dead child stays until its parent waits, and tells its status once', (t) => {
  const { m, p } = root();
  const child = m.program({ parent: p });
  t.deepEqual([p.ok('wait', [-1, WNOHANG]).r0], [0]);
  child.exit(300);
  t.is(m.kernel.processes.find(child.pid)?.state, 'zombie');
  const { r0, r1 } = p.ok('wait', [-1, 0]);
  t.deepEqual([r0, r1], [child.pid, (300 & 0xff) << 8]);
  t.is(m.kernel.processes.find(child.pid), undefined);
  t.is(p.told('wait', [-1, 0]), 'ECHILD');
  t.is(p.told('wait', [child.pid, 0]), 'ECHILD');
});

test('wait wakes when a child ends, and takes the one asked for', (t) => {
  const { m, p } = root();
  const [a, b] = [m.program({ parent: p }), m.program({ parent: p })];
  const waits = p.start('wait', [b.pid, 0]);
  a.exit(1);
  t.false(p.look(waits).done);
  b.exit(2);
  t.deepEqual([p.look(waits).r0, waits.r1], [b.pid, 2 << 8]);
  t.is(p.ok('wait', [0, 0]).r0, a.pid);
});

test('SIGCHLD with a handler interrupts, and without one is nothing', (t) => {
  const { m, p } = root();
  p.ok('sigaction', [SIGCHLD, 2]);
  const child = m.program({ parent: p });
  const waits = p.start('sleep', [10_000]);
  child.exit();
  t.is(p.look(waits).told, 'EINTR');
  t.is(waits.signals, 1 << SIGCHLD);
});

test('orphans are reaped when they end, and dead children with their parent', (t) => {
  const { m, p } = root();
  const parent = m.program({ parent: p });
  const [living, dead] = [m.program({ parent }), m.program({ parent })];
  dead.exit();
  parent.exit();
  t.is(m.kernel.processes.find(dead.pid), undefined);
  t.is(living.ok('getppid').r0, 1);
  living.exit();
  t.is(m.kernel.processes.find(living.pid), undefined);
  t.is(p.ok('wait', [-1, 0]).r0, parent.pid);
  t.false(m.kernel.processes.init.children.has(living.process));
});

test('sleep takes fractions, ends in time, and refuses what is no time', (t) => {
  const { m, p } = root();
  const sleeps = p.start('sleep', [10.5]);
  m.pass(10);
  t.false(p.look(sleeps).done);
  m.pass(1);
  t.is(p.look(sleeps).told, 'ok');
  t.is(p.told('sleep', [0]), 'ok');
  t.is(p.told('sleep', [-1]), 'EINVAL');
  t.is(p.told('sleep', [Number.NaN]), 'EINVAL');
  t.false(p.start('sleep', [Number.POSITIVE_INFINITY]).done);
});

test('never more processes run than there are CPUs; each in its turn', (t) => {
  const { m, p } = root({ cpus: 2 });
  const others = [m.program(), m.program(), m.program()];
  const all = [p, ...others];
  const calls = all.map((one) => one.start('getppid'));
  t.deepEqual(
    calls.map((call) => call.done),
    [true, true, false, false],
  );
  t.is(m.kernel.cpus.busy, 2);
  t.is(p.told('getppid'), 'ok'); // its slice lasts
  m.time.ms += SLICE_MS + 1;
  const again = p.start('getppid');
  t.false(again.done); // its slice has ended, and others wait
  t.true(others[1]?.look(calls[2] ?? t.fail()).done);
  t.is(m.kernel.cpus.busy, 2);
  m.pass(3 * SLICE_MS);
  for (const [i, call] of calls.entries()) t.true(all[i]?.look(call).done);
  t.is(m.kernel.cpus.busy, 2);
});

test('a process that makes no calls loses its claim after a slice, and waits for its next one', (t) => {
  const { m, p } = root({ cpus: 1 });
  const q = m.program();
  p.ok('getppid'); // runs from now on, and says nothing more
  const waits = q.start('getppid');
  t.false(waits.done);
  m.pass(2 * SLICE_MS + 2);
  t.true(q.look(waits).done);
  t.true(m.kernel.cpus.holds(q.process));
  const back = p.start('getppid');
  t.false(back.done);
  q.start('sleep', [1000]);
  t.true(p.look(back).done);
});

test('a process that dies while it waits for a CPU takes none and holds nobody up', (t) => {
  const { m, p } = root({ cpus: 1 });
  const [a, b] = [m.program(), m.program()];
  p.ok('getppid');
  const [first, second] = [a.start('getppid'), b.start('getppid')];
  p.ok('kill', [a.pid, SIGKILL]);
  t.is(a.look(first).told, 'DIED');
  p.exit();
  t.is(b.look(second).told, 'ok');
  t.is(m.kernel.cpus.busy, 1);
});

test('Ctrl-C reaches the whole foreground group and nobody else', (t) => {
  const { m, p } = root();
  p.ok('setsid');
  const fd = p.open('/dev/console', 2);
  const [a, c] = [m.program({ parent: p }), m.program({ parent: p })];
  a.ok('setpgid', [0, 0]);
  const b = m.program({ parent: a });
  t.is(p.told('tcsetpgrp', [p.open('/dev/null'), a.pid]), 'ENOTTY');
  p.ok('tcsetpgrp', [fd, a.pid]);
  m.type('\x03');
  t.deepEqual(
    [a, b, c, p].map((one) => one.process.dead),
    [true, true, false, false],
  );
  t.is(p.ok('wait', [a.pid, 0]).r1, SIGINT);
});
