// A kernel in one thread, for tests: no workers, a board that only collects what it is told, a clock
// that moves by hand. Processes are seats with real rings, whose calls take the whole path through
// dispatch.ts.

import { getLink, type ToBoard } from '../abi/board-link.ts';
import { PosixError } from '../abi/errno.ts';
import { SEAT_BOARD, SEAT_KERNEL } from '../abi/memlayout.ts';
import { decodeText } from '../abi/text.ts';
import { assemble } from '../assemble.ts';
import { devfs } from '../fs/devfs.ts';
import { procfs } from '../fs/procfs.ts';
import { devpts } from '../fs/tty/devpts.ts';
import { FaultTable } from '../ipc/fault/table.ts';
import { Ring, ringSize } from '../ipc/ring.ts';
import type { Task } from '../ipc/task.ts';
import type { Kernel } from '../kernel.ts';
import { adoptHost } from '../proc/host.ts';
import { localServer, newMemFs, newTmpfs } from '../supervisor/local.ts';
import { place } from '../supervisor/mounting.ts';
import { asInit, makeDirectories, mountAt } from '../supervisor/root.ts';
import type { Call } from '../vfs/call.ts';
import { Program } from './program.ts';
import { Worker } from './worker.ts';

const MIB = 1024 * 1024;
const RING = { slots: 64, slotSize: 8192 };
const HOST_WINDOW = 256 * 1024;

export interface Machine {
  readonly kernel: Kernel;
  readonly time: { ms: number };
  /** What the kernel told the board, all but console bytes. */
  readonly told: ToBoard[];
  /** Runs tasks until all of them wait. */
  settle(): void;
  /** Lets time pass, in steps of a millisecond, with what falls due in it. */
  pass(ms: number): void;
  /** Runs a task to its end; rethrows what it throws. */
  run<T>(task: Task<T>): T;
  /** Runs a call of pid 1. */
  init<T>(what: (call: Call) => Task<T>): T;
  /** Keys typed at the terminal. */
  type(bytes: string | Uint8Array): void;
  /** What the terminal shows so far, and forgets it. */
  screen(): string;
  /** A new process, a child of pid 1 or of another. */
  program(options?: { uid?: number; gid?: number; parent?: Program; name?: string }): Program;
  /** The program that a spawned process runs; undefined when its worker has not begun. */
  spawned(pid: number): Program | undefined;
  bugs(): string[];
}

export function machine(options: { mib?: number; cpus?: number; dentries?: number } = {}): Machine {
  const ram = new SharedArrayBuffer((options.mib ?? 32) * MIB);
  const time = { ms: 0 };
  const clock = {
    monotonicMs: () => time.ms,
    wallclock: () => ({
      sec: 1_000_000 + Math.floor(time.ms / 1000),
      nsec: (time.ms % 1000) * 1e6,
    }),
  };
  new FaultTable(ram).format(1);
  const board = { ram, seat: SEAT_KERNEL, clock, random: (into: Uint8Array) => void into.fill(7) };
  let top = ram.byteLength;
  const ring = (producer: number, consumer: number): number => {
    top -= Math.ceil(ringSize(RING) / 4096) * 4096;
    Ring.format(ram, top, { ...RING, producer, consumer });
    return top;
  };
  const toBoard = ring(SEAT_KERNEL, SEAT_BOARD);
  const toKernel = ring(SEAT_BOARD, SEAT_KERNEL);
  const requests = ring(SEAT_BOARD, SEAT_KERNEL);
  const replies = ring(SEAT_KERNEL, SEAT_BOARD);
  top -= HOST_WINDOW;
  const { dentries } = options;
  const kernel = assemble(board, {
    board: { toBoard, toKernel },
    framesEnd: top,
    cpus: options.cpus ?? 100,
    ...(dentries !== undefined && { dentries }),
  });
  const host = { requests, replies, window: top, windowSize: HOST_WINDOW };
  const rings = { toBoard: new Ring(ram, toBoard), toKernel: new Ring(ram, toKernel) };
  return start(kernel, { host, rings, time });
}

function start(
  kernel: Kernel,
  from: {
    host: { requests: number; replies: number; window: number; windowSize: number };
    rings: { toBoard: Ring; toKernel: Ring };
    time: { ms: number };
  },
): Machine {
  const { executor } = kernel;
  const { time } = from;
  const board = new Listener(kernel, from.rings.toBoard);
  const { told, workers } = board;
  const settle = (): void => {
    for (let turns = 0; turns < 100_000; turns++) {
      const busy = executor.turn();
      if (!board.listen() && !workers.some((worker) => worker.step()) && !busy) return;
    }
    throw new Error('the machine does not come to rest');
  };
  const run = <T>(task: Task<T>): T => {
    const end: { value?: T; error?: unknown; done: boolean } = { done: false };
    executor.start(outcome(task, end), 'test');
    settle();
    if (!end.done) throw new Error('the task waits for something that does not come');
    if (end.error !== undefined) throw end.error;
    return end.value as T;
  };
  const it: Machine = {
    ...{ kernel, time, told, settle, run },
    pass: (ms) => {
      for (let i = 0; i < ms; i++) {
        time.ms++;
        settle();
      }
    },
    init: (what) => run(asInit(kernel, what)),
    type: (bytes) => {
      kernel.terminals.console.input(
        typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes,
      );
      settle();
    },
    screen: () => {
      settle();
      return board.shown();
    },
    program: (options = {}) => new Program(it, options),
    spawned: (pid) => {
      settle();
      const process = kernel.processes.find(pid);
      return process?.seat && new Program(it, { spawned: process });
    },
    bugs: () => kernel.klog.text().match(/.*bug in.*/g) ?? [],
  };
  kernel.link.onMessage = () => undefined;
  run(boot(kernel, from.host));
  return it;
}

/** The board's end of the link: collects what the kernel tells, starts the workers it asks for. */
class Listener {
  readonly told: ToBoard[] = [];
  readonly workers: Worker[] = [];
  readonly #kernel: Kernel;
  readonly #ring: Ring;
  #screen = '';

  constructor(kernel: Kernel, ring: Ring) {
    this.#kernel = kernel;
    this.#ring = ring;
  }

  /** Whether there was anything. */
  listen(): boolean {
    let heard = false;
    for (let slot = this.#ring.peek(); slot; slot = this.#ring.peek()) {
      const message = getLink(slot.payload.slice(0, slot.length)) as ToBoard;
      this.#ring.release();
      if (message.type === 'console') this.#screen += decodeText(message.bytes);
      else this.told.push(message);
      if (message.type === 'powerOn') this.workers.push(new Worker(this.#kernel.ram, message.seat));
      heard = true;
    }
    return heard;
  }

  shown(): string {
    const shown = this.#screen;
    this.#screen = '';
    return shown;
  }
}

function* outcome<T>(
  task: Task<T>,
  end: { value?: T; error?: unknown; done: boolean },
): Task<void> {
  try {
    end.value = yield* task;
  } catch (error) {
    end.error = error ?? new PosixError(5);
  }
  end.done = true;
}

/** The mounts of the boot, without the boot archive and the disks. */
function* boot(kernel: Kernel, host: Parameters<typeof adoptHost>[1]): Task<void> {
  const rootfs = yield* newMemFs(kernel, { type: 'ramfs', source: 'ramfs' });
  place(kernel, rootfs, { on: undefined, target: '/', source: 'ramfs', options: 'rw' });
  adoptHost(kernel, host);
  yield* makeDirectories(kernel, ['bin', 'dev', 'mnt', 'proc', 'root', 'tmp']);
  yield* mountAt(kernel, '/tmp', yield* newTmpfs(kernel));
  const proc = { type: 'proc', source: 'proc', volatile: true };
  yield* mountAt(kernel, '/proc', yield* localServer(kernel, procfs(kernel), proc));
  const dev = { type: 'dev', source: 'dev', volatile: false };
  yield* mountAt(kernel, '/dev', yield* localServer(kernel, devfs(kernel), dev));
  const pts = { type: 'devpts', source: 'devpts', volatile: true };
  yield* mountAt(kernel, '/dev/pts', yield* localServer(kernel, devpts(kernel), pts));
}
