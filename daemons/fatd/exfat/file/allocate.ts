// Giving clusters out, in a row without links or as a chain.

import { findFree, noteTaken, type Row } from '../../file/allocate.ts';
import type { Op } from '../op.ts';
import { END, linkRow } from '../volume/fat.ts';

/** They are in use from now on; as a chain that ends, or without links. */
export function take(op: Op, row: Row, links: 'chain' | 'none'): void {
  const { tx, vol, env } = op;
  const { start: first, count } = row;
  env.bitmap.set(tx, { first, count }, 'used');
  if (links === 'chain') linkRow(tx, vol, { first, count, next: END });
  noteTaken(op, row);
}

/** One cluster, which ends a chain. */
export function takeOne(op: Op, near: number | undefined): number {
  const row = findFree(op, { near, want: 1 });
  take(op, row, 'chain');
  return row.start;
}
