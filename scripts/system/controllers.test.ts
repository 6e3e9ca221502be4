// Every controller under a real file system: a tree goes in while its driver is killed, comes out equal,
// and e2fsck is content. Several controllers side by side.

import { join } from 'node:path';
import test from 'ava';
import { boot } from '../../index.ts';
import type { ControllerName } from '../../kernel/abi/disk/controllers.ts';
import { fsck, makeExt4, tempDir } from '../testing/machine.ts';

const FILL = `
set -e
cd $to
for d in 0 1 2 3 4 5 6 7 8 9; do
  mkdir d$d
  for f in 0 1 2 3 4 5 6 7 8 9; do
    echo "file $f of $d" > d$d/$f
    ln d$d/$f d$d/again$f
    cp /boot/etc/passwd d$d/copy$f
  done
done
dd if=/dev/urandom of=big bs=64K count=40 2> /dev/null
`;

const carries = test.macro({
  async exec(t, controller: ControllerName, disk: string) {
    t.timeout(240_000);
    await using dir = await tempDir();
    const file = join(dir.path, `${controller}.img`);
    if (!(await makeExt4(file, 32))) {
      t.log('no mkfs.ext4 here: skipped');
      return t.pass();
    }
    {
      await using os = await boot({ disks: [{ file, controller }] });
      const to = `/mnt/${disk}`;
      const kill = `for i in 1 2 3; do kill -9 $(pgrep '^${controller}'); sleep 0.3; done`;
      const run = `mkdir /tmp/t; to=/tmp/t; ${FILL}\n(${kill}) & cp -r /tmp/t ${to}/t && wait && sync`;
      const filled = await os.exec(run);
      t.deepEqual([filled.status, filled.stderr], [0, '']);
      const drop = 'echo 3 > /proc/sys/vm/drop_caches';
      const again = `${drop}; diff -r /tmp/t ${to}/t && ls -R ${to}/t | grep -c again`;
      const { status, stdout } = await os.exec(again);
      t.deepEqual([status, stdout], [0, '100\n']);
      const { stdout: list } = await os.exec('cat /dev/sd/sdctl');
      t.is(list, `${disk} ${controller}\n`);
      await os.shutdown();
    }
    t.is(fsck(file), '');
  },
  title: (_, controller: string) =>
    `${controller}: a tree is whole though the driver was killed as it was written`,
});
test.serial(carries, 'virtio', 'sdF0'); // serial: each keeps both cores busy
test.serial(carries, 'ide', 'sdD0');

test('three controllers side by side: what one holds is copied to the next', async (t) => {
  t.timeout(240_000);
  await using dir = await tempDir();
  const file = (name: string) => join(dir.path, name);
  if (!(await makeExt4(file('a'), 8)) || !(await makeExt4(file('d'), 8))) return t.pass();
  await makeExt4(file('f'), 8);
  {
    await using os = await boot({
      disks: [
        { file: file('a') },
        { file: file('d'), controller: 'ide' },
        { file: file('f'), controller: 'virtio' },
      ],
    });
    const { stdout, stderr } = await os.exec(`
      ls /dev/sd; cp -r /boot/etc /mnt/sdC0 && cp -r /mnt/sdC0/etc /mnt/sdD0 && cp -r /mnt/sdD0/etc /mnt/sdF0
      sync; diff -r /boot/etc /mnt/sdF0/etc && echo equal; ps | grep -c -e ' ahci' -e ' ide' -e ' virtio'`);
    t.is(stderr, '');
    t.is(stdout, 'sdC0\nsdD0\nsdF0\nsdctl\nequal\n3\n');
    await os.shutdown();
  }
  for (const name of ['a', 'd', 'f']) t.is(fsck(file(name)), '');
});
