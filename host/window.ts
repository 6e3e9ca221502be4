// The host process's window, divided among its calls under way: runs of units, first fit. Calls that
// may wait for long (a read from a pipe) never get all of it, so that others go on beside them.

const UNIT = 4096;
/** Of the window, for calls that may wait for long. */
const WAITING_SHARE = 3 / 4;

export interface WindowPart {
  readonly at: number; // bytes into the window
  readonly size: number; // bytes
  readonly waits: boolean;
}

export class WindowParts {
  readonly #used: Uint8Array;
  #waitingUnits = 0;
  /** From here the search goes on. */
  #next = 0;

  constructor(windowSize: number) {
    this.#used = new Uint8Array(windowSize / UNIT);
  }

  /** The share of the window that calls which wait for long hold: 0 to 1. */
  get crowded(): number {
    return this.#waitingUnits / (this.#used.length * WAITING_SHARE);
  }

  /** A part of at least `bytes`, or undefined when there is none now. Nothing takes no room. */
  take(bytes: number, waits: boolean): WindowPart | undefined {
    const units = Math.ceil(bytes / UNIT);
    if (units === 0) return { at: 0, size: 0, waits };
    if (waits && this.#waitingUnits + units > this.#used.length * WAITING_SHARE) return undefined;
    const first = this.#find(units, this.#next) ?? this.#find(units, 0);
    if (first === undefined) return undefined;
    this.#used.fill(1, first, first + units);
    this.#next = first + units;
    if (waits) this.#waitingUnits += units;
    return { at: first * UNIT, size: units * UNIT, waits };
  }

  give(part: WindowPart): void {
    const units = part.size / UNIT;
    this.#used.fill(0, part.at / UNIT, part.at / UNIT + units);
    if (part.waits) this.#waitingUnits -= units;
  }

  #find(units: number, from: number): number | undefined {
    for (let at = from, run = 0; at < this.#used.length; at++) {
      run = this.#used[at] === 0 ? run + 1 : 0;
      if (run === units) return at - units + 1;
    }
    return undefined;
  }
}
