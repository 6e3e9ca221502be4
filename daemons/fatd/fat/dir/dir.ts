// Names in a directory: looking one up, adding one with its long name and its alias, removing one.
// A directory is a chain of clusters, or FAT12's and FAT16's fixed root. fatgen103, "FAT Directory Structure".

import { assert, ENOSPC, ESTALE, EUCLEAN, fail } from '../../../../kernel/abi/errno.ts';
import { foldCase } from '../../../../kernel/abi/text.ts';
import { Unwritten } from '../../../lib/transaction.ts';
import { clearCluster, endAt, putSlot, slotAt, visitBlocks } from '../../dir/slots.ts';
import { chainLength, clusterAt } from '../../file/chain.ts';
import type { Listed } from '../../format.ts';
import { ATTR_DIRECTORY, SLOT } from '../../ondisk.ts';
import { clusterByte, FILE_INO } from '../../op.ts';
import { allocate } from '../file/allocate.ts';
import { inoOf } from '../inode.ts';
import { DIR_SLOTS_MAX, DirEntry, type DirEntryView, SLOT_FREE, SLOT_KANJI } from '../ondisk.ts';
import type { GoneName, Op } from '../op.ts';
import { setFatEntry, startIn } from '../volume/fat.ts';
import type { FatVolume } from '../volume/geometry.ts';
import type { Added, DirIndex, Place } from './dir-index.ts';
import { type Entry, EntryReader, isDots } from './entries.ts';
import {
  ALIAS_MOST,
  aliasOf,
  basisOf,
  exactShort,
  longParts,
  shortChecksum,
  shortText,
} from './name.ts';

/** A directory by its first cluster; 0: the fixed root. */
export type DirCluster = number;

/** The root directory's. */
export const rootOf = (vol: FatVolume): DirCluster => vol.rootCluster;

/** Where a slot lies, in slots from the volume's start. EUCLEAN when the directory has no such slot. */
export function slotPlace(op: Op, dir: DirCluster, slot: number): number {
  return slotIfAny(op, dir, slot) ?? fail(EUCLEAN, `directory at cluster ${dir}: no slot ${slot}`);
}

function slotIfAny(op: Op, dir: DirCluster, slot: number): number | undefined {
  const { vol } = op;
  if (slot >= DIR_SLOTS_MAX) return undefined;
  if (dir === 0) return slot < vol.rootSlots ? vol.rootStart / SLOT + slot : undefined;
  const each = vol.clusterSize / SLOT;
  const run = clusterAt(op, dir, Math.floor(slot / each));
  return run && clusterByte(vol, run.cluster) / SLOT + (slot % each);
}

export function readEntry(op: Op, place: number): DirEntryView {
  const { block, at } = slotAt(op, place);
  return new DirEntry(op.tx.read(block).view, at);
}

export function editEntry(op: Op, place: number): DirEntryView {
  const { block, at } = slotAt(op, place);
  return new DirEntry(op.tx.edit(block).view, at);
}

/** The directory's blocks from a slot on, until `visit` returns true or there are no more. */
export function eachBlock(
  op: Op,
  { dir, slot }: { dir: DirCluster; slot: number },
  visit: Parameters<typeof visitBlocks>[2],
): void {
  const unitBytes = dir === 0 ? op.vol.rootSlots * SLOT : op.vol.clusterSize;
  visitBlocks(op, { slot, unitBytes, placeOf: (at) => slotIfAny(op, dir, at) }, visit);
}

/** The directory's names from a slot on, until `visit` returns false. */
export function eachName(
  op: Op,
  { dir, slot: from }: { dir: DirCluster; slot: number },
  visit: (name: Listed) => boolean,
): void {
  const reader = new EntryReader();
  eachBlock(op, { dir, slot: from }, (view, first) => {
    for (let at = 0; at < view.byteLength; at += SLOT) {
      const slot = first.slot + at / SLOT;
      if (slot < from) continue;
      const entry = reader.next(view, at, slot);
      if (entry === 'end') return true;
      if (entry === undefined || isDots(view, at)) continue;
      const ino = inoOf(op, first.place + at / SLOT);
      if (!visit({ name: entry.name, ino, next: slot + 1 })) return true;
    }
    return false;
  });
}

/** The whole directory, read if it was not. To be asked before the request changes any of it. */
export function indexOf(op: Op, dir: DirCluster): DirIndex {
  const index = op.env.dirs.get(dir);
  if (index.complete) return index;
  eachBlock(op, { dir, slot: index.scanned }, (view, { slot }) => {
    assert(slot === index.scanned, 'a directory is read in order');
    index.scan(view);
    return index.complete;
  });
  if (!index.complete) index.finish(index.scanned);
  return index;
}

export interface Found extends Place {
  readonly place: number;
}

export function findEntry(op: Op, dir: DirCluster, name: string): Found | undefined {
  const found = indexOf(op, dir).find(name);
  return found && { ...found, place: slotPlace(op, dir, found.slot) };
}

export const isDirectory = (op: Op, { place }: Found): boolean =>
  (readEntry(op, place).DIR_Attr & ATTR_DIRECTORY) !== 0;

/** A copy of its 8.3 entry. */
export function entryBytes(op: Op, { place }: Found): Uint8Array {
  const { block, at } = slotAt(op, place);
  return op.tx.read(block).bytes.slice(at, at + SLOT);
}

export const firstCluster = ({ vol }: Pick<Op, 'vol'>, entry: DirEntryView): number =>
  startIn(vol.bits, entry);

export function setFirstCluster(entry: DirEntryView, cluster: number): void {
  entry.DIR_FstClusHI = cluster >>> 16;
  entry.DIR_FstClusLO = cluster & 0xffff;
}

/** Adds a name; `template` is the 8.3 entry but for its name. Returns where that lies. */
export function addEntry(
  op: Op,
  dir: DirCluster,
  { name, template }: { name: string; template: Uint8Array },
): number {
  const index = indexOf(op, dir);
  const exact = exactShort(name);
  const gone = goneName(op, dir, name);
  const bytes = gone?.short ?? asStored(exact?.bytes ?? newAlias(op, dir, { index, name }));
  const parts = exact ? [] : longParts(name, shortChecksum(bytes));
  const { first, placeOf } = gone
    ? { first: gone.slot - gone.longs, placeOf: (at: number) => slotPlace(op, dir, at) }
    : findRoom(op, dir, { index, count: parts.length + 1 });
  const slot = first + parts.length;
  parts.forEach((part, i) => {
    putSlot(op, placeOf(first + i), part);
  });
  const entry = template.slice();
  entry.set(bytes);
  entry[12] = exact?.ntRes ?? 0;
  const place = placeOf(slot);
  putSlot(op, place, entry);
  if (slot >= index.end) endAt(op, slotIfAny(op, dir, slot + 1));
  const view = new DirEntry(new DataView(entry.buffer));
  const cluster = (view.DIR_Attr & ATTR_DIRECTORY) !== 0 ? firstCluster(op, view) : undefined;
  const added = { slot, longs: parts.length, name, short: storedText(bytes), cluster };
  op.tx.onCommit(() => op.env.dirs.change(dir, index, (held) => held.add(added)));
  return place;
}

/** A first byte of 0xe5 would say that the slot is free. */
function asStored(short: Uint8Array): Uint8Array {
  const bytes = short.slice();
  if (bytes[0] === SLOT_FREE) bytes[0] = SLOT_KANJI;
  return bytes;
}

function storedText(short: Uint8Array): string {
  const bytes = short.slice();
  if (bytes[0] === SLOT_KANJI) bytes[0] = SLOT_FREE;
  return shortText(bytes, 0);
}

/** The same name in other letters, where it lies. False: it needs more slots or fewer. */
export function recase(
  op: Op,
  dir: DirCluster,
  { found, name }: { found: Found; name: string },
): boolean {
  const exact = exactShort(name);
  const short = readEntry(op, found.place).DIR_Name.slice();
  const parts = exact ? [] : longParts(name, shortChecksum(short));
  if (parts.length !== found.longs) return false;
  const first = found.slot - found.longs;
  parts.forEach((part, i) => {
    putSlot(op, slotPlace(op, dir, first + i), part);
  });
  if (exact) editEntry(op, found.place).DIR_NTRes = exact.ntRes;
  return true;
}

const goneKey = (dir: DirCluster, name: string): string => `${dir}/${foldCase(name)}`;

/**
 * The disk may still have an entry with that name, and must never have two. One that was unlinked is
 * taken again, with its slots; for one that lives on under another name this has to wait.
 */
function goneName(op: Op, dir: DirCluster, name: string): GoneName | undefined {
  const { names } = op.env.freed.running;
  const gone = names.get(goneKey(dir, name));
  if (gone === undefined) return undefined;
  const place = slotPlace(op, dir, gone.slot);
  const held = op.env.held.byIno(op.tx, FILE_INO + place) !== undefined;
  if (gone.how === 'moved' || gone.name !== name || held) throw new Unwritten();
  return gone;
}

function newAlias(
  op: Op,
  dir: DirCluster,
  { index, name }: { index: DirIndex; name: string },
): Uint8Array {
  const { names } = op.env.freed.running;
  const basis = basisOf(name);
  const key = (number: number): string => {
    const [base = ''] = shortText(aliasOf(basis, number), 0).split('~');
    return base;
  };
  let from = 1;
  // A longer number leaves less of the base, under which other numbers are taken.
  for (let digits = 1; digits <= 6; digits++) {
    from = Math.max(10 ** (digits - 1), index.tail(key(10 ** (digits - 1))));
    if (from < 10 ** digits) break;
  }
  for (let number = from; number <= ALIAS_MOST; number++) {
    const alias = aliasOf(basis, number);
    const short = shortText(alias, 0);
    if (!index.hasShort(short) && !names.has(goneKey(dir, short))) return alias;
  }
  return fail(ENOSPC, `no alias is left for '${name}'`);
}

interface Room {
  readonly first: number;
  /** Where its slots lie; the directory may have grown for them in this request. */
  readonly placeOf: (slot: number) => number;
}

/** Free slots in a row, for which the directory grows when it must. */
function findRoom(
  op: Op,
  dir: DirCluster,
  { index, count }: { index: DirIndex; count: number },
): Room {
  const { held, freed } = op.env;
  // A file that is held may be known by the number that this slot would give.
  const allowed = (slot: number): boolean => {
    const place = slotIfAny(op, dir, slot);
    if (place === undefined) return true;
    return !freed.hasPlace(place) && held.byIno(op.tx, FILE_INO + place) === undefined;
  };
  const first = index.findRun(count, allowed);
  const end = first + count;
  if (end > DIR_SLOTS_MAX) fail(ENOSPC, `directory at cluster ${dir} is as large as FAT allows`);
  if (dir === 0 && end > op.vol.rootSlots) fail(ENOSPC, 'the root directory is full');
  if (dir === 0) return { first, placeOf: (slot) => slotPlace(op, dir, slot) };
  const { clusterSize } = op.vol;
  const length = chainLength(op, dir);
  const grown = grow(op, dir, { length, to: Math.ceil((end * SLOT) / clusterSize) });
  const placeOf = (slot: number): number => {
    const cluster = grown[Math.floor((slot * SLOT) / clusterSize) - length];
    if (cluster === undefined) return slotPlace(op, dir, slot);
    return (clusterByte(op.vol, cluster) + ((slot * SLOT) % clusterSize)) / SLOT;
  };
  return { first, placeOf };
}

/** Adds clusters of zeroes to a directory; returns them. */
function grow(op: Op, dir: DirCluster, { length, to }: { length: number; to: number }): number[] {
  const { vol, tx, env } = op;
  const grown: number[] = [];
  let last = clusterAt(op, dir, length - 1)?.cluster ?? fail(EUCLEAN);
  for (let index = length; index < to; index++) {
    const { start } = allocate(op, { near: last, want: 1 });
    setFatEntry(tx, vol, last, start);
    clearCluster(op, start);
    tx.onCommit(() => env.chains.append(dir, { index, cluster: start, count: 1 }));
    grown.push(start);
    last = start;
  }
  return grown;
}

/** Removes a name and the parts of its long name. */
export function removeEntry(
  op: Op,
  dir: DirCluster,
  found: Found & { readonly how: GoneName['how'] },
): void {
  const index = indexOf(op, dir);
  const { env, tx } = op;
  const entry = readEntry(op, found.place);
  const gone: Added = {
    ...nameOf(op, dir, found),
    cluster: (entry.DIR_Attr & ATTR_DIRECTORY) !== 0 ? firstCluster(op, entry) : undefined,
  };
  const { how } = found;
  const name: GoneName = { ...gone, how, short: entry.DIR_Name.slice() };
  const slots = Array.from({ length: found.longs + 1 }, (_, i) => found.slot - found.longs + i);
  const places = slots.map((slot) => slotPlace(op, dir, slot));
  for (const place of places) {
    const { block, at } = slotAt(op, place);
    tx.edit(block).view.setUint8(at, SLOT_FREE);
  }
  tx.onCommit(() => {
    env.dirs.change(dir, index, (held) => {
      held.remove(gone);
      for (const slot of slots) held.free(slot);
    });
    const { running } = env.freed;
    for (const place of places) running.places.add(place);
    for (const key of [gone.name, gone.short]) {
      const before = running.names.get(goneKey(dir, key));
      if (before?.how !== 'moved') running.names.set(goneKey(dir, key), name);
    }
    env.noteFreed(0, 1);
  });
}

/** The name as the entry has it, which need not be the one it was found by. */
export function nameOf(op: Op, dir: DirCluster, found: Found): Entry {
  const reader = new EntryReader();
  for (let slot = found.slot - found.longs; slot < found.slot; slot++) {
    const { block, at } = slotAt(op, slotPlace(op, dir, slot));
    reader.next(op.tx.read(block).view, at, slot);
  }
  const { block, at } = slotAt(op, found.place);
  const entry = reader.next(op.tx.read(block).view, at, found.slot);
  if (entry === undefined || entry === 'end') fail(ESTALE, `slot ${found.slot} holds no name`);
  return entry as Entry;
}

/** '..' of a directory: its parent's first cluster, or the root's. */
export function parentCluster(op: Op, dir: DirCluster): DirCluster {
  if (dir === rootOf(op.vol)) return dir;
  const entry = readEntry(op, slotPlace(op, dir, 1));
  const [a, b] = entry.DIR_Name;
  if (a !== 0x2e || b !== 0x2e) fail(EUCLEAN, `directory at cluster ${dir} has no '..'`);
  const cluster = firstCluster(op, entry);
  return cluster === 0 ? rootOf(op.vol) : cluster;
}
