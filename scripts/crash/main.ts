// `npm run crash`: power cuts at every point of many workloads. docs/crash.md tells what is explored
// and what is promised.

import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { seeded } from '../../daemons/ext4fs/testing.ts';
import { Rig } from '../../daemons/lib/memory/rig.ts';
import { distortion } from './bugs/distort.ts';
import { type Mutation, withPlanted } from './bugs/plants.ts';
import { campaign, type Totals } from './campaign.ts';
import { cutText, readCut } from './cut.ts';
import { Exploration, type Violation } from './explore.ts';
import { formatNamed } from './formats.ts';
import { type CrashOptions, readOptions, USAGE } from './options.ts';
import { prepare } from './prepare.ts';
import type { Job } from './worker.ts';
import { ALLOCATING, pairs, SETUP, SPECIAL, singles, together } from './workload/ace.ts';
import { readWorkload, WorkloadError } from './workload/language.ts';
import { possible, stateAfter } from './workload/model.ts';

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    const options = readOptions(args);
    if (options.help) process.stdout.write(USAGE);
    else if (options.list) process.stdout.write(`${workloadsOf(options).join('\n')}\n`);
    else if (options.replay !== undefined) return replay(options, options.replay);
    else if (options.plant?.mutation) return await runPlanted(options, options.plant.mutation);
    else return await run(options);
    return 0;
  } catch (error) {
    if (!(error instanceof WorkloadError)) throw error;
    process.stderr.write(`crash: ${error.message}\n`);
    return 2;
  }
}

/** What was asked for on the command line, as operations. */
function workloadsOf({ fs, workloads, pairs: count, seed, plant }: CrashOptions): string[] {
  const usual = plant?.workloads ?? ['singles', 'special', 'pairs', 'together'];
  const asked = workloads.length > 0 ? workloads : usual;
  const state = stateAfter(readWorkload(SETUP));
  const format = formatNamed(fs);
  const suits = (text: string): boolean =>
    readWorkload(text).every((op) => format?.suits(op) ?? true);
  const fits = (text: string): boolean => possible(state, readWorkload(text)) && suits(text);
  const all = asked.flatMap((name) => {
    if (name === 'singles') return singles();
    if (name === 'pairs') return pairs(count, seeded(seed), fits);
    if (name === 'together') return together(Math.ceil(count / 2), seeded(seed + 1), fits);
    if (name === 'special') return Object.values(SPECIAL);
    if (name === 'allocating') return Object.values(ALLOCATING);
    const text = SPECIAL[name] ?? ALLOCATING[name] ?? name;
    stateAfter(readWorkload(text), state); // throws at what cannot be done
    return [text];
  });
  return all.filter(suits);
}

async function run(options: CrashOptions): Promise<number> {
  const { fs, seed, realEvery, workers, keepGoing, images } = options;
  const workloads = workloadsOf(options);
  const jobs = workloads.map((workload): Job => {
    const share = Math.ceil(images / workloads.length);
    return { workload, images: share };
  });
  const start = process.hrtime.bigint();
  const elapsed = (): number => Number(process.hrtime.bigint() - start) / 1e9;
  const line = (totals: Totals): string => {
    const speed = Math.round(totals.mounted / elapsed());
    return `${totals.workloads} of ${jobs.length} workloads, ${totals.mounted} images, ${speed} a second`;
  };
  let shown = 0;
  const totals = await campaign({
    ...{ fs, seed, realEvery, workers, keepGoing, jobs, distort: options.distort },
    onProgress(now) {
      if (!process.stderr.isTTY || elapsed() - shown < 0.5) return;
      shown = elapsed();
      process.stderr.write(`\r${line(now)} `);
    },
  });
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  for (const violation of totals.violations) report(options, violation);
  const { violations, choices, secondCuts, realChecks } = totals;
  process.stdout.write(
    `${fs}, seed ${seed}: ${totals.workloads} workloads, ${totals.images} different images of ` +
      `${choices + secondCuts} cuts (${secondCuts} in a recovery), ${realChecks} by the real checker; ` +
      `${Math.round(elapsed())} s, ${Math.round(totals.images / elapsed())} images a second; ` +
      `${violations.length} violations\n`,
  );
  return violations.length === 0 ? 0 : 1;
}

/** The same campaign by a copy of ourselves that has the bug. */
function runPlanted(options: CrashOptions, mutation: Mutation): Promise<number> {
  const { fs, seed, images, workers, realEvery, distort } = options;
  return withPlanted(mutation, (main) => {
    const numbers = { seed, images, workers, real: realEvery };
    const args = Object.entries(numbers).flatMap(([name, value]) => [`--${name}`, `${value}`]);
    args.push('--fs', fs, ...(distort === undefined ? [] : ['--distort', distort]));
    const child = spawn(process.execPath, [main, ...args, ...workloadsOf(options)], {
      stdio: 'inherit',
    });
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (status) => resolve(status ?? 2));
    });
  });
}

function report({ fs, seed }: CrashOptions, { workload, cut, problem }: Violation): void {
  process.stdout.write(
    `VIOLATION: ${problem}\n  after: ${workload}\n  again: npm run crash -- --fs ${fs} ` +
      `--seed ${seed} --replay '${cutText(cut)}' '${workload}'\n`,
  );
}

function replay(options: CrashOptions, text: string): number {
  const format = formatNamed(options.fs);
  const [workload] = workloadsOf(options);
  if (format === undefined || workload === undefined || options.workloads.length !== 1) {
    throw new WorkloadError('--replay takes one workload');
  }
  const { seed } = options;
  const prepared = prepare(format);
  const rig = new Rig();
  const distort = distortion(options.distort);
  const request = { prepared, rig, workload, seed, images: 0, realEvery: 1, distort };
  const { problem, image } = new Exploration(request).replay(readCut(text));
  if (options.save !== undefined) writeFileSync(options.save, image);
  process.stdout.write(problem === undefined ? 'no violation\n' : `VIOLATION: ${problem}\n`);
  return problem === undefined ? 0 : 1;
}
