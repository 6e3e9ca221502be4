// Orphans: inodes that a crash must not leave half-way, being deleted or truncated. They stand in the
// orphan file where the volume has one, else in a list that is linked from s_last_orphan through
// i_dtime. orphan.rst; super.rst, "s_last_orphan".

import { EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import type { Op } from '../op.ts';
import type { Inode } from './inode.ts';
import {
  addToFile,
  inOrphanFile,
  orphansInFile,
  removeFromFile,
  takeFromFile,
} from './orphan-file.ts';

/** All of them. */
export const orphans = (op: Op): number[] => [
  ...new Set([...orphanList(op), ...orphansInFile(op)]),
];

/** The inodes on the list, the one added last first. */
function orphanList(op: Op): number[] {
  const seen = new Set<number>();
  let ino = op.readSuperblock().s_last_orphan;
  while (ino !== 0) {
    if (ino < op.vol.firstIno || ino > op.vol.inodesCount || seen.has(ino))
      fail(EUCLEAN, `orphan list: inode ${ino} out of place`);
    seen.add(ino);
    ino = op.inode(ino).raw.i_dtime;
  }
  return [...seen];
}

/** The last one on the list has no successor in i_dtime: only the list itself can tell. */
const isListed = (inode: Inode): boolean =>
  inode.op.readSuperblock().s_last_orphan !== 0 && orphanList(inode.op).includes(inode.ino);

export const isOrphan = (inode: Inode): boolean => inOrphanFile(inode) || isListed(inode);

export function addOrphan(inode: Inode): void {
  if (isOrphan(inode) || addToFile(inode)) return;
  addToList(inode);
}

function addToList(inode: Inode): void {
  const sb = inode.op.editSuperblock();
  inode.edit().i_dtime = sb.s_last_orphan;
  sb.s_last_orphan = inode.ino;
}

export function removeOrphan(inode: Inode): void {
  const { op, ino } = inode;
  removeFromFile(inode);
  if (!isListed(inode)) return;
  const list = orphanList(op);
  const before = list[list.indexOf(ino) - 1];
  const next = inode.raw.i_dtime;
  if (before === undefined) op.editSuperblock().s_last_orphan = next;
  else op.inode(before).edit().i_dtime = next;
  inode.edit().i_dtime = 0;
}

/**
 * Takes over what another system, or a crash, left in the orphan file, wherever it stands there: up to
 * `limit` of its inodes move to the list. True when the file is empty.
 */
export function drainOrphanFile(op: Op, limit: number): boolean {
  return takeFromFile(op, limit, (inode) => {
    if (!isListed(inode)) addToList(inode);
  });
}
