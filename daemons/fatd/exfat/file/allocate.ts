// Giving clusters out. What was freed is not given out again before the disk no longer names it.

import { ENOSPC, fail } from '../../../../kernel/abi/errno.ts';
import type { Op } from '../op.ts';
import { END, linkRow } from '../volume/fat.ts';

/** Clusters in a row. */
export interface Row {
  readonly start: number;
  readonly count: number;
}

/** Free clusters in a row: at most `want`, behind `near` if those are free. */
export function findFree(op: Op, { near, want }: { near: number | undefined; want: number }): Row {
  const { tx, env } = op;
  const busy = [env.freed.running.clusters, env.freed.committing.clusters];
  const from = near === undefined ? env.free.next : near + 1;
  const found = env.refuses('blocks') ? undefined : env.free.find(tx, { from, want, busy });
  return found ?? fail(ENOSPC);
}

/** They are in use from now on; as a chain that ends, or without links. */
export function take(op: Op, { start, count }: Row, links: 'chain' | 'none'): void {
  const { tx, vol, env } = op;
  env.bitmap.set(tx, { first: start, count }, 'used');
  if (links === 'chain') linkRow(tx, vol, { first: start, count, next: END });
  tx.onCommit(() => {
    env.free.take(start, count);
    env.free.next = start + count;
  });
}

/** One cluster, which ends a chain. */
export function takeOne(op: Op, near: number | undefined): number {
  const row = findFree(op, { near, want: 1 });
  take(op, row, 'chain');
  return row.start;
}
