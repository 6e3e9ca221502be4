// The end of what a held record keeps: a file or directory without a name is freed, one with a name goes by
// the number of its place again.

import { commonIno, fileAt, isFileIno, streamAt } from './dir/places.ts';
import { beyond, statedAllocation } from './file/allocation.ts';
import { trimTail } from './file/data.ts';
import { freeAll } from './file/free.ts';
import { DIR_INO, FILE_INO, type Op } from './op.ts';

/** Nobody holds the file any more. */
export function dropFile(op: Op, ino: number): void {
  const { env, tx } = op;
  const file = env.held.byIno(tx, ino);
  if (file === undefined) return;
  if (env.held.isNameless(file)) {
    const kind = isFileIno(ino) ? 'file' : 'directory';
    const allocation = beyond(op, file) ?? statedAllocation(op, streamAt(op, file.place));
    freeAll(op, { ...allocation, kind });
    env.held.release(tx, file);
    tx.onCommit(() => {
      env.dirs.forget(ino);
      env.tree.forget(ino);
      env.linked.delete(ino);
    });
    const heir = env.held.byPlace(tx, ino - (kind === 'file' ? FILE_INO : DIR_INO));
    if (heir !== undefined) tx.onCommit(() => env.unfinished(heir.ino));
    return;
  }
  if (isFileIno(ino)) trimTail(op, ino);
  const left = env.held.byIno(tx, ino);
  if (left === undefined) return;
  const common = commonIno(left.place, fileAt(op, left.place).FileAttributes);
  if (env.held.othersNumber(tx, left, common)) return;
  env.held.release(tx, left);
  if (common === ino) return;
  tx.onCommit(() => {
    env.tree.renumber(ino, common);
    env.dirs.renumber(ino, common);
    if (env.moved.delete(ino)) env.moved.add(common);
  });
}
