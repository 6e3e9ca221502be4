// Changing names: create, mkdir, unlink, rmdir, rename. FAT has no links and no inodes: an entry is the
// file, and moves with its name.

import {
  EINVAL,
  EISDIR,
  ENOENT,
  ENOSPC,
  ENOTDIR,
  ENOTEMPTY,
  EUCLEAN,
  fail,
} from '../../kernel/abi/errno.ts';
import {
  addEntry,
  clearCluster,
  type DirCluster,
  editEntry,
  type Found,
  findEntry,
  firstCluster,
  indexOf,
  mustNotExist,
  nameOf,
  parentCluster,
  readEntry,
  recase,
  removeEntry,
  rootOf,
  setFirstCluster,
  slotPlace,
} from './fat/dir/dir.ts';
import { mustBeHoldable } from './fat/dir/name.ts';
import { allocate } from './fat/file/allocate.ts';
import { dirPlace, inoOf } from './fat/inode.ts';
import {
  ATTR_ARCHIVE,
  ATTR_DIRECTORY,
  ATTR_READ_ONLY,
  DirEntry,
  type DirEntryView,
} from './fat/ondisk.ts';
import { clusterByte, type Op, ROOT_INO } from './fat/op.ts';
import { toDos } from './time.ts';

const dirIno = ({ vol }: Op, dir: DirCluster): number => (dir === rootOf(vol) ? ROOT_INO : dir);

/** The directory's mtime is now; the root has no entry to say so. */
function touchDirectory(op: Op, dir: DirCluster): void {
  const place = dirPlace(op, dirIno(op, dir));
  if (place === undefined) return;
  const { date, time } = toDos(op.tx.now);
  const entry = editEntry(op, place);
  entry.DIR_WrtDate = date;
  entry.DIR_WrtTime = time;
}

function newEntry({ tx }: Op, attr: number): { bytes: Uint8Array; entry: DirEntryView } {
  const bytes = new Uint8Array(DirEntry.size);
  const entry = new DirEntry(new DataView(bytes.buffer));
  const { date, time, tenth } = toDos(tx.now);
  entry.DIR_Attr = attr;
  entry.DIR_CrtDate = date;
  entry.DIR_CrtTime = time;
  entry.DIR_CrtTimeTenth = tenth;
  entry.DIR_WrtDate = date;
  entry.DIR_WrtTime = time;
  entry.DIR_LstAccDate = date;
  return { bytes, entry };
}

export interface Create {
  readonly name: string;
  readonly mode: number;
}

/** A new empty file; returns its number. */
export function create(op: Op, dir: DirCluster, { name, mode }: Create): number {
  mustBeHoldable(name);
  mustNotExist(op, dir, name);
  if (op.env.refuses('inodes')) fail(ENOSPC);
  const readOnly = (mode & 0o222) === 0 ? ATTR_READ_ONLY : 0;
  const { bytes } = newEntry(op, ATTR_ARCHIVE | readOnly);
  touchDirectory(op, dir);
  return inoOf(op, addEntry(op, dir, { name, template: bytes }));
}

export function mkdir(op: Op, dir: DirCluster, { name }: Create): number {
  mustBeHoldable(name);
  mustNotExist(op, dir, name);
  if (op.env.refuses('inodes')) fail(ENOSPC);
  const { start } = allocate(op, { near: undefined, want: 1 });
  const { bytes, entry } = newEntry(op, ATTR_DIRECTORY);
  setFirstCluster(entry, start);
  clearCluster(op, start);
  putDots(op, start, { parent: dir, template: bytes });
  touchDirectory(op, dir);
  addEntry(op, dir, { name, template: bytes });
  return start;
}

function putDots(
  op: Op,
  dir: DirCluster,
  { parent, template }: { parent: DirCluster; template: Uint8Array },
): void {
  const { bytes: block } = op.tx.edit(clusterByte(op.vol, dir) / op.vol.blockSize);
  for (const [i, cluster] of [dir, dotDot(op, parent)].entries()) {
    const at = i * DirEntry.size;
    block.set(template, at);
    block.fill(0x20, at, at + 11).fill(0x2e, at, at + 1 + i);
    setFirstCluster(new DirEntry(new DataView(block.buffer, block.byteOffset), at), cluster);
  }
}

/** What '..' holds for that parent: the root is always 0. */
const dotDot = ({ vol }: Op, parent: DirCluster): number => (parent === rootOf(vol) ? 0 : parent);

export function unlink(op: Op, dir: DirCluster, name: string): void {
  const found = findEntry(op, dir, name) ?? fail(ENOENT);
  if (isDirectory(op, found)) fail(EISDIR);
  removeName(op, dir, found);
}

export function rmdir(op: Op, dir: DirCluster, name: string): void {
  const found = findEntry(op, dir, name) ?? fail(ENOENT);
  if (!isDirectory(op, found)) fail(ENOTDIR);
  mustBeEmpty(op, inoOf(op, found.place));
  removeName(op, dir, found);
}

const isDirectory = (op: Op, { place }: Found): boolean =>
  (readEntry(op, place).DIR_Attr & ATTR_DIRECTORY) !== 0;

function mustBeEmpty(op: Op, dir: DirCluster): void {
  if (indexOf(op, dir).size > 0) fail(ENOTEMPTY);
}

/** The file lives on without a name until nobody holds it. */
function removeName(op: Op, dir: DirCluster, found: Found): void {
  keepNameless(op, found.place);
  touchDirectory(op, dir);
  removeEntry(op, dir, { ...found, how: 'unlinked' });
}

function keepNameless(op: Op, place: number): void {
  const ino = inoOf(op, place);
  const { view, at } = readEntry(op, place);
  const entry = new Uint8Array(view.buffer, view.byteOffset + at, DirEntry.size).slice();
  op.env.held.hold(op.tx, ino, { entry });
  op.tx.onCommit(() => op.env.unfinished(ino));
}

export interface Place {
  readonly dir: DirCluster;
  readonly name: string;
}

export function rename(op: Op, from: Place, to: Place): void {
  mustBeHoldable(to.name);
  const found = findEntry(op, from.dir, from.name) ?? fail(ENOENT);
  const there = findEntry(op, to.dir, to.name);
  const same = there?.place === found.place;
  if (same && nameOf(op, from.dir, found).name === to.name) return;
  if (same && recase(op, from.dir, found, to.name)) {
    touchDirectory(op, from.dir);
    return;
  }
  const moving = isDirectory(op, found);
  const ino = inoOf(op, found.place);
  if (moving) mustNotContain(op, ino, to.dir);
  if (there !== undefined && !same) mustBeReplaceable(op, found, there);
  const { view, at } = readEntry(op, found.place);
  const template = new Uint8Array(view.buffer, view.byteOffset + at, DirEntry.size).slice();
  touchDirectory(op, from.dir);
  if (to.dir !== from.dir) touchDirectory(op, to.dir);
  removeEntry(op, from.dir, { ...found, how: 'moved' });
  const place =
    there !== undefined && !same
      ? replace(op, there, { template, dir: to.dir })
      : addEntry(op, to.dir, { name: to.name, template });
  if (moving && to.dir !== from.dir) {
    setFirstCluster(editEntry(op, slotPlace(op, ino, 1)), dotDot(op, to.dir));
  }
  if (moving) return;
  op.env.held.hold(op.tx, ino, { place });
  op.tx.onCommit(() => op.env.unfinished(ino));
}

/** The entry keeps its name and gets another file: one sector says both. */
function replace(
  op: Op,
  there: Found,
  { template, dir }: { template: Uint8Array; dir: DirCluster },
): number {
  const old = readEntry(op, there.place);
  const before = (old.DIR_Attr & ATTR_DIRECTORY) !== 0 ? firstCluster(old) : undefined;
  keepNameless(op, there.place);
  const entry = editEntry(op, there.place);
  const name = entry.DIR_Name.slice();
  const { DIR_NTRes } = entry;
  new Uint8Array(entry.view.buffer, entry.view.byteOffset + entry.at, DirEntry.size).set(template);
  entry.DIR_Name = name;
  entry.DIR_NTRes = DIR_NTRes;
  if (before !== undefined) {
    const cluster = firstCluster(entry);
    const index = indexOf(op, dir);
    op.tx.onCommit(() =>
      op.env.dirs.change(dir, index, (held) => {
        held.exchange({ slot: there.slot, before, cluster });
      }),
    );
  }
  return there.place;
}

function mustBeReplaceable(op: Op, file: Found, old: Found): void {
  const moving = isDirectory(op, file);
  const isDir = isDirectory(op, old);
  if (moving && !isDir) fail(ENOTDIR);
  if (!moving && isDir) fail(EISDIR);
  if (isDir) mustBeEmpty(op, inoOf(op, old.place));
}

/** Directories on the way to the root; no path is longer. */
const DEPTH_MAX = 65_536;

/** A directory cannot move into itself: EINVAL when `inner` lies below `outer`. */
function mustNotContain(op: Op, outer: number, inner: DirCluster): void {
  let dir = inner;
  for (let depth = 0; depth < DEPTH_MAX; depth++) {
    if (dir === outer) fail(EINVAL);
    if (dir === rootOf(op.vol)) return;
    dir = parentCluster(op, dir);
  }
  fail(EUCLEAN, `directory at cluster ${inner}: its '..' never lead to the root`);
}
