// `npm run mutate`: volumes with damaged metadata, mounted, walked and written to. Nothing may
// hang, throw anything but an errno, or take memory without bound. docs/crash.md.

import { commandOptions } from '../testing/arguments.ts';
import { mutateMany } from './campaign.ts';
import { DAMAGED, Mutator } from './mutate.ts';

const USAGE = `Usage: npm run mutate -- [option]...
  --fs NAME     ${DAMAGED.join(', ')}
  --seed N      1 unless given
  --count N     damaged volumes, 100000 unless given
  --workers N   threads, 2 unless given
  --replay N    the volume with this number alone, and what is wrong with it
`;

const { values } = commandOptions(USAGE, {
  options: {
    fs: { type: 'string', default: 'ext4' },
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '100000' },
    workers: { type: 'string', default: '2' },
    replay: { type: 'string' },
  },
});

if (values.replay !== undefined)
  replay({ fs: values.fs, seed: Number(values.seed), number: Number(values.replay) });
else await run({ ...values, count: Number(values.count) });

function replay({ fs, seed, number }: { fs: string; seed: number; number: number }): void {
  const { what, bug, outcome } = new Mutator(seed, fs).run(number);
  process.stdout.write(`${what.join('\n')}\n`);
  if (bug === undefined) {
    const errnos = [...(outcome?.errnos ?? [])].map(([name, count]) => `${name} ${count}`);
    process.stdout.write(`${outcome?.mounted ? '' : 'not '}mounted; ${errnos.join(', ')}\n`);
    return;
  }
  process.stdout.write(`${bug instanceof Error ? bug.stack : String(bug)}\n`);
  process.exitCode = 1;
}

async function run(options: {
  fs: string;
  seed: string;
  count: number;
  workers: string;
}): Promise<void> {
  const { fs, seed, count, workers } = options;
  const onProgress = (done: number): void => {
    if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${count} `);
  };
  const request = { fs, seed: Number(seed), count, workers: Number(workers), onProgress };
  const { bugs, mounted } = await mutateMany(request);
  for (const { number, problem } of bugs) {
    process.stdout.write(
      `npm run mutate -- --fs ${fs} --seed ${seed} --replay ${number}: ${problem}\n`,
    );
  }
  process.stdout.write(
    `${fs}, seed ${seed}: ${count} damaged volumes, ${mounted} mounted, ${bugs.length} bugs\n`,
  );
  if (bugs.length > 0) process.exitCode = 1;
}
