// A worker of `npm run mutate`: damages volumes of a range of numbers, exercises or repairs each, and says
// before each which one it is at, so that one that does not end is known.

import { parentPort, workerData } from 'node:worker_threads';
import { Mutator } from './mutate.ts';

/** What is done to a damaged volume; with repairs every N-th goes to the real checker as well. */
export type Treatment = 'exercise' | { readonly realEvery: number };

export interface Share {
  readonly fs: string;
  readonly seed: number;
  /** Numbers first, first + step, first + 2 * step … below end. */
  readonly first: number;
  readonly step: number;
  readonly end: number;
  readonly treatment: Treatment;
}

export interface Counts {
  /** Volumes that were mounted in spite of their damage. */
  mounted: number;
  /** Volumes that fsck repaired, found clean, or refused; what the real checker saw; paths compared. */
  repaired: number;
  clean: number;
  refused: number;
  judged: number;
  paths: number;
}

export const noCounts = (): Counts => ({
  ...{ mounted: 0, repaired: 0, clean: 0, refused: 0, judged: 0, paths: 0 },
});

export type Says =
  | { readonly kind: 'at'; readonly number: number }
  | { readonly kind: 'bug'; readonly number: number; readonly problem: string }
  | { readonly kind: 'done'; readonly counts: Counts };

const SAY_EVERY = 20;

if (parentPort !== null) work(parentPort, workerData as Share);

function work(port: NonNullable<typeof parentPort>, share: Share): void {
  const { fs, seed, first, step, end, treatment } = share;
  const say = (what: Says): void => port.postMessage(what);
  const mutator = new Mutator(seed, fs);
  const treat = treatment === 'exercise' ? exercised : mended(treatment.realEvery);
  const counts = noCounts();
  for (let number = first, count = 0; number < end; number += step, count++) {
    if (count % SAY_EVERY === 0) say({ kind: 'at', number });
    const { what, bug } = treat(mutator, number, counts);
    if (bug === undefined) continue;
    const problem = bug instanceof Error ? (bug.stack ?? bug.message) : String(bug);
    say({ kind: 'bug', number, problem: `${what.join('; ')}\n${problem}` });
  }
  say({ kind: 'done', counts });
}

interface Treated {
  readonly what: readonly string[];
  readonly bug?: unknown;
}

function exercised(mutator: Mutator, number: number, counts: Counts): Treated {
  const damaged = mutator.run(number);
  if (damaged.outcome?.mounted) counts.mounted++;
  return damaged;
}

function mended(realEvery: number) {
  return (mutator: Mutator, number: number, counts: Counts): Treated => {
    const real = number % realEvery === 0 ? 'asked' : 'not asked';
    const treated = mutator.mend(number, real);
    const { repaired } = treated;
    if (repaired !== undefined) {
      counts[repaired.verdict]++;
      counts.paths += repaired.paths;
      if (repaired.judged) counts.judged++;
    }
    return treated;
  };
}
