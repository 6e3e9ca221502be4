// Free blocks for a repair: the first run that is long enough, taken in the map of who owns what.

import type { Run } from '../fork/fork-data.ts';
import { type Ownership, setBits } from './forks.ts';

/** Undefined when there is no such run. */
export function takeRun({ bits }: Ownership, allocCount: number, count: number): Run | undefined {
  for (let at = 0, length = 0; at < allocCount && count > 0; at++) {
    length = ((bits[at >> 3] ?? 0) & (0x80 >> (at & 7))) === 0 ? length + 1 : 0;
    if (length < count) continue;
    const run = { start: at + 1 - count, count };
    setBits(bits, run);
    return run;
  }
  return undefined;
}
