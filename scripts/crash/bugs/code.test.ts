// The tester is tested: bugs that are planted in a copy of the compiled daemon must be found.

import { spawnSync } from 'node:child_process';
import test from 'ava';
import { haveE2fsprogs } from '../../testing/e2fsprogs.ts';
import { SPECIAL } from '../workload/ace.ts';
import { mutated, PLANTS, withPlanted } from './plants.ts';

const found = test.macro({
  async exec(t, name: string) {
    if (!haveE2fsprogs()) return t.pass('no e2fsprogs here: skipped');
    const plant = PLANTS[name];
    if (plant?.mutation === undefined) return t.fail();
    const { status, stdout, stderr } = await withPlanted(plant.mutation, async (main) => {
      const args = ['--images', '1000', '--workers', '1', '--real', '1000000'];
      if (plant.distort !== undefined) args.push('--distort', plant.distort);
      args.push(...plant.workloads.map((workload) => SPECIAL[workload] ?? workload));
      return spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });
    });
    t.is(status, 1, `${stdout}${stderr}`);
    t.regex(stdout, /^VIOLATION: /);
    t.log(stdout.slice(0, 120));
  },
  title: (_, name: string) => `a planted bug of the code is found: ${name}`,
});
for (const [name, { mutation }] of Object.entries(PLANTS)) if (mutation) test.serial(found, name);
// One after the other: each is a process that keeps a core busy.

test('a planted bug whose place has changed fails loudly', (t) => {
  const mutation = { file: 'x.js', from: 'a(b, c)', to: '' };
  t.is(mutated('1; a(b,\n  c); 2', mutation), '1; ; 2');
  t.throws(() => mutated('a(b)', mutation), { message: /0 times: the planted bug is stale/ });
  t.throws(() => mutated('a(b, c); a(b, c)', mutation), { message: /2 times/ });
});
