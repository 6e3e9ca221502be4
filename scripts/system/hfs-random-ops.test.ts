// Random operations on HFS, HFS Plus and HFSX through the whole machine against a model: the same answers and
// errors, the same tree after a remount; then fsck, and on HFS hfsutils reads the same bytes.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { newVolume, problemsOf } from '../../daemons/hfsd/testing.ts';
import { boot } from '../../index.ts';
import {
  Model,
  outcome,
  ROOT,
  type Rules,
  snapshot,
  someOperation,
} from '../testing/folded-model.ts';
import { have, withImage } from '../testing/hfs-tools.ts';
import { randomIntegers, sha256, tempDir, testSeed } from '../testing/machine.ts';

const OPERATIONS = Number(process.env['ATOLL_OPERATIONS'] ?? 500);

const names = ['a', 'B', 'c.txt', 'A name of some length', 'é', 'É', 'x'.repeat(31), 'A', 'C.TXT'];
const composed = (name: string): string => name.normalize('NFC');

const FORMATS: Readonly<Record<string, { rules: Rules; make: Parameters<typeof newVolume>[0] }>> = {
  hfs: {
    // The order knows letters with accents apart by case only as it knows those of ASCII.
    rules: { names, fold: (name) => name.toUpperCase(), keepsSpelling: false },
    make: { kind: 'hfs', sizeBytes: 32 << 20 },
  },
  hfsplus: {
    rules: {
      names: [...names, 'e\u0301', 'x'.repeat(255)],
      fold: (name) => composed(name).toUpperCase(),
      keepsSpelling: false,
    },
    make: { kind: 'hfs+', sizeBytes: 32 << 20, journalBytes: 1 << 20 },
  },
  hfsx: {
    rules: { names: [...names, 'e\u0301'], fold: composed, keepsSpelling: false },
    make: { kind: 'hfs+', sizeBytes: 32 << 20, caseSensitive: true },
  },
};

/** An outcome as text: names composed, as the volume shows them, and in their order then. */
const shown = (what: unknown): string =>
  JSON.stringify(Array.isArray(what) ? what.map(composed).sort() : (what ?? null));

const follows = test.macro({
  async exec(t, format: string) {
    const { rules, make } = FORMATS[format] ?? t.fail();
    await using dir = await tempDir();
    const image = join(dir.path, 't.img');
    writeFileSync(image, newVolume(make));
    const seed = testSeed();
    t.log(`ATOLL_SEED=${seed}`);
    const random = randomIntegers(seed);
    const model = new Model(rules);
    await using os = await boot({ disks: [{ file: image }] });
    for (let i = 0; i < OPERATIONS; i++) {
      const { text, ours, theirs } = someOperation(random, rules);
      const due = shown(await outcome(() => theirs(model)));
      const seen = shown(await outcome(() => ours(os)));
      if (seen === due) continue;
      t.is(seen, due, `operation ${i}: ${text}`);
      break;
    }
    const expected = model.snapshot().map(composed).sort();
    t.deepEqual(await snapshot(os), expected);
    const remount = `cd /; umount ${ROOT} && mount -t ${format} /dev/sd/sdC0/part/0 ${ROOT}`;
    t.like(await os.exec(remount), { status: 0, stderr: '' });
    t.deepEqual(await snapshot(os), expected, 'after umount and mount');
    await os.shutdown();
    const bytes = new Uint8Array(readFileSync(image));
    t.deepEqual(problemsOf(bytes), []);
    t.log(`${expected.length} names at the end`);
    if (format !== 'hfs' || !have('hcopy')) return;
    const files = expected.flatMap((line) => [...line.matchAll(/^(.*) \d+ ([0-9a-f]{64})$/g)]);
    for (const [, path = '', sum = ''] of files
      .filter(([line]) => !/é|É/.test(line))
      .slice(0, 10)) {
      const script = `hmount image > /dev/null; hcopy -r ':${path.slice(1).replaceAll('/', ':')}' -`;
      t.is(sha256(withImage(bytes, script)), sum, `hfsutils reads ${path}`);
    }
  },
  title: (_, format: string) =>
    `${OPERATIONS} random operations leave on ${format} what a model holds`,
});
// Serial: each is a machine of its own.
for (const format of Object.keys(FORMATS)) test.serial(follows, format);
