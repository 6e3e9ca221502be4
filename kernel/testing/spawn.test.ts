// spawn and exec: what a child inherits, which programs there are, and what fails without a trace.

import test from 'ava';
import { O_CLOEXEC, O_CREAT, O_RDWR, SIGKILL } from '../abi/constants.ts';
import type { SpawnData, Start } from '../abi/syscall.ts';
import { heapChunks } from '../fs/mem-data.ts';
import { MemFs } from '../fs/memfs.ts';
import { localServer } from '../supervisor/local.ts';
import { mountAt } from '../supervisor/root.ts';
import { machine } from './machine.ts';

/** A machine with programs in /bin: `prog` is native, the others are scripts. */
const root = () => {
  const m = machine({ mib: 128 });
  const p = m.program();
  const fs = new MemFs({ now: () => m.kernel.clock.wallclock(), chunks: heapChunks });
  const as = { type: 'boot', source: 'boot', volatile: false };
  const boot = m.run(localServer(m.kernel, fs, as));
  m.run(mountAt(m.kernel, '/bin', boot));
  p.put('/bin/prog', '#!native prog\n', 0o755);
  p.put('/tmp/fake', '#!native prog\n', 0o755);
  p.put('/tmp/script', '#! /bin/prog -x y\nbody\n', 0o755);
  p.put('/tmp/plain', 'no program', 0o755);
  p.put('/tmp/data', '#!native prog\n', 0o644);
  p.put('/tmp/loop', '#!/tmp/loop\n', 0o755);
  const spawn = (path: string, more: Partial<SpawnData> & Record<string, unknown> = {}) => {
    const data = { path, argv: [path, 'arg'], env: [['A', 'b']], ...more };
    return p.call('spawn', [], JSON.stringify(data));
  };
  return { m, p, spawn };
};

test('a spawned process runs as a child, with its parent’s directory, ids and umask', (t) => {
  const { m, p, spawn } = root();
  p.ok('chdir', [], '/tmp');
  p.ok('umask', [0o77]);
  const { r0: pid } = spawn('/bin/prog');
  const child = m.spawned(pid) ?? t.fail();
  t.is(child.ok('getppid').r0, p.pid);
  t.is(child.cwd, '/tmp');
  t.is(child.ok('umask', [0]).r0, 0o77);
  t.deepEqual(child.process.argv, ['/bin/prog', 'arg']);
  child.exit(3);
  t.is(p.ok('wait', [pid, 0]).r1, 3 << 8);
});

test('a child gets the descriptors that are not close-on-exec, with their offsets, and the actions asked for', (t) => {
  const { m, p, spawn } = root();
  p.put('/tmp/f', 'abcdef');
  const shared = p.open('/tmp/f');
  p.open('/tmp/f', O_CLOEXEC);
  const other = p.open('/tmp/f');
  p.read(shared, 2);
  const { r0: pid } = spawn('/bin/prog', {
    fdActions: [
      { op: 'dup2', from: shared, to: 7 },
      { op: 'close', fd: other },
      { op: 'close', fd: 99 },
      { op: 'open', fd: 9, path: '/tmp/new', flags: O_CREAT | O_RDWR, mode: 0o600 },
    ],
  });
  const child = m.spawned(pid) ?? t.fail();
  const open = child.process.descriptors.flatMap((d, fd) => (d ? [fd] : []));
  t.deepEqual(open, [shared, 7, 9]);
  t.is(child.read(7, 2), 'cd');
  t.is(p.read(shared, 2), 'ef');
  t.is(p.told('stat', [], '/tmp/new'), 'ok');
});

test('a script runs its interpreter with its argument, its path and the rest', (t) => {
  const { m, spawn } = root();
  const child = m.spawned(spawn('/tmp/script').r0) ?? t.fail();
  t.deepEqual(child.process.argv, ['/bin/prog', '-x y', '/tmp/script', 'arg']);
});

const refused = test.macro({
  exec(t, errno: string, path: string, more: Record<string, unknown>) {
    const { m, p, spawn } = root();
    p.open('/tmp/plain');
    const pids = (): number[] => m.kernel.processes.all.map((process) => process.pid);
    const before = pids();
    const { opens } = p.process.file(0).inode ?? t.fail();
    t.is(spawn(path, more).told, errno);
    m.settle();
    t.deepEqual(pids(), before);
    t.is(p.process.file(0).inode?.opens, opens);
    t.is(p.told('wait', [-1, 0]), 'ECHILD');
    t.is(spawn('/bin/prog').told, 'ok');
    t.deepEqual(m.bugs(), []);
  },
  title: (name) => `${name} is refused without a trace`,
});
test('a missing program', refused, 'ENOENT', '/bin/none', {});
test('a native program outside the boot archive', refused, 'EACCES', '/tmp/fake', {});
test('a file that may not be executed, even by root,', refused, 'EACCES', '/tmp/data', {});
test('a directory', refused, 'EACCES', '/tmp', {});
test('a file that is no program', refused, 'ENOEXEC', '/tmp/plain', {});
test('a script that interprets itself', refused, 'ELOOP', '/tmp/loop', {});
test('more than ARG_MAX bytes', refused, 'E2BIG', '/bin/prog', { argv: ['x'.repeat(132_000)] });
test('what grows beyond the window as JSON', refused, 'E2BIG', '/bin/prog', {
  argv: ['\u0001'.repeat(42_000)],
});
test('a missing directory', refused, 'ENOENT', '/bin/prog', { cwd: '/none' });
test('an action on a descriptor that is not open', refused, 'EBADF', '/bin/prog', {
  fdActions: [{ op: 'dup2', from: 55, to: 1 }],
});
test('an action on a descriptor that cannot be', refused, 'EBADF', '/bin/prog', {
  fdActions: [{ op: 'dup2', from: 0, to: 1e9 }],
});
test('an action that opens nothing', refused, 'ENOENT', '/bin/prog', {
  fdActions: [
    { op: 'dup2', from: 0, to: 5 },
    { op: 'open', fd: 1, path: '/none/x', flags: 0, mode: 0 },
  ],
});
test('an action of no known kind', refused, 'EINVAL', '/bin/prog', { fdActions: [{ op: 'fly' }] });
test('a group that is no number', refused, 'EINVAL', '/bin/prog', { pgid: 'x' });

test('signals ignored stay ignored in a child; handlers do not', (t) => {
  const { m, p, spawn } = root();
  p.ok('sigaction', [1, 1]);
  p.ok('sigaction', [2, 2]);
  const child = m.spawned(spawn('/bin/prog', { ignore: [3], defaults: [1] }).r0) ?? t.fail();
  t.deepEqual(child.process.dispositions.slice(1, 4), ['default', 'default', 'ignore']);
  const second = m.spawned(spawn('/bin/prog').r0) ?? t.fail();
  t.deepEqual(second.process.dispositions.slice(1, 3), ['ignore', 'default']);
});

test('exec keeps the process and its files, but those that are close-on-exec, and its handlers', (t) => {
  const { m, p, spawn } = root();
  const child = m.spawned(spawn('/bin/prog').r0) ?? t.fail();
  const [kept, closed] = [child.open('/tmp/plain'), child.open('/tmp/plain', O_CLOEXEC)];
  child.ok('sigaction', [2, 2]);
  const request = JSON.stringify({ path: '/tmp/script', argv: ['s'], env: [] });
  const { data } = child.ok('exec', [], request);
  const start = JSON.parse(new TextDecoder().decode(data)) as Start;
  t.is(start.pid, child.pid);
  t.deepEqual(start.argv, ['/bin/prog', '-x y', '/tmp/script']);
  t.is(child.told('fstat', [kept]), 'ok');
  t.is(child.told('fstat', [closed]), 'EBADF');
  t.is(child.process.dispositions[2], 'default');
  t.is(child.told('exec', [], JSON.stringify({ path: '/none', argv: [], env: [] })), 'ENOENT');
  p.ok('kill', [child.pid, SIGKILL]);
});

test('a worker that dies takes its process with it; one that does not come back is powered off', (t) => {
  const { m, p, spawn } = root();
  const { r0: pid } = spawn('/bin/prog');
  const child = m.spawned(pid) ?? t.fail();
  const { seat } = child.seat;
  p.ok('kill', [pid, SIGKILL]);
  m.pass(201);
  t.true(m.told.some((one) => one.type === 'powerOff' && one.seat === seat));
  t.is(p.ok('wait', [-1, 0]).r1, SIGKILL);
});

test('many processes at once all find a worker, and give their memory back', (t) => {
  const { m, p, spawn } = root();
  const pids = Array.from({ length: 30 }, () => spawn('/bin/prog').r0);
  t.is(new Set(pids).size, 30);
  for (const pid of pids) t.truthy(m.spawned(pid), `${pid}`);
  for (const pid of pids) m.spawned(pid)?.exit();
  for (const pid of pids) t.is(p.ok('wait', [-1, 0]).r0, pid);
  t.deepEqual(m.bugs(), []);
});
