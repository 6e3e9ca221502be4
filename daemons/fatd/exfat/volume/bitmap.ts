// The allocation bitmap: a bit for each cluster, 1 = in use. It lies in clusters of its own, as a rule
// in a row. exFAT specification 1.00, §7.1.

import { EIO, fail } from '../../../../kernel/abi/errno.ts';
import type { Transaction } from '../../../lib/transaction.ts';
import type { Run } from '../../file/chain.ts';
import type { FreeSource } from '../../volume/free-map.ts';
import type { ExFatVolume } from './geometry.ts';

export class Bitmap implements FreeSource {
  readonly clusterEnd: number;
  readonly #vol: ExFatVolume;
  readonly #runs: readonly Run[];

  constructor(vol: ExFatVolume, runs: readonly Run[]) {
    this.#vol = vol;
    this.#runs = runs;
    this.clusterEnd = vol.clusterEnd;
  }

  /** Bytes that hold a bit. */
  get sizeBytes(): number {
    return Math.ceil((this.clusterEnd - 2) / 8);
  }

  usable(): boolean {
    return true;
  }

  isFree(tx: Transaction, cluster: number): boolean {
    const { block, at, mask } = this.#placeOf(cluster);
    return ((tx.read(block).bytes[at] ?? 0) & mask) === 0;
  }

  set(tx: Transaction, { first, count }: { first: number; count: number }, to: 'used' | 'free') {
    for (let cluster = first; cluster < first + count; ) {
      const { block, at, mask } = this.#placeOf(cluster);
      const { bytes } = tx.edit(block);
      const whole = mask === 1 && first + count - cluster >= 8;
      const bits = whole ? 0xff : mask;
      bytes[at] = to === 'used' ? (bytes[at] ?? 0) | bits : (bytes[at] ?? 0) & ~bits;
      cluster += whole ? 8 : 1;
    }
  }

  /** The blocks with the bits of the clusters `from` .. `end` - 1. */
  blocks(from: number, end: number): number[] {
    const out: number[] = [];
    const perBlock = this.#vol.blockSize * 8;
    for (let cluster = from; cluster < end; cluster += perBlock)
      out.push(this.#placeOf(cluster).block);
    out.push(this.#placeOf(end - 1).block);
    return [...new Set(out)];
  }

  /** For the planner and the count: pieces of the bitmap on the volume, in order. */
  pieces(): { readonly offset: number; readonly length: number }[] {
    const { dataStart, clusterSize } = this.#vol;
    return this.#runs.map(({ index, cluster, count }) => ({
      offset: dataStart + (cluster - 2) * clusterSize,
      length: Math.min(count * clusterSize, this.sizeBytes - index * clusterSize),
    }));
  }

  /** The first cluster whose bit a block of the volume holds; undefined: it is none of the bitmap's. */
  firstOf(block: number): number | undefined {
    const { dataStart, clusterSize, blockSize } = this.#vol;
    const byte = block * blockSize;
    for (const { index, cluster, count } of this.#runs) {
      const start = dataStart + (cluster - 2) * clusterSize;
      if (byte < start || byte >= start + count * clusterSize) continue;
      return 2 + (index * clusterSize + byte - start) * 8;
    }
    return undefined;
  }

  /** The block with a cluster's bit. */
  blockOf(cluster: number): number {
    return this.#placeOf(cluster).block;
  }

  #placeOf(cluster: number): { block: number; at: number; mask: number } {
    const { clusterSize, dataStart, blockSize } = this.#vol;
    const byte = Math.floor((cluster - 2) / 8);
    const index = Math.floor(byte / clusterSize);
    for (const run of this.#runs) {
      if (index < run.index || index >= run.index + run.count) continue;
      const start = dataStart + (run.cluster - 2) * clusterSize;
      const place = start + byte - run.index * clusterSize;
      const block = Math.floor(place / blockSize);
      return { block, at: place % blockSize, mask: 1 << ((cluster - 2) % 8) };
    }
    return fail(EIO, `cluster ${cluster} has no bit in the allocation bitmap`);
  }
}
