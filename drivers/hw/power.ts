// The power switch of the workers, on the main thread: powers a seat on with the code of its role,
// off by terminating it, and tells when one ended, whyever.

import { Worker } from 'node:worker_threads';
import type { Role } from '../../kernel/abi/board-link.ts';
import { SEAT_BOOT, seatPage } from '../../kernel/abi/memlayout.ts';
import type { Baton } from '../../kernel/ipc/baton/baton.ts';
import { arrival, Bell, leave, wakeAll } from '../../kernel/ipc/wait.ts';
import type { Epoch } from './clock.ts';
import type { Hardware } from './hardware.ts';
import type { SeatOrders } from './seat.ts';

/** URL of the module of each role. */
export type RoleModules = Readonly<Record<Role, string>> & {
  /** The one by which the kernel serves a volume itself. */
  readonly inKernel?: string;
  /** What every worker runs first; default: seat.ts beside this file. */
  readonly seat?: string;
};

export interface PowerOptions {
  readonly ram: SharedArrayBuffer;
  readonly epoch: Epoch;
  readonly modules: RoleModules;
  /** As it is now; `replugged` tells the workers that it changed. */
  readonly hardware: () => Hardware;
  /** The event ring of a worker that is about to start, when the machine is traced. */
  readonly eventsFor?: (seat: number, role: Role) => SharedArrayBuffer;
  /** Of a repeatable run: `settled` tells when workers have come and gone, and `onMove` that one did. */
  readonly repeatable?: { readonly seed: number; readonly baton: Baton };
  readonly onMove: () => void;
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
  readonly #roles: Role[] = [];
  /** How often each seat was powered on. */
  readonly #starts = new Map<number, number>();
  /** Of a repeatable run: workers on their way, and those that ended since the last `settled`. */
  readonly #moving = new Set<Promise<void>>();
  #left: { seat: number; text: string; next: Role | undefined }[] = [];

  constructor(options: PowerOptions) {
    this.#options = options;
  }

  /** Seats that have power. */
  get powered(): readonly number[] {
    return [...this.#workers.keys()];
  }

  /** What the last worker of a seat was. */
  role(seat: number): Role | undefined {
    return this.#roles[seat];
  }

  /** What the last worker of each seat was. */
  get roles(): readonly string[] {
    return this.#roles;
  }

  /**
   * Starts a worker on the seat; when the one before has not quite ended yet, after its end. A spare has
   * no orders soon.
   */
  on(seat: number, role: Role, kind?: 'spare'): void {
    const before = this.#workers.get(seat);
    if (before === undefined) this.#start(seat, role, kind);
    else if (before.ending) before.next = role;
  }

  off(seat: number): void {
    const powered = this.#workers.get(seat);
    if (powered === undefined) return;
    powered.ending = true;
    powered.next = undefined;
    this.#await(powered.ended);
    void powered.worker?.terminate();
  }

  /** The worker of one seat goes on as that of another, whose own worker has ended. */
  reseat({ from, seat }: { from: number; seat: number }): void {
    const powered = this.#workers.get(from);
    if (powered === undefined || this.#workers.has(seat)) return;
    this.#workers.delete(from);
    powered.seat = seat;
    this.#workers.set(seat, powered);
  }

  /** The workers of drivers, spares among them, find the new hardware when they look for it. */
  replugged(): void {
    for (const { role, worker } of this.#workers.values()) {
      if (role === 'driver') worker?.postMessage(this.#options.hardware());
    }
  }

  /** In a repeatable run: workers came or went, or are about to. */
  get unsettled(): boolean {
    return this.#moving.size > 0 || this.#left.length > 0;
  }

  /** In a repeatable run: all that were powered on have come up, all that were powered off are gone. */
  async settled(): Promise<void> {
    while (this.unsettled) {
      await Promise.all(this.#moving);
      const left = this.#left.sort((a, b) => a.seat - b.seat); // whoever the host ended first
      this.#left = [];
      for (const { seat, text, next } of left) this.#tell(seat, text, next);
    }
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

  #start(seat: number, role: Role, kind?: 'spare'): void {
    const powered = new PoweredSeat(seat, role);
    this.#roles[seat] = role;
    this.#workers.set(seat, powered);
    const { baton } = this.#options.repeatable ?? {};
    if (baton) {
      baton.expect(seat);
      this.#await(Promise.race([arrival(baton, seat), powered.ended]));
    }
    let text = '';
    try {
      const worker = this.#worker(seat, role, kind);
      powered.worker = worker;
      worker.on('error', (error) => {
        text = describe(error);
      });
      worker.on('exit', (code) => {
        if (code !== 0 && text === '' && !powered.ending) text = `the worker ended with ${code}`;
        this.#gone(powered, powered.ending ? '' : text);
      });
    } catch (error) {
      queueMicrotask(() => this.#gone(powered, describe(error)));
    }
  }

  /** In a repeatable run the machine stands still until this has happened. */
  #await(move: Promise<void>): void {
    if (this.#options.repeatable === undefined) return;
    const moving = move.then(() => {
      this.#moving.delete(moving);
    });
    this.#moving.add(moving);
  }

  #worker(seat: number, role: Role, kind?: 'spare'): Worker {
    const { ram, epoch, modules, hardware, repeatable, eventsFor } = this.#options;
    const events = eventsFor?.(seat, role);
    const predecessors = this.#starts.get(seat) ?? 0;
    this.#starts.set(seat, predecessors + 1);
    const orders: SeatOrders = {
      ...{ ram, seat, epoch, main: modules[role], predecessors, spare: kind === 'spare' },
      ...(repeatable ? { seed: repeatable.seed } : {}),
      ...(role === 'driver' ? { hardware: hardware() } : {}),
      ...(role === 'kernel' && modules.inKernel ? { daemons: modules.inKernel } : {}),
      ...(events === undefined ? {} : { events }),
    };
    const worker = new Worker(new URL(modules.seat ?? './seat.js', import.meta.url), {
      workerData: orders,
      name: `atoll-${role}-${seat}`,
      // Neither the host's environment nor its options are any business of a worker.
      env: {},
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB[role] },
      ...{ stdout: true, stderr: true },
    });
    // Node's own way would hang listeners of every worker on the host's streams. Nobody should write there.
    for (const stream of [worker.stdout, worker.stderr]) {
      stream.on('data', (bytes: Uint8Array) => process.stderr.write(bytes));
    }
    return worker;
  }

  /** Leaves the seat's page as a fresh worker expects it. */
  #gone(powered: PoweredSeat, text: string): void {
    const { ram, repeatable, onMove } = this.#options;
    const { seat, next } = powered;
    this.#workers.delete(seat);
    new Bell(ram, seat).setRunning(false);
    wakeAll(ram);
    Atomics.store(new Int32Array(ram), (seatPage(seat) + SEAT_BOOT) / 4, 0);
    powered.end();
    if (repeatable === undefined) this.#tell(seat, text, next);
    else {
      this.#left.push({ seat, text, next });
      leave(repeatable.baton, seat);
      onMove();
    }
  }

  #tell(seat: number, text: string, next: Role | undefined): void {
    this.#options.onGone(seat, text);
    if (next !== undefined) this.#start(seat, next);
  }
}

class PoweredSeat {
  seat: number;
  readonly role: Role;
  worker: Worker | undefined; // undefined: it could not be started
  ending = false;
  /** Powered on again while it still ended. */
  next: Role | undefined;
  readonly ended: Promise<void>;
  end: () => void = () => {};

  constructor(seat: number, role: Role) {
    this.seat = seat;
    this.role = role;
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
  }
}

const describe = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? `${error.name}: ${error.message}`) : String(error);
