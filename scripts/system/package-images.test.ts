// The package's images, as `npm start` plugs them in: each shows its files and takes new ones; a volume is
// checked, made anew and mounted by the machine's own programs.

import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { moreImages } from '../../host/boot.ts';
import { type Atoll, boot } from '../../index.ts';

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
    if (/\/hfs/.test(file)) await resourceFork(t, os, `/mnt/${disk}`);
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
  for (const one of fat) {
    await os.exec(`umount /mnt/${one}`);
    await os.detachDisk(one);
  }
  await oldAndNewExt4(t, os);
});

async function resourceFork(t: ExecutionContext, os: Atoll, volume: string): Promise<void> {
  const script = `
    cd ${volume} && echo longer > hello/..namedfork/rsrc && echo icon > hello/..namedfork/rsrc && echo s >> hello/..namedfork/rsrc &&
    cat hello hello/..namedfork/rsrc && getfattr -n com.apple.ResourceFork --only-values hello && cp hello/..namedfork/rsrc /tmp/icon && cat /tmp/icon &&
    setfattr -n com.apple.ResourceFork -v newer hello && cat hello/..namedfork/rsrc && wc -c < hello/..namedfork/rsrc
    set -C; echo > hello/..namedfork/rsrc`;
  const { stdout, stderr } = await os.exec(script);
  t.is(stdout, 'newicon\ns\nicon\ns\nicon\ns\nnewer5\n');
  t.regex(stderr, /cannot create hello\/..namedfork\/rsrc: File exists/);
}

/** The two with other features than the first: the same tree, changed, checked and unplugged. */
async function oldAndNewExt4(t: ExecutionContext, os: Atoll): Promise<void> {
  for (const name of ['ext4-inline', 'ext4-old']) {
    const image = new URL(`../../../images/${name}.img.zst`, import.meta.url);
    const disk = await os.attachDisk(fileURLToPath(image));
    const volume = `/mnt/${disk}`;
    const script = `
      cd /mnt/sdC0 && find . -type f ! -name README | sort | xargs sha256sum > /tmp/sums && cd ${volume} && sha256sum -c /tmp/sums > /dev/null &&
      readlink data/slow-link && cat poem && echo more >> README && cd / &&
      cp -r ${volume}/data ${volume}/copy && rm -r ${volume}/data && umount ${volume} && fsck.ext4 -fn /dev/sd/${disk}/data`;
    const { stdout, stderr, status } = await os.exec(script);
    t.deepEqual([status, stderr], [0, ''], stdout);
    t.regex(stdout, /^a\/link\/.{60,}\nA ring of coral/);
    await os.detachDisk(disk);
  }
}
