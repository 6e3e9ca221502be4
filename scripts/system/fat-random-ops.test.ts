// Random operations on FAT32 through the whole machine against a model: the same answers and errors,
// the same tree after a remount; then fsck.fat, and mtools reads the same bytes.

import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Atoll, boot } from '../../index.ts';
import { fsckFatFile, makeFat, mtype } from '../testing/dosfstools.ts';
import {
  at,
  Model,
  outcome,
  ROOT,
  type Rules,
  snapshot,
  someOperation,
} from '../testing/folded-model.ts';
import { randomIntegers, sha256, tempDir, testSeed } from '../testing/machine.ts';

const OPERATIONS = Number(process.env['ATOLL_OPERATIONS'] ?? 2500);

/** Names that differ in case alone are one name on FAT; the first one's case is kept. */
const rules: Rules = {
  names: ['a', 'B', 'c.txt', 'A name of some length', 'ü', 'x'.repeat(200), 'A'],
  fold: (name) => name.toUpperCase(),
  keepsSpelling: true,
};

/** A name in other letters is the same name, and is shown as it was given last. */
async function recase(t: ExecutionContext, os: Atoll): Promise<void> {
  const { fs } = os;
  await fs.mkdir(at('Box'));
  await fs.writeFile(at('Box/a'), 'kept');
  await fs.rename(at('Box/a'), at('bOX/A'));
  await fs.rename(at('Box'), at('BOX'));
  t.deepEqual([await fs.readdir(ROOT), await fs.readdir(at('box'))], [['BOX'], ['A']]);
  t.is(await fs.readFile(at('Box/a'), 'utf8'), 'kept');
  await fs.rm(at('BOX'), { recursive: true });
  await t.throwsAsync(fs.stat(at('Box')), { code: 'ENOENT' });
}

test(`${OPERATIONS} random operations leave on FAT32 what a model holds`, async (t) => {
  await using dir = await tempDir();
  const image = join(dir.path, 't.img');
  if (!(await makeFat(image, 64, ['-F', '32']))) {
    t.log('no dosfstools here: skipped');
    return t.pass();
  }
  const seed = testSeed();
  t.log(`ATOLL_SEED=${seed}`);
  const random = randomIntegers(seed);
  const model = new Model(rules);
  await using os = await boot({ disks: [{ file: image }] });
  await recase(t, os);
  for (let i = 0; i < OPERATIONS; i++) {
    const { text, ours, theirs } = someOperation(random, rules);
    const due = await outcome(() => theirs(model));
    const seen = await outcome(() => ours(os));
    if (JSON.stringify(seen) !== JSON.stringify(due)) {
      t.deepEqual(seen, due, `ATOLL_SEED=${seed}: operation ${i}: ${text}`);
      break;
    }
    if (random(200) === 0) await os.exec('sync');
  }
  const expected = model.snapshot();
  t.deepEqual(await snapshot(os), expected);
  const remount = `cd /; umount ${ROOT} && mount -t vfat /dev/sd/sdC0/part/0 ${ROOT}`;
  t.like(await os.exec(remount), { status: 0, stderr: '' });
  t.deepEqual(await snapshot(os), expected, 'after umount and mount');
  await os.shutdown();
  t.is(fsckFatFile(image), '');
  const files = expected.flatMap((line) => [...line.matchAll(/^(.*) \d+ ([0-9a-f]{64})$/g)]);
  for (const [, path = '', sum = ''] of files.slice(0, 20)) {
    t.is(sha256(mtype(image, path)), sum, `mtools reads ${path}`);
  }
  t.log(`${expected.length} names at the end`);
});
