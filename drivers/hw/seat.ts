// What every worker runs first. It loads the code of its role while nobody needs it yet (a warm
// seat), then sleeps until the kernel stores the boot word, and gives that code the board.

import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { workerData } from 'node:worker_threads';
import type { Board, DriverBoard, KernelBoard } from '../../kernel/abi/board.ts';
import type { ControllerName } from '../../kernel/abi/disk/controllers.ts';
import { SEAT_BOOT, SEAT_CONFIG, SEAT_CONFIG_SIZE, seatPage } from '../../kernel/abi/memlayout.ts';
import type { DriverConfig } from '../../kernel/abi/seat-config.ts';
import { decodeText } from '../../kernel/abi/text.ts';
import { Baton } from '../../kernel/ipc/baton/baton.ts';
import { tracerOf } from '../../kernel/ipc/trace.ts';
import { hasOrders, waitForOrders } from '../../kernel/ipc/wait.ts';
import { type Epoch, hostClock, virtualClock } from './clock.ts';
import { faultyClock } from './clock-faults.ts';
import type { Hardware } from './hardware.ts';
import { randomSource } from './random.ts';

/** What the power switch hands to a worker. */
export interface SeatOrders {
  readonly ram: SharedArrayBuffer;
  readonly seat: number;
  /** URL of the module of its role, which exports `main(board, config)`. */
  readonly main: string;
  readonly epoch: Epoch;
  /** Of a repeatable run. */
  readonly seed?: number;
  /** Nobody waits for it yet. */
  readonly spare: boolean;
  /** How many workers the seat had before: each has random numbers of its own. */
  readonly predecessors: number;
  /** What the controller on a driver's bus holds. */
  readonly hardware?: Hardware;
  /** The kernel's: URL of the module that serves volumes, should it have to do that itself. */
  readonly daemons?: string;
  /** Its event ring, when the machine is traced. */
  readonly events?: SharedArrayBuffer;
}

type Bus = Pick<DriverBoard, 'pci' | 'notes'>;

interface RoleModule {
  main(board: Board, config: unknown): void | Promise<void>;
  /** What a worker does whose orders come when another one dies; ends early when they are there. */
  rehearse?(wanted: () => boolean, stages: readonly Stage[]): void;
}

/** Where a driver rehearses: boards with one controller and a disk in memory. */
interface Stage {
  readonly controller: ControllerName;
  readonly board: (parts: Pick<Board, 'ram' | 'seat'>) => DriverBoard;
}

const orders = workerData as SeatOrders;

async function powerUp(): Promise<void> {
  const { hardware } = orders;
  const role = (await import(orders.main)) as RoleModule;
  const bus = hardware && (await prepare(hardware));
  if (orders.spare) {
    const stages = hardware ? await stagesFor(hardware) : [];
    role.rehearse?.(() => hasOrders(orders.ram, orders.seat), stages);
  }
  const config = waitForConfig();
  const board = assemble(config);
  const more: DriverBoard | KernelBoard = bus
    ? { ...board, ...bus(board, config) }
    : { ...board, loadDaemons };
  await role.main(more, config);
}

/** The kernel's loop never gives its worker back, so that it cannot wait for `import()`. */
function loadDaemons(): unknown {
  const { daemons } = orders;
  if (daemons === undefined) throw new Error('this machine has no module for it');
  return createRequire(import.meta.url)(fileURLToPath(daemons));
}

/** A driver's bus: images are opened beforehand, drives are looked at when it gets its orders. */
async function prepare(hardware: Hardware): Promise<(board: Board, config: unknown) => Bus> {
  const { assembleBus, prepareBus } = await import('./bus.ts');
  const prepared = prepareBus(hardware);
  return (board, config) => assembleBus(board, prepared, (config as DriverConfig).controller);
}

async function stagesFor({ bays }: Hardware): Promise<Stage[]> {
  const { rehearsalBus } = await import('./bus.ts');
  const random = randomSource(0, 'rehearsal');
  return [...new Set(bays.map(({ controller }) => controller))].map((controller) => ({
    controller,
    board: (parts) => {
      const board: Board = { ...parts, clock: hostClock(orders.epoch), random };
      return { ...board, ...rehearsalBus(board, controller) };
    },
  }));
}

/** A spare is told with its orders whose seat it takes; the one that it waited on is free then. */
function assemble(config: unknown): Board {
  const { ram, epoch, seed, predecessors, events } = orders;
  const { seat = orders.seat } = config as { readonly seat?: number };
  if (seat !== orders.seat) {
    Atomics.store(new Int32Array(ram), (seatPage(orders.seat) + SEAT_BOOT) / 4, 0);
  }
  const baton = Baton.of(ram);
  if (seat !== orders.seat) baton?.move(orders.seat, seat);
  const clock = baton ? virtualClock(epoch, () => baton.lookAtClock()) : hostClock(epoch);
  // What looks at a run must not change it: no cost in virtual time.
  const unseen = baton ? virtualClock(epoch, () => baton.timeMs) : clock;
  tracerOf(ram).attach(ram, { seat, clock: unseen, events });
  return {
    ...{ ram, seat, clock: faultyClock(clock, { ram, seat }) },
    random: randomSource(seed, `seat ${orders.seat}.${predecessors}`),
  };
}

/** Sleeps until the kernel has orders for this seat. */
function waitForConfig(): unknown {
  const page = seatPage(orders.seat);
  const length = Math.min(waitForOrders(orders.ram, orders.seat), SEAT_CONFIG_SIZE);
  const text = new Uint8Array(orders.ram, page + SEAT_CONFIG, length).slice();
  return JSON.parse(decodeText(text));
}

await powerUp();
