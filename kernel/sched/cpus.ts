// Virtual CPUs: a process in user mode holds one of N. It gives it up when it waits in the kernel,
// or at a system call once its slice has ended and others wait. A worker cannot be stopped between
// two system calls, so a process that makes none loses its claim instead: its CPU goes to the next.

import type { Clock } from '../abi/board.ts';
import type { Executor } from '../ipc/executor.ts';
import { sleep, type Task, WaitQueue, wakeOne } from '../ipc/task.ts';
import type { Process } from '../proc/process.ts';

export const SLICE_MS = 20;

export class Cpus {
  readonly count: number;
  readonly #clock: Clock;
  readonly #executor: Executor;
  readonly #waiting = new WaitQueue('cpu');
  /** Who holds a CPU, and since when. */
  readonly #holders = new Map<Process, number>();
  #watching = false;

  constructor(options: { count: number; clock: Clock; executor: Executor }) {
    this.count = options.count;
    this.#clock = options.clock;
    this.#executor = options.executor;
  }

  get busy(): number {
    return this.#holders.size;
  }

  holds(process: Process): boolean {
    return this.#holders.has(process);
  }

  /** Waits for a CPU. A process that holds one keeps it while its slice lasts or nobody waits. */
  *acquire(process: Process): Task<void> {
    const since = this.#holders.get(process);
    if (since !== undefined) {
      const ended = this.#clock.monotonicMs() - since > SLICE_MS;
      if (!ended || this.#waiting.idle) return;
      this.release(process);
    }
    while (this.#holders.size >= this.count && !process.dead) {
      this.#watch();
      yield* sleep(this.#waiting);
    }
    if (!process.dead) this.#holders.set(process, this.#clock.monotonicMs());
  }

  /** The process waits in the kernel, or is no more. */
  release(process: Process): void {
    const since = this.#holders.get(process);
    if (since === undefined) return;
    process.userMs += this.#clock.monotonicMs() - since;
    this.#holders.delete(process);
    wakeOne(this.#waiting);
  }

  /** While somebody waits: takes CPUs from those who have been away for longer than a slice. */
  #watch(): void {
    if (this.#watching) return;
    this.#watching = true;
    this.#executor.after(SLICE_MS, () => {
      this.#watching = false;
      const now = this.#clock.monotonicMs();
      for (const [process, since] of [...this.#holders]) {
        if (now - since > SLICE_MS) this.release(process);
      }
      if (!this.#waiting.idle) this.#watch();
    });
  }
}
