// Two runs that should have been the same: were they, and where did they part? The hashes tell that
// they did, their checkpoints between which events, and two more runs which keep those in full tell
// the first event that differs.

import type { NamedRecord } from '../../drivers/hw/machine.ts';
import { inWords } from './words.ts';

export type Verdict =
  | { readonly same: true; readonly hash: string; readonly events: number }
  | { readonly same: false; readonly step: number; readonly runs: readonly [string, string] }
  /** They differed, but later runs did not differ again where they were looked at. */
  | { readonly same: false; readonly step: undefined; readonly between: readonly [number, number] };

/** Pairs of runs, at most. */
const PAIRS = 4;

/** `run` does it all once, and keeps events from `watchFrom` on in full. */
export async function compareRuns(
  run: (watchFrom: number) => Promise<NamedRecord>,
): Promise<Verdict> {
  let between: readonly [number, number] = [0, 0];
  for (let pair = 0; pair < PAIRS; pair++) {
    const first = await run(between[0]);
    const second = await run(between[0]);
    if (first.hash === second.hash) {
      if (pair === 0) return { same: true, hash: first.hash, events: first.events };
      continue;
    }
    const found = firstDifference(first, second);
    if (found) return found;
    between = suspects(first, second);
  }
  return { same: false, step: undefined, between };
}

/** The first event that differs, when both runs kept it. */
function firstDifference(first: NamedRecord, second: NamedRecord): Verdict | undefined {
  const [from, to] = suspects(first, second);
  const kept = first.window[0]?.step ?? 0;
  if (from < kept) return undefined; // they parted before
  for (let step = from; step <= to; step++) {
    const [a, b] = [first.window[step - kept], second.window[step - kept]];
    if (a === undefined && b === undefined) return undefined;
    const same = a?.digest === b?.digest;
    if (same) continue;
    const words = (record: NamedRecord, event: typeof a): string =>
      event === undefined ? 'the run had ended' : inWords(event, record);
    return { same: false, step, runs: [words(first, a), words(second, b)] };
  }
  return undefined;
}

/** Events between two checkpoints, of which the first was still the same. */
function suspects(first: NamedRecord, second: NamedRecord): readonly [number, number] {
  const interval = Math.max(first.interval, second.interval);
  const at = ({ checkpoints, interval: own }: NamedRecord, k: number): string | undefined =>
    checkpoints[(k * interval) / own - 1];
  let k = 1;
  while (at(first, k) !== undefined && at(first, k) === at(second, k)) k++;
  return [(k - 1) * interval, k * interval];
}
