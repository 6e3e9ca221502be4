// Looks after the commands of a device for as long as there are any: finds interrupts that were lost,
// and devices that are silent, which are reset a few times before a command fails.

/** Runs an action after that many milliseconds; returns how to take it back. */
export type After = (ms: number, action: () => void) => () => void;

/** A command that the device has. */
export interface Watched {
  /** Looks that found it still there. */
  looks: number;
  resets: number;
}

const LOOK_MS = 1000;
const LOOKS = 3;
/** Resets for one command before it fails. */
const RESETS = 3;

export interface WatchdogOptions {
  readonly after: After;
  readonly commands: () => Iterable<Watched>;
  /** Takes what is done, whether or not an interrupt told of it. */
  readonly recheck: () => void;
  /** The device is silent: reset it and issue again what is left; `given up` fails. */
  readonly reset: (givenUp: ReadonlySet<Watched>) => void;
}

export class Watchdog {
  readonly #options: WatchdogOptions;
  #watching = false;

  constructor(options: WatchdogOptions) {
    this.#options = options;
  }

  /** A command was issued. */
  watch(): void {
    if (this.#watching) return;
    this.#watching = true;
    this.#options.after(LOOK_MS, () => {
      this.#watching = false;
      this.#look();
      for (const _ of this.#options.commands()) {
        this.watch();
        return;
      }
    });
  }

  #look(): void {
    this.#options.recheck();
    const overdue = [...this.#options.commands()].filter((one) => ++one.looks >= LOOKS);
    if (overdue.length === 0) return;
    const givenUp = new Set<Watched>();
    for (const one of overdue) {
      one.looks = 0;
      if (one.resets++ >= RESETS) givenUp.add(one);
    }
    this.#options.reset(givenUp);
  }
}
