// The directories used last: what is known of each, in the daemon's heap.

/** What is in a directory. */
export interface KnownDirectory {
  /** Names. */
  readonly size: number;
  /** Of those, directories. */
  readonly subdirectories: number;
  /** All of it was read. */
  readonly complete: boolean;
  /** What lies under a name; undefined: nothing. */
  find(name: string): object | undefined;
}

const DIRECTORIES_MOST = 256;
const NAMES_MOST = 400_000;

export class DirCache<Index extends KnownDirectory> {
  readonly #held = new Map<number, Index>();
  readonly #make: () => Index;

  constructor(make: () => Index) {
    this.#make = make;
  }

  /** By the directory's number. Begun when it is not there. */
  get(dir: number): Index {
    const known = this.#held.get(dir);
    if (known === undefined) this.#makeRoom();
    else this.#held.delete(dir);
    const index = known ?? this.#make();
    this.#held.set(dir, index);
    return index;
  }

  forget(dir: number): void {
    this.#held.delete(dir);
  }

  clear(): void {
    this.#held.clear();
  }

  /** The directory goes by another number. */
  renumber(from: number, to: number): void {
    const index = this.#held.get(from);
    if (index === undefined) return;
    this.#held.delete(from);
    this.#held.set(to, index);
  }

  /** Changes the index if it is the one that the request worked with, and lets any other be read anew. */
  change(dir: number, index: Index, change: (index: Index) => void): void {
    if (this.#held.get(dir) === index && index.complete) change(index);
    else this.#held.delete(dir);
  }

  #makeRoom(): void {
    let names = 0;
    for (const index of this.#held.values()) names += index.size;
    for (const [dir, index] of this.#held) {
      if (this.#held.size < DIRECTORIES_MOST && names < NAMES_MOST) return;
      names -= index.size;
      this.#held.delete(dir);
    }
  }
}
