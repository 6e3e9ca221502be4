// Writes that the page cache sends to the volume at the same time.

import { join } from 'node:path';
import test from 'ava';
import { type Atoll, boot } from '../../index.ts';
import { fsck, makeExt4, tempDir } from '../testing/machine.ts';

const FILE = '/mnt/sdC0/f';

async function put(os: Atoll, position: number, bytes: Uint8Array): Promise<void> {
  await using file = await os.fs.open(FILE, 'r+');
  await file.write(bytes, { position });
}

const gaps = test.macro({
  async exec(t, [first, second, gap]: readonly [number, number, number]) {
    await using dir = await tempDir();
    const image = join(dir.path, 't.img');
    if (!(await makeExt4(image, 32, ['-b', '1024']))) {
      t.log('no e2fsprogs here: skipped');
      return t.pass();
    }
    const expected = new Uint8Array(first + second + gap + 728);
    expected
      .fill(1, 0, first)
      .fill(2, first, first + second)
      .fill(3, first + second + gap);
    const os = await boot({ disks: [{ file: image }] });
    await os.fs.writeFile(FILE, expected.subarray(0, first));
    await os.exec('sync');
    await put(os, first, expected.subarray(first, first + second));
    await put(os, first + second + gap, expected.subarray(first + second + gap));
    await os.exec('umount /mnt/sdC0 && mount /dev/sd/sdC0/part/0 /mnt/sdC0');
    const found = (await os.fs.readFile(FILE)) as Uint8Array;
    await os.shutdown();
    t.is(Buffer.compare(found, expected), 0);
    t.is(fsck(image), '');
  },
  title: (_, [first, second, gap]: readonly [number, number, number]) =>
    `${first} bytes on the disk, ${second} more behind them, ${gap} bytes of gap, then more`,
});
test(gaps, [4010, 1249, 300_000]);
test(gaps, [4096, 1249, 300_000]);
test(gaps, [100_001, 10, 5000]);
test(gaps, [7, 70_000, 1_000_000]);
