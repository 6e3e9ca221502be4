// The package's images, as `npm start` plugs them in: each shows its files and takes new ones; a volume is
// checked, made anew and mounted by the machine's own programs.

import test from 'ava';
import { moreImages } from '../../host/boot.ts';
import { boot } from '../../index.ts';

test('every image of the package is a volume with files, and FAT is made and checked inside', async (t) => {
  await using os = await boot();
  t.regex(await os.fs.readFile('/mnt/sdC0/README', 'utf8'), /a real ext4 volume/);
  const fat: string[] = [];
  for (const file of moreImages()) {
    const disk = await os.attachDisk(file);
    const names = await os.fs.readdir(`/mnt/${disk}`);
    t.true(names.length > 0, `${file}: ${names}`);
    await os.fs.writeFile(`/mnt/${disk}/hello`, 'new');
    t.is(await os.fs.readFile(`/mnt/${disk}/hello`, 'utf8'), 'new', file);
    if (/\/fat\d+\./.test(file)) fat.push(disk);
  }
  t.is(fat.length, 3);
  t.deepEqual(await os.fs.readdir('/mnt/sdC1'), ['Documents', 'DATA', 'README.TXT', 'hello']);
  const [disk = ''] = fat;
  const numbers = await os.fs.readFile(`/mnt/${disk}/DATA/NUMBERS`, 'utf8');
  t.is(numbers.split('\n').length, 5001);
  const script = `
    cd /; umount /mnt/${disk} && fsck.fat /dev/sd/${disk}/data && fsck.fat -n /mnt/${fat[1]}/none 2>&1
    mkfs.fat -n NEW /dev/sd/${disk}/data && mount -t vfat /dev/sd/${disk}/part/0 /mnt/${disk} &&
    fatlabel /dev/sd/${disk}/data && ls /mnt/${disk} && echo x > /mnt/${disk}/x && cat /mnt/${disk}/x`;
  const { stdout, stderr, status } = await os.exec(script);
  t.is(status, 0, stderr);
  t.regex(stdout, /: 6 files, 3 directories, .*No such file.*\nNEW\nx\n$/s);
});
