// Who owns which cluster of a volume that nobody has mounted: each file's are followed once, and end where
// they meet another's, what is no cluster, or the end of the file. Links and bitmap are put right in memory.

import type { Medium } from '../../../lib/medium.ts';
import type { Report } from '../../fsck/report.ts';
import { END, isCluster } from '../volume/fat.ts';
import type { ExFatVolume } from '../volume/geometry.ts';
import type { Kind } from './check.ts';

export interface Claim {
  readonly path: string;
  readonly first: number;
  /** Clusters that its length asks for; undefined: the whole chain, as of the root directory. */
  readonly need: number | undefined;
  readonly contiguous: boolean;
}

const CHUNK = 65_536;

export class Clusters {
  readonly #medium: Medium;
  readonly #vol: ExFatVolume;
  readonly #report: Report<Kind>;
  /** A part of the FAT each, by its number. */
  readonly #chunks = new Map<number, DataView>();
  readonly #changed = new Set<number>();
  readonly #owned: Uint8Array;
  used = 0;

  constructor(parts: { medium: Medium; vol: ExFatVolume; report: Report<Kind> }) {
    this.#medium = parts.medium;
    this.#vol = parts.vol;
    this.#report = parts.report;
    this.#owned = new Uint8Array(Math.ceil(parts.vol.clusterEnd / 8));
  }

  /** The clusters that the file or directory has in the end. */
  claim({ path, first, need, contiguous }: Claim): number[] {
    const clusters: number[] = [];
    let at = first;
    while (need === undefined || clusters.length < need) {
      if (!this.#mayOwn(at, path)) break;
      this.#own(at);
      clusters.push(at);
      const next = contiguous ? at + 1 : this.next(at);
      if (!contiguous && next === END) break;
      at = next;
    }
    const last = clusters.at(-1);
    if (last === undefined || contiguous) return clusters;
    const next = this.next(last);
    if (next !== END && clusters.length === need)
      this.#report.bad('tail', `${path}: its chain goes on behind cluster ${need}`);
    if (next !== END) this.setNext(last, END);
    return clusters;
  }

  owns(cluster: number): boolean {
    return ((this.#owned[cluster >> 3] ?? 0) & (1 << (cluster & 7))) !== 0;
  }

  next(cluster: number): number {
    const { view, at } = this.#place(cluster);
    return view.getUint32(at, true);
  }

  setNext(cluster: number, next: number): void {
    const { view, at, chunk } = this.#place(cluster);
    view.setUint32(at, next, true);
    this.#changed.add(chunk);
  }

  /** What the bitmap must be. */
  bitmap(sizeBytes: number): Uint8Array {
    const bits = new Uint8Array(sizeBytes);
    for (let cluster = 2; cluster < this.#vol.clusterEnd; cluster++) {
      if (!this.owns(cluster)) continue;
      const bit = cluster - 2;
      bits[bit >> 3] = (bits[bit >> 3] ?? 0) | (1 << (bit & 7));
    }
    return bits;
  }

  store(): void {
    for (const chunk of this.#changed) {
      const view = this.#chunks.get(chunk);
      if (view === undefined) continue;
      const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
      this.#medium.write(this.#vol.fatStart + chunk * CHUNK, bytes);
    }
  }

  #mayOwn(cluster: number, path: string): boolean {
    if (!isCluster(this.#vol, cluster)) {
      this.#report.bad('range', `${path}: ${cluster} is no cluster`);
      return false;
    }
    if (!this.owns(cluster)) return true;
    this.#report.bad('cross', `${path}: cluster ${cluster} is another's`);
    return false;
  }

  #own(cluster: number): void {
    this.#owned[cluster >> 3] = (this.#owned[cluster >> 3] ?? 0) | (1 << (cluster & 7));
    this.used++;
  }

  #place(cluster: number): { view: DataView; at: number; chunk: number } {
    const { fatStart, fatSize } = this.#vol;
    const chunk = Math.floor((cluster * 4) / CHUNK);
    const at = (cluster * 4) % CHUNK;
    const held = this.#chunks.get(chunk);
    if (held !== undefined) return { view: held, at, chunk };
    const length = Math.min(CHUNK, fatSize - chunk * CHUNK);
    const bytes = this.#medium.read(fatStart + chunk * CHUNK, length);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#chunks.set(chunk, view);
    return { view, at, chunk };
  }
}
