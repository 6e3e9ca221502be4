// Faults through every layer: the library's rules, the command, the power cut that a rule asks for.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { boot } from '../../index.ts';
import { atoll, fsck, makeExt4, tempDir } from '../testing/machine.ts';

test('a rule of the library fires where it says, tells of it, and goes with its scope', async (t) => {
  await using os = await boot();
  {
    await using rule = await os.faults.on('on sys.open path~/tmp/a* nth=2 do err ENOSPC');
    await os.fs.writeFile('/tmp/a1', 'x');
    await t.throwsAsync(os.fs.writeFile('/tmp/a2', 'x'), { code: 'ENOSPC' });
    t.deepEqual([rule.seen, rule.fired], [2, 1]);
    t.is(os.faults.log().at(-1)?.where, 'sys.open pid=1 path=/tmp/a2');
    t.regex(
      await os.faults.plan(),
      /^# seed \d+\non sys.open path~\/tmp\/a\* nth=2 do err ENOSPC\n$/,
    );
    await os.fs.writeFile('/tmp/a3', 'x');
  }
  t.is(await os.fs.readFile('/dev/fault/ctl', 'utf8'), '');
  await t.throwsAsync(os.faults.on('on sys.opne do hang'), { message: /^column 4: no point/ });
});

test('the library sweeps every hit of a point', async (t) => {
  await using os = await boot();
  const runs = await os.faults.sweep({
    point: 'sys.mkdir',
    action: 'err EIO',
    run: async () => (await os.exec('mkdir -p /tmp/s/a /tmp/s/b')).status,
    before: async () => os.fs.rm('/tmp/s', { recursive: true, force: true }),
  });
  t.is(runs.length, 3);
  t.true(runs.every(({ outcome }) => 'value' in outcome && outcome.value === 1));
});

test('the same seed and rules fire at the same hits; another seed does not', async (t) => {
  const plan = async (seed: number): Promise<string> => {
    await using os = await boot({ seed, faults: 'on sys.access p=1/4 do err EACCES' });
    await os.exec('for i in 1 2 3 4 5 6 7 8 9 10; do test -r /boot; done');
    return await os.faults.plan();
  };
  const first = await plan(5);
  t.is(await plan(5), first);
  t.not((await plan(6)).replace(/^#.*/, ''), first.replace(/^#.*/, ''));
});

test('a torn journal write and a power cut: the machine ends, the next boot recovers', async (t) => {
  await using dir = await tempDir();
  const image = join(dir.path, 't.img');
  if (!(await makeExt4(image, 64))) {
    t.log('no e2fsprogs here: skipped');
    return t.pass();
  }
  const rules = join(dir.path, 'j.fault');
  await writeFile(rules, 'j1: on blk.sdC0.write tag=journal nth=4 do torn 512, power prefix\n');
  const script = 'cd /mnt/sdC0; for i in 1 2 3 4 5 6; do seq $i 999 >f$i; sync f$i; echo $i; done';
  const cut = await atoll(['--disk', image, '--fault', rules, '-c', script]);
  t.is(cut.stderr, 'atoll: the machine is gone: the power was cut by a fault (power prefix)\n');
  t.is(cut.status, 1);
  const safe = cut.stdout.trim().split('\n');
  t.true(safe.length >= 1 && safe.length < 6, cut.stdout);
  const after = await atoll(['--disk', image, '-c', 'cd /mnt/sdC0; wc -l f*']);
  for (const i of safe) t.regex(after.stdout, new RegExp(` f${i}$`, 'm'));
  t.is(fsck(image), '');
});

test('a wrong rule in --fault is told with file, line and column, and nothing is booted', async (t) => {
  await using dir = await tempDir();
  const rules = join(dir.path, 'w.fault');
  await writeFile(rules, '# mine\non sys.open do burn\n');
  const ran = await atoll(['--fault', rules, '-c', 'echo no']);
  t.deepEqual([ran.status, ran.stdout], [2, '']);
  t.true(ran.stderr.startsWith(`atoll: ${rules}:2: column 16: expected an action (err, delay`));
});

test('the command shows a wrong rule’s column, and passes the status of what it runs', async (t) => {
  const { stdout, stderr } = await atoll([
    '-c',
    `fault 'on sys.open do burn'; echo $?
     echo 'on sys.unlink nth=1 do err EBUSY' > /tmp/r; touch /tmp/u
     fault run /tmp/r -- rm /tmp/u; echo $?
     fault plan > /tmp/p; fault replay /tmp/p -- sh -c 'rm /tmp/u; exit 7'; echo $?
     fault replay /tmp/p -- true; echo $?
     fault sweep sys.mkdir err ENOSPC -- mkdir /tmp/x /tmp/y; echo $?
     fault sweep -t 1 sys.rmdir hang -- rmdir /tmp/x; echo $?
     fault ls`,
  ]);
  t.is(
    stdout.replaceAll(/pid=\d+/g, 'pid=PID'),
    `2
1
7
1
1: status 1  sys.mkdir pid=PID path=/tmp/x
2: status 1  sys.mkdir pid=PID path=/tmp/y
sys.mkdir err ENOSPC: 2 hits, 2 failed, 0 went on
0
1: status 137, hung  sys.rmdir pid=PID path=/tmp/x
sys.rmdir hang: 1 hits, 0 failed, 0 went on, 1 hung
1
`,
    stderr,
  );
});
