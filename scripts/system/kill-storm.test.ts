// A bounded part of `npm run storm`: a hundred kills and hangs under load, and nobody notices.

import { join } from 'node:path';
import test from 'ava';
import { testSeed } from '../../kernel/ipc/testing/seed.ts';
import { figures } from '../storm/figures.ts';
import { storm } from '../storm/storm.ts';
import { tempDir } from '../testing/machine.ts';
import { VOLUMES } from '../testing/volumes.ts';

test('a hundred deaths of driver and file system under load: no error, no byte lost, nothing leaked', async (t) => {
  t.timeout(240_000);
  await using dir = await tempDir();
  const file = join(dir.path, 'storm.img');
  const volume = VOLUMES.ext4;
  if (!(await volume.make(file, 64))) {
    t.log('no mkfs.ext4 here: skipped');
    return t.pass();
  }
  const seed = testSeed();
  t.log(`ATOLL_SEED=${seed}`);
  const result = await storm({
    ...{ file, volume },
    controller: 'ahci',
    kills: 100,
    seed,
    hangsPercent: 3,
    withinMs: 25,
    say: () => {},
  });
  for (const line of figures(result)) t.log(line);
  t.deepEqual(result.problems, []);
});
