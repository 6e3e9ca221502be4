// The hop budgets of DESIGN, "What things cost": bells rung for workers, for each operation, as the
// fabric counts them. A bell counts whether its owner sleeps or spins, so load changes nothing; what
// the machine does beside the operation (write-back, the pool of workers) is kept out by taking the
// round with the fewest.

import { join } from 'node:path';
import test from 'ava';
import { boot } from '../../index.ts';
import { makeExt4, tempDir } from '../testing/machine.ts';

interface Budget {
  /** The command line of `bench`, without its options for rounds and output. */
  readonly bench: string;
  readonly hops: number;
  /** Before each round. */
  readonly before?: string;
}

const drop = 'echo 3 > /proc/sys/vm/drop_caches; ls -l big > /dev/null; head -c 1 big > /dev/null';

const budgets: readonly Budget[] = [
  { bench: '-n 1000 pread big', hops: 0, before: 'cat big > /dev/null' },
  { bench: '-n 100 -s 65536 read big', hops: 0 },
  { bench: '-n 1000 lseek big', hops: 0 },
  { bench: '-n 1000 fstat big', hops: 0 },
  { bench: '-n 50 getppid', hops: 2 },
  { bench: '-n 20 stat .', hops: 2 },
  { bench: '-n 20 look many', hops: 2, before: 'ls -l many > /dev/null' }, // all 100 in one submission
  { bench: '-n 20 create .', hops: 4 },
  { bench: '-n 20 unlink .', hops: 4 },
  { bench: '-n 20 rename .', hops: 4 }, // of names that are known, as mv(1) has just asked for them
  { bench: '-n 20 pread big', hops: 6, before: drop },
  { bench: '-n 200 loop', hops: 0.1 }, // one in 256 moves is a call, so that a time slice ends
  // spawn 2 and the hand-off; `true` exits and comes back: 3; wait 2.
  { bench: '-n 10 spawn', hops: 8 },
];

const ROUNDS = 4;

test('no operation needs more wake-ups than its budget', async (t) => {
  await using dir = await tempDir();
  const file = join(dir.path, 'disk.img');
  if (!(await makeExt4(file, 64))) {
    t.log('no mkfs.ext4 here: skipped');
    return t.pass();
  }
  await using os = await boot({ disks: [{ file }] });
  await os.exec(
    'cd /mnt/sdC0; head -c 8000000 /dev/zero > big; mkdir many; touch $(seq -f many/%g 100); sync',
  );
  for (const { bench, hops, before = ':' } of budgets) {
    const rounds = before === ':' ? ROUNDS : 1;
    const once = `${before}; bench -t -r ${rounds} ${bench}`;
    const script = `cd /mnt/sdC0; ${rounds === 1 ? `for i in 1 2 3 4; do ${once}; done` : once}`;
    const { stdout, stderr } = await os.exec(script);
    t.is(stderr, '', bench);
    const found = stdout
      .trim()
      .split('\n')
      .map((line) => Number(line.split('\t')[6]));
    t.is(found.length, ROUNDS);
    const fewest = Math.min(...found);
    t.log(`${bench}: ${found.join(', ')} of ${hops}`);
    t.true(fewest <= hops, `${bench}: ${found.join(', ')} hops, budget ${hops}`);
  }
});
