// Inode numbers, which FAT does not have. A directory goes by its first cluster, the root by 1. A file
// goes by where its entry lies, and keeps that number while it is held, wherever the entry moves.

import { EISDIR, ENOTDIR, ESTALE, EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import { ATTR_DIRECTORY, SLOT_END } from '../ondisk.ts';
import { FILE_INO, isFileIno, ROOT_INO } from '../op.ts';
import {
  type DirCluster,
  editEntry,
  firstCluster,
  indexOf,
  parentCluster,
  readEntry,
  rootOf,
  slotPlace,
} from './dir/dir.ts';
import { ATTR_VOLUME_ID, type DirEntryView, SLOT_FREE } from './ondisk.ts';
import type { Op } from './op.ts';
import { FREE, fatEntry, isCluster } from './volume/fat.ts';

/** The number of the file or directory whose entry lies there. */
export function inoOf(op: Op, place: number): number {
  const entry = readEntry(op, place);
  if ((entry.DIR_Attr & ATTR_DIRECTORY) !== 0) return mustBeDirectory(op, firstCluster(op, entry));
  return op.env.held.byPlace(op.tx, place)?.ino ?? FILE_INO + place;
}

/** EUCLEAN: a directory must not begin at the root, or nowhere. */
function mustBeDirectory({ vol }: Op, cluster: number): number {
  if (!isCluster(vol, cluster) || cluster === rootOf(vol))
    fail(EUCLEAN, `a directory begins at cluster ${cluster}`);
  return cluster;
}

/** The directory's first cluster. ESTALE: it is gone. */
export function dirOf(op: Op, ino: number): DirCluster {
  if (ino === ROOT_INO) return rootOf(op.vol);
  if (isFileIno(ino)) fail(ENOTDIR);
  if (!isCluster(op.vol, ino) || fatEntry(op.tx, op.vol, ino) === FREE) fail(ESTALE);
  return ino;
}

export const dirIno = ({ vol }: Op, dir: DirCluster): number =>
  dir === rootOf(vol) ? ROOT_INO : dir;

export const parentOf = (op: Op, ino: number): number =>
  ino === ROOT_INO ? ROOT_INO : dirIno(op, parentCluster(op, ino));

/** Where a file's entry lies. */
export function filePlace(op: Op, ino: number): number {
  if (!isFileIno(ino)) fail(EISDIR);
  const held = op.env.held.byIno(op.tx, ino);
  const place = held?.place ?? ino - FILE_INO;
  const entry = readEntry(op, place);
  const first = entry.DIR_Name[0];
  const gone = first === SLOT_FREE || first === SLOT_END;
  if (gone || (entry.DIR_Attr & (ATTR_VOLUME_ID | ATTR_DIRECTORY)) !== 0) fail(ESTALE);
  return place;
}

export const fileEntry = (op: Op, ino: number): DirEntryView => readEntry(op, filePlace(op, ino));
export const editFile = (op: Op, ino: number): DirEntryView => editEntry(op, filePlace(op, ino));

/** Where a directory's own entry lies, in its parent; undefined for the root. */
export function dirPlace(op: Op, ino: number): number | undefined {
  if (ino === ROOT_INO) return undefined;
  const held = op.env.held.byIno(op.tx, ino);
  if (held !== undefined) return held.place;
  const parent = parentCluster(op, ino);
  const slot = indexOf(op, parent).directory(ino);
  // Its '..' may be wrong after a power cut: its own '.' knows enough.
  return slot === undefined ? slotPlace(op, ino, 0) : slotPlace(op, parent, slot);
}
