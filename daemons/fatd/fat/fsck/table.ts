// The whole table of a volume that nobody has mounted, as numbers. fatgen103, "FAT Data Structure".

import type { Medium } from '../../../lib/medium.ts';
import { END, widen } from '../volume/fat.ts';
import type { FatVolume } from '../volume/geometry.ts';

const SECTOR = 512;

export class FatTable {
  readonly #vol: FatVolume;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #dirty = new Set<number>();
  /** Sectors in which a copy differs from the first one. */
  readonly differing: readonly number[];

  constructor(medium: Medium, vol: FatVolume) {
    this.#vol = vol;
    const { fatStart, mirrors, bits, clusterEnd } = vol;
    const length = Math.ceil((clusterEnd * bits) / 8 / SECTOR) * SECTOR;
    this.#bytes = medium.read(fatStart, length);
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, length);
    const copies = mirrors.map((start) => medium.read(start, length));
    const sectors = Array.from({ length: length / SECTOR }, (_, i) => i);
    this.differing = sectors.filter((i) => copies.some((copy) => !this.#sameSector(copy, i)));
  }

  #sameSector(copy: Uint8Array, sector: number): boolean {
    const end = (sector + 1) * SECTOR;
    for (let at = sector * SECTOR; at < end; at++) if (copy[at] !== this.#bytes[at]) return false;
    return true;
  }

  /** FREE, a cluster, a mark of a bad one, or END. */
  get(cluster: number): number {
    const { bits } = this.#vol;
    if (bits === 32) return widen(32, this.#view.getUint32(cluster * 4, true) & 0x0fff_ffff);
    if (bits === 16) return widen(16, this.#view.getUint16(cluster * 2, true));
    const at = Math.floor(cluster * 1.5);
    const pair = (this.#bytes[at] ?? 0) | ((this.#bytes[at + 1] ?? 0) << 8);
    return widen(12, cluster % 2 === 0 ? pair & 0xfff : pair >> 4);
  }

  set(cluster: number, value: number): void {
    const { bits } = this.#vol;
    const at = Math.floor((cluster * bits) / 8);
    for (const byte of [at, at + (bits === 12 ? 1 : 0)]) this.#dirty.add(Math.floor(byte / SECTOR));
    if (bits === 32) {
      const kept = this.#view.getUint32(at, true) & 0xf000_0000;
      this.#view.setUint32(at, (kept | value) >>> 0, true);
    } else if (bits === 16) this.#view.setUint16(at, value & 0xffff, true);
    else {
      const [low, high] = [this.#bytes[at] ?? 0, this.#bytes[at + 1] ?? 0];
      const even = cluster % 2 === 0;
      this.#bytes[at] = even ? value & 0xff : (low & 0x0f) | ((value & 0xf) << 4);
      this.#bytes[at + 1] = even ? (high & 0xf0) | ((value >> 8) & 0xf) : (value >> 4) & 0xff;
    }
  }

  /** Does the second number say that the volume was unmounted, and without errors? FAT12 has no room for it. */
  get markedClean(): boolean {
    const { bits } = this.#vol;
    if (bits === 12) return true;
    if (bits === 16) return this.#view.getUint16(2, true) >>> 14 === 3;
    return ((this.#view.getUint32(4, true) >>> 26) & 3) === 3;
  }

  /** Sets the bits of the second number that say whether the volume was unmounted. */
  markClean(): void {
    const { bits } = this.#vol;
    if (bits !== 12) this.set(1, END);
  }

  /** Writes what was changed to all copies, and makes them equal. */
  store(medium: Medium): void {
    for (const sector of this.differing) this.#dirty.add(sector);
    const { fatStart, mirrors } = this.#vol;
    for (const sector of [...this.#dirty].sort((a, b) => a - b)) {
      const bytes = this.#bytes.subarray(sector * SECTOR, (sector + 1) * SECTOR);
      for (const start of [fatStart, ...mirrors]) medium.write(start + sector * SECTOR, bytes);
    }
    this.#dirty.clear();
  }
}
