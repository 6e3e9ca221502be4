// What FAT has of its own, for the operations of ../fs.ts.

import type { Format } from '../format.ts';
import { FILE_INO } from '../op.ts';
import { about, change } from './attr.ts';
import {
  type DirCluster,
  eachName,
  entryBytes,
  type Found,
  findEntry,
  indexOf,
  isDirectory,
  nameOf,
  recase,
  removeEntry,
} from './dir/dir.ts';
import { mapRead, mapWrite, mayGrow, trimTail, truncate, written } from './file/data.ts';
import { freeNameless, freeStep } from './file/free.ts';
import { dirOf, fileEntry, inoOf, parentOf } from './inode.ts';
import { addDirectory, addFile, move, touchDirectory } from './names.ts';
import { MSDOS_SUPER_MAGIC } from './ondisk.ts';
import type { Op } from './op.ts';

export const FAT: Format<Op, DirCluster, Found> = {
  magic: MSDOS_SUPER_MAGIC,
  ...{ dirOf, parentOf, isDirectory, indexOf, eachName },
  inoOf: (op, _dir, { place }) => inoOf(op, place),
  find: findEntry,
  nameOf: (op, dir, found) => nameOf(op, dir, found).name,
  ...{ addFile, addDirectory, recase, move, touchDirectory },
  remove: (op, dir, found) => removeEntry(op, dir, { ...found, how: 'unlinked' }),
  entryOf: entryBytes,
  ...{ about, change },
  sizeOf: (op, ino) => fileEntry(op, ino).DIR_FileSize,
  ...{ mapRead, mapWrite, written, mayGrow, truncate, trimTail, freeNameless, freeStep },
  commonIno: (_op, place) => FILE_INO + place,
};
