// What a FAT entry says of its file or directory: attributes, size and times.

import type { Timespec } from '../../../kernel/abi/stat.ts';
import { chainLength } from '../file/chain.ts';
import type { About } from '../format.ts';
import { SLOT } from '../ondisk.ts';
import { isFileIno } from '../op.ts';
import { fromDos, toDos } from '../time.ts';
import { editEntry, readEntry } from './dir/dir.ts';
import { dirOf, dirPlace, filePlace } from './inode.ts';
import type { DirEntryView } from './ondisk.ts';
import type { Op } from './op.ts';

const NEVER: Timespec = { sec: 0, nsec: 0 };
const ROOT = { attributes: 0, atime: NEVER, mtime: NEVER, btime: NEVER };

export function about(op: Op, ino: number): About {
  const isFile = isFileIno(ino);
  const place = isFile ? filePlace(op, ino) : dirPlace(op, ino);
  if (place === undefined) return { ...ROOT, size: directorySize(op, ino) };
  const entry = readEntry(op, place);
  return {
    attributes: entry.DIR_Attr,
    size: isFile ? entry.DIR_FileSize : directorySize(op, ino),
    atime: fromDos({ date: entry.DIR_LstAccDate, time: 0, tenth: 0 }),
    mtime: fromDos({ date: entry.DIR_WrtDate, time: entry.DIR_WrtTime, tenth: 0 }),
    btime: fromDos({
      date: entry.DIR_CrtDate,
      time: entry.DIR_CrtTime,
      tenth: entry.DIR_CrtTimeTenth,
    }),
  };
}

function directorySize(op: Op, ino: number): number {
  const dir = dirOf(op, ino);
  return dir === 0 ? op.vol.rootSlots * SLOT : chainLength(op, dir) * op.vol.clusterSize;
}

export function change(op: Op, ino: number, { attributes, atime, mtime }: Partial<About>): void {
  const place = isFileIno(ino) ? filePlace(op, ino) : dirPlace(op, ino);
  if (place === undefined) return;
  const entry = editEntry(op, place);
  if (attributes !== undefined) entry.DIR_Attr = attributes;
  if (atime) entry.DIR_LstAccDate = toDos(atime).date;
  if (mtime) setModified(entry, mtime);
}

export function setModified(entry: DirEntryView, time: Timespec): void {
  const { date, time: clock } = toDos(time);
  entry.DIR_WrtDate = date;
  entry.DIR_WrtTime = clock;
}
