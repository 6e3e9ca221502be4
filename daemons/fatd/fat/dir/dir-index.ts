// What is in a directory, in the daemon's heap: names to slots, and which slots are free. Read once,
// then kept true by what requests commit, so that no operation reads a large directory again.

import { foldCase } from '../../../../kernel/abi/text.ts';
import { SlotMap } from '../../dir/slot-map.ts';
import { SLOT } from '../../ondisk.ts';
import { DIR_SLOTS_MAX, DirEntry } from '../ondisk.ts';
import { startIn } from '../volume/fat.ts';
import type { FatBits } from '../volume/geometry.ts';
import { type Entry, EntryReader, isDots } from './entries.ts';

/** A name's entry: where its 8.3 entry lies, and the parts of the long name before it. */
export interface Place {
  readonly slot: number;
  readonly longs: number;
}

export interface Added extends Place {
  readonly name: string;
  readonly short: string;
  /** Of a directory: its first cluster. */
  readonly cluster: number | undefined;
}

const PACK = 32; // more than there are parts of a name
const pack = ({ slot, longs }: Place): number => slot * PACK + longs;
const unpack = (packed: number): Place => ({
  slot: Math.floor(packed / PACK),
  longs: packed % PACK,
});

export class DirIndex {
  /** Slots that were read; all of them when `complete`. */
  scanned = 0;
  complete = false;
  /** The first slot of those that were never used. */
  end = 0;
  readonly #bits: FatBits;
  readonly #names = new Map<string, number>();
  readonly #shorts = new Map<string, number>();
  readonly #directories = new Map<number, number>();
  readonly #tails = new Map<string, number>();
  readonly #slots = new SlotMap(DIR_SLOTS_MAX);

  constructor(bits: FatBits) {
    this.#bits = bits;
  }
  readonly #reader = new EntryReader();

  get size(): number {
    return this.#names.size;
  }

  get subdirectories(): number {
    return this.#directories.size;
  }

  find(name: string): Place | undefined {
    const key = foldCase(name);
    const packed = this.#names.get(key) ?? this.#shorts.get(key);
    return packed === undefined ? undefined : unpack(packed);
  }

  hasShort(short: string): boolean {
    return this.#shorts.has(short);
  }

  directory(cluster: number): number | undefined {
    return this.#directories.get(cluster);
  }

  /** Numbers below this one are taken in aliases of that basis. */
  tail(basis: string): number {
    return this.#tails.get(basis) ?? 1;
  }

  /** Takes in the slots of the next block. */
  scan(view: DataView): void {
    for (let at = 0; at < view.byteLength && !this.complete; at += SLOT) {
      const slot = this.scanned++;
      const entry = this.#reader.next(view, at, slot);
      if (entry === 'end' || slot >= DIR_SLOTS_MAX) this.finish(slot);
      else if (entry !== undefined) this.#take(view, at, entry);
      else if (view.getUint8(at) !== 0xe5) this.#slots.use(slot, 1);
    }
  }

  /** There are no more slots, or none that were used. */
  finish(end: number): void {
    this.complete = true;
    this.end = Math.min(end, DIR_SLOTS_MAX);
  }

  add(entry: Added): void {
    const packed = pack(entry);
    this.#names.set(foldCase(entry.name), packed);
    this.#shorts.set(entry.short, packed);
    if (entry.cluster !== undefined) this.#directories.set(entry.cluster, entry.slot);
    this.#slots.use(entry.slot - entry.longs, entry.longs + 1);
    this.end = Math.max(this.end, entry.slot + 1);
    const [, basis, number] = /^(.*)~([1-9][0-9]{0,5})(?:\..*)?$/.exec(entry.short) ?? [];
    if (basis !== undefined && Number(number) >= this.tail(basis)) {
      this.#tails.set(basis, Number(number) + 1);
    }
  }

  /** The slots stay used until `free`: the disk still names something there. */
  remove({ name, short, cluster }: Added): void {
    this.#names.delete(foldCase(name));
    this.#shorts.delete(short);
    if (cluster !== undefined) this.#directories.delete(cluster);
  }

  /** An entry names another directory now. */
  exchange({ slot, before, cluster }: { slot: number; before: number; cluster: number }): void {
    this.#directories.delete(before);
    this.#directories.set(cluster, slot);
  }

  free(slot: number): void {
    this.#slots.free(slot);
  }

  /** The first `length` free slots in a row that `allowed` lets be used; they may lie behind `end`. */
  findRun(length: number, allowed: (slot: number) => boolean): number {
    return this.#slots.findRun({ length, allowed });
  }

  #take(view: DataView, at: number, entry: Entry): void {
    const raw = new DirEntry(view, at);
    if (isDots(view, at)) {
      this.#slots.use(entry.slot, 1);
      return;
    }
    const cluster = startIn(this.#bits, raw);
    const added = { ...entry, cluster: (entry.attr & 0x10) !== 0 ? cluster : undefined };
    // Of two entries with one name the first is meant, as it was read first.
    if (this.#names.has(foldCase(entry.name)))
      this.#slots.use(entry.slot - entry.longs, entry.longs + 1);
    else this.add(added);
  }
}
