// Servers that fail by themselves: the request that kills is found and refused, and a volume whose
// server fails too often becomes read-only, then is given up; the rest of the system lives.

import { join } from 'node:path';
import test from 'ava';
import { type Atoll, boot } from '../../index.ts';
import { fsck, makeExt4, tempDir } from '../testing/machine.ts';

const told = (os: Atoll, what: RegExp): number => os.log.filter((line) => what.test(line)).length;

test('a request that kills its server is refused; ten failures make a volume read-only, ten more end it', async (t) => {
  await using dir = await tempDir();
  const file = join(dir.path, 'disk.img');
  if (!(await makeExt4(file, 64))) {
    t.log('no mkfs.ext4 here: skipped');
    return t.pass();
  }
  {
    await using os = await boot({ disks: [{ file }] });
    const fails = async (script: string, why: RegExp): Promise<void> => {
      const { stderr, status } = await os.exec(script, { timeout: 60_000 });
      t.not(status, 0, script);
      t.regex(stderr, why);
    };
    await os.exec("echo kept > /mnt/sdC0/a; sync; fault 'on ipc.ext4fs.Tmkdir do crash'");
    await fails('mkdir /mnt/sdC0/d', /Input\/output error/);
    t.is(told(os, /died: Error: fault/), 5, 'twice among others, three times alone');
    t.is(told(os, /Tmkdir killed it again and again/), 1);
    const { stdout } = await os.exec('cat /mnt/sdC0/a; echo b > /mnt/sdC0/b; cat /mnt/sdC0/b');
    t.is(stdout, 'kept\nb\n', 'everybody else is served');

    await fails('mkdir /mnt/sdC0/e', /Input\/output error/);
    t.is(told(os, /failed 10 times in 30 seconds: .* read-only/), 1);
    await fails('echo c > /mnt/sdC0/c', /Read-only file system/);
    t.regex((await os.exec('cat /proc/mounts')).stdout, /\/mnt\/sdC0 ext4 ro /);
    t.is((await os.exec('cat /mnt/sdC0/a')).stdout, 'kept\n');

    await os.exec("fault reset; fault 'on ipc.ext4fs.Treaddir do crash'");
    for (let i = 0; i < 4; i++) await fails('ls /mnt/sdC0', /Input\/output error/);
    t.is(told(os, /it is given up/), 1);
    await fails('cat /mnt/sdC0/a', /Input\/output error/);
    t.is((await os.exec('echo lives > /tmp/x; cat /tmp/x')).stdout, 'lives\n');
    await os.shutdown();
  }
  await using again = await boot({ disks: [{ file }] });
  t.is(await again.fs.readFile('/mnt/sdC0/a', 'utf8'), 'kept\n');
  await again.shutdown();
  t.is(fsck(file), '');
});
