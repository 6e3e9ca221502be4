// The end of what a held record keeps: a file or directory without a name is freed, one with a name
// goes by the number of its place again.

import { firstCluster, readEntry } from './dir/dir.ts';
import { freeAll } from './file/free.ts';
import { ATTR_DIRECTORY } from './ondisk.ts';
import { FILE_INO, type Op } from './op.ts';

/** True when the file had no name, and is gone now. */
export function dropFile(op: Op, ino: number): boolean {
  const { held } = op.env;
  const file = held.byIno(op.tx, ino);
  if (file === undefined) return false;
  const nameless = held.isNameless(file);
  if (nameless) freeNameless(op, file.place);
  else if (held.othersNumber(op.tx, file, FILE_INO + file.place)) return false;
  held.release(op.tx, file);
  if (nameless) {
    const heir = held.byPlace(op.tx, ino - FILE_INO);
    if (heir !== undefined) op.tx.onCommit(() => op.env.unfinished(heir.ino));
  }
  return nameless;
}

function freeNameless(op: Op, place: number): void {
  const entry = readEntry(op, place);
  const head = firstCluster(entry);
  if (head === 0) return;
  const directory = (entry.DIR_Attr & ATTR_DIRECTORY) !== 0;
  if (directory) op.tx.onCommit(() => op.env.dirs.forget(head));
  freeAll(op, { head, kind: directory ? 'directory' : 'file' });
}
