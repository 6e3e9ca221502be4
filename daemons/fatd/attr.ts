// Attributes: what FAT keeps of them, and what the mount options say of the rest. As Linux's vfat,
// a change of mode is heard only in what maps to read-only; an owner FAT cannot hold is EPERM.

import { S_IFDIR, S_IFREG } from '../../kernel/abi/constants.ts';
import { EISDIR, EPERM, fail } from '../../kernel/abi/errno.ts';
import type { Timespec } from '../../kernel/abi/stat.ts';
import {
  type Attr,
  type FsStat,
  P9_GETATTR_ALL,
  P9_SETATTR_ATIME,
  P9_SETATTR_ATIME_SET,
  P9_SETATTR_GID,
  P9_SETATTR_MODE,
  P9_SETATTR_MTIME,
  P9_SETATTR_MTIME_SET,
  P9_SETATTR_SIZE,
  P9_SETATTR_UID,
  type Qid,
  QTDIR,
  QTFILE,
  type SetAttr,
} from '../../kernel/ninep/types.ts';
import { editEntry, indexOf, readEntry } from './dir/dir.ts';
import { chainLength } from './file/chain.ts';
import { truncate } from './file/data.ts';
import { dirOf, dirPlace, filePlace, isFileIno } from './inode.ts';
import { ATTR_READ_ONLY, type DirEntryView, MSDOS_SUPER_MAGIC, SLOT } from './ondisk.ts';
import type { Op } from './op.ts';
import { fromDos, toDos } from './time.ts';

export const qidOf = (ino: number): Qid => ({
  type: isFileIno(ino) ? QTFILE : QTDIR,
  version: 0,
  path: ino,
});

export function getattr(op: Op, ino: number): Attr {
  const { vol, env } = op;
  const file = isFileIno(ino);
  const place = file ? filePlace(op, ino) : dirPlace(op, ino);
  const entry = place === undefined ? undefined : readEntry(op, place);
  const size = file ? (entry?.DIR_FileSize ?? 0) : directorySize(op, ino);
  return {
    valid: P9_GETATTR_ALL,
    qid: qidOf(ino),
    mode: modeOf(op, entry, file ? 'file' : 'directory'),
    uid: env.options.uid,
    gid: env.options.gid,
    nlink: file ? 1 : 2 + indexOf(op, dirOf(op, ino)).subdirectories,
    rdev: 0,
    size,
    blksize: vol.clusterSize,
    blocks: (Math.ceil(size / vol.clusterSize) * vol.clusterSize) / 512,
    ...timesOf(entry),
    gen: 0,
    dataVersion: 0,
  };
}

function directorySize(op: Op, ino: number): number {
  const dir = dirOf(op, ino);
  return dir === 0 ? op.vol.rootSlots * SLOT : chainLength(op, dir) * op.vol.clusterSize;
}

function modeOf(op: Op, entry: DirEntryView | undefined, kind: 'file' | 'directory'): number {
  const { fmask, dmask } = op.env.options;
  if (kind === 'directory') return S_IFDIR | (0o777 & ~dmask);
  const readOnly = ((entry?.DIR_Attr ?? 0) & ATTR_READ_ONLY) !== 0;
  return S_IFREG | (0o777 & ~fmask & (readOnly ? ~0o222 : ~0));
}

const NEVER: Timespec = { sec: 0, nsec: 0 };

function timesOf(
  entry: DirEntryView | undefined,
): Pick<Attr, 'atime' | 'mtime' | 'ctime' | 'btime'> {
  if (entry === undefined) return { atime: NEVER, mtime: NEVER, ctime: NEVER, btime: NEVER };
  const mtime = fromDos({ date: entry.DIR_WrtDate, time: entry.DIR_WrtTime, tenth: 0 });
  return {
    atime: fromDos({ date: entry.DIR_LstAccDate, time: 0, tenth: 0 }),
    mtime,
    ctime: mtime,
    btime: fromDos({
      date: entry.DIR_CrtDate,
      time: entry.DIR_CrtTime,
      tenth: entry.DIR_CrtTimeTenth,
    }),
  };
}

export function setattr(op: Op, ino: number, attr: SetAttr): void {
  const asks = (bit: number): boolean => (attr.valid & bit) !== 0;
  const file = isFileIno(ino);
  mustBeKept(op, attr);
  if (asks(P9_SETATTR_SIZE) && !file) fail(EISDIR);
  const place = file ? filePlace(op, ino) : dirPlace(op, ino);
  if (place === undefined) return; // the root has no entry
  if (asks(P9_SETATTR_SIZE)) truncate(op, ino, attr.size);
  if (asks(P9_SETATTR_MODE) && file) setMode(op, place, attr.mode);
  if (asks(P9_SETATTR_ATIME)) {
    const { date } = toDos(asks(P9_SETATTR_ATIME_SET) ? attr.atime : op.tx.now);
    editEntry(op, place).DIR_LstAccDate = date;
  }
  if (asks(P9_SETATTR_MTIME)) {
    const { date, time } = toDos(asks(P9_SETATTR_MTIME_SET) ? attr.mtime : op.tx.now);
    const entry = editEntry(op, place);
    entry.DIR_WrtDate = date;
    entry.DIR_WrtTime = time;
  }
}

/** FAT knows no owners, and of modes only the permissions. */
function mustBeKept({ env }: Op, { valid, uid, gid, mode }: SetAttr): void {
  const { options } = env;
  const other =
    ((valid & P9_SETATTR_UID) !== 0 && uid !== options.uid) ||
    ((valid & P9_SETATTR_GID) !== 0 && gid !== options.gid) ||
    ((valid & P9_SETATTR_MODE) !== 0 && (mode & 0o7000) !== 0);
  if (other && !options.quiet) fail(EPERM);
}

/** All of the write permissions or none: read-only. Any other change is passed over, as by Linux. */
function setMode(op: Op, place: number, mode: number): void {
  const { fmask } = op.env.options;
  const write = mode & 0o222 & ~fmask;
  const all = 0o222 & ~fmask;
  if ((mode & 0o555 & ~fmask) !== (0o555 & ~fmask) || (write !== 0 && write !== all)) return;
  const entry = editEntry(op, place);
  if (write === 0) entry.DIR_Attr |= ATTR_READ_ONLY;
  else entry.DIR_Attr &= ~ATTR_READ_ONLY;
}

export function statfs({ vol, env }: Op): FsStat {
  return {
    type: MSDOS_SUPER_MAGIC,
    bsize: vol.clusterSize,
    blocks: vol.clusterEnd - 2,
    bfree: env.free.total,
    bavail: env.free.total,
    files: 0,
    ffree: 0,
    fsid: vol.serial,
    namelen: 255,
  };
}
