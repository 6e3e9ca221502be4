// Inode numbers, which FAT does not have. A directory goes by its first cluster, the root by 1. A file
// goes by where its entry lies, and keeps that number while it is held, wherever the entry moves.

import { EISDIR, ENOENT, ENOTDIR, ESTALE, EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import type { HeldFile } from '../volume/held.ts';
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
import {
  ATTR_DIRECTORY,
  ATTR_VOLUME_ID,
  type DirEntryView,
  SLOT_END,
  SLOT_FREE,
} from './ondisk.ts';
import { FILE_INO, type Op, ROOT_INO, TAIL_INO } from './op.ts';
import { FREE, fatEntry, isCluster } from './volume/fat.ts';

export const isFileIno = (ino: number): boolean => ino >= FILE_INO && ino < TAIL_INO;

/** The number of the file or directory whose entry lies there. */
export function inoOf(op: Op, place: number): number {
  const entry = readEntry(op, place);
  if ((entry.DIR_Attr & ATTR_DIRECTORY) !== 0) return dirIno(op, firstCluster(entry));
  return op.env.held.byPlace(op.tx, place)?.ino ?? FILE_INO + place;
}

/** EUCLEAN: a directory must not begin at the root, or nowhere. */
function dirIno(op: Op, cluster: number): number {
  const wrong = !isCluster(op.vol, cluster) || cluster === rootOf(op.vol);
  return wrong ? badDirectory(cluster) : cluster;
}

const badDirectory = (cluster: number): never =>
  fail(EUCLEAN, `a directory begins at cluster ${cluster}`);

/** The directory's first cluster. ESTALE: it is gone. */
export function dirOf(op: Op, ino: number): DirCluster {
  if (ino === ROOT_INO) return rootOf(op.vol);
  if (isFileIno(ino)) fail(ENOTDIR);
  if (!isCluster(op.vol, ino) || fatEntry(op.tx, op.vol, ino) === FREE) fail(ESTALE);
  return ino;
}

/** The same, for adding a name: a removed directory takes none. */
export function liveDir(op: Op, ino: number): DirCluster {
  const dir = dirOf(op, ino);
  if (ino !== ROOT_INO && op.env.held.byIno(op.tx, ino) !== undefined) fail(ENOENT);
  return dir;
}

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

export const isNameless = (op: Op, ino: number): boolean => namelessFile(op, ino) !== undefined;

export function namelessFile(op: Op, ino: number): HeldFile | undefined {
  const held = op.env.held.byIno(op.tx, ino);
  return held !== undefined && op.env.held.isNameless(held) ? held : undefined;
}

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
