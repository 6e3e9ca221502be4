// Attributes: stat(2) and what changes them: size, mode, owner, times.

import { S_IFREG, S_ISGID, S_ISUID, W_OK } from '../abi/constants.ts';
import { EINVAL, EISDIR, EPERM, EROFS, fail } from '../abi/errno.ts';
import { PAGE_SIZE } from '../abi/memlayout.ts';
import type { Stat, Timespec } from '../abi/stat.ts';
import type { Task } from '../ipc/task.ts';
import { flushInode } from '../mm/flush.ts';
import type { Page } from '../mm/page-cache.ts';
import { readyPage } from '../mm/read.ts';
import {
  P9_SETATTR_ATIME,
  P9_SETATTR_ATIME_SET,
  P9_SETATTR_GID,
  P9_SETATTR_MODE,
  P9_SETATTR_MTIME,
  P9_SETATTR_MTIME_SET,
  P9_SETATTR_SIZE,
  P9_SETATTR_UID,
  type SetAttr,
} from '../ninep/types.ts';
import type { Call } from './call.ts';
import { sizeRoom } from './file.ts';
import { getattr, type Inode, refresh, statOf, together } from './inode.ts';
import { checkAccess, checkOwner } from './permission.ts';

/** What stat(2) tells of an inode. */
export function* statInode(inode: Inode): Task<Stat> {
  yield* refresh(inode);
  return statOf(inode);
}

const none: Omit<SetAttr, 'valid'> = {
  mode: 0,
  uid: 0,
  gid: 0,
  size: 0,
  atime: { sec: 0, nsec: 0 },
  mtime: { sec: 0, nsec: 0 },
};

/** Tells the server of a change and learns the attributes that follow from it. */
function* setAttr(inode: Inode, change: Partial<SetAttr> & { valid: number }): Task<void> {
  if (inode.superblock.readOnly) fail(EROFS);
  const { client } = inode.superblock;
  const attr = { ...none, ...change };
  const replies = yield* together(inode, [
    { message: { name: 'Tsetattr', fid: inode.fid, attr } },
    { message: getattr(inode.fid) },
  ]);
  const { attr: told } = client.expect('Tgetattr', replies[1]);
  inode.merge(told);
  if (change.valid & (P9_SETATTR_SIZE | P9_SETATTR_MTIME)) inode.attr.mtime = told.mtime;
  inode.publish();
}

/** truncate(2): cuts the file off, or extends it by a hole. */
export function* setSize(call: Call, inode: Inode, size: number): Task<void> {
  if (inode.isDirectory) fail(EISDIR);
  if (inode.kind !== S_IFREG || !Number.isSafeInteger(size) || size < 0) fail(EINVAL);
  if (size > inode.attr.size) sizeRoom(call, inode, size - 1);
  if (!inode.isCachedFile) return yield* setAttr(inode, { valid: P9_SETATTR_SIZE, size });
  yield* inode.lock.acquire();
  yield* inode.flushLock.acquire();
  try {
    if (inode.superblock.readOnly) fail(EROFS);
    const last = yield* lastPage(call, inode, size);
    yield* tellSize(inode, size);
    cutPages(call, inode, { size, last });
  } finally {
    inode.flushLock.release();
    inode.lock.release();
  }
}

/**
 * Changes the size on the server. A file that shrinks ends there for all readers from the start: what
 * they fetched behind the new end while the server cuts it off would be zeroes.
 */
function* tellSize(inode: Inode, size: number): Task<void> {
  const before = inode.size;
  inode.attr.size = Math.min(size, before);
  inode.publish();
  try {
    yield* setAttr(inode, { valid: P9_SETATTR_SIZE, size });
    inode.attr.size = size;
  } catch (error) {
    inode.attr.size = before;
    throw error;
  } finally {
    inode.publish();
  }
}

/** The page that the new end cuts in two: read before anything changes, since that may fail. */
function* lastPage(call: Call, inode: Inode, size: number): Task<Page | undefined> {
  const rest = size % PAGE_SIZE;
  if (rest === 0 || size >= inode.size) return undefined;
  const index = (size - rest) / PAGE_SIZE;
  return yield* readyPage(call.kernel, inode, { index, wanted: 1 });
}

/** Forgets the pages beyond the new end and zeroes what is left of the last one. */
function cutPages(call: Call, inode: Inode, to: { size: number; last: Page | undefined }): void {
  const { pages, clock } = call.kernel;
  const { size, last } = to;
  const rest = size % PAGE_SIZE;
  if (last) last.onDisk = false; // of its blocks the server may have kept some
  if (last && !last.void && last.bytes.subarray(rest).some((byte) => byte !== 0)) {
    pages.change(last, (bytes) => bytes.fill(0, rest));
    pages.markDirty(last, clock.monotonicMs());
  }
  pages.truncate(inode, Math.ceil(size / PAGE_SIZE));
  inode.publish();
}

/** chmod(2). */
export function* setMode(call: Call, inode: Inode, mode: number): Task<void> {
  checkOwner(call, inode);
  const drops = call.uid !== 0 && call.gid !== inode.attr.gid ? S_ISGID : 0;
  yield* setAttr(inode, { valid: P9_SETATTR_MODE, mode: mode & 0o7777 & ~drops });
}

/** chown(2): only root gives files away; -1 leaves an id as it is. */
export function* setOwner(
  call: Call,
  inode: Inode,
  owner: { uid: number; gid: number },
): Task<void> {
  const { uid, gid } = owner;
  const changesUid = uid !== -1 && uid !== inode.attr.uid;
  const changesGid = gid !== -1 && gid !== inode.attr.gid;
  if (call.uid !== 0 && (changesUid || inode.attr.uid !== call.uid)) fail(EPERM);
  const mine = gid === call.gid || call.groups.includes(gid);
  if (call.uid !== 0 && changesGid && !mine) fail(EPERM);
  const valid = (uid === -1 ? 0 : P9_SETATTR_UID) | (gid === -1 ? 0 : P9_SETATTR_GID);
  const clears = inode.kind === S_IFREG && (inode.attr.mode & 0o111) !== 0;
  const mode = inode.attr.mode & 0o7777 & ~(clears ? S_ISUID | S_ISGID : 0);
  yield* setAttr(inode, {
    valid: valid | (clears ? P9_SETATTR_MODE : 0),
    uid: Math.max(uid, 0),
    gid: Math.max(gid, 0),
    mode,
  });
}

export interface Times {
  readonly atime: Timespec | 'now' | 'omit';
  readonly mtime: Timespec | 'now' | 'omit';
}

/** utimensat(2). */
export function* setTimes(call: Call, inode: Inode, times: Times): Task<void> {
  if (times.atime === 'omit' && times.mtime === 'omit') return;
  if (times.atime !== 'now' || times.mtime !== 'now') checkOwner(call, inode);
  else if (call.uid !== inode.attr.uid) checkAccess(call, inode, W_OK);
  const now = call.kernel.clock.wallclock();
  const atime = times.atime === 'now' ? now : times.atime;
  const mtime = times.mtime === 'now' ? now : times.mtime;
  if (inode.isCachedFile) yield* flushInode(call.kernel, inode);
  inode.timesDirty = false;
  yield* setAttr(inode, {
    valid:
      (atime === 'omit' ? 0 : P9_SETATTR_ATIME | P9_SETATTR_ATIME_SET) |
      (mtime === 'omit' ? 0 : P9_SETATTR_MTIME | P9_SETATTR_MTIME_SET),
    ...(atime !== 'omit' && { atime }),
    ...(mtime !== 'omit' && { mtime }),
  });
}
