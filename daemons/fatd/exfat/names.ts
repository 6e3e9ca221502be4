// What a change of names does to sets: new files and directories, and one that moves.

import { EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import { clearCluster } from '../dir/slots.ts';
import type { Move } from '../format.ts';
import { ATTR_DIRECTORY, SLOT } from '../ondisk.ts';
import { ROOT_INO } from '../op.ts';
import { setAccessed, setModified } from './attr.ts';
import {
  addSet,
  changeSet,
  editSet,
  type Found,
  isDirectory,
  keepNumber,
  movedHead,
  nameAt,
  removeSet,
} from './dir/names.ts';
import {
  commonIno,
  type Dir,
  indexOf,
  isLoose,
  parentOf,
  placeOf,
  setBytes,
  setPlaces,
} from './dir/places.ts';
import { extrasOf } from './dir/set.ts';
import { takeOne } from './file/allocate.ts';
import { ALLOCATION_POSSIBLE, FileEntry, StreamEntry } from './ondisk.ts';
import type { Op } from './op.ts';
import { toExFat } from './time.ts';

const NOTHING = new Uint8Array(0);

/** The directory's mtime is now; the root has no set to say so. */
export function touchDirectory(op: Op, { ino }: Dir): void {
  if (ino === ROOT_INO) return;
  editSet(op, ino, (file) => {
    setModified(file, op.tx.now);
    setAccessed(file, op.tx.now);
  });
}

export function addFile(
  op: Op,
  dir: Dir,
  { name, attributes }: { name: string; attributes: number },
): number {
  const { head } = newHead(op, attributes);
  return commonIno(addSet(op, dir, { name, head, extras: NOTHING }), attributes);
}

export function addDirectory(op: Op, dir: Dir, name: string): number {
  const start = takeOne(op, undefined);
  const { head, stream } = newHead(op, ATTR_DIRECTORY);
  stream.GeneralSecondaryFlags = ALLOCATION_POSSIBLE;
  stream.FirstCluster = start;
  stream.DataLength = op.vol.clusterSize;
  stream.ValidDataLength = op.vol.clusterSize;
  clearCluster(op, start);
  const ino = commonIno(addSet(op, dir, { name, head, extras: NOTHING }), ATTR_DIRECTORY);
  op.tx.onCommit(() => {
    op.env.chains.forget(start);
    op.env.tree.learn(ino, dir.ino);
  });
  return ino;
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
  setModified(file, tx.now);
  setAccessed(file, tx.now);
  return { head, stream: new StreamEntry(view, SLOT) };
}
type StreamHead = InstanceType<typeof StreamEntry>;

export function move(op: Op, { ino, from, found, to, name, there }: Move<Dir, Found>): void {
  const moving = isDirectory(op, found);
  const set = setBytes(op, setPlaces(op, found.place, found.count));
  const head = movedHead(set, () => {});
  touchBoth(op, from, to);
  removeSet(op, from, { ...found, how: 'moved' });
  const place = there
    ? replace(op, there, { head, dir: to, moving })
    : addSet(op, to, { name, head, extras: extrasOf(set) });
  keepNumber(op, ino, place);
  if (moving) op.tx.onCommit(() => op.env.tree.learn(ino, to.ino));
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
