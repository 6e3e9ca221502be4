// Random operations on FAT32 and exFAT through the whole machine against a model: the same answers and
// errors, the same tree after a remount; then the real checker, and mtools reads the same bytes.

import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Atoll, boot } from '../../index.ts';
import { foldExFat } from '../../kernel/abi/names/exfat.ts';
import { fsckFatFile, makeFat, mtype } from '../testing/dosfstools.ts';
import { fsckExFatFile, makeExFat } from '../testing/exfatprogs.ts';
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

const OPERATIONS = Number(process.env['ATOLL_OPERATIONS'] ?? 2000);

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

interface Kind {
  readonly rules: Rules;
  /** False, with nothing made, where the tool is missing. */
  make(file: string): Promise<boolean>;
  /** What the real checker finds: ''. */
  check(file: string): string;
  /** Another reader of the same volume, where there is one. */
  readonly read?: (file: string, path: string) => Uint8Array;
}

const KINDS: Readonly<Record<string, Kind>> = {
  vfat: {
    rules,
    make: (file) => makeFat(file, 64, ['-F', '32']),
    check: fsckFatFile,
    read: mtype,
  },
  exfat: {
    rules: { ...rules, names: [...rules.names, 'x'.repeat(255), 'É'], fold: foldExFat },
    make: (file) => makeExFat(file, 64),
    check: fsckExFatFile,
  },
};

const follows = test.macro({
  async exec(t, format: string) {
    const { rules: its, make, check, read } = KINDS[format] ?? t.fail();
    await using dir = await tempDir();
    const image = join(dir.path, 't.img');
    if (!(await make(image))) {
      t.log('no dosfstools or exfatprogs here: skipped');
      return t.pass();
    }
    const seed = testSeed();
    t.log(`ATOLL_SEED=${seed}`);
    const random = randomIntegers(seed);
    const model = new Model(its);
    await using os = await boot({ disks: [{ file: image }] });
    await recase(t, os);
    for (let i = 0; i < OPERATIONS; i++) {
      const { text, ours, theirs } = someOperation(random, its);
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
    const remount = `cd /; umount ${ROOT} && mount -t ${format} /dev/sd/sdC0/part/0 ${ROOT}`;
    t.like(await os.exec(remount), { status: 0, stderr: '' });
    t.deepEqual(await snapshot(os), expected, 'after umount and mount');
    await os.shutdown();
    t.is(check(image), '');
    const files = expected.flatMap((line) => [...line.matchAll(/^(.*) \d+ ([0-9a-f]{64})$/g)]);
    for (const [, path = '', sum = ''] of read ? files.slice(0, 20) : []) {
      t.is(sha256(read?.(image, path) ?? new Uint8Array(0)), sum, `another reads ${path}`);
    }
    t.log(`${expected.length} names at the end`);
  },
  title: (_, format: string) =>
    `${OPERATIONS} random operations leave on ${format} what a model holds`,
});
// Serial: each is a machine of its own.
for (const format of Object.keys(KINDS)) test.serial(follows, format);
