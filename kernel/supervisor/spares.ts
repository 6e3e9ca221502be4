// Spares: workers that have loaded the code of a role and wait for orders. Each waits on a seat of its
// own; with its orders it takes the seat of the server that it is to be. Where none is ready, a
// worker is powered on, which takes longer.

import { PosixError } from '../abi/errno.ts';
import { SEAT_BOOT, SEAT_KERNEL, seatPage } from '../abi/memlayout.ts';
import type { Executor } from '../ipc/executor.ts';
import { Bell } from '../ipc/wait.ts';
import { bootSeat, type Workers } from '../proc/workers.ts';
import type { BoardLink } from './board-link.ts';

export type ServerRole = 'driver' | 'volume';

/** Spares of each role that are kept ready: one more, so that two deaths within 100 ms are met. */
const KEPT = 2;
/** When new ones are started: whoever waits for the server has the cores first. */
const REFILL_MS = 30;

export interface SparesOptions {
  readonly ram: SharedArrayBuffer;
  readonly executor: Executor;
  readonly workers: Workers;
  readonly link: BoardLink;
}

export class Spares {
  readonly #options: SparesOptions;
  readonly #waiting: Record<ServerRole, number[]> = { driver: [], volume: [] };
  /** Seats that spares waited on, until they are known to have left them, by the seat they took. */
  readonly #leaving = new Map<number, number>();
  /** Seats of waiting workers that servers were given, and have not used yet. */
  readonly #given = new Set<number>();
  readonly #wanted = new Set<ServerRole>();
  #refilling = false;

  constructor(options: SparesOptions) {
    this.#options = options;
  }

  /** Seats whose workers the board powered on before the kernel could ask. */
  adopt(role: ServerRole, seats: readonly number[]): void {
    for (const seat of seats) this.#waiting[role].push(this.#options.workers.reserveSeat(seat));
  }

  /** A seat for a server that is going to be started: where a worker of its role waits, if one does. */
  seatFor(role: ServerRole): number {
    const seat = this.#waiting[role].find((one) => !this.#given.has(one));
    const { workers } = this.#options;
    if (seat !== undefined) this.#given.add(seat);
    return seat ?? workers.reserveSeat();
  }

  /** Seats that are taken on behalf of spares: waiting, or being left. */
  get seats(): number {
    return this.#waiting.driver.length + this.#waiting.volume.length + this.#leaving.size;
  }

  /** Makes a worker the one of that seat, whose own worker is gone, and gives it its orders. */
  activate(role: ServerRole, seat: number, orders: object): void {
    const { ram, link } = this.#options;
    new Bell(ram, seat).hold('free');
    const from = this.#take(role, seat);
    if (from === undefined) link.send({ type: 'powerOn', seat, role });
    if (from === undefined || from === seat) {
      bootSeat(ram, seat, { ...orders, seat });
      return;
    }
    this.#leaving.set(seat, from);
    link.send({ type: 'reseat', seat, from });
    bootSeat(ram, from, { ...orders, seat });
  }

  /** The worker of this seat runs, or is gone: the seat that it waited on is free. */
  arrived(seat: number): void {
    const from = this.#leaving.get(seat);
    if (from === undefined) return;
    this.#leaving.delete(seat);
    this.#free(from);
  }

  /** From now on spares of this role are kept: the next `refill` starts what is missing. */
  keep(role: ServerRole): void {
    const { ram } = this.#options;
    // In a repeatable run the board waits for each worker to come up: a spare would save nothing.
    if (new Bell(ram, SEAT_KERNEL).inTurns) return;
    this.#wanted.add(role);
  }

  /** No more of them: they do not come up. */
  forgo(role: ServerRole): void {
    this.#wanted.delete(role);
  }

  /** Starts what is missing, a little later. */
  refill(): void {
    if (this.#refilling) return;
    this.#refilling = true;
    this.#options.executor.after(REFILL_MS, () => {
      this.#refilling = false;
      for (const role of this.#wanted) this.#refillRole(role);
    });
  }

  /** A worker ended that waited here: the seat that it was to take, or its own; undefined if it was no spare. */
  gone(seat: number): { took: number | undefined } | undefined {
    for (const [took, from] of this.#leaving) if (from === seat) return { took };
    for (const role of ['driver', 'volume'] as const) {
      const at = this.#waiting[role].indexOf(seat);
      if (at < 0) continue;
      this.#waiting[role].splice(at, 1);
      if (!this.#given.delete(seat)) this.#free(seat);
      return { took: undefined };
    }
    return undefined;
  }

  /** The worker that waits on the seat itself, or else another one. */
  #take(role: ServerRole, seat: number): number | undefined {
    const waiting = this.#waiting[role];
    const own = waiting.indexOf(seat);
    const at = own >= 0 ? own : waiting.findIndex((one) => !this.#given.has(one));
    this.#given.delete(seat);
    return at < 0 ? undefined : waiting.splice(at, 1)[0];
  }

  #refillRole(role: ServerRole): void {
    const { workers, link } = this.#options;
    const spare = (): number => this.#waiting[role].filter((one) => !this.#given.has(one)).length;
    while (spare() < KEPT) {
      try {
        const seat = workers.reserveSeat();
        link.send({ type: 'powerOn', seat, role });
        this.#waiting[role].push(seat);
      } catch (error) {
        if (!(error instanceof PosixError)) throw error;
        return; // no seat is free: the next server that dies waits a little longer
      }
    }
  }

  #free(seat: number): void {
    const { ram, workers } = this.#options;
    Atomics.store(new Int32Array(ram, seatPage(seat) + SEAT_BOOT, 1), 0, 0);
    workers.freeSeat(seat);
  }
}
