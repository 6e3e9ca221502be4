// A campaign: for each seed a case of each program, many at a time through one machine and one shell of
// the host; what differs is made smaller and told.

import type { Atoll } from '../../index.ts';
import { type Case, pasteable } from './case.ts';
import { difference, type Strictness } from './compare.ts';
import { table } from './programs.ts';
import { Random } from './random.ts';
import { Machine, type Outcome, onHost, runOnHost } from './run.ts';
import { shrink } from './shrink.ts';

export interface CampaignOptions {
  readonly seeds: readonly [number, number];
  readonly programs: readonly string[];
  readonly strictness: Strictness;
  /** Differences of one program that are told; the rest is counted. */
  readonly most: number;
}

export interface Report {
  readonly cases: number;
  /** Program → cases that differ. */
  readonly failures: ReadonlyMap<string, number>;
}

const BATCH = 40;

export async function campaign(
  os: Atoll,
  options: CampaignOptions,
  say: (line: string) => void,
): Promise<Report> {
  const machine = new Machine(os, '/mnt/sdC0');
  const there = onHost(options.programs);
  const failures = new Map<string, number>();
  let cases = 0;
  for (const batch of batches(
    options.programs.filter((name) => there.has(name)),
    options.seeds,
  )) {
    cases += batch.length;
    const seen = await differing(machine, batch, options.strictness);
    for (const { one, seed } of seen) {
      const count = (failures.get(one.program) ?? 0) + 1;
      failures.set(one.program, count);
      if (count <= options.most) await tell(machine, { one, seed }, { options, say });
    }
  }
  return { cases, failures };
}

interface Numbered {
  readonly one: Case;
  readonly seed: number;
}

/** A case is made from its program and seed alone. */
export function caseOf(program: string, seed: number): Case {
  const salt = [...program].reduce((sum, c) => Math.imul(sum, 31) + c.charCodeAt(0), 7);
  const made = table[program]?.(new Random(Math.imul(seed, 0x9e3779b1) ^ salt));
  if (made === undefined) throw new Error(`no cases of ${program}`);
  return { ...made, program };
}

function* batches(
  names: readonly string[],
  [first, last]: readonly [number, number],
): Generator<Numbered[]> {
  let batch: Numbered[] = [];
  for (const name of names)
    for (let seed = first; seed <= last; seed++) {
      batch.push({ one: caseOf(name, seed), seed });
      if (batch.length < BATCH) continue;
      yield batch;
      batch = [];
    }
  if (batch.length > 0) yield batch;
}

async function both(
  machine: Machine,
  cases: readonly Case[],
): Promise<{ ours: Outcome | undefined; theirs: Outcome | undefined }[]> {
  const [ours, theirs] = await Promise.all([machine.run(cases), runOnHost(cases)]);
  return cases.map((_, i) => ({ ours: ours[i], theirs: theirs[i] }));
}

async function differing(
  machine: Machine,
  batch: readonly Numbered[],
  strictness: Strictness,
): Promise<Numbered[]> {
  const outcomes = await both(
    machine,
    batch.map(({ one }) => one),
  );
  const out: Numbered[] = [];
  for (const [i, numbered] of batch.entries()) {
    const { ours, theirs } = outcomes[i] ?? { ours: undefined, theirs: undefined };
    // What hung took those behind it along: they are run again, alone.
    const isWhole = ours !== undefined && theirs !== undefined;
    const pair = isWhole ? { ours, theirs } : (await both(machine, [numbered.one]))[0];
    if (pair !== undefined && difference(numbered.one, pair, strictness) !== undefined)
      out.push(numbered);
  }
  return out;
}

async function tell(
  machine: Machine,
  { one, seed }: Numbered,
  { options, say }: { options: CampaignOptions; say: (line: string) => void },
): Promise<void> {
  const why = async (smaller: Case): Promise<string | undefined> => {
    const [pair] = await both(machine, [smaller]);
    return pair && difference(smaller, pair, options.strictness);
  };
  if ((await why(one)) === undefined) {
    say(`--- ${one.program} ${seed}: differs among others, alone it does not`);
    return;
  }
  const smallest = await shrink(one, async (smaller) => (await why(smaller)) !== undefined);
  say(
    `--- ${one.program} --seeds ${seed}..${seed}: ${await why(smallest)}\n${pasteable(smallest)}\n`,
  );
}
