// What exFAT has of its own, for the operations of ../fs.ts.

import type { Format } from '../format.ts';
import { about, change, sizeOf } from './attr.ts';
import {
  entryBytes,
  type Found,
  findEntry,
  isDirectory,
  nameAt,
  recase,
  removeSet,
} from './dir/names.ts';
import {
  childAt,
  commonIno,
  type Dir,
  dirOf,
  eachName,
  fileAt,
  indexOf,
  parentOf,
  placeOf,
  setPlaces,
  streamAt,
} from './dir/places.ts';
import { mapRead, mapWrite, mayGrow, reserve, trimTail, truncate, written } from './file/data.ts';
import { freeNameless, freeStep } from './file/free.ts';
import { addDirectory, addFile, move, touchDirectory } from './names.ts';
import { EXFAT_SUPER_MAGIC } from './ondisk.ts';
import type { Op } from './op.ts';

export const EXFAT: Format<Op, Dir, Found> = {
  magic: EXFAT_SUPER_MAGIC,
  ...{ dirOf, parentOf, isDirectory, indexOf, eachName },
  inoOf: (op, dir, { place }) => childAt(op, dir, place),
  find: findEntry,
  nameOf: (op, _dir, { place, count }) => nameAt(op, setPlaces(op, place, count)),
  ...{ addFile, addDirectory, recase, move, touchDirectory },
  remove: (op, dir, found) => removeSet(op, dir, { ...found, how: 'unlinked' }),
  entryOf: entryBytes,
  ...{ about, change, sizeOf },
  filled: (op, ino) => streamAt(op, placeOf(op, ino)).ValidDataLength,
  ...{ mapRead, mapWrite, written, mayGrow, reserve, truncate, trimTail, freeNameless, freeStep },
  commonIno: (op, place) => commonIno(place, fileAt(op, place).FileAttributes),
  renumbered({ tx, env }, { from, to }) {
    tx.onCommit(() => {
      env.tree.renumber(from, to);
      env.dirs.renumber(from, to);
      if (env.moved.delete(from)) env.moved.add(to);
    });
  },
};
