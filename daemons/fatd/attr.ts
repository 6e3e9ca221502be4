// Attributes: what FAT keeps of them, and what the mount options say of the rest (modes.ts).

import { EISDIR, fail } from '../../kernel/abi/errno.ts';
import type { Timespec } from '../../kernel/abi/stat.ts';
import {
  type Attr,
  type FsStat,
  P9_GETATTR_ALL,
  P9_SETATTR_ATIME,
  P9_SETATTR_ATIME_SET,
  P9_SETATTR_MODE,
  P9_SETATTR_MTIME,
  P9_SETATTR_MTIME_SET,
  P9_SETATTR_SIZE,
  type Qid,
  QTDIR,
  QTFILE,
  type SetAttr,
} from '../../kernel/ninep/types.ts';
import { editEntry, indexOf, readEntry } from './fat/dir/dir.ts';
import { truncate } from './fat/file/data.ts';
import { dirOf, dirPlace, filePlace, isFileIno, isNameless } from './fat/inode.ts';
import { type DirEntryView, MSDOS_SUPER_MAGIC, SLOT } from './fat/ondisk.ts';
import type { Op } from './fat/op.ts';
import { chainLength } from './file/chain.ts';
import { modeOf, mustBeKept, withMode } from './modes.ts';
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
    mode: modeOf(env.options, file ? (entry?.DIR_Attr ?? 0) : undefined),
    uid: env.options.uid,
    gid: env.options.gid,
    nlink: linksOf(op, ino),
    rdev: 0,
    size,
    blksize: vol.clusterSize,
    blocks: (Math.ceil(size / vol.clusterSize) * vol.clusterSize) / 512,
    ...timesOf(entry),
    gen: 0,
    dataVersion: 0,
  };
}

function linksOf(op: Op, ino: number): number {
  if (isNameless(op, ino)) return 0;
  return isFileIno(ino) ? 1 : 2 + indexOf(op, dirOf(op, ino)).subdirectories;
}

function directorySize(op: Op, ino: number): number {
  const dir = dirOf(op, ino);
  return dir === 0 ? op.vol.rootSlots * SLOT : chainLength(op, dir) * op.vol.clusterSize;
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
  mustBeKept(op.env.options, attr);
  if (asks(P9_SETATTR_SIZE) && !file) fail(EISDIR);
  const place = file ? filePlace(op, ino) : dirPlace(op, ino);
  if (place === undefined) return; // the root has no entry
  if (asks(P9_SETATTR_SIZE)) truncate(op, ino, attr.size);
  if (asks(P9_SETATTR_MODE) && file) {
    const { DIR_Attr } = readEntry(op, place);
    const changed = withMode(op.env.options, DIR_Attr, attr.mode);
    if (changed !== DIR_Attr) editEntry(op, place).DIR_Attr = changed;
  }
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
