// The sectors that writes under way touch. A write of part of a sector reads it, changes it and
// writes it back: nobody else may write that sector in between.

import { sleep, type Task, WaitQueue, wakeAll } from '../../kernel/ipc/task.ts';

export interface SectorRange {
  readonly start: number;
  readonly end: number;
}

export class WriteRanges {
  readonly #held = new Set<SectorRange>();
  readonly #released = new WaitQueue('sectors being written');

  /** Waits until nobody writes there. Release what is returned, in a `finally`. */
  *acquire(range: SectorRange): Task<SectorRange> {
    while (this.#overlaps(range)) yield* sleep(this.#released);
    this.#held.add(range);
    return range;
  }

  release(range: SectorRange): void {
    this.#held.delete(range);
    wakeAll(this.#released);
  }

  #overlaps(range: SectorRange): boolean {
    for (const held of this.#held)
      if (range.start < held.end && held.start < range.end) return true;
    return false;
  }
}
