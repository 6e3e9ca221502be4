// Giving clusters out. What was freed is not given out again before the disk no longer names it.

import { ENOSPC, fail } from '../../../kernel/abi/errno.ts';
import type { Op } from '../op.ts';

/** Clusters in a row. */
export interface Row {
  readonly start: number;
  readonly count: number;
}

/** Free clusters in a row: at most `want`, behind `near` if those are free. */
export function findFree(
  { tx, env }: Op,
  { near, want }: { near: number | undefined; want: number },
): Row {
  const from = near === undefined ? env.free.next : near + 1;
  const busy = env.freed.clusters;
  const found = env.refuses('blocks') ? undefined : env.free.find(tx, { from, want, busy });
  return found ?? fail(ENOSPC);
}

/** They are in use from now on. */
export function noteTaken({ tx, env }: Op, { start, count }: Row): void {
  tx.onCommit(() => {
    env.free.take(start, count);
    env.free.next = start + count;
  });
}
