// A set of block numbers that come in runs: 32 of them share a word.

export class BlockSet {
  readonly #words = new Map<number, number>();

  get empty(): boolean {
    return this.#words.size === 0;
  }

  add(start: number, count: number): void {
    this.#each(start, count, (key, mask) => {
      this.#words.set(key, (this.#words.get(key) ?? 0) | mask);
      return false;
    });
  }

  has(no: number): boolean {
    return ((this.#words.get(Math.floor(no / 32)) ?? 0) & (1 << (no % 32))) !== 0;
  }

  /** Is any of the blocks in the set? */
  overlaps(start: number, count: number): boolean {
    if (this.empty) return false;
    return this.#each(start, count, (key, mask) => ((this.#words.get(key) ?? 0) & mask) !== 0);
  }

  /** The first block from `no` on that is not in the set. */
  endOfRun(no: number): number {
    let at = no;
    while (this.has(at)) at++;
    return at;
  }

  clear(): void {
    this.#words.clear();
  }

  #each(start: number, count: number, visit: (key: number, mask: number) => boolean): boolean {
    const end = start + count;
    for (let at = start; at < end; ) {
      const key = Math.floor(at / 32);
      const from = at % 32;
      const to = Math.min(32, end - key * 32);
      const mask = to - from === 32 ? -1 : ((1 << (to - from)) - 1) << from;
      if (visit(key, mask)) return true;
      at = (key + 1) * 32;
    }
    return false;
  }
}
