// The end of what a held record keeps: a file or directory without a name is freed, one with a name goes by
// the number of its place again.

import type { Format } from './format.ts';
import { DIR_INO, FILE_INO, isFileIno, type Op } from './op.ts';

/** Nobody holds the file any more. */
export function dropFile<O extends Op>(
  format: Pick<Format<O, never, never>, 'freeNameless' | 'trimTail' | 'commonIno' | 'renumbered'>,
  op: O,
  ino: number,
): void {
  const { tx, env } = op;
  const file = env.held.byIno(tx, ino);
  if (file !== undefined && env.held.isNameless(file)) {
    format.freeNameless(op, file);
    env.held.release(tx, file);
    // Whoever lies at its place now kept another number for its sake.
    const heir = env.held.byPlace(tx, ino - (isFileIno(ino) ? FILE_INO : DIR_INO));
    if (heir !== undefined) tx.onCommit(() => env.unfinished(heir.ino));
    return;
  }
  if (isFileIno(ino)) format.trimTail(op, ino);
  const left = env.held.byIno(tx, ino);
  if (left === undefined) return;
  const common = format.commonIno(op, left.place);
  if (env.held.othersNumber(tx, left, common)) return;
  env.held.release(tx, left);
  if (common !== ino) format.renumbered?.(op, { from: ino, to: common });
}
