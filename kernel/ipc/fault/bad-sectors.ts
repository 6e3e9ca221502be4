// Sectors that a fault made bad: they stay so until its rule goes, whoever runs the drive's model.
//
//   +0 uid of the rule (0 = free, -1 = claimed)   +4 disk   +16 first sector f64   +24 sectors f64

import { BAD_SIZE, BADS, BADS_AT, nameHash } from './layout.ts';

export interface Sectors {
  readonly lba: number;
  readonly count: number;
}

export class BadSectors {
  readonly #disk: number;
  readonly #entries: readonly { words: Int32Array; range: Float64Array }[];

  constructor(ram: SharedArrayBuffer, disk: string) {
    this.#disk = nameHash(disk);
    this.#entries = Array.from({ length: BADS }, (_, i) => ({
      words: new Int32Array(ram, BADS_AT + i * BAD_SIZE, 2),
      range: new Float64Array(ram, BADS_AT + i * BAD_SIZE + 16, 2),
    }));
  }

  /** From now on these fail; when the table is full only this once. */
  add(uid: number, { lba, count }: Sectors): void {
    if (this.first({ lba, count }) !== undefined) return;
    for (const { words, range } of this.#entries) {
      if (Atomics.compareExchange(words, 0, 0, -1) !== 0) continue;
      words[1] = this.#disk;
      range[0] = lba;
      range[1] = count;
      Atomics.store(words, 0, uid);
      return;
    }
  }

  /** The first bad one among these sectors. */
  first({ lba, count }: Sectors): number | undefined {
    let found: number | undefined;
    for (const { words, range } of this.#entries) {
      if (Atomics.load(words, 0) <= 0 || words[1] !== this.#disk) continue;
      const [start = 0, size = 0] = range;
      if (lba >= start + size || lba + count <= start) continue;
      found = Math.min(found ?? Number.POSITIVE_INFINITY, Math.max(lba, start));
    }
    return found;
  }
}
