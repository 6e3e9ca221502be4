// What an exFAT set says of its file or directory: attributes, size and times.

import type { Timespec } from '../../../kernel/abi/stat.ts';
import type { About } from '../format.ts';
import { isFileIno, ROOT_INO } from '../op.ts';
import { editSet } from './dir/names.ts';
import { dirOf, fileAt, placeOf, streamAt } from './dir/places.ts';
import type { FileView } from './ondisk.ts';
import type { Op } from './op.ts';
import { fromExFat, toExFat } from './time.ts';

const NEVER: Timespec = { sec: 0, nsec: 0 };
const ROOT = { attributes: 0, atime: NEVER, mtime: NEVER, btime: NEVER };

export function about(op: Op, ino: number): About {
  const size = isFileIno(ino) ? sizeOf(op, ino) : dirOf(op, ino).clusters * op.vol.clusterSize;
  if (ino === ROOT_INO) return { ...ROOT, size };
  const file = fileAt(op, placeOf(op, ino));
  return {
    attributes: file.FileAttributes,
    size,
    atime: fromExFat({
      stamp: file.LastAccessedTimestamp,
      tenMs: 0,
      utcOffset: file.LastAccessedUtcOffset,
    }),
    mtime: fromExFat({
      stamp: file.LastModifiedTimestamp,
      tenMs: file.LastModified10msIncrement,
      utcOffset: file.LastModifiedUtcOffset,
    }),
    btime: fromExFat({
      stamp: file.CreateTimestamp,
      tenMs: file.Create10msIncrement,
      utcOffset: file.CreateUtcOffset,
    }),
  };
}

export const sizeOf = (op: Op, ino: number): number => streamAt(op, placeOf(op, ino)).DataLength;

export function change(op: Op, ino: number, { attributes, atime, mtime }: Partial<About>): void {
  editSet(op, ino, (file) => {
    if (attributes !== undefined) file.FileAttributes = attributes;
    if (atime) setAccessed(file, atime);
    if (mtime) setModified(file, mtime);
  });
}

export function setAccessed(file: FileView, time: Timespec): void {
  const { stamp, utcOffset } = toExFat(time);
  file.LastAccessedTimestamp = stamp;
  file.LastAccessedUtcOffset = utcOffset;
}

export function setModified(file: FileView, time: Timespec): void {
  const { stamp, tenMs, utcOffset } = toExFat(time);
  file.LastModifiedTimestamp = stamp;
  file.LastModified10msIncrement = tenMs;
  file.LastModifiedUtcOffset = utcOffset;
}
