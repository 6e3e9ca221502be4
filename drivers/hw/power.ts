// The power switch of the workers, on the main thread: powers a seat on with the code of its role,
// off by terminating it, and tells when one ended, whyever.

import { Worker } from 'node:worker_threads';
import type { Role } from '../../kernel/abi/board-link.ts';
import { SEAT_BOOT, seatPage } from '../../kernel/abi/memlayout.ts';
import { Bell } from '../../kernel/ipc/wait.ts';
import type { Epoch } from './clock.ts';
import type { Hardware } from './hardware.ts';
import type { SeatOrders } from './seat.ts';

/** URL of the module of each role. */
export type RoleModules = Readonly<Record<Role, string>>;

export interface PowerOptions {
  readonly ram: SharedArrayBuffer;
  readonly epoch: Epoch;
  readonly modules: RoleModules;
  readonly hardware: Hardware;
  /** The event ring of a worker that is about to start, when the machine is traced. */
  readonly eventsFor?: (seat: number, role: Role) => SharedArrayBuffer;
  /** A worker ended; `text` is '' when it was switched off or ended by itself, else its stack. */
  readonly onGone: (seat: number, text: string) => void;
}

/** MiB of heap: a program that eats all memory must end, not take the host with it. */
const HEAP_MB: Readonly<Record<Role, number>> = {
  kernel: 2048,
  driver: 1024,
  volume: 1024,
  process: 512,
};

export class PowerSwitch {
  readonly #options: PowerOptions;
  readonly #workers = new Map<number, PoweredSeat>();

  constructor(options: PowerOptions) {
    this.#options = options;
  }

  /** Seats that have power. */
  get powered(): readonly number[] {
    return [...this.#workers.keys()];
  }

  /** Starts a worker on the seat; when the one before has not quite ended yet, after its end. */
  on(seat: number, role: Role): void {
    const before = this.#workers.get(seat);
    if (before === undefined) this.#start(seat, role);
    else if (before.ending) before.next = role;
  }

  off(seat: number): void {
    const powered = this.#workers.get(seat);
    if (powered === undefined) return;
    powered.ending = true;
    powered.next = undefined;
    void powered.worker?.terminate();
  }

  /** Ends all workers; resolves when none is left. */
  async allOff(): Promise<void> {
    const ends = [...this.#workers.values()].map((powered) => {
      powered.ending = true;
      powered.next = undefined;
      return powered.worker?.terminate();
    });
    await Promise.all(ends);
  }

  #start(seat: number, role: Role): void {
    const powered: PoweredSeat = { ending: false, next: undefined, worker: undefined };
    this.#workers.set(seat, powered);
    let text = '';
    try {
      const worker = this.#worker(seat, role);
      powered.worker = worker;
      worker.on('error', (error) => {
        text = describe(error);
      });
      worker.on('exit', (code) => {
        if (code !== 0 && text === '' && !powered.ending) text = `the worker ended with ${code}`;
        this.#gone(seat, powered.ending ? '' : text);
      });
    } catch (error) {
      queueMicrotask(() => this.#gone(seat, describe(error)));
    }
  }

  #worker(seat: number, role: Role): Worker {
    const { ram, epoch, modules, hardware, eventsFor } = this.#options;
    const events = eventsFor?.(seat, role);
    const orders: SeatOrders = {
      ...{ ram, seat, epoch, main: modules[role] },
      ...(role === 'driver' ? { hardware } : {}),
      ...(events === undefined ? {} : { events }),
    };
    return new Worker(new URL('./seat.js', import.meta.url), {
      workerData: orders,
      name: `atoll-${role}-${seat}`,
      // Neither the host's environment nor its options are any business of a worker.
      env: {},
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB[role] },
    });
  }

  /** Leaves the seat's page as a fresh worker expects it. */
  #gone(seat: number, text: string): void {
    const { ram, onGone } = this.#options;
    const next = this.#workers.get(seat)?.next;
    this.#workers.delete(seat);
    new Bell(ram, seat).setRunning(false);
    Atomics.store(new Int32Array(ram), (seatPage(seat) + SEAT_BOOT) / 4, 0);
    onGone(seat, text);
    if (next !== undefined) this.#start(seat, next);
  }
}

interface PoweredSeat {
  worker: Worker | undefined; // undefined: it could not be started
  ending: boolean;
  /** Powered on again while it still ended. */
  next: Role | undefined;
}

const describe = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? `${error.name}: ${error.message}`) : String(error);
