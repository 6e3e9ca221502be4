// Two runs compared: the first event that differs is found and told in words.

import test from 'ava';
import type { NamedRecord } from '../../drivers/hw/machine.ts';
import { boot } from '../../index.ts';
import { compareRuns } from './compare.ts';

/** Boots, does `work`, and leaves the record. */
const running =
  (work: (os: Awaited<ReturnType<typeof boot>>) => Promise<void>) =>
  async (watchFrom: number): Promise<NamedRecord> => {
    const os = await boot({ seed: 7, sealed: true, watchFrom });
    await work(os);
    await os.shutdown();
    return os.machine.record as NamedRecord;
  };

test('runs that do the same are the same', async (t) => {
  const verdict = await compareRuns(
    running(async (os) => {
      await os.exec('seq 1 100 > /mnt/sdC0/f; sync');
    }),
  );
  t.true(verdict.same);
});

test("the host's clock in a file is found where it reaches the disk", async (t) => {
  const verdict = await compareRuns(
    running(async (os) => {
      await os.fs.writeFile('/mnt/sdC0/stamp', String(process.hrtime.bigint()));
      await os.exec('sync');
    }),
  );
  if (verdict.same || verdict.step === undefined) return t.fail(JSON.stringify(verdict));
  for (const words of verdict.runs) t.regex(words, /^write to disk sdC0 at sector \d+ \(/);
});

test('a call that only one run makes is named', async (t) => {
  let runs = 0;
  const verdict = await compareRuns(
    running(async (os) => {
      if (runs++ % 2 === 1) await os.fs.mkdir('/tmp/only-then');
      await os.exec('true');
    }),
  );
  if (verdict.same || verdict.step === undefined) return t.fail(JSON.stringify(verdict));
  const [first, second] = verdict.runs;
  t.regex(first, /^board → kernel \(seat 1\), ring 0x[0-9a-f]+: call (open|pipe) /);
  t.regex(second, /^board → kernel \(seat 1\), ring 0x[0-9a-f]+: call mkdir /);
});
