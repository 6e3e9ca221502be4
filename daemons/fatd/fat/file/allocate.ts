// Giving clusters out, as a chain.

import { findFree, noteTaken, type Row } from '../../file/allocate.ts';
import type { Op } from '../op.ts';
import { linkRun } from '../volume/fat.ts';

/** Clusters in a row, linked to each other and ended: at most `want`, behind `near` if they are free. */
export function allocate(op: Op, about: { near: number | undefined; want: number }): Row {
  const row = findFree(op, about);
  linkRun(op.tx, op.vol, row.start, row.count);
  noteTaken(op, row);
  return row;
}
