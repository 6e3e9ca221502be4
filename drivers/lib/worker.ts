// A driver's worker: brings its controller up and serves its disks to every session. The hardware
// model sits in the same worker, and gets its turns from the same loop.

import type { DriverBoard, PciFunction } from '../../kernel/abi/board.ts';
import { PosixError } from '../../kernel/abi/errno.ts';
import type { DriverConfig } from '../../kernel/abi/seat-config.ts';
import { Executor } from '../../kernel/ipc/executor.ts';
import { FaultGate } from '../../kernel/ipc/fault/gate.ts';
import { GrantReader } from '../../kernel/ipc/grant.ts';
import { ringLogger } from '../../kernel/ipc/log-ring.ts';
import { Ring } from '../../kernel/ipc/ring.ts';
import type { Task } from '../../kernel/ipc/task.ts';
import { MessageFaults } from '../../kernel/ninep/message-faults.ts';
import type { BlockController, StartDriver } from './sd-disk.ts';
import { createSdServer } from './sd-server.ts';
import { serveSession } from './serve.ts';
import { DiskStats } from './stats.ts';

export interface Worker {
  readonly board: DriverBoard;
  readonly config: DriverConfig;
  readonly start: StartDriver;
}

export function serveController(worker: Worker): void {
  const { ram, seat, clock } = worker.board;
  const onBug = (error: unknown): never => {
    throw error; // ends the worker: the board tells the kernel with the stack
  };
  const executor = new Executor({ ram, seat, clock, onBug });
  openController({ ...worker, executor });
  executor.run();
}

/** Starts all of it on the executor, whose loop the caller runs. */
export function openController(worker: Worker & { readonly executor: Executor }): void {
  const { board, config, executor } = worker;
  const { ram, clock } = board;
  const log = ringLogger(executor, new Ring(ram, config.log));
  let told = 0;
  let wakesAtMs: number | undefined;
  const wakeFor = (pci: PciFunction): void => {
    const dueMs = pci.dueAtMs();
    if (dueMs === undefined || dueMs === wakesAtMs) return;
    wakesAtMs = dueMs;
    executor.after(Math.max(0, dueMs - clock.monotonicMs()), () => {
      wakesAtMs = undefined; // the loop turns, and lets the device work
    });
  };
  executor.poll(() => {
    let busy = false;
    for (; told < board.notes.length; told++) log(board.notes[told] ?? '');
    busy = board.pci.look();
    for (const pci of board.pci.functions()) {
      busy = pci.step() || busy;
      wakeFor(pci);
    }
    return busy;
  });
  executor.start(bringUp({ ...worker, log }), 'bring-up');
}

interface Parts extends Worker {
  readonly executor: Executor;
  readonly log: (line: string) => void;
}

function* bringUp(parts: Parts): Task<void> {
  const { board, config, executor, log } = parts;
  const server = yield* createSdServer({
    controller: yield* bringUpController(parts),
    ram: board.ram,
    log,
    now: () => board.clock.wallclock(),
  });
  const grants = new GrantReader(board.ram, board.seat);
  const gate = new FaultGate(board);
  const faults = () => new MessageFaults({ gate, service: config.controller, executor });
  for (const { requests, replies } of config.sessions) {
    const rings = {
      requests: new Ring(board.ram, requests),
      replies: new Ring(board.ram, replies),
    };
    serveSession({ executor, grants, server, log, faults }, rings);
  }
}

/** Without a controller the tree is empty, and whoever attaches sees that. */
function* bringUpController(parts: Parts): Task<BlockController | undefined> {
  const { board, config, start, executor, log } = parts;
  try {
    const after = (ms: number, action: () => void) => executor.after(ms, action);
    const nowMs = () => board.clock.monotonicMs();
    const counted = { ram: board.ram, address: config.stats, nowMs };
    const stats = (port: number) => new DiskStats(counted, port);
    return yield* start({ board, dma: config.dma, log, after, stats });
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    log(error.message);
    return undefined;
  }
}
