// Volumes without workers of their own: the kernel runs the same file-system code, because it was told
// to, or because no daemon comes up.

import { join } from 'node:path';
import test from 'ava';
import { startMachine } from '../../host/boot.ts';
import { Atoll, boot } from '../../index.ts';
import { atoll, fsck, makeExt4, tempDir } from '../testing/machine.ts';

const withoutDaemon = /^ext4fs_0 sdC0 +- +direct /m;
const told = 'ext4fs_0 sdC0: no daemon, served by the kernel itself';

const tree = `cp -r /boot/etc /mnt/sdC0/t && dd if=/dev/urandom of=/mnt/sdC0/t/big bs=1M count=4 2>/dev/null
  cp -r /mnt/sdC0/t /tmp/t; sync; echo 3 > /proc/sys/vm/drop_caches; diff -r /tmp/t /mnt/sdC0/t && echo equal`;

test('with daemons: false everything works, and no volume has a worker', async (t) => {
  await using dir = await tempDir();
  const file = join(dir.path, 'disk.img');
  if (!(await makeExt4(file, 64))) {
    t.log('no mkfs.ext4 here: skipped');
    return t.pass();
  }
  {
    await using os = await boot({ disks: [{ file }], daemons: false });
    t.true(os.log.some((line) => line.endsWith(told)));
    t.is((await os.exec(tree, { timeout: 60_000 })).stdout, 'equal\n');
    t.regex((await os.exec('cat /proc/servers')).stdout, withoutDaemon);
    t.notRegex((await os.exec('ps')).stdout, /ext4fs/);
    t.notRegex((await os.exec('cat /proc/hops')).stdout, /volume|ext4fs/);
    const again = 'umount /mnt/sdC0 && mount /dev/sd/sdC0/part/0 /mnt/sdC0 && ls /mnt/sdC0';
    t.is((await os.exec(again)).stdout, 'lost+found\nt\n');
    t.regex((await os.exec('cat /proc/servers')).stdout, withoutDaemon);
    const { stdout, stderr } = await os.exec(
      `pid=$(ps | awk '$NF == "ahci" { print $1 }'); echo 3 > /proc/sys/vm/drop_caches
       kill -9 $pid; diff -r /tmp/t /mnt/sdC0/t && rm -r /mnt/sdC0/t && echo last > /mnt/sdC0/l`,
      { timeout: 60_000 },
    );
    t.is(stdout + stderr, '');
    await os.shutdown();
  }
  t.is(fsck(file), '');
  await using os = await boot({ disks: [{ file, mode: 'ro' }] });
  t.is((await os.exec('ls /mnt/sdC0; cat /mnt/sdC0/l')).stdout, 'l\nlost+found\nlast\n');
});

test('a volume whose daemon does not come up is served by the kernel, which says so', async (t) => {
  await using dir = await tempDir();
  const file = join(dir.path, 'disk.img');
  if (!(await makeExt4(file, 64))) {
    t.log('no mkfs.ext4 here: skipped');
    return t.pass();
  }
  const log: string[] = [];
  const volume = new URL('./there-is-no-such-module.js', import.meta.url).href;
  const machine = startMachine(
    { disks: [{ file }] },
    { modules: { volume }, onLog: (line) => log.push(line) },
  );
  await using os = new Atoll(machine, log, {});
  await machine.booted;
  t.true(
    log.some((line) => /sdC0: its daemon does not come up: .*no-such-module/.test(line)),
    log.join('\n'),
  );
  t.true(
    log.some((line) => line.endsWith(told)),
    log.join('\n'),
  );
  t.is((await os.exec(tree, { timeout: 60_000 })).stdout, 'equal\n');
  t.regex((await os.exec('cat /proc/servers')).stdout, withoutDaemon);
  await os.shutdown();
  t.is(fsck(file), '');
});

test('when not even the kernel can load the code, the volume is not mounted and the boot goes on', async (t) => {
  await using dir = await tempDir();
  const file = join(dir.path, 'disk.img');
  if (!(await makeExt4(file, 16))) {
    t.log('no mkfs.ext4 here: skipped');
    return t.pass();
  }
  const log: string[] = [];
  const inKernel = new URL('./there-is-no-such-module.js', import.meta.url).href;
  const machine = startMachine(
    { disks: [{ file }], daemons: false },
    { modules: { inKernel }, onLog: (line) => log.push(line) },
  );
  await using os = new Atoll(machine, log, {});
  await machine.booted;
  t.true(log.some((line) => line.includes('the code of the file systems cannot be loaded')));
  t.is((await os.exec('ls /mnt; echo $?')).stdout, '0\n');
  await os.shutdown();
});

test('a repeatable run without daemons is as repeatable as any other', async (t) => {
  const run = () =>
    atoll([
      '--no-daemons',
      '--seed',
      '7',
      '--hash',
      '-c',
      'cp -r /boot/etc /mnt/sdC0/t; ls /mnt/sdC0',
    ]);
  const first = await run();
  t.is(first.status, 0);
  t.regex(first.stderr, /hash [0-9a-f]{8}/);
  t.is((await run()).stderr, first.stderr);
});

test('a bug in a volume that the kernel serves costs the volume, not the machine', async (t) => {
  await using dir = await tempDir();
  const file = join(dir.path, 'disk.img');
  if (!(await makeExt4(file, 16))) {
    t.log('no mkfs.ext4 here: skipped');
    return t.pass();
  }
  const log: string[] = [];
  const inKernel = new URL('../testing/probes/broken-volume.js', import.meta.url).href;
  const machine = startMachine(
    { disks: [{ file }], daemons: false },
    { modules: { inKernel }, onLog: (line) => log.push(line) },
  );
  await using os = new Atoll(machine, log, {});
  await machine.booted;
  const { stdout, stderr } = await os.exec(
    'for i in 1 2 3 4 5 6 7 8 9; do mkdir /mnt/sdC0/$i; done; cat /proc/servers; echo alive',
  );
  t.regex(stderr, /9': Input\/output error/);
  t.regex(stdout, /alive\n$/);
  t.notRegex(stdout, /ext4fs/);
  t.true(
    log.some((line) => /ext4fs_0 sdC0: given up, .*: a planted bug/.test(line)),
    log.join('\n'),
  );
  await os.shutdown();
});
