// A part of `npm run crash -- --fs fat32` for CI: what moves, replaces, cuts and makes anew, on all four
// kinds. ATOLL_CRASH_IMAGES sets how many images, ATOLL_SEED which.

import test from 'ava';
import { seeded } from '../../../daemons/ext4fs/testing.ts';
import { haveDosfstools } from '../../testing/dosfstools.ts';
import { haveExfatprogs } from '../../testing/exfatprogs.ts';
import { campaign } from '../campaign.ts';
import { cutText } from '../cut.ts';
import { pairs, SETUP, SPECIAL, together } from '../workload/ace.ts';
import { type Op, readWorkload } from '../workload/language.ts';
import { possible, stateAfter } from '../workload/model.ts';
import { FAT_FORMATS, fatFormat } from './format.ts';

const SEED = Number(process.env['ATOLL_SEED'] ?? 1);
const IMAGES = Number(process.env['ATOLL_CRASH_IMAGES'] ?? 240);

const suits = (op: Op): boolean => fatFormat('fat32')?.suits(op) ?? true;
const start = stateAfter(readWorkload(SETUP).filter(suits));
const fits = (text: string): boolean => {
  const ops = readWorkload(text);
  return ops.every(suits) && possible(start, ops);
};
const NAMED = ['save-file', 'save-no-sync', 'swap', 'reuse', 'grow'];
const OWN = [
  'unlink foo; create foo; append foo 3000; rename A/foo A/bar; create A/foo; fsync A/foo; unmount',
  'rename B/foo bar; rename foo B/foo; rename bar foo; fsync foo; unmount',
  'rename A/C B/C; create B/C/bar; append B/C/bar 2000; rename B/C/foo A/bar; sync; unmount',
];
const workloads = [
  ...NAMED.map((name) => SPECIAL[name] ?? name),
  ...OWN,
  ...pairs(3, seeded(SEED), fits),
  ...together(2, seeded(SEED), fits),
];

const survives = test.macro({
  async exec(t, fs: string) {
    const haveTools = fs === 'exfat' ? haveExfatprogs() : haveDosfstools();
    if (!haveTools) return t.pass('no dosfstools or exfatprogs here: skipped');
    const share = Math.ceil(IMAGES / workloads.length);
    const totals = await campaign({
      ...{ fs, seed: SEED, realEvery: 40, workers: 1, keepGoing: false, distort: undefined },
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
    t.true(totals.images >= IMAGES / 2, 'hardly any images');
  },
  title: (_, fs: string) => `no power cut breaks a promise of ${fs}`,
});

// One after the other: each has a thread that keeps a core busy.
for (const fs of [...FAT_FORMATS, 'exfat']) test.serial(survives, fs);
