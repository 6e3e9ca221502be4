// Faults at a port's command list: commands that are held up, put behind others, lost, or that hang
// the drive. All of it is forgotten when the port is reset.

import type { Firing } from '../../../kernel/ipc/fault/firing.ts';

/** What becomes of a command that the port is about to run: run it, not now, or never. */
export type Verdict = 'run' | 'later' | 'hang';

export class CommandFaults {
  readonly #now: () => number;
  readonly #met = new Map<number, Firing>();
  #lost = 0; // slots whose commands are never run
  #waiting: { slot: number; dueMs: number } | undefined;
  #behind: { slot: number; others: number } | undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  reset(): void {
    this.#met.clear();
    this.#lost = 0;
    this.#waiting = undefined;
    this.#behind = undefined;
  }

  /** When the command that is held up goes on. */
  get dueAtMs(): number | undefined {
    return this.#waiting?.dueMs;
  }

  /** The slots among the issued ones that the port may take from. */
  open(issued: number): number {
    if (this.#waiting) return this.#now() < this.#waiting.dueMs ? 0 : 1 << this.#waiting.slot;
    let open = issued & ~this.#lost;
    if (this.#behind && (issued & this.#behind.others) !== 0) open &= ~(1 << this.#behind.slot);
    return open;
  }

  /** The command of a slot is taken: what fires at it, asked once, and what that means for it. */
  take(
    slot: number,
    issued: number,
    ask: () => Firing | undefined,
  ): { verdict: Verdict; firing: Firing | undefined } {
    const before = this.#met.get(slot);
    if (before) {
      this.#met.delete(slot);
      if (this.#waiting?.slot === slot) this.#waiting = undefined;
      if (this.#behind?.slot === slot) this.#behind = undefined;
      return { verdict: 'run', firing: before };
    }
    const firing = ask();
    return { verdict: firing ? this.#judge(slot, issued, firing) : 'run', firing };
  }

  #judge(slot: number, issued: number, firing: Firing): Verdict {
    const others = issued & ~(1 << slot) & ~this.#lost;
    if (firing.has('hang')) return 'hang';
    if (firing.has('drop')) {
      this.#lost |= 1 << slot;
      return 'later';
    }
    if (firing.delayMs > 0) this.#waiting = { slot, dueMs: this.#now() + firing.delayMs };
    else if (firing.has('reorder') && others !== 0) this.#behind = { slot, others };
    else return 'run';
    this.#met.set(slot, firing);
    return 'later';
  }
}
