// Giving clusters out. What was freed is not given out again before the disk no longer names it.

import { ENOSPC, fail } from '../../../../kernel/abi/errno.ts';
import type { Op } from '../op.ts';
import { linkRun } from '../volume/fat.ts';

/** Clusters in a row, linked to each other and ended: at most `want`, behind `near` if they are free. */
export function allocate(
  op: Op,
  { near, want }: { near: number | undefined; want: number },
): { start: number; count: number } {
  const { tx, vol, env } = op;
  const busy = [env.freed.running.clusters, env.freed.committing.clusters];
  const from = near === undefined ? env.free.next : near + 1;
  const found = env.refuses('blocks') ? undefined : env.free.find(tx, { from, want, busy });
  if (found === undefined) fail(ENOSPC);
  const { start, count } = found as { start: number; count: number };
  linkRun(tx, vol, start, count);
  tx.onCommit(() => {
    env.free.take(start, count);
    env.free.next = start + count;
  });
  return { start, count };
}
