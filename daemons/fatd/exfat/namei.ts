// Changing names: create, mkdir, unlink, rmdir, rename. A set of entries is the file: it moves with its name.

import {
  EINVAL,
  EISDIR,
  ENOENT,
  ENOSPC,
  ENOTDIR,
  ENOTEMPTY,
  EUCLEAN,
  fail,
} from '../../../kernel/abi/errno.ts';
import { mustBeHoldable } from '../fat/dir/name.ts';
import {
  addSet,
  changeSet,
  clearCluster,
  editSet,
  type Found,
  findEntry,
  keepNumber,
  movedHead,
  mustNotExist,
  nameAt,
  recase,
  removeSet,
} from './dir/names.ts';
import {
  commonIno,
  type Dir,
  dirOf,
  fileAt,
  indexOf,
  inoOf,
  isLoose,
  namelessFile,
  parentOf,
  placeOf,
  setBytes,
  setPlaces,
} from './dir/places.ts';
import { extrasOf } from './dir/set.ts';
import { takeOne } from './file/allocate.ts';
import { touch } from './file/data.ts';
import {
  ALLOCATION_POSSIBLE,
  ATTR_ARCHIVE,
  ATTR_DIRECTORY,
  ATTR_READ_ONLY,
  FileEntry,
  SLOT,
  StreamEntry,
} from './ondisk.ts';
import { type Op, ROOT_INO } from './op.ts';
import { toExFat } from './time.ts';

const NOTHING = new Uint8Array(0);

/** The same, for adding a name: a removed directory takes none. */
export function liveDir(op: Op, ino: number): Dir {
  const dir = dirOf(op, ino);
  if (namelessFile(op, ino) !== undefined) fail(ENOENT);
  return dir;
}

/** The directory's mtime is now; the root has no set to say so. */
function touchDirectory(op: Op, { ino }: Dir): void {
  if (ino === ROOT_INO) return;
  editSet(op, ino, (file) => {
    const attributes = file.FileAttributes;
    touch(op, file);
    file.FileAttributes = attributes;
  });
}

function newHead({ tx }: Op, attributes: number): { head: Uint8Array; stream: StreamHead } {
  const head = new Uint8Array(2 * SLOT);
  const view = new DataView(head.buffer);
  const file = new FileEntry(view);
  const { stamp, tenMs, utcOffset } = toExFat(tx.now);
  file.FileAttributes = attributes;
  file.CreateTimestamp = stamp;
  file.Create10msIncrement = tenMs;
  file.CreateUtcOffset = utcOffset;
  file.LastModifiedTimestamp = stamp;
  file.LastModified10msIncrement = tenMs;
  file.LastModifiedUtcOffset = utcOffset;
  file.LastAccessedTimestamp = stamp;
  file.LastAccessedUtcOffset = utcOffset;
  return { head, stream: new StreamEntry(view, SLOT) };
}
type StreamHead = InstanceType<typeof StreamEntry>;

export interface Create {
  readonly name: string;
  readonly mode: number;
}

/** A new empty file; returns its number. */
export function create(op: Op, dir: Dir, { name, mode }: Create): number {
  mustBeHoldable(name);
  mustNotExist(op, dir, name);
  if (op.env.refuses('inodes')) fail(ENOSPC);
  const attributes = ATTR_ARCHIVE | ((mode & 0o222) === 0 ? ATTR_READ_ONLY : 0);
  const { head } = newHead(op, attributes);
  touchDirectory(op, dir);
  return commonIno(addSet(op, dir, { name, head, extras: NOTHING }), attributes);
}

export function mkdir(op: Op, dir: Dir, { name }: Create): number {
  mustBeHoldable(name);
  mustNotExist(op, dir, name);
  if (op.env.refuses('inodes')) fail(ENOSPC);
  const start = takeOne(op, undefined);
  const { head, stream } = newHead(op, ATTR_DIRECTORY);
  stream.GeneralSecondaryFlags = ALLOCATION_POSSIBLE;
  stream.FirstCluster = start;
  stream.DataLength = op.vol.clusterSize;
  stream.ValidDataLength = op.vol.clusterSize;
  clearCluster(op, start);
  touchDirectory(op, dir);
  const ino = commonIno(addSet(op, dir, { name, head, extras: NOTHING }), ATTR_DIRECTORY);
  op.tx.onCommit(() => {
    op.env.chains.forget(start);
    op.env.tree.learn(ino, dir.ino);
  });
  return ino;
}

export function unlink(op: Op, dir: Dir, name: string): void {
  const found = findEntry(op, dir, name) ?? fail(ENOENT);
  if (isDirectory(op, found)) fail(EISDIR);
  removeName(op, dir, found);
}

export function rmdir(op: Op, dir: Dir, name: string): void {
  const found = findEntry(op, dir, name) ?? fail(ENOENT);
  if (!isDirectory(op, found)) fail(ENOTDIR);
  mustBeEmpty(op, found);
  removeName(op, dir, found);
}

const isDirectory = (op: Op, { place }: Found): boolean =>
  (fileAt(op, place).FileAttributes & ATTR_DIRECTORY) !== 0;

function mustBeEmpty(op: Op, { place }: Found): void {
  if (indexOf(op, dirOf(op, inoOf(op, place))).size > 0) fail(ENOTEMPTY);
}

/** The file lives on without a name until nobody holds it. */
function removeName(op: Op, dir: Dir, found: Found): void {
  keepNameless(op, found.place);
  touchDirectory(op, dir);
  removeSet(op, dir, { ...found, how: 'unlinked' });
}

function keepNameless(op: Op, place: number): void {
  const ino = inoOf(op, place);
  op.env.held.hold(op.tx, ino, { entry: setBytes(op, setPlaces(op, place, 2)) });
  op.tx.onCommit(() => op.env.unfinished(ino));
}

export interface Place {
  readonly dir: Dir;
  readonly name: string;
}

export function rename(op: Op, from: Place, to: Place): void {
  mustBeHoldable(to.name);
  const found = findEntry(op, from.dir, from.name) ?? fail(ENOENT);
  const there = findEntry(op, to.dir, to.name);
  const same = there?.place === found.place;
  if (same && nameAt(op, setPlaces(op, found.place, found.count)) === to.name) return;
  if (same && recase(op, found, to.name)) {
    touchDirectory(op, from.dir);
    return;
  }
  const moving = isDirectory(op, found);
  const ino = inoOf(op, found.place);
  if (moving) mustNotContain(op, ino, to.dir.ino);
  if (there !== undefined && !same) mustBeReplaceable(op, found, there);
  const set = setBytes(op, setPlaces(op, found.place, found.count));
  const head = movedHead(set, () => {});
  touchBoth(op, from.dir, to.dir);
  removeSet(op, from.dir, { ...found, how: 'moved' });
  const place =
    there !== undefined && !same
      ? replace(op, there, { head, dir: to.dir, moving })
      : addSet(op, to.dir, { name: to.name, head, extras: extrasOf(set) });
  keepNumber(op, ino, place);
  if (moving) op.tx.onCommit(() => op.env.tree.learn(ino, to.dir.ino));
}

/** A request adds one set to a directory: where the one's set would have to move into the other, it waits. */
function touchBoth(op: Op, from: Dir, to: Dir): void {
  if (from.ino === to.ino) {
    touchDirectory(op, from);
    return;
  }
  for (const [dir, other] of [
    [from, to],
    [to, from],
  ] as const) {
    if (dir.ino === ROOT_INO) continue;
    const moves = isLoose(placeOf(op, dir.ino)) && parentOf(op, dir.ino) === other.ino;
    if (!moves) touchDirectory(op, dir);
  }
}

/** The set keeps its name and gets another file: one sector says both. */
function replace(
  op: Op,
  there: Found,
  { head, dir, moving }: { head: Uint8Array; dir: Dir; moving: boolean },
): number {
  keepNameless(op, there.place);
  if (isLoose(there.place)) {
    const name = nameAt(op, setPlaces(op, there.place, there.count)) ?? fail(EUCLEAN);
    removeSet(op, dir, { ...there, how: 'unlinked' });
    return addSet(op, dir, { name, head, extras: NOTHING });
  }
  const now = new StreamEntry(new DataView(head.buffer), SLOT);
  changeSet(op, there.place, (file, stream) => {
    const about = head.subarray(FileEntry.offsets.FileAttributes, SLOT);
    const { view, at } = file;
    new Uint8Array(
      view.buffer,
      view.byteOffset + at + FileEntry.offsets.FileAttributes,
      about.length,
    ).set(about);
    stream.GeneralSecondaryFlags = now.GeneralSecondaryFlags;
    stream.MoveCount = now.MoveCount;
    stream.ValidDataLength = now.ValidDataLength;
    stream.FirstCluster = now.FirstCluster;
    stream.DataLength = now.DataLength;
  });
  const index = indexOf(op, dir);
  op.tx.onCommit(() =>
    op.env.dirs.change(dir.ino, index, (held) => {
      held.replace(there.slot, moving ? there.place : undefined);
    }),
  );
  return there.place;
}

function mustBeReplaceable(op: Op, file: Found, old: Found): void {
  const moving = isDirectory(op, file);
  const isDir = isDirectory(op, old);
  if (moving && !isDir) fail(ENOTDIR);
  if (!moving && isDir) fail(EISDIR);
  if (isDir) mustBeEmpty(op, old);
}

/** Directories on the way to the root; no path is longer. */
const DEPTH_MAX = 65_536;

/** A directory cannot move into itself: EINVAL when `inner` lies below `outer`. */
function mustNotContain(op: Op, outer: number, inner: number): void {
  let ino = inner;
  for (let depth = 0; depth < DEPTH_MAX; depth++) {
    if (ino === outer) fail(EINVAL);
    if (ino === ROOT_INO) return;
    ino = parentOf(op, ino);
  }
  fail(EUCLEAN, 'a directory lies too deep');
}
