// `npm run campaign -- --seeds 1..500 [--scenario NAME] [--jobs N] [--verify]`: repeatable runs with
// faults, one for each seed and scenario. A failure is told with its seed, its plan, and the smallest
// plan that still fails.

import { commandOptions } from '../testing/arguments.ts';
import { type Plan, planOf, SCENARIOS } from './plan.ts';
import { Pool } from './pool.ts';
import type { Outcome } from './run.ts';
import { shrink } from './shrink.ts';

const USAGE = `Usage: npm run campaign -- --seeds A..B [--scenario NAME]... [--jobs N] [--verify]
  --seeds A..B       one run for each seed and scenario
  --scenario NAME    ${Object.keys(SCENARIOS).join(', ')}; all unless given
  --jobs N           runs at a time, 2 unless given
  --verify           run each plan twice: the hashes must be the same
`;

export interface CampaignOptions {
  readonly seeds: readonly [number, number];
  readonly scenarios: readonly string[];
  readonly jobs: number;
  readonly verify: boolean;
}

export interface Report {
  readonly runs: number;
  readonly failures: readonly { readonly plan: Plan; readonly why: string }[];
}

/** Runs a campaign; `say` gets its progress, a line each. */
export async function campaign(
  options: CampaignOptions,
  say: (line: string) => void,
): Promise<Report> {
  const pool = new Pool();
  const [first, last] = options.seeds;
  const plans = function* (): Generator<Plan> {
    for (let seed = first; seed <= last; seed++) {
      for (const name of options.scenarios) yield planOf(name, seed);
    }
  };
  const total = (last - first + 1) * options.scenarios.length;
  const failures: { plan: Plan; why: string }[] = [];
  let runs = 0;
  const next = plans();
  const lane = async (): Promise<void> => {
    for (const plan of next) {
      const why = await judge(pool, plan, options);
      runs++;
      if (why !== undefined) {
        failures.push({ plan, why });
        await tell(pool, { plan, why }, say);
      }
      say(`${runs} of ${total}: ${plan.scenario} ${plan.seed}, ${failures.length} failed`);
    }
  };
  try {
    await Promise.all(Array.from({ length: options.jobs }, lane));
  } finally {
    pool.end();
  }
  return { runs, failures };
}

/** What is wrong with a run. */
async function judge(
  pool: Pool,
  plan: Plan,
  { verify }: CampaignOptions,
): Promise<string | undefined> {
  const { failure, hash } = await pool.run(plan);
  if (failure !== undefined || !verify) return failure;
  const again: Outcome = await pool.run(plan);
  return again.hash === hash ? undefined : `not repeatable: hash ${hash}, then ${again.hash}`;
}

async function tell(
  pool: Pool,
  { plan, why }: { plan: Plan; why: string },
  say: (line: string) => void,
): Promise<void> {
  say(`FAILED ${plan.scenario}, seed ${plan.seed}, ${plan.strategy}: ${why}`);
  for (const fault of plan.faults) say(`  ${fault}`);
  if (why.startsWith('not repeatable')) return;
  const fails = async (smaller: Plan): Promise<boolean> =>
    (await pool.run(smaller)).failure !== undefined;
  const smallest = await shrink(plan, fails);
  say(`smallest plan that fails, after ${smallest.runs} runs:`);
  for (const fault of smallest.plan.faults) say(`  ${fault}`);
  smallest.plan.operations.forEach((operations, actor) => {
    for (const operation of operations) say(`  actor ${actor}: ${JSON.stringify(operation)}`);
  });
}

function readOptions(): CampaignOptions | undefined {
  const { values } = commandOptions(USAGE, {
    options: {
      seeds: { type: 'string' },
      scenario: { type: 'string', multiple: true },
      jobs: { type: 'string', default: '2' },
      verify: { type: 'boolean', default: false },
    },
  });
  const { scenario: scenarios = Object.keys(SCENARIOS), verify } = values;
  const [, from, to] = /^(\d+)(?:\.\.(\d+))?$/.exec(values.seeds ?? '') ?? [];
  const jobs = Number(values.jobs);
  const known = scenarios.every((name) => Object.hasOwn(SCENARIOS, name));
  if (from === undefined || !known || !(jobs >= 1 && jobs <= 64)) return undefined;
  return { seeds: [Number(from), Number(to ?? from)], scenarios, jobs, verify };
}

async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) {
    process.stderr.write(USAGE);
    return 2;
  }
  const { runs, failures } = await campaign(options, (line) => process.stdout.write(`${line}\n`));
  process.stdout.write(`${runs} runs, ${failures.length} failed\n`);
  return failures.length === 0 ? 0 : 1;
}

if (process.argv[1]?.endsWith('campaign/main.js')) process.exitCode = await main();
