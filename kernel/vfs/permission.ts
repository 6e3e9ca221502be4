// Permission by mode bits (POSIX.1-2024 XBD §4.7): owner, group, others; root passes.

import { S_ISVTX, X_OK } from '../abi/constants.ts';
import { EACCES, EPERM, fail } from '../abi/errno.ts';
import type { Inode } from './inode.ts';

export interface Credentials {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups. */
  readonly groups: readonly number[];
}

/** Whether `who` may access the inode in all ways of `mask` (R_OK, W_OK, X_OK). */
export function mayAccess(who: Credentials, inode: Inode, mask: number): boolean {
  const { mode, uid, gid } = inode.attr;
  if (who.uid === 0) {
    return (mask & X_OK) === 0 || inode.isDirectory || (mode & 0o111) !== 0;
  }
  const shift = who.uid === uid ? 6 : who.gid === gid || who.groups.includes(gid) ? 3 : 0;
  return ((mode >> shift) & mask) === mask;
}

/** Throws EACCES. */
export function checkAccess(who: Credentials, inode: Inode, mask: number): void {
  if (!mayAccess(who, inode, mask)) fail(EACCES);
}

/** In a sticky directory only the owner of the file or of the directory removes a name. */
export function checkSticky(who: Credentials, dir: Inode, victim: Inode): void {
  if ((dir.attr.mode & S_ISVTX) === 0 || who.uid === 0) return;
  if (who.uid !== victim.attr.uid && who.uid !== dir.attr.uid) fail(EPERM);
}

/** Throws EPERM unless `who` owns the inode or is root. */
export function checkOwner(who: Credentials, inode: Inode): void {
  if (who.uid !== 0 && who.uid !== inode.attr.uid) fail(EPERM);
}
