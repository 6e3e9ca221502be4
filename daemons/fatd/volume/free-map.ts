// Which parts of the volume have free clusters: a count for each group of 1024, in the daemon's heap.
// Filled when the volume is mounted, kept true by what requests commit.

import type { BlockSet } from '../../lib/cache/block-set.ts';
import type { Transaction } from '../../lib/transaction.ts';

const GROUP = 1024; // clusters

/** What tells that a cluster is free: FAT's table, exFAT's bitmap. */
export interface FreeSource {
  readonly clusterEnd: number;
  /** May it be given out at all? */
  usable(cluster: number): boolean;
  isFree(tx: Transaction, cluster: number): boolean;
  /** How many free ones lie in a row from there on, at most `most`; all of them usable. */
  freeFrom?(tx: Transaction, cluster: number, most: number): number;
  /** The blocks that tell it of the clusters `from` .. `end` - 1. */
  blocks(from: number, end: number): number[];
}

export class FreeMap {
  readonly #source: FreeSource;
  readonly #groups: Uint16Array;
  /** Where the last allocation ended: the next search begins there. */
  next = 2;
  total = 0;

  constructor(source: FreeSource) {
    this.#source = source;
    this.#groups = new Uint16Array(Math.ceil(source.clusterEnd / GROUP));
  }

  add(cluster: number, count: number): void {
    for (let at = cluster; at < cluster + count; at++)
      if (this.#source.usable(at)) this.#bump(at, 1);
  }

  take(cluster: number, count: number): void {
    for (let at = cluster; at < cluster + count; ) {
      const end = Math.min(cluster + count, (Math.floor(at / GROUP) + 1) * GROUP);
      this.#bump(at, at - end);
      at = end;
    }
  }

  /**
   * Free clusters in a row: as many of `want` as follow the first that is found, looking from `from`
   * on and round the end. Clusters in `busy` were freed too lately. Undefined: there is none.
   */
  find(
    tx: Transaction,
    { from, want, busy }: { from: number; want: number; busy: readonly BlockSet[] },
  ): { start: number; count: number } | undefined {
    const source = this.#source;
    const { clusterEnd } = source;
    const isFree = (cluster: number): boolean =>
      source.usable(cluster) && !busy.some((set) => set.has(cluster)) && source.isFree(tx, cluster);
    const begin = from < 2 || from >= clusterEnd ? 2 : from;
    const start =
      this.#search(tx, { from: begin, to: clusterEnd, isFree }) ??
      this.#search(tx, { from: 2, to: begin, isFree });
    if (start === undefined) return undefined;
    const most = source.freeFrom?.(tx, start, want) ?? 1;
    if (most > 1 && busy.every((set) => !set.overlaps(start, most))) return { start, count: most };
    let count = 1;
    while (count < want && start + count < clusterEnd && isFree(start + count)) count++;
    return { start, count };
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
        tx.need(this.#source.blocks(at, end));
        for (; at < end; at++) if (range.isFree(at)) return at;
      }
      at = end;
    }
    return undefined;
  }
}
