// What was freed and is still named on the disk: not to be used again before it is not.

import { BlockSet } from '../../lib/cache/block-set.ts';

/** What one epoch freed. `Gone`: what a format must know of a name that it removed. */
class FreedInEpoch<Gone> {
  readonly clusters = new BlockSet();
  /** Slots, by where they lie. */
  readonly places = new Set<number>();
  /** By directory and name. */
  readonly names = new Map<string, Gone>();
  /** Clusters that end a chain which the disk still has as longer. */
  readonly ends = new BlockSet();
}

export class Freed<Gone> {
  running = new FreedInEpoch<Gone>();
  #committing = new FreedInEpoch<Gone>();

  /** The epoch is closed: what requests free from now on belongs to the next one. */
  closed(): void {
    this.#committing = this.running;
    this.running = new FreedInEpoch();
  }

  /** All of the closed epoch is on the disk. */
  written(): void {
    this.#committing = new FreedInEpoch();
  }

  /** Clusters not to be given out. */
  get clusters(): readonly BlockSet[] {
    return [this.running.clusters, this.#committing.clusters];
  }

  hasPlace(place: number): boolean {
    return this.running.places.has(place) || this.#committing.places.has(place);
  }
}
