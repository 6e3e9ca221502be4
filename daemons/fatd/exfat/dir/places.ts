// Where things lie: inode numbers to sets, sets to slots, directories to clusters. A file or directory goes
// by the place of its set, and keeps that number while it is held, wherever the set moves.

import { EISDIR, ENOTDIR, ESTALE, EUCLEAN, fail } from '../../../../kernel/abi/errno.ts';
import { slotAt, visitBlocks } from '../../dir/slots.ts';
import { clusterAt } from '../../file/chain.ts';
import type { Listed } from '../../format.ts';
import { ATTR_DIRECTORY, SLOT } from '../../ondisk.ts';
import { clusterByte, DIR_INO, FILE_INO, isFileIno, ROOT_INO, TAIL_INO } from '../../op.ts';
import { HELD_BLOCK } from '../../volume/held.ts';
import {
  DIR_SLOTS_MAX,
  FileEntry,
  type FileView,
  NO_FAT_CHAIN,
  SLOTS_PER_SECTOR,
  StreamEntry,
  type StreamView,
  TYPE_FILE,
} from '../ondisk.ts';
import type { Op } from '../op.ts';
import { isCluster } from '../volume/fat.ts';
import type { DirIndex } from './dir-index.ts';
import { type SetEntry, SetReader } from './set.ts';
import type { LooseSet } from './tree.ts';

/** The number of what lies there when nobody holds it by another. */
export const commonIno = (place: number, attributes: number): number =>
  ((attributes & ATTR_DIRECTORY) !== 0 ? DIR_INO : FILE_INO) + place;

/** The number of the file or directory whose set lies there. */
function inoOf(op: Op, place: number): number {
  const held = op.env.held.byPlace(op.tx, place);
  return held?.ino ?? commonIno(place, fileAt(op, place).FileAttributes);
}

/** The same of what lies in a directory: for one that lies there, this is its parent. */
export function childAt(op: Op, dir: Dir, place: number): number {
  const ino = inoOf(op, place);
  if (!isFileIno(ino)) op.env.tree.learn(ino, dir.ino);
  return ino;
}

/** Where its set lies. ESTALE: it is gone. The root has none. */
export function placeOf(op: Op, ino: number): number {
  const held = op.env.held.byIno(op.tx, ino);
  const place = held?.place ?? ino - (isFileIno(ino) ? FILE_INO : DIR_INO);
  const { EntryType, FileAttributes } = fileAt(op, place);
  const isDirectory = (FileAttributes & ATTR_DIRECTORY) !== 0;
  if (EntryType !== TYPE_FILE || isDirectory === isFileIno(ino)) fail(ESTALE);
  return place;
}

export function fileAt(op: Op, place: number): FileView {
  const { block, at } = slotAt(op, place);
  return new FileEntry(op.tx.read(block).view, at);
}

export function streamAt(op: Op, place: number): StreamView {
  const [, second = place] = setPlaces(op, place, 2);
  const { block, at } = slotAt(op, second);
  return new StreamEntry(op.tx.read(block).view, at);
}

/** Its first two entries do not lie in one sector: a change could be torn. */
export const isLoose = (place: number): boolean =>
  place % SLOTS_PER_SECTOR === SLOTS_PER_SECTOR - 1;

/** The places of the first `count` entries of a set. */
export function setPlaces(op: Op, place: number, count: number): readonly number[] {
  const { vol } = op;
  const each = vol.clusterSize / SLOT;
  const within = (place - vol.dataStart / SLOT) % each;
  const inHeld = place >= (HELD_BLOCK * vol.blockSize) / SLOT;
  if (inHeld || within + count <= each) return Array.from({ length: count }, (_, i) => place + i);
  return looseSet(op, place).places.slice(0, count);
}

/** All bytes of a set, a copy. */
export function setBytes(op: Op, places: readonly number[]): Uint8Array {
  const set = new Uint8Array(places.length * SLOT);
  for (const [i, place] of places.entries()) {
    const { block, at } = slotAt(op, place);
    set.set(op.tx.read(block).bytes.subarray(at, at + SLOT), i * SLOT);
  }
  return set;
}

/** A directory, and where its clusters are. */
export interface Dir {
  readonly ino: number;
  readonly first: number; // 0: it has none yet
  readonly clusters: number;
  readonly contiguous: boolean;
}

/** ENOTDIR, ESTALE. */
export function dirOf(op: Op, ino: number): Dir {
  if (ino === ROOT_INO) return rootDir(op);
  if (isFileIno(ino) || ino >= TAIL_INO) fail(ENOTDIR);
  const stream = streamAt(op, placeOf(op, ino));
  const { FirstCluster: first, DataLength, GeneralSecondaryFlags } = stream;
  const clusters = first === 0 ? 0 : Math.ceil(DataLength / op.vol.clusterSize);
  if (clusters * op.vol.clusterSize > DIR_SLOTS_MAX * SLOT + op.vol.clusterSize)
    fail(EUCLEAN, `a directory of ${DataLength} bytes`);
  const contiguous = (GeneralSecondaryFlags & NO_FAT_CHAIN) !== 0;
  return { ino, first, clusters, contiguous };
}

/** Its chain alone tells how long it is. */
function rootDir(op: Op): Dir {
  const { vol, env } = op;
  const most = Math.ceil((DIR_SLOTS_MAX * SLOT) / vol.clusterSize);
  if (clusterAt(op, vol.rootCluster, most) !== undefined)
    fail(EUCLEAN, 'the root directory has no end');
  const clusters = env.chains.get(vol.rootCluster).length ?? 0;
  return { ino: ROOT_INO, first: vol.rootCluster, clusters, contiguous: false };
}

/** Where a slot lies, in slots from the volume's start; undefined behind the directory's end. */
export function slotPlace(op: Op, dir: Dir, slot: number): number | undefined {
  const { vol } = op;
  const each = vol.clusterSize / SLOT;
  const index = Math.floor(slot / each);
  if (index >= dir.clusters || slot >= DIR_SLOTS_MAX) return undefined;
  const cluster = dir.contiguous ? dir.first + index : clusterAt(op, dir.first, index)?.cluster;
  if (cluster === undefined || !isCluster(vol, cluster))
    return fail(EUCLEAN, `directory at cluster ${dir.first}: it has no cluster ${index}`);
  return clusterByte(vol, cluster) / SLOT + (slot % each);
}

export const mustHaveSlot = (op: Op, dir: Dir, slot: number): number =>
  slotPlace(op, dir, slot) ??
  fail(EUCLEAN, `directory at cluster ${dir.first}: it has no slot ${slot}`);

/** The directory's blocks from a slot on, until `visit` returns true or there are no more. */
function eachBlock(
  op: Op,
  { dir, slot }: { dir: Dir; slot: number },
  visit: Parameters<typeof visitBlocks>[2],
): void {
  const unitBytes = op.vol.clusterSize;
  visitBlocks(op, { slot, unitBytes, placeOf: (at) => slotPlace(op, dir, at) }, visit);
}

/** The directory's sets from a slot on, until `visit` returns false. */
export function eachSet(
  op: Op,
  { dir, slot: from }: { dir: Dir; slot: number },
  visit: (set: SetEntry) => boolean,
): void {
  const reader = new SetReader();
  eachBlock(op, { dir, slot: from }, (view, first) => {
    for (let at = 0; at < view.byteLength; at += SLOT) {
      const slot = first.slot + at / SLOT;
      if (slot < from) continue;
      const set = reader.next(view, at, { slot, place: first.place + at / SLOT });
      if (set === 'end' || (set !== undefined && !visit(set))) return true;
    }
    return false;
  });
}

/** The directory's names from a slot on, until `visit` returns false. */
export const eachName = (
  op: Op,
  from: { dir: Dir; slot: number },
  visit: (name: Listed) => boolean,
): void =>
  eachSet(op, from, (set) => {
    const [place = 0] = set.places;
    return visit({ name: set.name, ino: childAt(op, from.dir, place), next: set.slot + set.count });
  });

/** The whole directory, read if it was not. To be asked before the request changes any of it. */
export function indexOf(op: Op, dir: Dir): DirIndex {
  const { tree } = op.env;
  const index = op.env.dirs.get(dir.ino);
  if (index.complete) return index;
  eachBlock(op, { dir, slot: index.scanned }, (view, { place }) => {
    index.scan(view, place, ({ slot, count, places }) => {
      const [first = 0, second = 0] = places;
      const last = places.at(-1) ?? 0;
      if (second !== first + 1 || last !== first + count - 1 || isLoose(first))
        tree.learnLoose(first, { dir: dir.ino, slot, places });
    });
    return index.complete;
  });
  if (!index.complete) index.finish(index.scanned);
  return index;
}

/** Directories that are looked into by one search: a volume with more is damaged. */
const SEARCHED_MOST = 2 ** 24;

/** The directory in which a directory lies. */
export function parentOf(op: Op, ino: number): number {
  if (ino === ROOT_INO) return ROOT_INO;
  const { tree } = op.env;
  searchUntil(op, () => tree.parent(ino) !== undefined);
  return tree.parent(ino) ?? fail(ESTALE, 'a directory that lies nowhere');
}

/** What there is to know of a set that lies across clusters, or that has to move. */
export function looseSet(op: Op, place: number): LooseSet {
  const { tree } = op.env;
  searchUntil(op, () => tree.loose(place) !== undefined);
  return tree.loose(place) ?? fail(ESTALE, 'a file that lies nowhere');
}

/** Nobody wrote it down: directories are read from the root on. After a restart alone it is needed. */
function searchUntil(op: Op, found: () => boolean): void {
  const { tree } = op.env;
  if (found()) return;
  if (tree.search === undefined) {
    op.env.dirs.clear(); // to be met set by set
    tree.search = { queue: [ROOT_INO], met: new Set([ROOT_INO]) };
  }
  const { queue, met } = tree.search;
  while (queue.length > 0 && !found()) {
    const [ino = ROOT_INO] = queue;
    const below = childrenOf(op, ino); // may miss a block: the search goes on here
    queue.shift();
    for (const child of below) {
      tree.learn(child, ino);
      if (met.has(child)) continue;
      met.add(child);
      queue.push(child);
    }
    if (met.size > SEARCHED_MOST) break;
  }
  tree.search = undefined;
}

const childrenOf = (op: Op, ino: number): number[] =>
  [...indexOf(op, dirOf(op, ino)).directories.values()].map((place) => inoOf(op, place));

export const mustBeFile = (ino: number): void => {
  if (!isFileIno(ino)) fail(EISDIR);
};
