// Random choices from a seed: mulberry32, the same everywhere.

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }

  /** Up to `most` of them in any order, few more often than many; each is split at blanks. */
  some(from: readonly string[], most = 3): string[] {
    const left = [...from];
    const count = Math.min(this.below(most + 1), this.below(most + 1) + 1, left.length);
    return Array.from({ length: count }, () => left.splice(this.below(left.length), 1)[0] ?? '')
      .filter((word) => word !== '')
      .flatMap((word) => word.split(' '));
  }

  /** Between `least` and `most` of what `make` makes. */
  list<T>(least: number, most: number, make: () => T): T[] {
    return Array.from({ length: least + this.below(most - least + 1) }, make);
  }

  text(least: number, most: number, from: readonly string[]): string {
    return this.list(least, most, () => this.pick(from)).join('');
  }
}
