// The tester is tested: bugs of the disk that are planted must be found, and told with a line that
// repeats them.

import test from 'ava';
import { Rig } from '../../../daemons/lib/memory/rig.ts';
import { haveE2fsprogs } from '../../testing/e2fsprogs.ts';
import { cutText, readCut } from '../cut.ts';
import { Exploration, explore } from '../explore.ts';
import { ext4Format } from '../ext4/format.ts';
import { type Prepared, prepare } from '../prepare.ts';
import { SPECIAL } from '../workload/ace.ts';
import { DISTORTIONS, distortion } from './distort.ts';
import { PLANTS } from './plants.ts';

const rig = new Rig();
let made: Prepared | undefined;

function prepared(): Prepared {
  const format = ext4Format('ext4');
  if (format === undefined) throw new Error('no ext4');
  made ??= prepare(format);
  return made;
}

const found = test.macro({
  exec(t, name: string) {
    if (!haveE2fsprogs()) return t.pass('no e2fsprogs here: skipped');
    const [asked = ''] = PLANTS[name]?.workloads ?? [];
    const workload = SPECIAL[asked] ?? asked;
    const request = { prepared: prepared(), rig, workload, seed: 1, images: 1000, realEvery: 1e9 };
    const planted = { ...request, distort: distortion(name) };
    const { violations, images } = explore(planted);
    const [violation] = violations;
    t.log(`after ${images} images: ${violation?.problem.slice(0, 120)}`);
    if (violation === undefined) return t.fail('not found');
    const text = cutText(violation.cut);
    t.is(new Exploration(planted).replay(readCut(text)).problem, violation.problem);
    // The same cut of the disk that does as it is told is no violation, or there is none like it.
    t.notThrows(() => {
      const { problem } = new Exploration(request).replay(readCut('0:n'));
      t.is(problem, undefined);
    });
  },
  title: (_, name: string) => `a planted bug of the disk is found: ${name}`,
});
for (const name of Object.keys(DISTORTIONS)) test(found, name);
