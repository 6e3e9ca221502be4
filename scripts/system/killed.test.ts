// A killed server: what it served answers EIO, everything else lives, and the machine shuts down.

import { join } from 'node:path';
import test from 'ava';
import { boot } from '../../index.ts';
import { fsck, makeExt4, tempDir } from '../testing/machine.ts';

const killed = test.macro({
  async exec(t, server: string) {
    await using dir = await tempDir();
    const file = join(dir.path, 'disk.img');
    if (!(await makeExt4(file, 64))) {
      t.log('no mkfs.ext4 here: skipped');
      return t.pass();
    }
    {
      await using os = await boot({ disks: [{ file }] });
      await os.exec('echo kept > /mnt/sdC0/a; sync');
      const { stdout } = await os.exec('ps');
      const pid = new RegExp(`^ *(\\d+) .* ${server}$`, 'm').exec(stdout)?.[1];
      t.is((await os.exec(`kill -9 ${pid}`)).status, 0);
      for (let tries = 0; tries < 1000 && !os.log.some((line) => / died/.test(line)); tries++) {
        await os.exec('sleep .01');
      }
      const { stderr } = await os.exec('cat /mnt/sdC0/a', { timeout: 60_000 });
      t.is(stderr, 'cat: /mnt/sdC0/a: Input/output error\n');
      t.is((await os.exec('echo b > /tmp/b; cat /tmp/b')).stdout, 'b\n');
    }
    await using again = await boot({ disks: [{ file }] });
    t.is(await again.fs.readFile('/mnt/sdC0/a', 'utf8'), 'kept\n');
    await again.shutdown();
    t.is(fsck(file), '');
  },
  title: (_, server) =>
    `after kill -9 of ${server} its volume fails, the rest lives, nothing synced is lost`,
});

test(killed, 'ext4fs');
test(killed, 'ahci');
