// Names in a directory: looking one up, adding a set, removing one, and changing what a set says.

import { ENOSPC, fail } from '../../../../kernel/abi/errno.ts';
import { Unwritten } from '../../../lib/transaction.ts';
import { clearCluster, endAt, putSlot, slotAt } from '../../dir/slots.ts';
import { ATTR_DIRECTORY, SLOT } from '../../ondisk.ts';
import { clusterByte, DIR_INO, FILE_INO, namelessFile, ROOT_INO } from '../../op.ts';
import { takeOne } from '../file/allocate.ts';
import {
  ALLOCATION_POSSIBLE,
  DIR_SLOTS_MAX,
  FileEntry,
  type FileView,
  IN_USE,
  SLOTS_PER_SECTOR,
  StreamEntry,
  type StreamView,
  setChecksum,
  TYPE_UNUSED,
} from '../ondisk.ts';
import type { GoneName, Op } from '../op.ts';
import { linkRow, setNext } from '../volume/fat.ts';
import type { DirIndex, Extent } from './dir-index.ts';
import {
  type Dir,
  dirOf,
  fileAt,
  indexOf,
  isLoose,
  looseSet,
  mustHaveSlot,
  placeOf,
  setBytes,
  setPlaces,
  slotPlace,
} from './places.ts';
import { buildSet, extrasOf, type NewSet, setName, slotsForName } from './set.ts';

export interface Found extends Extent {
  readonly place: number;
}

export function findEntry(op: Op, dir: Dir, name: string): Found | undefined {
  const found = indexOf(op, dir).find(name);
  return found && { ...found, place: mustHaveSlot(op, dir, found.slot) };
}

export const isDirectory = (op: Op, { place }: Found): boolean =>
  (fileAt(op, place).FileAttributes & ATTR_DIRECTORY) !== 0;

/** A copy of the first two entries of its set. */
export const entryBytes = (op: Op, { place }: Found): Uint8Array =>
  setBytes(op, setPlaces(op, place, 2));

/** Adds a set; returns where it lies. */
export function addSet(op: Op, dir: Dir, parts: NewSet): number {
  const { name } = parts;
  const index = indexOf(op, dir);
  const set = buildSet(parts, op.env.upcase);
  const count = set.length / SLOT;
  const gone = goneName(op, dir, { name, count });
  const { slot, placeAt } = gone
    ? { slot: gone.slot, placeAt: (at: number) => mustHaveSlot(op, dir, at) }
    : findRoom(op, dir, { index, count });
  // Slots that are passed over: a zero there would be the directory's end.
  for (let at = index.end; at < slot; at++) {
    const place = placeAt(at);
    if (place !== undefined) putSlot(op, place, UNUSED);
  }
  const places: number[] = [];
  for (let i = 0; i < count; i++) {
    const place = placeAt(slot + i);
    if (place === undefined) return fail(ENOSPC);
    putSlot(op, place, set.subarray(i * SLOT, (i + 1) * SLOT));
    places.push(place);
  }
  if (slot + count > index.end) endAt(op, slotPlace(op, dir, slot + count));
  const [place = 0] = places;
  const { FileAttributes } = new FileEntry(new DataView(set.buffer));
  const directory = (FileAttributes & ATTR_DIRECTORY) !== 0 ? place : undefined;
  op.tx.onCommit(() => {
    op.env.dirs.change(dir.ino, index, (held) => held.add({ slot, count, name, directory }));
    if (places.at(-1) !== place + count - 1)
      op.env.tree.learnLoose(place, { dir: dir.ino, slot, places });
  });
  return place;
}

const UNUSED = Uint8Array.from({ length: SLOT }, (_, i) => (i === 0 ? TYPE_UNUSED : 0));

const goneKey = (op: Op, dir: Dir, name: string): string =>
  `${dir.ino}/${op.env.upcase.fold(name)}`;

/**
 * The disk may still have a set with that name, and must never have two. One that was unlinked is taken
 * again, if one sector holds all of it; for one that lives on under another name this has to wait.
 */
function goneName(
  op: Op,
  dir: Dir,
  { name, count }: { name: string; count: number },
): GoneName | undefined {
  const gone = op.env.freed.running.names.get(goneKey(op, dir, name));
  if (gone === undefined) return undefined;
  const place = mustHaveSlot(op, dir, gone.slot);
  const fits = gone.count === count && inOneSector(place, count);
  if (gone.how === 'moved' || !fits || isHeldPlace(op, place)) throw new Unwritten();
  return gone;
}

/** A file that is held may be known by the number that this place would give. */
const isHeldPlace = ({ env, tx }: Op, place: number): boolean =>
  env.held.byIno(tx, FILE_INO + place) !== undefined ||
  env.held.byIno(tx, DIR_INO + place) !== undefined;

const inOneSector = (place: number, count: number): boolean =>
  (place % SLOTS_PER_SECTOR) + count <= SLOTS_PER_SECTOR;

interface Room {
  readonly slot: number;
  /** Where its slots lie; the directory may have grown for them in this request. */
  readonly placeAt: (slot: number) => number | undefined;
}

/** Free slots in a row, for which the directory grows when it must. */
function findRoom(op: Op, dir: Dir, { index, count }: { index: DirIndex; count: number }): Room {
  const allowed = (slot: number): boolean => {
    const place = slotPlace(op, dir, slot);
    if (place === undefined) return true;
    return !op.env.freed.hasPlace(place) && !isHeldPlace(op, place);
  };
  const slot = index.findRun(count, allowed);
  const end = slot + count;
  if (end > DIR_SLOTS_MAX) fail(ENOSPC, `directory at cluster ${dir.first} is full`);
  const { clusterSize } = op.vol;
  const grown = grow(op, dir, Math.ceil((end * SLOT) / clusterSize));
  const placeAt = (at: number): number | undefined => {
    const cluster = grown[Math.floor((at * SLOT) / clusterSize) - dir.clusters];
    if (cluster === undefined) return slotPlace(op, dir, at);
    return (clusterByte(op.vol, cluster) + ((at * SLOT) % clusterSize)) / SLOT;
  };
  return { slot, placeAt };
}

/** Adds clusters of zeroes to a directory; returns them. */
function grow(op: Op, dir: Dir, to: number): number[] {
  const { vol, tx, env } = op;
  const grown: number[] = [];
  let { first, contiguous } = dir;
  let last = lastCluster(op, dir);
  for (let index = dir.clusters; index < to; index++) {
    const start = takeOne(op, last);
    if (last === undefined) first = start;
    else if (contiguous && start !== last + 1) {
      linkRow(tx, vol, { first, count: index, next: start });
      contiguous = false;
    } else if (!contiguous) setNext(tx, vol, last, start);
    clearCluster(op, start);
    if (!contiguous) {
      const head = first;
      tx.onCommit(() => env.chains.append(head, { index, cluster: start, count: 1 }));
    }
    if (dir.ino === ROOT_INO) tx.onCommit(() => env.rootClusters.add(start, 1));
    grown.push(start);
    last = start;
  }
  if (grown.length > 0 && dir.ino !== ROOT_INO) {
    editSet(op, dir.ino, (_, stream) => {
      stream.FirstCluster = first;
      stream.DataLength = to * vol.clusterSize;
      stream.ValidDataLength = stream.DataLength;
      if (!contiguous) stream.GeneralSecondaryFlags = ALLOCATION_POSSIBLE;
    });
  }
  return grown;
}

function lastCluster(op: Op, dir: Dir): number | undefined {
  if (dir.clusters === 0) return undefined;
  const slot = (dir.clusters * op.vol.clusterSize) / SLOT - 1;
  const byte = mustHaveSlot(op, dir, slot) * SLOT;
  return Math.floor((byte - op.vol.dataStart) / op.vol.clusterSize) + 2;
}

/** Removes a set from its directory. */
export function removeSet(
  op: Op,
  dir: Dir,
  found: Found & { readonly how: GoneName['how'] },
): void {
  const index = indexOf(op, dir);
  const { env, tx } = op;
  const { slot, count, how } = found;
  const places = setPlaces(op, found.place, count);
  const name = nameAt(op, places) ?? '';
  for (const place of places) {
    const { block, at } = slotAt(op, place);
    const { view } = tx.edit(block);
    view.setUint8(at, view.getUint8(at) & ~IN_USE);
  }
  tx.onCommit(() => {
    env.tree.forgetLoose(found.place);
    env.dirs.change(dir.ino, index, (held) => {
      held.remove({ slot, count, name });
      for (let i = 0; i < count; i++) held.free(slot + i);
    });
    const { running } = env.freed;
    for (const place of places) running.places.add(place);
    const key = goneKey(op, dir, name);
    if (running.names.get(key)?.how !== 'moved') running.names.set(key, { how, name, slot, count });
    env.noteFreed(0, 1);
  });
}

/** The name as the set has it, which need not be the one it was found by. */
export const nameAt = (op: Op, places: readonly number[]): string | undefined =>
  setName(setBytes(op, places));

export type Change = (file: FileView, stream: StreamView) => void;

/** Changes what is said of a file or directory; a set that could be torn by it is moved first. */
export function editSet(op: Op, ino: number, change: Change): void {
  const place = placeOf(op, ino);
  if (namelessFile(op, ino) !== undefined) editHead(op, place, change);
  else if (isLoose(place)) relocate(op, ino, change);
  else changeSet(op, place, change);
}

/** A set whose first two entries lie in one sector. */
export function changeSet(op: Op, place: number, change: Change): void {
  const places = setPlaces(op, place, fileAt(op, place).SecondaryCount + 1);
  const file = editHead(op, place, change);
  file.SetChecksum = setChecksum(setBytes(op, places));
}

function editHead(op: Op, place: number, change: Change): FileView {
  const { block, at } = slotAt(op, place);
  const { view } = op.tx.edit(block);
  const file = new FileEntry(view, at);
  change(file, new StreamEntry(view, at + SLOT));
  return file;
}

/** The set goes elsewhere in its directory, into one sector. Returns where it lies then. */
function relocate(op: Op, ino: number, change: Change): number {
  const place = placeOf(op, ino);
  const { dir: parent, slot } = looseSet(op, place);
  const dir = dirOf(op, parent);
  const count = fileAt(op, place).SecondaryCount + 1;
  const set = setBytes(op, setPlaces(op, place, count));
  const name = setName(set) ?? fail(ENOSPC);
  removeSet(op, dir, { slot, count, place, how: 'moved' });
  const moved = addSet(op, dir, { name, head: movedHead(set, change), extras: extrasOf(set) });
  keepNumber(op, ino, moved);
  return moved;
}

/** The first two entries of a set that moves: of two with the same clusters it is the newer one. */
export function movedHead(set: Uint8Array, change: Change): Uint8Array {
  const head = set.slice(0, 2 * SLOT);
  const view = new DataView(head.buffer);
  const stream = new StreamEntry(view, SLOT);
  stream.MoveCount = (stream.MoveCount + 1) & 0xffff;
  change(new FileEntry(view), stream);
  return head;
}

/** While somebody holds it, the file goes by the number that it had. */
export function keepNumber(op: Op, ino: number, place: number): void {
  op.env.held.hold(op.tx, ino, { place });
  op.tx.onCommit(() => {
    op.env.moved.add(ino);
    op.env.unfinished(ino);
  });
}

/** The same name in other letters, where it lies. False: it would have to be written in two sectors. */
export function recase(
  op: Op,
  _dir: Dir,
  { found, name }: { found: Found; name: string },
): boolean {
  const { place, count } = found;
  if (slotsForName(name) !== slotsForName(nameAt(op, setPlaces(op, place, count)) ?? ''))
    return false;
  if (!inOneSector(place, count)) return false;
  const old = setBytes(op, setPlaces(op, place, count));
  const set = buildSet({ name, head: old, extras: extrasOf(old) }, op.env.upcase);
  for (let i = 0; i < count; i++) putSlot(op, place + i, set.subarray(i * SLOT, (i + 1) * SLOT));
  return true;
}
