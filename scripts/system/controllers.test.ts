// Every controller under a real file system, side by side in one machine: a tree of 1,000 files goes in while
// the drivers are killed, what one disk holds is copied to the next, and e2fsck is content.

import { join } from 'node:path';
import test from 'ava';
import { type Atoll, boot } from '../../index.ts';
import { CONTROLLERS, diskName } from '../../kernel/abi/disk/controllers.ts';
import { fsck, makeExt4, tempDir } from '../testing/machine.ts';

const DISKS = CONTROLLERS.map((controller) => ({ controller, disk: diskName(controller, 0) }));

/** 1,000 files in 40 directories, a hundred of them with a second name, and one of 2.5 MiB. */
const FILL = `
set -e
mkdir /tmp/t; cd /tmp/t
for d in 0 1 2 3; do
  mkdir $d
  for f in 0 1 2 3 4 5 6 7 8 9; do
    mkdir $d/$f
    for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25; do
      echo "file $n of $d/$f" > $d/$f/$n
    done
    ln $d/$f/1 $d/$f/again
    cp /boot/etc/passwd $d/$f/copy
  done
done
dd if=/dev/urandom of=big bs=64K count=40 2> /dev/null
find . -type f -name '[0-9]*' | wc -l`;

test('three controllers side by side: a tree is whole though the drivers were killed as it was written', async (t) => {
  t.timeout(240_000);
  await using dir = await tempDir();
  const disks = DISKS.map(({ controller, disk }) => ({
    controller,
    file: join(dir.path, `${disk}.img`),
  }));
  for (const { file } of disks) {
    if (!(await makeExt4(file, 32))) {
      t.log('no mkfs.ext4 here: skipped');
      return t.pass();
    }
  }
  {
    await using os = await boot({ disks });
    const run = async (script: string): Promise<string> => {
      const { status, stdout, stderr } = await os.exec(script);
      t.deepEqual([status, stderr], [0, ''], script);
      return stdout;
    };
    t.is(await run(FILL), '1000\n');
    t.is(await run('ls /dev/sd'), 'sdC0\nsdD0\nsdF0\nsdctl\n');
    const copies = DISKS.map(({ disk }) => `cp -r /tmp/t /mnt/${disk}/t &`).join(' ');
    const copied = run(`cd /; ${copies} wait; sync`);
    await killInTurn(os);
    await copied;
    const sums = 'find . -type f | sort | xargs sha256sum';
    const wanted = await run(`cd /tmp/t; ${sums}`);
    for (const { disk } of DISKS) {
      const found = await run(`echo 3 > /proc/sys/vm/drop_caches; cd /mnt/${disk}/t; ${sums}`);
      t.is(found, wanted, disk);
    }
    await run('cp -r /mnt/sdF0/t/1/2 /mnt/sdC0/u && diff -r /tmp/t/1/2 /mnt/sdC0/u');
    t.is(await run('cat /dev/sd/sdctl'), DISKS.map((d) => `${d.disk} ${d.controller}\n`).join(''));
    const columns = /^ *(\d+) +0 (sd\w+) (\d+) \d+ (\d+) \d+ (\d+) \d+ (\d+) \d+ 0 /gm;
    const counted = [...(await run('cat /proc/diskstats')).matchAll(columns)];
    t.deepEqual(
      counted.map(([, major, disk]) => `${major} ${disk}`),
      ['8 sdC0', '3 sdD0', '252 sdF0'],
    );
    for (const [line, , , reads, readSectors, writes, writeSectors] of counted) {
      t.true(Number(readSectors) >= Number(reads) && Number(reads) > 100, line);
      t.true(Number(writeSectors) > (2.5 * 2 ** 20) / 512 && Number(writes) > 10, line);
    }
    await os.shutdown();
  }
  for (const { file } of disks) t.is(fsck(file), '');
});

/** Each driver is killed, the next one when the one before runs again. */
async function killInTurn(os: Atoll): Promise<void> {
  for (const { controller } of DISKS) {
    await os.exec(`kill -9 $(pgrep '^${controller}')`);
    while (!os.log.some((line) => line.includes(`${controller}: runs again`))) await os.pause(5);
  }
}
