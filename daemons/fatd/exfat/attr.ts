// Attributes: what exFAT keeps of them, and what the mount options say of the rest (../modes.ts).

import { EISDIR, fail } from '../../../kernel/abi/errno.ts';
import type { Timespec } from '../../../kernel/abi/stat.ts';
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
} from '../../../kernel/ninep/types.ts';
import { modeOf, mustBeKept, withMode } from '../modes.ts';
import { editSet } from './dir/names.ts';
import {
  dirOf,
  fileAt,
  indexOf,
  isFileIno,
  namelessFile,
  placeOf,
  streamAt,
} from './dir/places.ts';
import { truncate } from './file/data.ts';
import { EXFAT_SUPER_MAGIC, type FileView } from './ondisk.ts';
import { type Op, ROOT_INO } from './op.ts';
import { fromExFat, toExFat } from './time.ts';

export const qidOf = (ino: number): Qid => ({
  type: isFileIno(ino) ? QTFILE : QTDIR,
  version: 0,
  path: ino,
});

export function getattr(op: Op, ino: number): Attr {
  const { vol, env } = op;
  const isFile = isFileIno(ino);
  const place = ino === ROOT_INO ? undefined : placeOf(op, ino);
  const file = place === undefined ? undefined : fileAt(op, place);
  const size = isFile ? sizeOf(op, ino) : dirOf(op, ino).clusters * vol.clusterSize;
  return {
    valid: P9_GETATTR_ALL,
    qid: qidOf(ino),
    mode: modeOf(env.options, isFile ? (file?.FileAttributes ?? 0) : undefined),
    uid: env.options.uid,
    gid: env.options.gid,
    nlink: linksOf(op, ino),
    rdev: 0,
    size,
    blksize: vol.clusterSize,
    blocks: (Math.ceil(size / vol.clusterSize) * vol.clusterSize) / 512,
    ...timesOf(file),
    gen: 0,
    dataVersion: 0,
  };
}

function linksOf(op: Op, ino: number): number {
  if (namelessFile(op, ino) !== undefined) return 0;
  return isFileIno(ino) ? 1 : 2 + indexOf(op, dirOf(op, ino)).directories.size;
}

export const sizeOf = (op: Op, ino: number): number => streamAt(op, placeOf(op, ino)).DataLength;

const NEVER: Timespec = { sec: 0, nsec: 0 };

function timesOf(file: FileView | undefined): Pick<Attr, 'atime' | 'mtime' | 'ctime' | 'btime'> {
  if (file === undefined) return { atime: NEVER, mtime: NEVER, ctime: NEVER, btime: NEVER };
  const mtime = fromExFat({
    stamp: file.LastModifiedTimestamp,
    tenMs: file.LastModified10msIncrement,
    utcOffset: file.LastModifiedUtcOffset,
  });
  return {
    atime: fromExFat({
      stamp: file.LastAccessedTimestamp,
      tenMs: 0,
      utcOffset: file.LastAccessedUtcOffset,
    }),
    mtime,
    ctime: mtime,
    btime: fromExFat({
      stamp: file.CreateTimestamp,
      tenMs: file.Create10msIncrement,
      utcOffset: file.CreateUtcOffset,
    }),
  };
}

export function setattr(op: Op, ino: number, attr: SetAttr): void {
  const asks = (bit: number): boolean => (attr.valid & bit) !== 0;
  const isFile = isFileIno(ino);
  mustBeKept(op.env.options, attr);
  if (asks(P9_SETATTR_SIZE) && !isFile) fail(EISDIR);
  if (ino === ROOT_INO) return; // it has no set
  if (asks(P9_SETATTR_SIZE)) truncate(op, ino, attr.size);
  const { FileAttributes } = fileAt(op, placeOf(op, ino));
  const attributes =
    asks(P9_SETATTR_MODE) && isFile
      ? withMode(op.env.options, FileAttributes, attr.mode)
      : FileAttributes;
  const times = asks(P9_SETATTR_ATIME) || asks(P9_SETATTR_MTIME);
  if (attributes === FileAttributes && !times) return;
  editSet(op, ino, (file) => {
    file.FileAttributes = attributes;
    if (asks(P9_SETATTR_ATIME)) {
      const { stamp, utcOffset } = toExFat(asks(P9_SETATTR_ATIME_SET) ? attr.atime : op.tx.now);
      file.LastAccessedTimestamp = stamp;
      file.LastAccessedUtcOffset = utcOffset;
    }
    if (asks(P9_SETATTR_MTIME)) {
      const time = toExFat(asks(P9_SETATTR_MTIME_SET) ? attr.mtime : op.tx.now);
      file.LastModifiedTimestamp = time.stamp;
      file.LastModified10msIncrement = time.tenMs;
      file.LastModifiedUtcOffset = time.utcOffset;
    }
  });
}

export function statfs({ vol, env }: Op): FsStat {
  return {
    type: EXFAT_SUPER_MAGIC,
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
