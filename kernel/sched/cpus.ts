// Virtual CPUs: a process in user mode holds one of N. It gives it up when it waits in the kernel,
// or at a system call once its slice has ended and others wait. Next is the scope that had least of them
// since they became scarce (Linux: sched_autogroup): a bomb of processes slows itself. A worker cannot be stopped between
// two system calls, so a process that makes none loses its claim instead: its CPU goes to the next.

import type { Clock } from '../abi/board.ts';
import type { Executor } from '../ipc/executor.ts';
import { sleep, type Task, WaitQueue, wakeAll } from '../ipc/task.ts';
import { EVENTS } from '../ipc/trace-events.ts';
import type { Process } from '../proc/process.ts';

/** The slice of a process that is neither favoured nor nice. */
export const SLICE_MS = 20;
/** From twice the slice for nice -20 to a twentieth for 19. */
const sliceOf = ({ nice }: Process): number => (SLICE_MS * (20 - nice)) / 20;

interface Waiter {
  readonly process: Process;
  readonly queue: WaitQueue;
}

export class Cpus {
  readonly count: number;
  readonly #clock: Clock;
  readonly #executor: Executor;
  /** First come, first served within a scope. */
  readonly #waiting: Waiter[] = [];
  /** Scope → milliseconds that its processes held CPUs while others waited. */
  readonly #scopeMs = new Map<number, number>();
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

  /** Milliseconds that a process held a CPU, until now. */
  usedMs(process: Process): number {
    const since = this.#holders.get(process);
    return process.userMs + (since === undefined ? 0 : this.#clock.monotonicMs() - since);
  }

  /**
   * Waits for a CPU; returns without one only when the process is dead. A process that holds one
   * keeps it while its slice lasts or nobody waits.
   */
  *acquire(process: Process): Task<void> {
    const since = this.#holders.get(process);
    if (since !== undefined) {
      const ended = this.#clock.monotonicMs() - since > sliceOf(process);
      if (!ended || this.#waiting.length === 0) return;
      this.#handOver(process, since);
    }
    if (process.dead) return;
    if (this.#holders.size < this.count) {
      this.#run(process, this.#clock.monotonicMs());
      return;
    }
    this.#executor.trace.instant(EVENTS.cpuWait, process.pid);
    const waiter = { process, queue: new WaitQueue('cpu') };
    this.#join(process);
    this.#waiting.push(waiter);
    this.#watch();
    while (!this.#holders.has(process) && !process.dead) yield* sleep(waiter.queue);
  }

  /** The process waits in the kernel. */
  release(process: Process): void {
    const since = this.#holders.get(process);
    if (since === undefined) return;
    this.#executor.trace.instant(EVENTS.cpuBlock, process.pid);
    this.#handOver(process, since);
  }

  /** The process is dead: it neither holds a CPU nor waits for one. */
  forget(process: Process): void {
    this.release(process);
    for (const waiter of this.#waiting.filter((one) => one.process === process)) {
      this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
      wakeAll(waiter.queue);
    }
  }

  /** Gives the CPU to who is next, at once: nobody who comes later gets in between. */
  #handOver(process: Process, since: number): void {
    const now = this.#clock.monotonicMs();
    process.userMs += now - since;
    this.#holders.delete(process);
    const next = this.#next({ scope: process.scope, ms: now - since });
    if (next === undefined) return;
    this.#run(next.process, now);
    wakeAll(next.queue);
  }

  /** A scope that waits for its first CPU is where the least of the others is: absence earns nothing. */
  #join({ scope }: Process): void {
    const all = [...this.#holders.keys(), ...this.#waiting.map(({ process }) => process)];
    if (all.some((process) => process.scope === scope)) return;
    const least = Math.min(...all.map((process) => this.#scopeMs.get(process.scope) ?? 0));
    this.#scopeMs.set(scope, Math.max(this.#scopeMs.get(scope) ?? 0, least));
  }

  #next(ran: { scope: number; ms: number }): Waiter | undefined {
    if (this.#waiting.length === 0)
      this.#scopeMs.clear(); // there is enough for everybody
    else this.#scopeMs.set(ran.scope, (this.#scopeMs.get(ran.scope) ?? 0) + ran.ms);
    let best = 0;
    let least = Number.POSITIVE_INFINITY;
    for (const [i, { process }] of this.#waiting.entries()) {
      const used = this.#scopeMs.get(process.scope) ?? 0;
      if (used >= least) continue;
      least = used;
      best = i;
    }
    return this.#waiting.splice(best, 1)[0];
  }

  #run(process: Process, now: number): void {
    this.#holders.set(process, now);
    this.#executor.trace.instant(EVENTS.cpuRun, process.pid);
  }

  /** While somebody waits: takes CPUs from those who have been away for longer than a slice. */
  #watch(): void {
    if (this.#watching) return;
    this.#watching = true;
    this.#executor.after(SLICE_MS, () => {
      this.#watching = false;
      const now = this.#clock.monotonicMs();
      for (const [process, since] of [...this.#holders]) {
        if (now - since > sliceOf(process) && this.#waiting.length > 0)
          this.#handOver(process, since);
      }
      if (this.#waiting.length > 0) this.#watch();
    });
  }
}
