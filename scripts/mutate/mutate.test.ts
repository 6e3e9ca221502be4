// A part of `npm run mutate` for CI. ATOLL_MUTATIONS sets how many, ATOLL_SEED which.

import test from 'ava';
import { haveDosfstools } from '../testing/dosfstools.ts';
import { haveE2fsprogs } from '../testing/e2fsprogs.ts';
import { haveExfatprogs } from '../testing/exfatprogs.ts';
import { mutateMany } from './campaign.ts';
import { Mutator } from './mutate.ts';

const SEED = Number(process.env['ATOLL_SEED'] ?? 20261121);
const COUNT = Number(process.env['ATOLL_MUTATIONS'] ?? 150);
/** Repairs are judged with the same ones each time: `npm run mutate -- --repair` takes others. */
const MEND_SEED = Number(process.env['ATOLL_MEND_SEED'] ?? 53);
const MENDED = 24;

test.serial('whatever is damaged in an ext4 volume, it answers errnos and goes on', async (t) => {
  if (!haveE2fsprogs()) return t.pass('no e2fsprogs here: skipped');
  const onProgress = (): void => undefined;
  const { bugs, counts } = await mutateMany({
    ...{ fs: 'ext4', seed: SEED, count: COUNT, workers: 1, onProgress, treatment: 'exercise' },
  });
  const { mounted } = counts;
  t.log(`ATOLL_SEED=${SEED}: ${COUNT} damaged volumes, ${mounted} mounted`);
  t.deepEqual(bugs, []);
  t.true(mounted > COUNT / 2 && mounted < COUNT, 'damage refuses some volumes, not most');
});

// Serial, as the other one keeps a core busy.
test.serial('a number is always the same damage, and nothing of it stays', (t) => {
  if (!haveE2fsprogs()) return t.pass('no e2fsprogs here: skipped');
  const [a, b] = [new Mutator(SEED, 'ext4'), new Mutator(SEED, 'ext4')];
  let complained = 0;
  for (let number = 0; number < 20; number++) a.run(number);
  for (let number = 15; number < 40; number++) {
    const [first, second] = [a.run(number), b.run(number)];
    t.deepEqual(first, second);
    if (first.outcome?.errnos.has('EUCLEAN')) complained++;
  }
  t.true(complained > 5, 'most damage is noticed');
});

const endures = test.macro({
  async exec(t, fs: string) {
    const haveTools = fs === 'exfat' ? haveExfatprogs() : haveDosfstools();
    if (/fat/.test(fs) && !haveTools) return t.pass('no dosfstools or exfatprogs here: skipped');
    const onProgress = (): void => undefined;
    const count = COUNT / 3;
    const { bugs, counts } = await mutateMany({
      ...{ fs, seed: SEED, count, workers: 1, onProgress, treatment: 'exercise' },
    });
    const { mounted } = counts;
    t.log(`ATOLL_SEED=${SEED}: ${count} damaged volumes, ${mounted} mounted`);
    t.deepEqual(bugs, []);
    t.true(mounted > count / 4 && mounted < count);
  },
  title: (_, fs: string) =>
    `whatever is damaged in a volume of ${fs}, it answers errnos and goes on`,
});
for (const fs of ['fat32', 'exfat', 'hfs', 'hfs+']) test.serial(endures, fs);

const mended = test.macro({
  async exec(t, fs: string) {
    if (fs === 'ext4' && !haveE2fsprogs()) return t.pass('no e2fsprogs here: skipped');
    const haveTools = fs === 'exfat' ? haveExfatprogs() : haveDosfstools();
    if (/fat/.test(fs) && !haveTools) return t.pass('no dosfstools or exfatprogs here: skipped');
    const mutator = new Mutator(MEND_SEED, fs);
    let compared = 0;
    for (let number = 0; number < MENDED; number++) {
      const { what, repaired, bug } = mutator.mend(
        number,
        number % 8 === 0 ? 'asked' : 'not asked',
      );
      if (bug !== undefined) return t.fail(`${number}: ${what.join('; ')}\n${bug}`);
      compared += repaired?.paths ?? 0;
    }
    t.true(compared > MENDED, `${compared} paths compared`);
  },
  title: (_, fs: string) => `fsck mends volumes of ${fs}, and loses nothing that could be read`,
});
for (const fs of ['ext4', 'fat12', 'fat32', 'exfat', 'hfs', 'hfs+']) test.serial(mended, fs);
