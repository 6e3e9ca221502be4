// `npm run mutate`: volumes with damaged metadata, mounted, walked and written to. Nothing may
// hang, throw anything but an errno, or take memory without bound. With --repair our fsck repairs them
// instead, and loses nothing that could be read. docs/crash.md.

import { commandOptions } from '../testing/arguments.ts';
import { mutateMany } from './campaign.ts';
import { DAMAGED, type Damaged, type Mended, Mutator } from './mutate.ts';
import type { Treatment } from './worker.ts';

const USAGE = `Usage: npm run mutate -- [option]...
  --fs NAME     ${DAMAGED.join(', ')}
  --seed N      1 unless given
  --count N     damaged volumes, 100000 unless given
  --workers N   threads, 2 unless given
  --repair      fsck repairs them: what it leaves is clean, and all that could be read is still there
  --real N      every N-th of those goes to the real checker, too; 20 unless given
  --replay N    the volume with this number alone, and what is wrong with it
`;

const { values } = commandOptions(USAGE, {
  options: {
    fs: { type: 'string', default: 'ext4' },
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '100000' },
    workers: { type: 'string', default: '2' },
    repair: { type: 'boolean', default: false },
    real: { type: 'string', default: '20' },
    replay: { type: 'string' },
  },
});

const [seed, count, workers, realEvery] = [
  ...[values.seed, values.count, values.workers, values.real].map(Number),
] as [number, number, number, number];
const { fs } = values;
const treatment: Treatment = values.repair ? { realEvery: Math.max(1, realEvery) } : 'exercise';

if (values.replay !== undefined) replay(Number(values.replay));
else await run();

function replay(number: number): void {
  const mutator = new Mutator(seed, fs);
  const { what, bug, said } = values.repair
    ? told(mutator.mend(number, 'asked'))
    : toldOf(mutator.run(number));
  process.stdout.write(`${what.join('\n')}\n`);
  if (bug === undefined) {
    process.stdout.write(`${said}\n`);
    return;
  }
  process.stdout.write(`${bug instanceof Error ? bug.stack : String(bug)}\n`);
  process.exitCode = 1;
}

function told({ what, bug, repaired }: Mended) {
  return {
    what,
    bug,
    said: `${repaired?.verdict}, ${repaired?.why ?? ''} ${repaired?.paths} paths compared`,
  };
}

function toldOf({ what, bug, outcome }: Damaged) {
  const errnos = [...(outcome?.errnos ?? [])].map(([name, times]) => `${name} ${times}`);
  return { what, bug, said: `${outcome?.mounted ? '' : 'not '}mounted; ${errnos.join(', ')}` };
}

async function run(): Promise<void> {
  const onProgress = (done: number): void => {
    if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${count} `);
  };
  const { bugs, counts } = await mutateMany({ fs, seed, count, workers, onProgress, treatment });
  const again = `npm run mutate -- --fs ${fs} --seed ${seed}${values.repair ? ' --repair' : ''}`;
  for (const { number, problem } of bugs)
    process.stdout.write(`${again} --replay ${number}: ${problem}\n`);
  const { mounted, repaired, clean, refused, judged, paths } = counts;
  const done = values.repair
    ? `${repaired} repaired, ${clean} clean as they were, ${refused} refused, ${paths} paths compared, ${judged} by the real checker`
    : `${mounted} mounted`;
  process.stdout.write(
    `${fs}, seed ${seed}: ${count} damaged volumes, ${done}, ${bugs.length} bugs\n`,
  );
  if (bugs.length > 0) process.exitCode = 1;
}
