// Labels of places on disks, for `tag=`: drivers tell where a partition begins, volumes which of its
// sectors hold their journal, superblocks and fixed metadata. Whoever comes may write an entry; it is
// claimed by one atomic step and appears by one store.
//
//   +0 kind (0 = free, -1 = claimed)   +4 volume   +8 disk   +16 first sector f64   +24 sectors f64

import { nameHash, RANGE_SIZE, RANGES, RANGES_AT } from './layout.ts';

/** What a volume labels; everything else of it is `data`. */
const TAGS = ['journal', 'super', 'meta'] as const;
export type Tag = (typeof TAGS)[number];

/** Sectors of a volume, counted from its own start. */
export interface Label {
  readonly tag: Tag;
  readonly start: number;
  readonly count: number;
}

const FREE = 0;
const CLAIMED = -1;
const PARTITION = 1;
const FIRST_TAG = 2;

interface Entry {
  readonly words: Int32Array; // kind, volume, disk
  readonly range: Float64Array; // first sector, sectors
}

export class Places {
  readonly #entries: readonly Entry[];

  constructor(ram: SharedArrayBuffer) {
    this.#entries = Array.from({ length: RANGES }, (_, i) => ({
      words: new Int32Array(ram, RANGES_AT + i * RANGE_SIZE, 4),
      range: new Float64Array(ram, RANGES_AT + i * RANGE_SIZE + 16, 2),
    }));
  }

  /** A driver: the volume of this name (`sdC0p1`) lies there on the disk (`sdC0`). */
  setPartition(volume: string, at: { disk: string; start: number; count: number }): void {
    this.#clear(nameHash(volume), (kind) => kind === PARTITION);
    this.#put({ ...at, kind: PARTITION, volume, disk: nameHash(at.disk) });
  }

  /** A volume: its labels, in place of those before. Returns how many found no room. */
  setLabels(volume: string, labels: readonly Label[]): number {
    this.#clear(nameHash(volume), (kind) => kind >= FIRST_TAG);
    let lost = 0;
    for (const { tag, start, count } of labels) {
      const kind = FIRST_TAG + TAGS.indexOf(tag);
      if (!this.#put({ kind, volume, disk: 0, start, count })) lost++;
    }
    return lost;
  }

  /** Whether any of these sectors of a disk has the tag; `data` is what a volume has not labelled. */
  tagged(disk: string, at: { lba: number; count: number }, tag: string): boolean {
    const tags = new Set(this.#tagsAt(nameHash(disk), at));
    return tags.has(tag);
  }

  *#tagsAt(disk: number, { lba, count }: { lba: number; count: number }): Generator<string> {
    for (const { words, range } of this.#entries) {
      const [kind, volume, on] = words;
      const [start = 0, size = 0] = range;
      if (kind !== PARTITION || on !== disk) continue;
      if (lba >= start + size || lba + count <= start) continue;
      const found = [...this.#labelsAt(volume ?? 0, { lba: lba - start, count })];
      yield* found;
      if (found.length === 0) yield 'data';
    }
  }

  *#labelsAt(volume: number, { lba, count }: { lba: number; count: number }): Generator<Tag> {
    for (const { words, range } of this.#entries) {
      const tag = TAGS[(words[0] ?? 0) - FIRST_TAG];
      const [start = 0, size = 0] = range;
      if (tag === undefined || words[1] !== volume) continue;
      if (lba < start + size && lba + count > start) yield tag;
    }
  }

  #clear(volume: number, which: (kind: number) => boolean): void {
    for (const { words } of this.#entries) {
      const kind = Atomics.load(words, 0);
      if (words[1] === volume && which(kind)) Atomics.store(words, 0, FREE);
    }
  }

  #put(entry: {
    kind: number;
    volume: string;
    disk: number;
    start: number;
    count: number;
  }): boolean {
    for (const { words, range } of this.#entries) {
      if (Atomics.compareExchange(words, 0, FREE, CLAIMED) !== FREE) continue;
      words[1] = nameHash(entry.volume);
      words[2] = entry.disk;
      range[0] = entry.start;
      range[1] = entry.count;
      Atomics.store(words, 0, entry.kind);
      return true;
    }
    return false;
  }
}
