// What exFAT does not write down, as far as the daemon has met it: the parents of directories, and the
// directories of sets that do not lie in one sector. What is not known is searched for (places.ts).

/** A set that lies across sectors or clusters, or in whose first sector only its File entry lies. */
export interface LooseSet {
  readonly dir: number;
  readonly slot: number;
  readonly places: readonly number[];
}

/** A search of the whole tree under way: it goes on where it was when a block was missing. */
export interface Search {
  readonly queue: number[];
  readonly met: Set<number>;
}

const KNOWN_MOST = 200_000;

export class Tree {
  readonly #parents = new Map<number, number>();
  readonly #loose = new Map<number, LooseSet>();
  search: Search | undefined;

  parent(dir: number): number | undefined {
    return this.#parents.get(dir);
  }

  learn(dir: number, parent: number): void {
    if (this.#parents.size >= KNOWN_MOST) this.#parents.clear();
    this.#parents.set(dir, parent);
  }

  loose(place: number): LooseSet | undefined {
    return this.#loose.get(place);
  }

  learnLoose(place: number, set: LooseSet): void {
    if (this.#loose.size >= KNOWN_MOST) this.#loose.clear();
    this.#loose.set(place, set);
  }

  forgetLoose(place: number): void {
    this.#loose.delete(place);
  }

  /** A directory goes by another number. */
  renumber(from: number, to: number): void {
    const parent = this.#parents.get(from);
    this.#parents.delete(from);
    if (parent !== undefined) this.#parents.set(to, parent);
    for (const [dir, above] of this.#parents) if (above === from) this.#parents.set(dir, to);
    for (const [place, set] of this.#loose)
      if (set.dir === from) this.#loose.set(place, { ...set, dir: to });
  }

  /** A directory is gone. */
  forget(dir: number): void {
    this.#parents.delete(dir);
  }
}
