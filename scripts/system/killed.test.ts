// A killed or stopped server: whoever waits for it sees a pause, nothing is lost, and the machine
// shuts down cleanly.

import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { boot } from '../../index.ts';
import { fsck, makeExt4, tempDir } from '../testing/machine.ts';

const survives = test.macro({
  async exec(t, server: string, signal: string) {
    await using dir = await tempDir();
    const file = join(dir.path, 'disk.img');
    if (!(await makeExt4(file, 64))) {
      t.log('no mkfs.ext4 here: skipped');
      return t.pass();
    }
    {
      await using os = await boot({ disks: [{ file }] });
      await os.exec('echo kept > /mnt/sdC0/a; sync; echo unsynced > /mnt/sdC0/b');
      const { stdout } = await os.exec('ps');
      const pid = new RegExp(`^ *(\\d+) .* ${server}$`, 'm').exec(stdout)?.[1];
      for (let i = 0; i < 3; i++) {
        const { stdout: out, stderr } = await os.exec(
          `exec 3< /mnt/sdC0/a; kill -${signal} ${pid}; echo 3 > /proc/sys/vm/drop_caches;
           cat <&3 /mnt/sdC0/a /mnt/sdC0/b; ls /mnt/sdC0; mkdir /mnt/sdC0/d${i}; sync`,
          { timeout: 60_000 },
        );
        t.is(stderr, '');
        t.true(out.startsWith('kept\nunsynced\na\nb\n'), out);
      }
      t.regex(
        (await os.exec('cat /proc/servers')).stdout,
        new RegExp(`^${server}.* running `, 'm'),
      );
      t.log(os.log.filter((line) => / after .* ms/.test(line)).join('\n'));
      await os.shutdown();
    }
    t.is(fsck(file), '');
    await using again = await boot({ disks: [{ file }] });
    t.is(await again.fs.readFile('/mnt/sdC0/a', 'utf8'), 'kept\n');
    t.is((await again.exec('ls /mnt/sdC0')).stdout, 'a\nb\nd0\nd1\nd2\nlost+found\n');
    await again.shutdown();
    t.is(fsck(file), '');
  },
  title: (_, server, signal) => `programs see a pause after kill -${signal} of ${server}`,
});

test('a run in which servers are killed is as repeatable as any other', async (t) => {
  await using dir = await tempDir();
  const golden = join(dir.path, 'golden.img');
  if (!(await makeExt4(golden, 16))) {
    t.log('no mkfs.ext4 here: skipped');
    return t.pass();
  }
  const run = async (): Promise<string | undefined> => {
    const file = join(dir.path, 'disk.img');
    await copyFile(golden, file);
    await using os = await boot({ disks: [{ file }], seed: 7 });
    const { stdout } = await os.exec(`
      pid() { ps | sed -n "s/^ *\\([0-9]*\\) .* $1$/\\1/p"; }
      echo a > /mnt/sdC0/a; kill -9 $(pid ext4fs_0); cat /mnt/sdC0/a
      kill -9 $(pid ahci); mkdir /mnt/sdC0/d; ls /mnt/sdC0; sync`);
    t.is(stdout, 'a\na\nd\nlost+found\n');
    t.is(os.log.filter((line) => /runs again/.test(line)).length, 2);
    await os.shutdown();
    return os.hash;
  };
  const hash = await run();
  t.is(await run(), hash);
  t.truthy(hash);
});

test(survives, 'ext4fs_0', '9');
test(survives, 'ahci', '9');
test(survives, 'ext4fs_0', 'STOP');
test(survives, 'ahci', 'STOP');
