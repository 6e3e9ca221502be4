// Claims: every program is compared with the host's own, or it is told why not; and for a few random
// command lines of each there is no difference. `npm run differ` runs more; the seed is printed.

import test from 'ava';
import { type Atoll, boot } from '../../index.ts';
import { programs } from '../../userland/bin/registry.ts';
import { campaign } from './campaign.ts';
import { pasteable } from './case.ts';
import { OPEN, table, WITHOUT } from './programs.ts';
import { shrink } from './shrink.ts';

let os: Atoll;
test.before(async () => {
  os = await boot();
});
test.after.always(() => os?.shutdown());

test('every program has cases, or a reason why it has none', (t) => {
  const names = Object.keys(programs);
  const without = names.filter(
    (name) => !Object.hasOwn(table, name) && !Object.hasOwn(WITHOUT, name),
  );
  t.deepEqual(without, []);
  t.deepEqual(
    Object.keys(table).filter((name) => !Object.hasOwn(programs, name)),
    [],
  );
});

test('random command lines do what the host does with them', async (t) => {
  const seed = Number(process.env['ATOLL_SEED'] ?? 1);
  const rounds = Number(process.env['ATOLL_ROUNDS'] ?? 1);
  t.log(`ATOLL_SEED=${seed}`);
  const names = Object.keys(table).filter((name) => !Object.hasOwn(OPEN, name));
  const seeds = [seed, seed + rounds - 1] as const;
  const options = { seeds, programs: names, most: 1, strictness: 'kind' } as const;
  const { cases, failures } = await campaign(os, options, (line) => t.log(line));
  t.deepEqual([...failures.keys()], []);
  t.true(cases > 0);
});

test('what a case is shrunk to still differs, and is as small as it can be', async (t) => {
  const one = {
    program: 'sort',
    files: { f: 'a\nb\nguilty\nc\n', g: 'other\n' },
    words: ['sort', '-r', '-u', 'f', 'g'],
  };
  const smallest = await shrink(one, async ({ files, words }) => {
    const text = files['f'] ?? '';
    return text.includes('guilty') && words.includes('-u');
  });
  t.is(pasteable(smallest), `cd "$(mktemp -d)"\nprintf 'guilty' > f\nsort -u < /dev/null`);
});
