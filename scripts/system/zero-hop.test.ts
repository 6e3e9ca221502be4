// Reading cached files without the kernel, with real workers: no call is made, and nothing that cannot be is
// ever read while others write, cut off, drop, rename and are killed.

import { join } from 'node:path';
import test from 'ava';
import type { Atoll } from '../../index.ts';
import { testSeed } from '../../kernel/ipc/testing/seed.ts';
import { fsck, makeExt4, tempDir } from '../testing/machine.ts';
import { bootProbes, probe } from '../testing/probes/machine.ts';

const MIB = 1024 * 1024;

async function onVolume(mib: number, work: (os: Atoll) => Promise<void>): Promise<string> {
  await using dir = await tempDir();
  const image = join(dir.path, 't.img');
  if (!(await makeExt4(image, mib))) return 'skipped: no mkfs.ext4 here';
  const os = await bootProbes({ image, memBytes: 64 * MIB, cpus: 8 });
  await work(os);
  const umount = await os.exec('umount /mnt/sdC0');
  await os.shutdown();
  return umount.stderr + fsck(image);
}

test('10,000 preads, reads, lseeks and fstats of a cached file make no system call', async (t) => {
  const wrong = await onVolume(32, async (os) => {
    await probe(os, 'make', '/mnt/sdC0/f', 4);
    const counts = await probe<Record<string, number>>(os, 'hops', '/mnt/sdC0/f', 10_000);
    const { nothing, answered = 0, ...calls } = counts;
    for (const [what, count] of Object.entries(calls)) t.is(count, nothing ?? 0, what);
    t.true(answered >= 40_000, `${answered} were answered by the runtime`);
  });
  if (wrong.startsWith('skipped')) t.log(wrong);
  else t.is(wrong, '');
});

test('readers see no torn page, no old content and no wrong size beside writers', async (t) => {
  const seed = testSeed();
  t.log(`ATOLL_SEED=${seed}`);
  const wrong = await onVolume(64, async (os) => {
    await probe(os, 'make', '/mnt/sdC0/a', 1);
    await os.exec(
      'cd /mnt/sdC0; truncate -s 256K a; chmod 600 a; head -c 256K /dev/zero > a; : > b',
    );
    const told = await Promise.all([
      probe(os, 'stamp', '/mnt/sdC0/a', 600, seed),
      probe(os, 'follow', '/mnt/sdC0/a', seed + 1),
      probe(os, 'follow', '/mnt/sdC0/a', seed + 2),
      probe(os, 'disturb', '/mnt/sdC0/a', '/mnt/sdC0'),
      probe(os, 'resize', '/mnt/sdC0/b', 300, seed + 3),
      probe(os, 'measure', '/mnt/sdC0/b', seed + 4),
      probe(os, 'measure', '/mnt/sdC0/b', seed + 5),
    ]);
    t.deepEqual(told, new Array(7).fill('sound'));
  });
  if (wrong.startsWith('skipped')) t.log(wrong);
  else t.is(wrong, '');
});

test('readers that are killed anywhere leave nothing behind', async (t) => {
  const seed = testSeed();
  t.log(`ATOLL_SEED=${seed}`);
  const wrong = await onVolume(64, async (os) => {
    await os.exec('head -c 256K /dev/zero > /mnt/sdC0/a; chmod 600 /mnt/sdC0/a');
    const writing = probe(os, 'stamp', '/mnt/sdC0/a', 800, seed);
    const following = probe(os, 'follow', '/mnt/sdC0/a', seed + 1);
    for (let i = 0; i < 8; i++) {
      const victim = await os.spawn('/bin/true', ['follow', '/mnt/sdC0/a', String(seed + i)]);
      await os.exec(`sleep .0${(seed + i * 7) % 10}`);
      await victim.kill('SIGKILL');
      await victim.exit;
    }
    t.is(await writing, 'sound');
    t.is(await following, 'sound');
    t.is(await probe(os, 'follow', '/mnt/sdC0/a', seed), 'sound');
  });
  if (wrong.startsWith('skipped')) t.log(wrong);
  else t.is(wrong, '');
});
