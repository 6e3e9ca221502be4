// Which slots of a directory are in use, in the daemon's heap, and where there is room.

const LENGTH_MOST = 32; // more slots than a name takes
const FIRST_SIZE = 1024;

export interface RunRequest {
  readonly length: number;
  /** May this free slot be used now? */
  readonly allowed: (slot: number) => boolean;
  /** May a run of that length begin there at all? */
  readonly fits?: (first: number, length: number) => boolean;
}

export class SlotMap {
  readonly #most: number;
  #used = new Uint8Array(FIRST_SIZE);
  /** For runs of each length: none begins before this slot. */
  readonly #hints = new Uint32Array(LENGTH_MOST);

  constructor(most: number) {
    this.#most = most;
  }

  use(first: number, count: number): void {
    const end = Math.min(first + count, this.#most);
    if (end > this.#used.length) {
      const larger = new Uint8Array(Math.min(this.#most, Math.max(end, 2 * this.#used.length)));
      larger.set(this.#used);
      this.#used = larger;
    }
    this.#used.fill(1, first, end);
  }

  free(slot: number): void {
    if (slot < this.#used.length) this.#used[slot] = 0;
    for (let length = 1; length < LENGTH_MOST; length++) {
      const first = Math.max(0, slot - length + 1);
      if (first < (this.#hints[length] ?? 0)) this.#hints[length] = first;
    }
  }

  /** The first free slots in a row; they may lie behind all that were ever used. */
  findRun({ length, allowed, fits = () => true }: RunRequest): number {
    let run = 0;
    const from = this.#hints[length] ?? 0;
    let pure = true; // what was passed over was in use
    for (let slot = from; slot < this.#most; slot++) {
      const used = this.#used[slot] === 1;
      const free = !used && allowed(slot);
      if (!used && !free) pure = false;
      run = free ? run + 1 : 0;
      const first = slot - length + 1;
      if (run < length || !fits(first, length)) continue;
      if (pure) this.#hints[length] = first;
      return first;
    }
    return this.#most;
  }
}
