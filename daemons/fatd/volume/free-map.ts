// Which parts of the volume have free clusters: a count for each group of 1024, in the daemon's heap.
// Filled when the volume is mounted, kept true by what requests commit.

import type { BlockSet } from '../../lib/cache/block-set.ts';
import type { Transaction } from '../../lib/transaction.ts';
import { FREE, fatEntry, placeOf } from './fat.ts';
import type { FatVolume } from './geometry.ts';

const GROUP = 1024; // clusters

export class FreeMap {
  readonly #vol: FatVolume;
  readonly #groups: Uint16Array;
  /** Where the last allocation ended: the next search begins there. */
  next = 2;
  total = 0;

  constructor(vol: FatVolume) {
    this.#vol = vol;
    this.#groups = new Uint16Array(Math.ceil(vol.clusterEnd / GROUP));
  }

  add(cluster: number, count: number): void {
    for (let at = cluster; at < cluster + count; at++) if (this.#usable(at)) this.#bump(at, 1);
  }

  take(cluster: number, count: number): void {
    for (let at = cluster; at < cluster + count; at++) this.#bump(at, -1);
  }

  /**
   * Free clusters in a row: as many of `want` as follow the first that is found, looking from `from`
   * on and round the end. Clusters in `busy` were freed too lately. Undefined: there is none.
   */
  find(
    tx: Transaction,
    { from, want, busy }: { from: number; want: number; busy: readonly BlockSet[] },
  ): { start: number; count: number } | undefined {
    const isFree = (cluster: number): boolean =>
      this.#usable(cluster) &&
      !busy.some((set) => set.has(cluster)) &&
      fatEntry(tx, this.#vol, cluster) === FREE;
    const begin = from < 2 || from >= this.#vol.clusterEnd ? 2 : from;
    const start =
      this.#search(tx, { from: begin, to: this.#vol.clusterEnd, isFree }) ??
      this.#search(tx, { from: 2, to: begin, isFree });
    if (start === undefined) return undefined;
    let count = 1;
    while (count < want && start + count < this.#vol.clusterEnd && isFree(start + count)) count++;
    return { start, count };
  }

  /** One number in 341 of a FAT12 lies across two sectors, and could be torn: it stays free. */
  #usable(cluster: number): boolean {
    return this.#vol.bits !== 12 || Math.floor(cluster * 1.5) % 512 !== 511;
  }

  #bump(cluster: number, by: number): void {
    const group = Math.floor(cluster / GROUP);
    this.#groups[group] = (this.#groups[group] ?? 0) + by;
    this.total += by;
  }

  #search(
    tx: Transaction,
    range: { from: number; to: number; isFree: (cluster: number) => boolean },
  ): number | undefined {
    for (let at = range.from; at < range.to; ) {
      const group = Math.floor(at / GROUP);
      const end = Math.min(range.to, (group + 1) * GROUP);
      if ((this.#groups[group] ?? 0) > 0) {
        tx.need(fatBlocks(this.#vol, at, end));
        for (; at < end; at++) if (range.isFree(at)) return at;
      }
      at = end;
    }
    return undefined;
  }
}

/** The blocks of the table that hold the numbers of the clusters `from` .. `end` - 1. */
function fatBlocks(vol: FatVolume, from: number, end: number): number[] {
  const first = placeOf(vol, from).block;
  const last = Math.floor((vol.fatStart + Math.ceil((end * vol.bits) / 8) - 1) / vol.blockSize);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
