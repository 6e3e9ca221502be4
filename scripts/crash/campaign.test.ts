// A part of `npm run crash` for CI: every single operation of ACE, the workloads with names and some
// pairs, with a share of their images each. ATOLL_CRASH_IMAGES sets how many, ATOLL_SEED which.

import test from 'ava';
import { seeded } from '../../daemons/ext4fs/testing.ts';
import { haveE2fsprogs } from '../testing/e2fsprogs.ts';
import { campaign } from './campaign.ts';
import { cutText } from './cut.ts';
import { formatNamed } from './formats.ts';
import { ALLOCATING, pairs, SETUP, SPECIAL, singles, together } from './workload/ace.ts';
import { readWorkload } from './workload/language.ts';
import { possible, stateAfter } from './workload/model.ts';

const SEED = Number(process.env['ATOLL_SEED'] ?? 1);
const IMAGES = Number(process.env['ATOLL_CRASH_IMAGES'] ?? 900);

const survives = test.macro({
  async exec(t, fs: string, workloads: readonly string[], images: number) {
    if (fs.startsWith('ext') && !haveE2fsprogs()) return t.pass('no e2fsprogs here: skipped');
    const share = Math.ceil(images / workloads.length);
    const totals = await campaign({
      ...{ fs, seed: SEED, realEvery: 100, workers: 1, keepGoing: false, distort: undefined },
      jobs: workloads.map((workload) => ({ workload, images: share })),
      onProgress: () => undefined,
    });
    t.log(`ATOLL_SEED=${SEED}: ${totals.images} images of ${totals.workloads} workloads`);
    t.deepEqual(
      totals.violations.map(
        ({ workload, cut, problem }) => `${problem}: ${workload} ${cutText(cut)}`,
      ),
      [],
    );
    t.is(totals.workloads, workloads.length);
    t.true(totals.images >= images / 2, 'hardly any images');
  },
  title: (_, fs: string, workloads: readonly string[]) =>
    `no power cut breaks a promise of ${fs}: ${workloads.length} workloads`,
});

const start = stateAfter(readWorkload(SETUP));
const fits = (text: string): boolean => possible(start, readWorkload(text));
const special = Object.entries(SPECIAL).flatMap(([name, text]) =>
  name.startsWith('wrap') ? [] : [text],
);

const suiting = (fs: string, workloads: readonly string[]): string[] => {
  const format = formatNamed(fs);
  return workloads.filter((text) => readWorkload(text).every((op) => format?.suits(op) ?? false));
};

const allocating = Object.values(ALLOCATING);

// One after the other: each has a thread that keeps a core busy.
test.serial(survives, 'ext4', singles(), IMAGES);
const lots = together(8, seeded(SEED + 6), fits);
test.serial(survives, 'ext4', [...special, ...pairs(20, seeded(SEED), fits), ...lots], IMAGES / 3);
test.serial(survives, 'ext3', [...special, ...pairs(5, seeded(SEED + 1), fits)], IMAGES / 10);
test.serial(survives, 'ext4-4k', [...special, ...pairs(5, seeded(SEED + 2), fits)], IMAGES / 10);
test.serial(
  survives,
  'ext4-nocsum',
  [...special, ...pairs(5, seeded(SEED + 3), fits)],
  IMAGES / 10,
);
test.serial(survives, 'ext4', allocating, IMAGES / 5);
test.serial(survives, 'ext4-4k', allocating, IMAGES / 10);

const some = [
  ...[...special, ...pairs(12, seeded(SEED + 4), fits)],
  ...together(4, seeded(SEED + 5), (text) => fits(text) && suiting('hfs', [text]).length > 0),
];
test.serial(survives, 'hfs+', suiting('hfs+', some), IMAGES / 30);
test.serial(survives, 'hfs', suiting('hfs', some), IMAGES / 30);
