// The careful order of FAT, which has no journal: what of a changed block may be written when, so that a
// power cut between any two sectors leaves no cluster in two chains and no name without its file.
//
//   1 allocate   clusters that were free get their numbers; new directories; parts of long names
//   2 link       chains of files go on into what is now allocated
//   3 name       entries that are new or changed: names, first clusters, sizes; directories grow
//   4 unname     entries that are gone
//   5 free       chains are cut, clusters freed, parts of long names removed
//
// Between two stages lies a flush. A block may have a share in all of them. A file that moved has two
// entries between 3 and 4: the new one is marked until 5, and the next mount removes the other
// (recover.ts). Where both lie in one sector, that is written once.

import { words } from '../../../lib/same-bytes.ts';
import { SLOT, SLOT_END } from '../../ondisk.ts';
import type { Change, Stage, Staged } from '../../write/stages.ts';
import { ATTR_LONG_NAME, ATTR_VOLUME_ID, DirEntry, NEWER_NAME, SLOT_FREE } from '../ondisk.ts';
import { END, FREE, startIn, widen } from '../volume/fat.ts';
import type { FatBits } from '../volume/geometry.ts';

/** Whose number a part of the table begins with, and what its neighbours tell and learn. */
export interface TablePart {
  readonly firstCluster: number;
  readonly allocated: (cluster: number) => void;
  readonly isDirectory: (cluster: number) => boolean;
}

/** A part of the table, from the number of `firstCluster` on: `allocated` learns what was free. */
export function stageTable(bits: FatBits, change: Change, part: TablePart): Staged {
  const { old, now } = change;
  const [one, two, three] = [old.slice(), old.slice(), old.slice()] as const;
  const of = (bytes: Uint8Array): Table => new Table(bits, bytes);
  const [oldTable, nowTable] = [of(old), of(now)];
  const [first, second, third] = [of(one), of(two), of(three)];
  const count = Math.floor((old.length * 8) / bits);
  const changed = changedWords(change);
  for (let i = 0; i < count; i++) {
    if (bits !== 12 && changed[(i * bits) >>> 5] === 0) continue;
    const before = oldTable.get(i);
    const after = nowTable.get(i);
    if (before === after) continue;
    const stage = tableStage(widen(bits, before), widen(bits, after));
    if (stage === 1) part.allocated(part.firstCluster + i);
    const grows = stage === 2 && part.isDirectory(after);
    const target = after - part.firstCluster;
    const near = stage === 2 && target >= 0 && target < count && sameSector(bits, i, target);
    const together = near && !grows && oldTable.get(target) === FREE;
    if (stage === 1 || together) first.set(i, after);
    if (stage === 1 || (stage === 2 && !grows)) second.set(i, after);
    if (stage <= 2) third.set(i, after);
  }
  return { 1: one, 2: two, 3: three, 4: three, 5: now };
}

/** By word of four bytes: 0 = the same before and after. Both are copies, and lie so. */
function changedWords({ old, now }: Change): Uint8Array {
  const [before, after] = [words(old), words(now)];
  const changed = new Uint8Array(before.length);
  for (let i = 0; i < before.length; i++) changed[i] = before[i] === after[i] ? 0 : 1;
  return changed;
}

function tableStage(before: number, after: number): Stage {
  if (before === FREE) return 1;
  return after === FREE || after === END ? 5 : 2;
}

/** One sector is written whole or not at all: a link and its new target may go together. */
const sameSector = (bits: FatBits, a: number, b: number): boolean =>
  bits !== 12 && Math.floor((a * bits) / 4096) === Math.floor((b * bits) / 4096);

/** The upper four bits of a number of FAT32 mean nothing and are kept as the request has them. */
class Table {
  readonly #bits: FatBits;
  readonly #view: DataView;

  constructor(bits: FatBits, table: Uint8Array) {
    this.#bits = bits;
    this.#view = new DataView(table.buffer, table.byteOffset, table.length);
  }

  get(i: number): number {
    const view = this.#view;
    if (this.#bits === 32) return view.getUint32(i * 4, true) & 0x0fff_ffff;
    if (this.#bits === 16) return view.getUint16(i * 2, true);
    const pair = view.getUint16(Math.floor((i * 3) / 2), true);
    return i % 2 === 0 ? pair & 0xfff : pair >> 4;
  }

  set(i: number, value: number): void {
    const view = this.#view;
    if (this.#bits === 32) {
      const kept = view.getUint32(i * 4, true) & 0xf000_0000;
      view.setUint32(i * 4, (kept | value) >>> 0, true);
    } else if (this.#bits === 16) view.setUint16(i * 2, value, true);
    else {
      const at = Math.floor((i * 3) / 2);
      const pair = view.getUint16(at, true);
      const both = i % 2 === 0 ? (pair & 0xf000) | value : (pair & 0xf) | (value << 4);
      view.setUint16(at, both, true);
    }
  }
}

/** First clusters of files that have another entry after an epoch, and the sectors of the old ones. */
export interface Moves {
  readonly bits: FatBits;
  readonly sectors: ReadonlyMap<number, number>;
}

const SECTOR = 512;

/** Notes which files lose an entry in a block of a directory that begins at byte `start`. */
export function noteMoves(
  { old, now }: Change,
  start: number,
  { bits, lost, found }: { bits: FatBits; lost: Map<number, number>; found: Set<number> },
): void {
  for (const at of changedSlots({ old, now })) {
    const [before, after] = [namedCluster(bits, old, at), namedCluster(bits, now, at)];
    if (before === after) continue;
    if (before !== 0) lost.set(before, Math.floor((start + at) / SECTOR));
    if (after !== 0) found.add(after);
  }
}

/** The first cluster of the file or directory that the entry names; 0 when it names none. */
function namedCluster(bits: FatBits, block: Uint8Array, at: number): number {
  const first = block[at];
  if (first === SLOT_END || first === SLOT_FREE || first === DOT) return 0;
  const entry = new DirEntry(new DataView(block.buffer, block.byteOffset, block.length), at);
  if ((entry.DIR_Attr & ATTR_VOLUME_ID) !== 0) return 0; // a part of a long name too
  return startIn(bits, entry);
}
const DOT = 0x2e;

/** A block of a directory that is new: visible once its cluster is. */
export function stageNewDirectory(change: Change, moves: Moves): Staged {
  const one = change.now.slice();
  for (let at = 0; at < one.length; at += SLOT) {
    if (moves.sectors.has(namedCluster(moves.bits, one, at))) mark(one, at);
  }
  return { 1: one, 2: one, 3: one, 4: one, 5: change.now };
}

function mark(block: Uint8Array, at: number): void {
  const ntRes = at + DirEntry.offsets.DIR_NTRes;
  block[ntRes] = (block[ntRes] ?? 0) | NEWER_NAME;
}

/** A block of a directory that the disk has already; it begins at byte `start`. */
export function stageDirectory({ old, now }: Change, start: number, moves: Moves): Staged {
  const arriving = arrivals({ old, now }, start, moves);
  const one = old.slice();
  const three = old.slice();
  const four = old.slice();
  const end = endOf(old); // what the disk holds from there on is behind the directory's end
  for (const at of changedSlots({ old, now })) {
    const after = now.subarray(at, at + SLOT);
    const before = old.subarray(at, at + SLOT);
    const sector = Math.floor((start + at) / SECTOR);
    const leaves = arriving.get(namedCluster(moves.bits, old, at)) === sector;
    const stage = leaves ? Math.min(3, slotStage(before, after)) : slotStage(before, after);
    if (stage === 1) one.set(after, at);
    else if (at >= end) one[at] = SLOT_END;
    for (const [image, last] of [
      [three, 3],
      [four, 4],
    ] as const) {
      if (stage <= last) image.set(after, at);
      if (stage === 3 && isNewer({ old, now }, at, { sector, moves })) mark(image, at);
    }
  }
  return { 1: one, 2: one, 3: three, 4: four, 5: now };
}

/** It came from another sector; or a worker that died since had marked it. */
function isNewer(
  { old, now }: Change,
  at: number,
  { sector, moves }: { sector: number; moves: Moves },
): boolean {
  const { bits, sectors } = moves;
  const cluster = namedCluster(bits, now, at);
  if (cluster !== 0 && cluster === namedCluster(bits, old, at)) {
    return ((old[at + DirEntry.offsets.DIR_NTRes] ?? 0) & NEWER_NAME) !== 0;
  }
  const from = sectors.get(cluster);
  return from !== undefined && from !== sector;
}

/** Files that get an entry in this block, and in which sector. */
function arrivals(
  { old, now }: Change,
  start: number,
  { bits, sectors }: Moves,
): ReadonlyMap<number, number> {
  const found = new Map<number, number>();
  if (sectors.size === 0) return found;
  for (const at of changedSlots({ old, now })) {
    const cluster = namedCluster(bits, now, at);
    if (cluster === namedCluster(bits, old, at) || !sectors.has(cluster)) continue;
    found.set(cluster, Math.floor((start + at) / SECTOR));
  }
  return found;
}

/** Where the slots begin that are not as they were. */
function changedSlots({ old, now }: Change): number[] {
  const [before, after] = [words(old), words(now)];
  const found: number[] = [];
  for (let i = 0; i < before.length; i++) {
    if (before[i] === after[i]) continue;
    const at = i * 4 - ((i * 4) % SLOT);
    found.push(at);
    i = (at + SLOT) / 4 - 1;
  }
  return found;
}

/** Where the first slot lies that was never used; behind the block if there is none. */
function endOf(block: Uint8Array): number {
  let at = 0;
  while (at < block.length && block[at] !== SLOT_END) at += SLOT;
  return at;
}

function slotStage(before: Uint8Array, after: Uint8Array): Stage {
  if (after[0] === SLOT_END) return 1;
  if (after[0] !== SLOT_FREE) return isLong(after) ? 1 : 3;
  if (before[0] === SLOT_FREE || before[0] === SLOT_END) return 1;
  return isLong(before) ? 5 : 4;
}

const isLong = (slot: Uint8Array): boolean => ((slot[11] ?? 0) & 0x3f) === ATTR_LONG_NAME;
