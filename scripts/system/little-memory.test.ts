// Files larger than memory, in a machine with little of it: everything is copied right, nothing fails for want of
// memory while or after, and the caches are dropped when one asks for it.

import { join } from 'node:path';
import test from 'ava';
import { fsck, makeExt4, tempDir } from '../testing/machine.ts';
import { bootProbes, probe } from '../testing/probes/machine.ts';

const MIB = 1024 * 1024;
const FILE_MIB = 72;

test('32 MiB of memory copy a file of more than twice that, and are as good as before', async (t) => {
  await using dir = await tempDir();
  const image = join(dir.path, 't.img');
  if (!(await makeExt4(image, 3 * FILE_MIB))) {
    t.log('no mkfs.ext4 here: skipped');
    return t.pass();
  }
  const os = await bootProbes({ image, memBytes: 32 * MIB });
  await probe(os, 'make', '/mnt/sdC0/a', FILE_MIB);
  const copied = await os.exec('cd /mnt/sdC0 && cp a b && cmp a b && sync && echo same');
  t.deepEqual([copied.stdout, copied.stderr], ['same\n', '']);
  const many = await os.exec('seq 500 | sort -rn | tail -n 1 | cat | cat | cat');
  t.deepEqual([many.stdout, many.stderr], ['1\n', '']);
  const cached = async (): Promise<number> => {
    const { stdout } = await os.exec('cat /proc/meminfo');
    return Number(/^Cached: *(\d+) kB$/m.exec(stdout)?.[1]);
  };
  t.log(`${await cached()} kB of what was read are still cached`);
  for (const what of [2, 1, 3]) {
    t.is((await os.exec(`echo ${what} > /proc/sys/vm/drop_caches`)).stderr, '');
    if (what !== 2) t.is(await cached(), 0, `echo ${what}`);
    await os.exec('cat /mnt/sdC0/a | head -c 1000000 > /dev/null');
  }
  t.is((await os.exec('cmp /mnt/sdC0/a /mnt/sdC0/b')).status, 0);
  await os.shutdown();
  t.is(fsck(image), '');
});
