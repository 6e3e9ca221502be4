// The loop of the main thread: turns of its executor while there is work, and the host's own events
// (promises, timers, streams) in between. In a repeatable run it takes its turns with the baton, and
// keeps it while the host is at work: workers that come or go, promises that run, `hold`.

import { SEAT_BOARD } from '../../kernel/abi/memlayout.ts';
import type { Baton } from '../../kernel/ipc/baton/baton.ts';
import type { Executor } from '../../kernel/ipc/executor.ts';
import { seize } from '../../kernel/ipc/wait.ts';

export interface BoardLoopOptions {
  readonly executor: Executor;
  readonly baton: Baton | undefined;
  readonly power: { readonly unsettled: boolean; settled(): Promise<void> };
  /** In a repeatable run nobody can go on until the host has something to say. */
  readonly onIdle: () => void;
  /** A worker computes and computes, while the host has something to say. */
  readonly onStuck: (seat: number) => void;
}

/** Busy turns of the loop may keep the host's own events waiting this long. */
const BUSY_MS = 5;
/** Host time: a worker may hold the baton this long while the host waits, and how often one looks. */
const STUCK_MS = 10_000;
const WATCH_MS = 1000;

export class BoardLoop {
  readonly #options: BoardLoopOptions;
  readonly #held = new Set<Promise<unknown>>();
  /** The host said something since the last turn. */
  #interrupted = false;
  #stopped = false;
  #resume: () => void = () => {};
  #stop: () => void = () => {};
  readonly #stopping = new Promise<void>((resolve) => {
    this.#stop = resolve;
  });

  constructor(options: BoardLoopOptions) {
    this.#options = options;
  }

  /** The host's own events came in: the loop turns again, or in a repeatable run when it is its turn. */
  interrupt(): void {
    this.#interrupted = true;
    if (this.#options.baton === undefined) this.#options.executor.nudge();
    else this.#resume();
  }

  /** Ends `run`, soon. */
  stop(): void {
    this.#stopped = true;
    this.#stop();
    const { baton } = this.#options;
    if (baton !== undefined && baton.holder !== SEAT_BOARD) seize(baton);
    this.interrupt();
  }

  /** In a repeatable run the machine stands still until this work of the host is done. */
  hold<T>(work: Promise<T>): Promise<T> {
    if (this.#options.baton === undefined) return work;
    const held = work.then(
      () => void this.#held.delete(held),
      () => void this.#held.delete(held),
    );
    this.#held.add(held);
    return work;
  }

  run(): Promise<void> {
    const { baton } = this.#options;
    return baton === undefined ? this.#runFreely() : this.#runInTurns(baton);
  }

  async #runFreely(): Promise<void> {
    const { executor } = this.#options;
    let breathedAtMs = executor.clock.monotonicMs();
    while (!this.#stopped) {
      const seen = executor.readBell();
      if (!executor.turn()) await executor.sleepAsync(seen);
      else if (executor.clock.monotonicMs() - breathedAtMs > BUSY_MS) {
        await new Promise((resolve) => setImmediate(resolve));
        breathedAtMs = executor.clock.monotonicMs();
      }
    }
  }

  async #runInTurns(baton: Baton): Promise<void> {
    const { executor, power } = this.#options;
    const watch = setInterval(this.#watcher(baton), WATCH_MS);
    while (!this.#stopped) {
      const seen = executor.readBell();
      this.#interrupted = false;
      const busy = executor.turn();
      if (busy || power.unsettled || this.#held.size > 0) await this.#hostWork();
      else if ((await executor.sleepAsync(seen)) === 'idle') await this.#idle();
    }
    clearInterval(watch);
  }

  /** Whatever the host does of itself after a turn belongs to that turn. */
  async #hostWork(): Promise<void> {
    await Promise.race([this.#settled(), this.#stopping]);
    await new Promise((resolve) => setImmediate(resolve));
  }

  async #settled(): Promise<void> {
    const { power } = this.#options;
    while (power.unsettled || this.#held.size > 0) {
      await power.settled();
      await Promise.all(this.#held);
    }
  }

  async #idle(): Promise<void> {
    if (this.#interrupted || this.#stopped) return;
    const interrupted = new Promise<void>((resolve) => {
      this.#resume = resolve;
    });
    this.#options.onIdle();
    await interrupted;
    this.#resume = () => {};
  }

  /** Host time is the only way out when a program computes for ever: it never gives up the baton. */
  #watcher(baton: Baton): () => void {
    let seen = -1;
    let stuckMs = 0;
    return () => {
      const { holder, handoffs } = baton;
      const waitedFor = this.#interrupted || this.#options.executor.urgent;
      stuckMs = handoffs === seen && holder !== SEAT_BOARD && waitedFor ? stuckMs + WATCH_MS : 0;
      seen = handoffs;
      if (stuckMs >= STUCK_MS) this.#options.onStuck(holder);
    };
  }
}
