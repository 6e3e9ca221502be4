// An inode's birth and end: creating one, cutting it to its size, deleting it when neither a name
// nor a fid is left. Long work goes in bounded steps under the protection of the orphan list.

import { S_IFDIR, S_IFMT, S_IFREG, S_ISGID } from '../../../kernel/abi/constants.ts';
import { EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import { initMap, truncateBlocks } from '../map/map.ts';
import { EXT4_FL_INHERITED, EXT4_PROJINHERIT_FL } from '../ondisk.ts';
import type { Op } from '../op.ts';
import { allocInode, freeInode, inodeInUse } from '../volume/inode-alloc.ts';
import { has } from '../volume/superblock.ts';
import { startInline } from './inline.ts';
import type { Inode } from './inode.ts';
import { addOrphan, isOrphan, removeOrphan } from './orphan.ts';
import { isFastSymlink } from './symlink.ts';
import { dropBlock } from './xattr.ts';

/** Groups and tree blocks that one request may touch when it frees blocks. */
const STEP = 32;
const DEFAULT_EXTRA_ISIZE = 32;

export function newInode(op: Op, dir: Inode, request: { mode: number; gid: number }): Inode {
  const { tx, vol } = op;
  const inode = allocInode(op, dir.ino, request.mode);
  const type = request.mode & S_IFMT;
  const setgid = (dir.mode & S_ISGID) !== 0;
  inode.mode = setgid && type === S_IFDIR ? request.mode | S_ISGID : request.mode;
  if (vol.inodeSize > 128) {
    const wanted = vol.wantExtraIsize === 0 ? DEFAULT_EXTRA_ISIZE : vol.wantExtraIsize;
    inode.extraIsize = Math.min(wanted, vol.inodeSize - 128) & ~3;
  }
  inode.edit().i_generation = tx.random() >>> 0;
  inode.links = 1;
  inode.gid = setgid ? dir.gid : request.gid;
  inode.flags = dir.flags & EXT4_FL_INHERITED;
  if (has.project(vol) && (dir.flags & EXT4_PROJINHERIT_FL) !== 0) inode.projid = dir.projid;
  inode.btime = tx.now;
  inode.atime = tx.now;
  inode.touch();
  if (type === S_IFDIR || (type === S_IFREG && !startInline(inode))) initMap(inode);
  return inode;
}

/** Does i_block hold a map of blocks (and not data, a target or a device number)? */
const hasMap = (inode: Inode): boolean =>
  !inode.isInline && (inode.isRegular || inode.isDir || (inode.isSymlink && !isFastSymlink(inode)));

/** Frees what lies beyond i_size; what one step does not manage is left to `truncateStep`. */
export function truncateToSize(inode: Inode): void {
  if (!hasMap(inode)) return;
  const from = Math.ceil(inode.size / inode.op.vol.blockSize);
  if (truncateBlocks(inode, from, { left: STEP })) {
    removeOrphan(inode);
    return;
  }
  keepGoing(inode);
}

/** The name is gone: deletes the inode when nothing refers to it any more. */
export function dropLink(inode: Inode): void {
  inode.ctime = inode.op.tx.now;
  if (inode.links > 0) return;
  if (inode.op.env.isOpen(inode.ino)) addOrphan(inode);
  else evict(inode);
}

/** Deletes an inode without names. */
export function evict(inode: Inode): void {
  const { op } = inode;
  if (!inodeInUse(op, inode.ino)) return;
  if (hasMap(inode) && !truncateBlocks(inode, 0, { left: STEP })) {
    keepGoing(inode);
    return;
  }
  dropBlock(inode);
  removeOrphan(inode);
  inode.size = 0;
  inode.edit().i_dtime = Math.max(1, op.tx.now.sec >>> 0);
  freeInode(op, inode.ino, inode.mode);
}

function keepGoing(inode: Inode): void {
  const { env, tx } = inode.op;
  addOrphan(inode);
  tx.onCommit(() => env.unfinished(inode.ino));
}

/** One more step of a deletion or truncation; true when another one is needed. */
export function truncateStep(inode: Inode, { inUse }: { inUse: boolean }): boolean {
  if (!isOrphan(inode)) return false;
  if (inode.links === 0 && inUse) return false; // its last fid's end deletes it
  if (!inodeInUse(inode.op, inode.ino))
    fail(EUCLEAN, `inode ${inode.ino} is free, and yet to be deleted`); // for ever, as nobody can
  if (inode.links === 0) evict(inode);
  else if (hasMap(inode)) truncateToSize(inode);
  else removeOrphan(inode); // there is nothing to cut
  return isOrphan(inode);
}
