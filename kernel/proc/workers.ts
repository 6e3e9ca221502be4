// Workers for processes: a pool of warm ones that wait to be a process. A worker that finished its
// program comes back for the next; one that does not come back after its process died is powered off.

import { assert, EAGAIN, ENOMEM, fail, PosixError } from '../abi/errno.ts';
import { DESCRIPTOR_TABLE_SIZE, type FileTables } from '../abi/file-tables.ts';
import { PAGE_SIZE, SEAT_CONFIG, SEAT_CONFIG_SIZE, SEATS, seatPage } from '../abi/memlayout.ts';
import type { ProcessConfig } from '../abi/seat-config.ts';
import { type Start, SYSCALL_SLOT_SIZE, SYSCALL_SLOTS, WINDOW_SIZE } from '../abi/syscall.ts';
import { encodeText } from '../abi/text.ts';
import type { Executor } from '../ipc/executor.ts';
import { neverRefuses } from '../ipc/fault/gate.ts';
import { Ring } from '../ipc/ring.ts';
import { sleep, type Task, WaitQueue, wakeAll } from '../ipc/task.ts';
import { giveOrders } from '../ipc/wait.ts';
import type { Frames } from '../mm/frames.ts';
import type { BoardLink } from '../supervisor/board-link.ts';
import { DescriptorTable, enterTable } from '../vfs/descriptors.ts';
import type { Process } from './process.ts';

/** Idle workers kept ready, and the most that are kept. */
const SPARE = 3;
const MOST_IDLE = 8;
/** Workers for processes at a time, the idle ones included. */
const MOST = 100;
/** How long a dead process's worker has to come back. */
const GRACE_MS = 200;

/** How often a seat that is gone is asked whether its last call has ended. */
const CALLS_CHECK_MS = 10;

const RING_FRAMES = 1; // 16 slots of 128 bytes and the header
const AREA_FRAMES = 2 * RING_FRAMES + (WINDOW_SIZE + DESCRIPTOR_TABLE_SIZE) / PAGE_SIZE;

/** A worker's place for processes: its rings, its window, and who sits there. */
export interface ProcessSeat {
  readonly seat: number;
  readonly area: number;
  readonly requests: Ring;
  readonly replies: Ring;
  readonly windowAt: number;
  readonly window: Uint8Array;
  readonly table: DescriptorTable | undefined;
  /** The process that the worker runs, dead or alive, until the worker comes back. */
  process: Process | undefined;
  /** The tag of its `ready` call, while it waits for a program. */
  readyTag: number | undefined;
  /** Calls under way: their replies and data still go into the seat's memory. */
  calls: number;
  /** The host has ended its worker. */
  ended: boolean;
  /** What waits until nothing that its process began is under way any more. */
  readonly whenQuiet: (() => void)[];
  /** The worker is gone: nothing is answered any more. Its memory goes with the last call. */
  gone: boolean;
  detach: () => void;
}

export interface WorkersOptions {
  readonly ram: SharedArrayBuffer;
  readonly frames: Frames;
  readonly executor: Executor;
  readonly link: BoardLink;
  readonly kernelSeat: number;
  /** What every process may read of the cached files. */
  readonly tables: Omit<FileTables, 'descriptors'>;
  /** Takes the next call out of a seat's ring. */
  readonly onCall: (seat: ProcessSeat) => boolean;
  /** Frees frames when there are none for another worker. */
  readonly reclaim: (frames: number) => void;
}

export class Workers {
  readonly #options: WorkersOptions;
  readonly #seats = new Map<number, ProcessSeat>();
  readonly #idle: ProcessSeat[] = [];
  readonly #came = new WaitQueue('worker');
  readonly #usedSeats = new Set<number>();
  #starting = 0;
  /** The boot is over, or somebody needed one: spare workers may take the host's time. */
  #spares = false;
  /** The fault point alloc.seats. */
  refuses = neverRefuses;
  /** Workers at a time: each is a thread of the host, and its windows may take a quarter of `ram`. */
  readonly most: number;

  constructor(options: WorkersOptions) {
    this.#options = options;
    this.most = Math.min(MOST, Math.floor(options.frames.total / 4 / AREA_FRAMES));
  }

  get count(): number {
    return this.#seats.size;
  }

  /** All places for processes, taken or not. */
  get seats(): readonly ProcessSeat[] {
    return [...this.#seats.values()];
  }

  /** Marks a seat as taken by somebody else: a driver, a volume. */
  reserveSeat(wanted?: number): number {
    let seat = wanted ?? 2;
    while (wanted === undefined && this.#usedSeats.has(seat)) seat++;
    if (seat >= SEATS) fail(ENOMEM, 'all seats are taken');
    this.#usedSeats.add(seat);
    return seat;
  }

  freeSeat(seat: number): void {
    this.#usedSeats.delete(seat);
  }

  /** Seats that the board powered on already. */
  adopt(seats: readonly number[]): void {
    for (const seat of seats) this.#prepare(this.reserveSeat(seat), this.#takeArea());
  }

  /** The boot is over: from now on there are workers to spare. */
  startSpares(): void {
    this.#spares = true;
    this.refill();
  }

  /** Powers workers on until enough are ready or on their way. */
  refill(): void {
    if (!this.#spares) return;
    try {
      while (this.#idle.length + this.#starting < SPARE) this.#powerOn();
    } catch (error) {
      if (!(error instanceof PosixError)) throw error; // no seat or no memory: later, perhaps
    }
  }

  #powerOn(): void {
    if (this.#seats.size >= this.most) fail(EAGAIN, 'too many processes');
    const seat = this.reserveSeat();
    try {
      const area = this.#takeArea();
      this.#options.link.send({ type: 'powerOn', seat, role: 'process' });
      this.#prepare(seat, area);
    } catch (error) {
      this.freeSeat(seat);
      throw error;
    }
  }

  /** A worker that waits for a program; powers one on if there is none. */
  *take(): Task<ProcessSeat> {
    if (this.refuses(AREA_FRAMES * PAGE_SIZE)) fail(EAGAIN, 'no worker for another process');
    for (;;) {
      const seat = this.#idle.pop();
      if (seat === undefined && this.#starting === 0) this.#spares = true;
      this.refill();
      if (seat) return seat;
      if (this.#starting === 0) fail(EAGAIN, 'no worker for another process');
      yield* sleep(this.#came);
    }
  }

  /** A worker taken is not needed after all. */
  putBack(seat: ProcessSeat): void {
    if (seat.gone) return;
    this.#idle.push(seat);
    wakeAll(this.#came);
  }

  /** Gives a program to a worker taken; false when the worker is gone by now. */
  begin(seat: ProcessSeat, process: Process, start: Start): boolean {
    if (seat.gone) return false;
    const tag = seat.readyTag;
    assert(tag !== undefined, 'a worker that does not wait cannot begin');
    seat.readyTag = undefined;
    seat.process = process;
    process.seat = seat;
    if (seat.table) enterTable(process, seat.table);
    const data = encodeText(JSON.stringify(start));
    seat.window.set(data);
    putReply(seat, { tag, errno: 0, length: data.length, signals: 0, r0: 0, r1: 0 });
    return true;
  }

  /** A worker calls `ready`: it is nobody's. */
  ready(seat: ProcessSeat, tag: number): void {
    if (seat.process === undefined && seat.readyTag === undefined) this.#starting--;
    seat.process = undefined;
    seat.readyTag = tag;
    quiet(seat);
    if (this.#idle.length >= MOST_IDLE) {
      this.#remove(seat);
      return;
    }
    this.#idle.push(seat);
    wakeAll(this.#came);
  }

  /** The process is dead: its worker comes back soon, or is powered off. */
  expectBack(seat: ProcessSeat, process: Process): void {
    this.#options.executor.after(GRACE_MS, () => {
      if (seat.process === process && this.#seats.get(seat.seat) === seat) this.#remove(seat);
    });
  }

  /** Runs `action` once the worker of a dead process can touch no memory any more. */
  whenQuiet(process: Process, action: () => void): void {
    const { seat } = process;
    if (seat === undefined || seat.process !== process || seat.ended) action();
    else seat.whenQuiet.push(action);
  }

  /** The worker ended by itself, or was powered off. Returns whom it ran. */
  gone(seatNumber: number): Process | undefined {
    const seat = this.#seats.get(seatNumber);
    this.freeSeat(seatNumber);
    if (seat === undefined) return undefined;
    if (seat.process === undefined && seat.readyTag === undefined) this.#starting--;
    this.#forget(seat);
    this.refill();
    wakeAll(this.#came);
    return seat.process;
  }

  #takeArea(): number {
    const { frames, reclaim } = this.#options;
    if (frames.free < AREA_FRAMES * 2) reclaim(AREA_FRAMES * 2);
    return frames.mustTake(AREA_FRAMES, 'a process');
  }

  #prepare(seat: number, area: number): void {
    const { ram, kernelSeat, executor } = this.#options;
    const shape = { slots: SYSCALL_SLOTS, slotSize: SYSCALL_SLOT_SIZE };
    const ringBytes = RING_FRAMES * PAGE_SIZE;
    const requests = Ring.format(ram, area, { ...shape, producer: seat, consumer: kernelSeat });
    const repliesAt = area + ringBytes;
    const replies = Ring.format(ram, repliesAt, { ...shape, producer: kernelSeat, consumer: seat });
    const windowAt = area + 2 * ringBytes;
    const table = new DescriptorTable(ram, windowAt + WINDOW_SIZE);
    const place: ProcessSeat = {
      seat,
      area,
      requests,
      replies,
      windowAt,
      window: new Uint8Array(ram, windowAt, WINDOW_SIZE),
      table,
      process: undefined,
      readyTag: undefined,
      calls: 0,
      ended: false,
      whenQuiet: [],
      gone: false,
      detach: () => undefined,
    };
    const stop = [
      executor.consume(requests, () => this.#options.onCall(place)),
      executor.produce(replies),
    ];
    place.detach = () => {
      for (const one of stop) one();
    };
    this.#seats.set(seat, place);
    this.#starting++;
    const config: ProcessConfig = {
      requests: area,
      replies: repliesAt,
      window: windowAt,
      windowSize: WINDOW_SIZE,
      tables: { ...this.#options.tables, descriptors: table.address },
    };
    bootSeat(ram, seat, config);
  }

  #remove(seat: ProcessSeat): void {
    this.#forget(seat);
    this.#options.link.send({ type: 'powerOff', seat: seat.seat });
    this.refill();
  }

  #forget(seat: ProcessSeat): void {
    seat.detach();
    seat.gone = true;
    this.#seats.delete(seat.seat);
    const at = this.#idle.indexOf(seat);
    if (at >= 0) this.#idle.splice(at, 1);
    // The worker may still run for a moment: its memory is free once the board says it is gone.
    this.#options.link.whenGone(seat.seat, () => {
      seat.ended = true;
      quiet(seat);
      this.#options.executor.start(this.#giveArea(seat), 'a seat');
    });
  }

  *#giveArea(seat: ProcessSeat): Task<void> {
    while (seat.calls > 0) yield* this.#options.executor.pause(CALLS_CHECK_MS);
    this.#options.frames.give(seat.area, AREA_FRAMES);
  }
}

function quiet(seat: ProcessSeat): void {
  for (const action of seat.whenQuiet.splice(0)) action();
}

/** Writes a seat's orders into its page and lets it go. */
export function bootSeat(ram: SharedArrayBuffer, seat: number, config: object): void {
  const json = encodeText(JSON.stringify(config));
  assert(json.length <= SEAT_CONFIG_SIZE, 'the orders of a seat do not fit its page');
  new Uint8Array(ram, seatPage(seat) + SEAT_CONFIG, json.length).set(json);
  giveOrders(ram, seat, json.length);
}

export interface Reply {
  readonly tag: number;
  readonly errno: number;
  readonly length: number;
  readonly signals: number;
  readonly r0: number;
  readonly r1: number;
}

/** Puts a reply into a seat's ring; false when the ring is full. Layout: kernel/abi/syscall.ts. */
export function putReply(seat: Pick<ProcessSeat, 'replies'>, reply: Reply): boolean {
  const slot = seat.replies.reserve();
  if (slot === undefined) return false;
  const { view } = slot;
  view.setUint32(0, reply.tag, true);
  view.setUint32(4, reply.errno, true);
  view.setUint32(8, reply.length, true);
  view.setUint32(12, reply.signals, true);
  view.setFloat64(16, reply.r0, true);
  view.setFloat64(24, reply.r1, true);
  slot.length = 32;
  seat.replies.publish();
  return true;
}
