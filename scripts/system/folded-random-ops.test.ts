// Random operations on FAT, HFS and HFS Plus through the whole machine against a model, on a disk at each
// controller side by side: the same answers and errors, the same tree after a remount; then the checkers.

import { join } from 'node:path';
import test from 'ava';
import { FORMATS, type FormatName } from '../../daemons/lib/conformance/abilities.ts';
import { boot } from '../../index.ts';
import { CONTROLLERS, diskName } from '../../kernel/abi/disk/controllers.ts';
import { foldExFat } from '../../kernel/abi/names/exfat.ts';
import { integersFrom } from '../../kernel/ipc/random.ts';
import { testSeed } from '../../kernel/ipc/testing/seed.ts';
import { Model, outcome, type Rules, snapshot, someOperation } from '../testing/folded-model.ts';
import { tempDir } from '../testing/machine.ts';
import { VOLUMES } from '../testing/volumes.ts';

const OPERATIONS = Number(process.env['ATOLL_OPERATIONS'] ?? 300);
const MIB = 48;

const names = ['a', 'B', 'c.txt', 'A name of some length', 'é', 'É', 'x'.repeat(31), 'A', 'C.TXT'];
const fatNames = ['a', 'B', 'c.txt', 'A name of some length', 'ü', 'x'.repeat(200), 'A'];
const composed = (name: string): string => name.normalize('NFC');

/** Which names are one. */
const RULES: Partial<Record<FormatName, Rules>> = {
  fat32: { names: fatNames, fold: (name) => name.toUpperCase(), keepsSpelling: true },
  exfat: { names: [...fatNames, 'x'.repeat(255), 'É'], fold: foldExFat, keepsSpelling: true },
  // The order knows letters with accents apart by case only as it knows those of ASCII.
  hfs: { names, fold: (name) => name.toUpperCase(), keepsSpelling: false },
  'hfs+': {
    names: [...names, 'e\u0301', 'x'.repeat(255)],
    fold: (name) => composed(name).toUpperCase(),
    keepsSpelling: false,
  },
  hfsx: { names: [...names, 'e\u0301'], fold: composed, keepsSpelling: false },
};

const DISKS = CONTROLLERS.map((controller) => ({ controller, disk: diskName(controller, 0) }));
const rootOn = (disk: string): string => `/mnt/${disk}`;

/** An outcome as text: names composed, as the volume shows them, and in their order then. */
const shown = (what: unknown): string =>
  JSON.stringify(Array.isArray(what) ? what.map(composed).sort() : (what ?? null));

const follows = test.macro({
  async exec(t, format: FormatName) {
    t.timeout(600_000);
    const rules = RULES[format] ?? t.fail();
    await using dir = await tempDir();
    const disks = DISKS.map((one) => ({ ...one, file: join(dir.path, `${one.disk}.img`) }));
    for (const { file } of disks) {
      if (await VOLUMES[format].make(file, MIB)) continue;
      t.log('no mkfs for it here: skipped');
      return t.pass();
    }
    const seed = testSeed();
    t.log(`ATOLL_SEED=${seed}`);
    const random = integersFrom(seed);
    const model = new Model(rules);
    await using os = await boot({ disks });
    for (let i = 0; i < OPERATIONS; i++) {
      const { text, ours, theirs } = someOperation(random, rules);
      const due = shown(await outcome(() => theirs(model)));
      const seen = await Promise.all(
        DISKS.map(async ({ disk }) => shown(await outcome(() => ours(os, rootOn(disk))))),
      );
      if (random(200) === 0) await os.exec('sync');
      if (seen.every((one) => one === due)) continue;
      t.deepEqual(seen, Array(DISKS.length).fill(due), `operation ${i}: ${text}`);
      break;
    }
    const expected = model.snapshot().map(composed).sort();
    const look = async (when: string): Promise<void> => {
      for (const { disk } of DISKS)
        t.deepEqual(
          (await snapshot(os, rootOn(disk))).map(composed).sort(),
          expected,
          `${disk} ${when}`,
        );
    };
    await look('at the end');
    const { type } = FORMATS[format];
    const remount = DISKS.map(
      ({ disk }) =>
        `umount ${rootOn(disk)} && mount -t ${type} /dev/sd/${disk}/part/0 ${rootOn(disk)}`,
    );
    t.like(await os.exec(`cd /; ${remount.join(' && ')}`), { status: 0, stderr: '' });
    await look('after umount and mount');
    await os.shutdown();
    for (const { file } of disks) t.is(VOLUMES[format].check(file), '');
    t.log(`${expected.length} names at the end`);
  },
  title: (_, format: FormatName) =>
    `${OPERATIONS} random operations leave on ${format} what a model holds, on each controller`,
});
// Serial: each is a machine of its own.
for (const format of Object.keys(RULES) as FormatName[]) test.serial(follows, format);
