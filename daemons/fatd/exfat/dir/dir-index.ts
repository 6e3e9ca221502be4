// What is in a directory, in the daemon's heap: names to sets, and which slots are free. Read once, then
// kept true by what requests commit, so that no operation reads a large directory again.

import { SlotMap } from '../../dir/slot-map.ts';
import { ATTR_DIRECTORY, SLOT } from '../../ondisk.ts';
import { DIR_SLOTS_MAX, IN_USE, SLOTS_PER_SECTOR } from '../ondisk.ts';
import type { Upcase } from '../volume/upcase.ts';
import { type SetEntry, SetReader } from './set.ts';

/** A set's slots. */
export interface Extent {
  readonly slot: number;
  readonly count: number;
}

export interface Added extends Extent {
  readonly name: string;
  /** Of a directory: where its set lies. */
  readonly directory: number | undefined;
}

const PACK = 32; // more than a set has slots
const unpack = (packed: number): Extent => ({
  slot: Math.floor(packed / PACK),
  count: packed % PACK,
});

export class DirIndex {
  /** Slots that were read; all of them when `complete`. */
  scanned = 0;
  complete = false;
  /** The first slot of those that were never used. */
  end = 0;
  readonly #upcase: Upcase;
  readonly #names = new Map<string, number>();
  /** Slots of sets that are directories, and where those lie. */
  readonly directories = new Map<number, number>();
  readonly #slots = new SlotMap(DIR_SLOTS_MAX);
  readonly #reader = new SetReader();

  constructor(upcase: Upcase) {
    this.#upcase = upcase;
  }

  get size(): number {
    return this.#names.size;
  }

  get subdirectories(): number {
    return this.directories.size;
  }

  find(name: string): Extent | undefined {
    const packed = this.#names.get(this.#upcase.fold(name));
    return packed === undefined ? undefined : unpack(packed);
  }

  /** Takes in the slots of the next block, which begins at `place`; tells of each set. */
  scan(view: DataView, place: number, met: (set: SetEntry) => void): void {
    for (let at = 0; at < view.byteLength && !this.complete; at += SLOT) {
      const slot = this.scanned++;
      const set = this.#reader.next(view, at, { slot, place: place + at / SLOT });
      if (set === 'end' || slot >= DIR_SLOTS_MAX) {
        this.finish(slot);
        return;
      }
      if ((view.getUint8(at) & IN_USE) !== 0) this.#slots.use(slot, 1);
      if (set === undefined) continue;
      met(set);
      const isDirectory = (set.attributes & ATTR_DIRECTORY) !== 0;
      const directory = isDirectory ? set.places[0] : undefined;
      // Of two sets with one name the first is meant, as it was read first.
      if (this.find(set.name) === undefined) this.add({ ...set, directory });
    }
  }

  /** There are no more slots, or none that were used. */
  finish(end: number): void {
    this.complete = true;
    this.end = Math.min(end, DIR_SLOTS_MAX);
  }

  add({ slot, count, name, directory }: Added): void {
    this.#names.set(this.#upcase.fold(name), slot * PACK + count);
    if (directory !== undefined) this.directories.set(slot, directory);
    this.#slots.use(slot, count);
    this.end = Math.max(this.end, slot + count);
  }

  /** The slots stay used until `free`: the disk still names something there. */
  remove({ slot, name }: Extent & { readonly name: string }): void {
    this.#names.delete(this.#upcase.fold(name));
    this.directories.delete(slot);
  }

  /** A set names another file or directory now. */
  replace(slot: number, directory: number | undefined): void {
    if (directory === undefined) this.directories.delete(slot);
    else this.directories.set(slot, directory);
  }

  free(slot: number): void {
    this.#slots.free(slot);
  }

  /** Free slots in a row for a set, so that it can be changed by writing one sector. */
  findRun(length: number, allowed: (slot: number) => boolean): number {
    return this.#slots.findRun({ length, allowed, fits });
  }
}

/** All of a set in one sector; of a longer one its first two entries. */
function fits(first: number, length: number): boolean {
  const at = first % SLOTS_PER_SECTOR;
  return at + Math.min(length, length <= SLOTS_PER_SECTOR ? length : 2) <= SLOTS_PER_SECTOR;
}
