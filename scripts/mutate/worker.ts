// A worker of `npm run mutate`: damages and exercises volumes of a range of numbers, and says before
// each which one it is at, so that one that does not end is known.

import { parentPort, workerData } from 'node:worker_threads';
import { Mutator } from './mutate.ts';

export interface Share {
  readonly fs: string;
  readonly seed: number;
  /** Numbers first, first + step, first + 2 * step … below end. */
  readonly first: number;
  readonly step: number;
  readonly end: number;
}

export type Says =
  | { readonly kind: 'at'; readonly number: number; readonly mounted: number }
  | { readonly kind: 'bug'; readonly number: number; readonly problem: string }
  | { readonly kind: 'done'; readonly mounted: number };

const SAY_EVERY = 20;

if (parentPort !== null) work(parentPort, workerData as Share);

function work(port: NonNullable<typeof parentPort>, { fs, seed, first, step, end }: Share): void {
  const say = (what: Says): void => port.postMessage(what);
  const mutator = new Mutator(seed, fs);
  let mounted = 0;
  for (let number = first, count = 0; number < end; number += step, count++) {
    if (count % SAY_EVERY === 0) say({ kind: 'at', number, mounted });
    const { what, bug, outcome } = mutator.run(number);
    if (outcome?.mounted) mounted++;
    if (bug === undefined) continue;
    const problem = bug instanceof Error ? (bug.stack ?? bug.message) : String(bug);
    say({ kind: 'bug', number, problem: `${what.join('; ')}\n${problem}` });
  }
  say({ kind: 'done', mounted });
}
