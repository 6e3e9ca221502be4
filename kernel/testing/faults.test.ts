// Faults inside the kernel: /dev/fault, rules on system calls and on pools, and that a kernel which
// ran out of something leaks nothing.

import test from 'ava';
import {
  O_CREAT,
  O_EXCL,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  WIFEXITED,
  WTERMSIG,
} from '../abi/constants.ts';
import { POOLS } from '../abi/fault/points.ts';
import { machine } from './machine.ts';
import type { Program } from './program.ts';

const root = () => {
  const m = machine();
  const p = m.program();
  const rule = (text: string) => p.ok('write', [p.open('/dev/fault/ctl', O_WRONLY)], text);
  return { m, p, rule };
};

test('a rule written to ctl is listed, fires, and is told of in log, plan and kernel log', (t) => {
  const { m, p, rule } = root();
  rule('x: on sys.mkdir path~/tmp/* nth=2 do err EROFS\n# a comment\n');
  t.is(p.told('mkdir', [0o755], '/tmp/a'), 'ok');
  t.is(p.told('mkdir', [0o755], '/mnt/b'), 'ok');
  t.is(p.told('mkdir', [0o755], '/tmp/c'), 'EROFS');
  t.is(p.told('mkdir', [0o755], '/tmp/c'), 'ok');
  t.is(
    p.get('/dev/fault/ctl'),
    'on  seen=3 fired=1 x: on sys.mkdir path~/tmp/* nth=2 do err EROFS\n',
  );
  const line = `1 x: sys.mkdir pid=${p.pid} path=/tmp/c: err EROFS`;
  t.is(p.get('/dev/fault/log'), `[0.000000] ${line}\n`);
  t.is(p.get('/dev/fault/plan'), '# seed 1\non sys.mkdir path~/tmp/* nth=2 do err EROFS\n');
  t.true(m.kernel.klog.text().includes(`fault: ${line}\n`));
  rule('rm x');
  t.is(p.get('/dev/fault/ctl'), '');
});

test('firings of one rule that differ in their number alone are one line of the plan', (t) => {
  const { p, rule } = root();
  rule('on sys.access every=2 do err EACCES');
  for (let i = 0; i < 7; i++) p.told('access', [0], '/tmp');
  t.is(p.get('/dev/fault/plan'), '# seed 1\non sys.access nth=2,4,6 do err EACCES\n');
  rule('reset');
  t.is(p.get('/dev/fault/plan'), '# seed 1\n');
  t.is(p.told('access', [0], '/tmp'), 'ok');
});

test('an open that finds no memory for a file has made nothing, and cut nothing', (t) => {
  const { p, rule } = root();
  p.put('/tmp/f', 'content');
  rule('on alloc.files nth=1,2 do oom');
  t.is(p.told('open', [O_CREAT | O_EXCL | O_WRONLY, 0o644], '/tmp/new'), 'ENOMEM');
  t.is(p.told('open', [O_TRUNC | O_WRONLY], '/tmp/f'), 'ENOMEM');
  t.is(p.get('/tmp/f'), 'content');
  t.is(p.told('open', [O_CREAT | O_EXCL | O_WRONLY, 0o644], '/tmp/new'), 'ok');
});

test('a wrong rule is EINVAL, with its column in the kernel log; ctl is root’s', (t) => {
  const { m, p } = root();
  const fd = p.open('/dev/fault/ctl', O_WRONLY);
  t.is(p.told('write', [fd], 'on sys.opne do hang'), 'EINVAL');
  t.regex(m.kernel.klog.text(), /fault: 'on sys.opne do hang': column 4: no point 'sys.opne'/);
  t.is(p.told('write', [fd], 'rm nobody'), 'ENOENT');
  const user = m.program({ uid: 7 });
  t.is(user.told('open', [O_WRONLY], '/dev/fault/ctl'), 'EACCES');
});

test('points lists every system call, pool and message with what can be done there', (t) => {
  const { p } = root();
  const points = p.get('/dev/fault/points');
  t.regex(points, /^sys\.open: err delay hang crash oom full kill /m);
  t.regex(points, /^alloc\.frames: oom full kill /m);
  t.regex(points, /^ipc\.kernel\.Rread: err delay drop /m);
  t.regex(points, /^clock: jump drift /m);
});

test('delay holds a call up, hang until a signal, short gives less, crash ends the caller', (t) => {
  const { m, p, rule } = root();
  p.put('/tmp/f', 'content');
  const fd = p.open('/tmp/f', O_RDWR);
  rule('on sys.fsync do delay 20ms');
  rule('on sys.read do short 3');
  rule('on sys.write len=6 do short');
  const slow = p.start('fsync', [fd]);
  m.pass(19);
  t.false(p.look(slow).done);
  m.pass(2);
  t.is(p.look(slow).told, 'ok');
  t.is(p.ok('read', [fd, 100]).r0, 3);
  t.is(p.ok('write', [fd], 'abcdef').r0, 3);
  t.is(p.ok('write', [fd], 'xyz').r0, 3);
  rule('reset');
  t.is(p.get('/tmp/f'), 'conabcxyz');

  rule('on sys.getcwd do hang');
  const child = m.program({ parent: p });
  const hung = child.start('getcwd');
  m.pass(1000);
  t.false(child.look(hung).done);
  p.ok('kill', [child.pid, 9]);
  t.is(child.look(hung).told, 'DIED');
  p.ok('wait', [child.pid]);

  rule('on sys.getppid do crash');
  const victim = m.program({ parent: p });
  t.is(victim.told('getppid'), 'DIED');
  const { r1 } = p.ok('wait', [victim.pid]);
  t.deepEqual([WIFEXITED(r1), WTERMSIG(r1)], [false, 11]);
  t.deepEqual(m.bugs(), []);
});

test('whatever is armed, /dev/fault itself works', (t) => {
  const { p, rule } = root();
  rule('on sys.* do err EIO');
  t.is(p.told('stat', [], '/tmp'), 'EIO');
  rule('on alloc.* do oom');
  t.regex(p.get('/dev/fault/ctl'), /on sys/);
  rule('reset');
  t.is(p.told('stat', [], '/tmp'), 'ok');
});

/** What a program does that asks for memory in many ways. */
function work(p: Program): string[] {
  const told: string[] = [];
  const note = (name: Parameters<Program['told']>[0], args: number[], data = ''): number => {
    const pending = p.start(name, args, data);
    told.push(p.look(pending).told);
    return pending.r0;
  };
  note('mkdir', [0o755], '/tmp/d');
  const fd = note('open', [O_RDWR | 0o100, 0o644], '/tmp/d/f');
  note('write', [fd], 'x'.repeat(10_000));
  const dir = note('open', [0], '/tmp/d');
  note('getdents', [dir, 4096]);
  const made = p.start('pipe');
  told.push(made.told);
  if (made.told === 'ok') {
    note('write', [made.r1], 'y'.repeat(100));
    note('close', [made.r0]);
    note('close', [made.r1]);
  }
  note('symlink', [], '/tmp/d/f\0/tmp/d/l');
  note('readlink', [], '/tmp/d/l');
  note('stat', [], '/tmp/d/l');
  note('rename', [], '/tmp/d/f\0/tmp/d/g');
  for (const open of [fd, dir]) note('close', [open]);
  for (const name of ['l', 'f', 'g']) note('unlink', [], `/tmp/d/${name}`);
  note('rmdir', [], '/tmp/d');
  return told;
}

for (const pool of POOLS.filter((one) => !['cache', 'blocks', 'inodes', 'seats'].includes(one))) {
  test(`every allocation from ${pool} may fail: an errno each time, and nothing leaks`, (t) => {
    const { m, p } = root();
    work(p); // caches are warm
    const { frames, grants, mounts } = m.kernel;
    const held = () => ({
      frames: frames.free,
      grants: grants.inUse,
      fids: mounts.all.map(({ superblock }) => superblock.client.fidsInUse),
      descriptors: p.process.descriptors.filter((one) => one !== undefined).length,
    });
    const before = held();
    let fired = 0;
    for (let nth = 1; nth < 200; nth++) {
      m.kernel.faults.command(`s: on alloc.${pool} nth=${nth} do oom`);
      const told = work(p);
      const hit = / fired=1 /.test(m.kernel.faults.rules());
      m.kernel.faults.command('reset');
      t.false(told.includes('EIO'), told.join(' '));
      work(p); // what the failed run left behind is taken away
      m.pass(10);
      t.deepEqual(held(), before, `${pool} ${nth}`);
      if (!hit) break;
      fired++;
    }
    t.log(`${fired} allocations`);
    t.deepEqual(m.bugs(), []);
  });
}
