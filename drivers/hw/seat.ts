// What every worker runs first. It loads the code of its role while nobody needs it yet (a warm
// seat), then sleeps until the kernel stores the boot word, and gives that code the board.

import { randomFillSync } from 'node:crypto';
import { workerData } from 'node:worker_threads';
import type { Board, DriverBoard } from '../../kernel/abi/board.ts';
import { SEAT_BOOT, SEAT_CONFIG, SEAT_CONFIG_SIZE, seatPage } from '../../kernel/abi/memlayout.ts';
import { decodeText } from '../../kernel/abi/text.ts';
import { tracerOf } from '../../kernel/ipc/trace.ts';
import { waitWord } from '../../kernel/ipc/wait.ts';
import { type Epoch, hostClock } from './clock.ts';
import type { Hardware } from './hardware.ts';

/** What the power switch hands to a worker. */
export interface SeatOrders {
  readonly ram: SharedArrayBuffer;
  readonly seat: number;
  /** URL of the module of its role, which exports `main(board, config)`. */
  readonly main: string;
  readonly epoch: Epoch;
  /** What the controller on a driver's bus holds. */
  readonly hardware?: Hardware;
  /** Its event ring, when the machine is traced. */
  readonly events?: SharedArrayBuffer;
}

interface RoleModule {
  main(board: Board, config: unknown): void | Promise<void>;
}

const orders = workerData as SeatOrders;

async function powerUp(): Promise<void> {
  const role = (await import(orders.main)) as RoleModule;
  const board = await assemble();
  await role.main(board, waitForConfig());
}

async function assemble(): Promise<Board | DriverBoard> {
  const { ram, seat, epoch, hardware, events } = orders;
  const clock = hostClock(epoch);
  tracerOf(ram).attach(ram, { seat, clock, events });
  const board: Board = { ram, seat, clock, random };
  if (hardware === undefined) return board;
  const { assembleBus } = await import('./hardware.ts');
  return { ...board, ...assembleBus(ram, hardware) };
}

/** Sleeps until the kernel has orders for this seat. */
function waitForConfig(): unknown {
  const page = seatPage(orders.seat);
  const words = new Int32Array(orders.ram, page, SEAT_CONFIG / 4);
  waitWord(words, SEAT_BOOT / 4, 0);
  const length = Math.min(Atomics.load(words, SEAT_BOOT / 4), SEAT_CONFIG_SIZE);
  const text = new Uint8Array(orders.ram, page + SEAT_CONFIG, length).slice();
  return JSON.parse(decodeText(text));
}

/** Through memory of our own: the host fills no shared memory. */
function random(into: Uint8Array): void {
  if (into.buffer instanceof ArrayBuffer) randomFillSync(into);
  else into.set(randomFillSync(new Uint8Array(into.length)));
}

await powerUp();
