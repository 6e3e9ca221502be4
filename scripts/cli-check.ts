// `atoll --seed N --check -c SCRIPT`: does it all twice and compares. Writable images are attached as
// overlays, since both runs need the same bytes to begin with; the second run's output is not shown.

import { Writable } from 'node:stream';
import type { NamedRecord } from '../drivers/hw/machine.ts';
import type { CommandLine } from './cli-options.ts';
import { type Job, runJob, type Streams } from './cli-run.ts';
import { compareRuns } from './repeat/compare.ts';

const DIFFERENT = 1;

export async function checkScript(line: CommandLine, job: Job): Promise<number> {
  const disks = line.disks.map((disk) =>
    disk.mode === 'ro' ? disk : ({ ...disk, mode: 'overlay' } as const),
  );
  let runs = 0;
  let status = 0;
  const run = async (watchFrom: number): Promise<NamedRecord> => {
    const streams = runs++ === 0 ? process : unseen();
    const done = await runJob({ ...line, disks, watchFrom, hash: false }, job, streams);
    if (streams === process) status = done.status;
    const { record } = done.machine;
    if (record === undefined) throw new Error('a run without a seed has no record');
    return record;
  };
  const verdict = await compareRuns(run);
  const say = (text: string): void =>
    void process.stderr.write(`atoll: seed ${line.seed}: ${text}\n`);
  if (verdict.same) {
    say(`two runs were the same: hash ${verdict.hash}, ${verdict.events} events`);
    return status;
  }
  if (verdict.step === undefined) {
    say(`two runs differed from between events ${verdict.between.join(' and ')} on`);
  } else {
    say(`two runs differ from event ${verdict.step} on`);
    verdict.runs.forEach((words, i) => {
      say(`  run ${i + 1}: ${words}`);
    });
  }
  return DIFFERENT;
}

const unseen = (): Streams => {
  const nowhere = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() });
  return { stdout: nowhere(), stderr: nowhere() };
};
