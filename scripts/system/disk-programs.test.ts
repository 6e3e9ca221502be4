// lsblk, blkid, mkfs and fsck on the disks of a machine: partitions, mounts, kinds looked up.

import { appendFileSync, truncateSync } from 'node:fs';
import test from 'ava';
import { boot } from '../../host/atoll.ts';
import { host, makeExt4, tempDir } from '../testing/machine.ts';

test('disks, partitions and what lies on them are listed; mkfs makes and fsck finds by kind', async (t) => {
  await using dir = await tempDir();
  const [whole, parted] = [`${dir.path}/whole`, `${dir.path}/parted`];
  if (!(await makeExt4(whole, 4, ['-L', 'four']))) return t.pass('no mke2fs here: skipped');
  appendFileSync(parted, '');
  truncateSync(parted, 8 << 20);
  const table = host('sh', ['-c', `printf '2048,4096\\n8192,,\\n' | sfdisk -q ${parted}`]);
  if (table?.status !== 0) return t.pass('no sfdisk here: skipped');
  await using os = await boot({ disks: [{ file: whole }, { file: parted }] });
  const { stdout: tree } = await os.exec('lsblk');
  t.deepEqual(tree.split('\n').slice(0, 5), [
    'NAME     MAJ:MIN RM SIZE RO TYPE MOUNTPOINTS',
    'sdC0       8:0    0   4M  0 disk /mnt/sdC0',
    'sdC1       8:256  0   8M  0 disk',
    '├─sdC1p1   8:257  0   2M  0 part',
    '└─sdC1p2   8:258  0   4M  0 part',
  ]);
  const made = await os.exec(
    'mkfs -t ext3 -q -L three /dev/sd/sdC1/part/1 && mkfs.ext4 -q -L second /dev/sd/sdC1/part/2',
  );
  t.is(made.stderr, '');
  const run = async (script: string): Promise<string> => (await os.exec(script)).stdout;
  t.is(
    await run('lsblk -nro NAME,FSTYPE,LABEL,MOUNTPOINT'),
    'sdC0 ext4 four /mnt/sdC0\nsdC1   \nsdC1p1 ext3 three \nsdC1p2 ext4 second \n',
  );
  t.is(await run('lsblk -bdno SIZE,TYPE /dev/sd/sdC1/data'), '8388608 disk\n');
  t.is(
    await run('blkid -L second; blkid -t TYPE=ext3 -o device'),
    '/dev/sd/sdC1/part/2\n/dev/sd/sdC1/part/1\n',
  );
  t.is(await run('blkid -s TYPE -o value /dev/sd/sdC1/part/2'), 'ext4\n');
  t.is((await os.exec('blkid -U 0')).status, 2);
  t.deepEqual(JSON.parse(await run('lsblk -J -o name,pttype')), {
    blockdevices: [
      { name: 'sdC0', pttype: null },
      {
        name: 'sdC1',
        pttype: 'dos',
        children: [
          { name: 'sdC1p1', pttype: 'dos' },
          { name: 'sdC1p2', pttype: 'dos' },
        ],
      },
    ],
  });
  t.is(
    await run('fsck -TNA -y'),
    'fsck.ext3 -y /dev/sd/sdC1/part/1\nfsck.ext4 -y /dev/sd/sdC1/part/2\n',
  );
  t.is(await run('fsck -TN -fn /dev/sd/sdC0/raw'), 'fsck.ext4 -fn /dev/sd/sdC0/raw\n');
  const checked = await os.exec('fsck -TA -y -f');
  t.is(checked.status, 0, checked.stdout + checked.stderr);
  t.regex(checked.stdout, /part\/1: 11\/\d+ files, \d+\/\d+ blocks\n.*part\/2: 11\//);
  // A volume of one group has no other superblock.
  await os.exec(
    'dd if=/dev/zero of=/dev/sd/sdC1/part/2 bs=1024 seek=1 count=1 conv=notrunc 2>/dev/null',
  );
  const gone = await os.exec('e2fsck -fy /dev/sd/sdC1/part/2');
  t.is(gone.status, 8);
  t.regex(await run('fsck.ext4 -n /dev/sd/sdC1/part/1'), /^\S+: clean, 11\/\d+ files/);
  t.is((await os.exec('e2fsck -y /dev/sd/sdC0/raw')).status, 8); // it is mounted
  t.is((await os.exec('lsblk -o NOTHING')).stderr, 'lsblk: unknown column: NOTHING\n');
  t.is((await os.exec('mkfs -t nothing /dev/sd/sdC1/raw')).status, 127);
  t.is((await os.exec('mkfs /dev/sd/sdC0/raw')).status, 1); // it is mounted
});
