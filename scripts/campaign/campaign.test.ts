// The campaign: a few seeds of each scenario, repeatable ones; and what it does with a failure.

import test from 'ava';
import { host } from '../testing/machine.ts';
import { campaign } from './main.ts';
import { type Plan, planOf, SCENARIOS } from './plan.ts';
import { shrink } from './shrink.ts';

const SEEDS = 1;

test('a seed of every scenario: nothing is lost, and each plan runs the same twice', async (t) => {
  if (host('mke2fs', ['-V']) === undefined) {
    t.log('no mke2fs here: skipped');
    return t.pass();
  }
  const scenarios = Object.keys(SCENARIOS);
  const lines: string[] = [];
  const options = { seeds: [1, SEEDS], scenarios, jobs: 2, verify: true } as const;
  const report = await campaign(options, (line) => lines.push(line));
  t.deepEqual(report.failures, [], lines.join('\n'));
  t.is(report.runs, SEEDS * scenarios.length);
});

test('a seed always makes the same plan, another seed another', (t) => {
  t.deepEqual(planOf('kills', 5), planOf('kills', 5));
  t.notDeepEqual(planOf('kills', 5).operations, planOf('kills', 6).operations);
});

test('a failing plan shrinks to what the failure needs', async (t) => {
  const plan = planOf('kills-and-cut', 3);
  const [needed] = plan.operations[1]?.slice(17) ?? [];
  const fault = plan.faults[1] ?? '';
  const fails = (one: Plan): Promise<boolean> =>
    Promise.resolve(one.faults.includes(fault) && one.operations.flat().some((o) => o === needed));
  const smallest = await shrink(plan, fails);
  t.deepEqual(smallest.plan.faults, [fault]);
  t.deepEqual(smallest.plan.operations.flat(), needed ? [needed] : []);
});
