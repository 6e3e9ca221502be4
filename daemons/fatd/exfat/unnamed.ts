// The end of what a held record keeps: a file or directory without a name is freed, one with a name goes by
// the number of its place again.

import { commonIno, fileAt, isFileIno, streamAt } from './dir/places.ts';
import { beyond, statedAllocation } from './file/allocation.ts';
import { trimTail } from './file/data.ts';
import { freeAll } from './file/free.ts';
import type { Op } from './op.ts';

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
    wakeSuccessor(op, ino);
    return;
  }
  if (isFileIno(ino)) trimTail(op, ino);
  const left = env.held.byIno(tx, ino);
  if (left === undefined) return;
  const common = commonIno(left.place, fileAt(op, left.place).FileAttributes);
  // Whoever was replaced there may still be held by that number: it is not free yet.
  if (common !== ino && env.held.byIno(tx, common) !== undefined) return;
  env.held.release(tx, left);
  if (common === ino) return;
  tx.onCommit(() => {
    env.tree.renumber(ino, common);
    env.dirs.renumber(ino, common);
    if (env.moved.delete(ino)) env.moved.add(common);
  });
}

/** The number is free: who lies at its place may have waited for it. */
function wakeSuccessor({ env, tx }: Op, ino: number): void {
  for (const { ino: other, place } of env.held.all(tx)) {
    if (other === ino || commonIno(place, isFileIno(ino) ? 0 : DIRECTORY) !== ino) continue;
    tx.onCommit(() => env.unfinished(other));
  }
}
const DIRECTORY = 0x10;
