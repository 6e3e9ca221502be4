// The careful order of exFAT, in the stages of ../../write/stages.ts. Between two stages lies a flush:
//
//   1 allocate   bits that become 1, links of clusters that were free; new directories; parts of long names
//                that lie in another sector than their File entry
//   2 link       chains go on into what is now allocated, clusters in a row get links
//   3 name       sets that are new or changed; the root directory grows
//   4 unname     sets that are gone
//   5 free       chains are cut, bits become 0
//
// The first two entries of a set lie in one sector, which is written whole or not at all: the daemon moves
// sets that do not before it changes them. A file that moved has two sets between 3 and 4 (recover.ts).

import type { Task } from '../../../../kernel/ipc/task.ts';
import type { Frame } from '../../../lib/cache/block-cache.ts';
import { BlockSet } from '../../../lib/cache/block-set.ts';
import { SLOT } from '../../ondisk.ts';
import type { Outgoing, Plan, ReadOld } from '../../write/careful.ts';
import { type Change, type Stage, type Staged, stageWhole } from '../../write/stages.ts';
import {
  IN_USE,
  SECONDARY,
  SECTOR,
  StreamEntry,
  TYPE_END,
  TYPE_FILE,
  TYPE_STREAM,
} from '../ondisk.ts';
import type { ExFatEnv } from '../op.ts';
import { END } from '../volume/fat.ts';
import type { ExFatVolume } from '../volume/geometry.ts';

interface Changed extends Change {
  readonly no: number;
}

export class ExFatPlan implements Plan {
  readonly copies = 0;
  readonly #volume: ExFatVolume;
  readonly #env: ExFatEnv;

  constructor(volume: ExFatVolume, env: ExFatEnv) {
    this.#volume = volume;
    this.#env = env;
  }

  closed(): void {
    this.#env.freed.closed();
  }

  written(): void {
    this.#env.freed.written();
  }

  copyOf(): undefined {
    return undefined;
  }

  *stage(frames: readonly Frame[], readOld: ReadOld): Task<Outgoing[]> {
    const { blockSize, fatStart, fatSize, dataStart } = this.#volume;
    const { bitmap } = this.#env;
    const before = yield* readOld(frames.map(({ no }) => no));
    const changes = frames.map(({ no, bytes }, i): Changed => {
      const now = bytes.slice();
      return { no, old: before[i] ?? now, now };
    });
    const inTable = (no: number): boolean =>
      no * blockSize >= fatStart && no * blockSize < fatStart + fatSize;
    const allocated = new BlockSet();
    for (const change of changes) {
      const first = bitmap.firstOf(change.no);
      if (first !== undefined) noteAllocated(change, first, allocated);
    }
    const out: Outgoing[] = [];
    for (const change of changes) {
      const { no, old } = change;
      const byte = no * blockSize;
      let staged: Staged;
      if (bitmap.firstOf(no) !== undefined) staged = stageBitmap(change);
      else if (inTable(no)) {
        const first = (byte - fatStart) / 4;
        staged = stageLinks(change, { first, allocated, root: this.#env.rootClusters });
      } else if (byte < dataStart) staged = stageWhole(change, 5);
      else {
        const fresh = allocated.has(this.#clusterOf(no));
        staged = fresh ? stageWhole(change, 1) : stageDirectory(change);
      }
      out.push({ no, old, staged });
    }
    return out;
  }

  #clusterOf(no: number): number {
    const { blockSize, clusterSize, dataStart } = this.#volume;
    return Math.floor((no * blockSize - dataStart) / clusterSize) + 2;
  }
}

/** Clusters whose bits become 1. */
function noteAllocated({ old, now }: Change, first: number, allocated: BlockSet): void {
  for (let at = 0; at < now.length; at++) {
    const set = (now[at] ?? 0) & ~(old[at] ?? 0);
    for (let bit = 0; set >> bit !== 0; bit++)
      if (((set >> bit) & 1) !== 0) allocated.add(first + at * 8 + bit, 1);
  }
}

/** Ones come first, zeroes last. */
function stageBitmap({ old, now }: Change): Staged {
  const both = now.map((byte, at) => byte | (old[at] ?? 0));
  return { 1: both, 2: both, 3: both, 4: both, 5: now };
}

/** Numbers from that of cluster `first` on. */
function stageLinks(
  { old, now }: Change,
  { first, allocated, root }: { first: number; allocated: BlockSet; root: BlockSet },
): Staged {
  const one = old.slice();
  const two = old.slice();
  const three = old.slice();
  const [before, after] = [viewOf(old), viewOf(now)];
  const images = [viewOf(one), viewOf(two), viewOf(three)];
  for (let at = 0; at < now.length; at += 4) {
    const value = after.getUint32(at, true);
    if (before.getUint32(at, true) === value) continue;
    const cluster = first + at / 4;
    // What ends a chain that the disk has waits for the name that no longer needs the rest of it.
    const stage = allocated.has(cluster) ? 1 : value === END ? 5 : root.has(cluster) ? 3 : 2;
    for (const [i, image] of images.entries()) if (stage <= i + 1) image.setUint32(at, value, true);
  }
  return { 1: one, 2: two, 3: three, 4: three, 5: now };
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** A block of a directory that the disk has already. */
function stageDirectory({ old, now }: Change): Staged {
  const one = old.slice();
  const three = old.slice();
  const four = old.slice();
  let ended = false; // what the disk holds from here on is behind the directory's end
  for (let from = 0; from < now.length; from += SECTOR) {
    const stays = arrivals(now, old, from);
    for (let at = from; at < from + SECTOR; at += SLOT) {
      ended ||= old[at] === TYPE_END;
      const after = now.subarray(at, at + SLOT);
      const before = old.subarray(at, at + SLOT);
      if (before.every((byte, i) => byte === after[i])) continue;
      const stage = slotStage({ old, now }, { from, at }, stays);
      if (stage === 1) one.set(after, at);
      else if (ended) one[at] = TYPE_END;
      if (stage <= 3) three.set(after, at);
      if (stage <= 4) four.set(after, at);
    }
  }
  return { 1: one, 2: one, 3: three, 4: four, 5: now };
}

/** In one sector a set may come and another of the same file go: then that is written once. */
function slotStage(
  { old, now }: Change,
  { from, at }: { from: number; at: number },
  stays: ReadonlySet<number>,
): Stage {
  const isUsed = (block: Uint8Array): boolean => ((block[at] ?? 0) & IN_USE) !== 0;
  if (!isUsed(now) && !isUsed(old)) return now[at] === TYPE_END ? 1 : 3;
  const head = headOf(isUsed(now) ? now : old, from, at);
  if (isUsed(now)) return head === undefined && !isUsed(old) ? 1 : 3;
  if (head === undefined) return 5;
  return stays.has(clusterOf(old, head)) ? 3 : 4;
}

/** Where in the sector the File entry lies that an entry belongs to, or the entry itself. */
function headOf(block: Uint8Array, from: number, at: number): number | undefined {
  let head = at;
  while (((block[head] ?? 0) & SECONDARY) !== 0) {
    head -= SLOT;
    if (head < from || ((block[head] ?? 0) & IN_USE) === 0) return undefined;
  }
  return head;
}

/** First clusters of the files that have another place in this sector than they had. */
function arrivals(now: Uint8Array, old: Uint8Array, from: number): ReadonlySet<number> {
  const out = new Set<number>();
  for (let at = from; at < from + SECTOR; at += SLOT) {
    const cluster = clusterOf(now, at);
    if (cluster !== 0 && clusterOf(old, at) !== cluster) out.add(cluster);
  }
  return out;
}

/** The first cluster of the file whose File entry lies there; 0: there is none, or it has none. */
function clusterOf(block: Uint8Array, at: number): number {
  if (block[at] !== TYPE_FILE || block[at + SLOT] !== TYPE_STREAM) return 0;
  return new StreamEntry(viewOf(block), at + SLOT).FirstCluster;
}
