// The board, assembled: memory, workers, disks, console, and the loop on the main thread that serves
// the kernel's messages until the machine has halted. Several machines may live in one process.

import { availableParallelism } from 'node:os';
import {
  getLink,
  LINK_BYTES,
  putLink,
  type ToBoard,
  type ToKernel,
} from '../../kernel/abi/board-link.ts';
import { E2BIG, EINVAL, PosixError } from '../../kernel/abi/errno.ts';
import {
  SEAT_BOARD,
  SEAT_BOOT,
  SEAT_CONFIG,
  SEAT_CONFIG_SIZE,
  SEAT_KERNEL,
  seatPage,
} from '../../kernel/abi/memlayout.ts';
import type { DiskConfig, KernelConfig } from '../../kernel/abi/seat-config.ts';
import { encodeText } from '../../kernel/abi/text.ts';
import { Executor } from '../../kernel/ipc/executor.ts';
import { Ring } from '../../kernel/ipc/ring.ts';
import { tracerOf } from '../../kernel/ipc/trace.ts';
import { Bell, storeWord } from '../../kernel/ipc/wait.ts';
import { type Epoch, hostClock, powerOnNow } from './clock.ts';
import type { ConsoleSink } from './console.ts';
import { claimDisks } from './hardware.ts';
import { PowerSwitch, type RoleModules } from './power.ts';
import { allocateRam, DEFAULT_RAM, layOut, type RamLayout } from './ram.ts';
import { TraceRecorder } from './trace/recorder.ts';

export interface MachineOptions {
  readonly modules: RoleModules;
  /** A CPIO archive: what the kernel serves read-only as /boot. */
  readonly bootArchive: Uint8Array;
  readonly disks?: readonly DiskConfig[];
  readonly memBytes?: number;
  /** Virtual CPUs: processes in user mode at a time. */
  readonly cpus?: number;
  readonly interactive?: boolean;
  readonly init?: readonly string[];
  /** A repeatable run: an integer of up to 53 bits. */
  readonly seed?: number;
  /** A file for the trace of it all (trace/recorder.ts). */
  readonly trace?: string;
  readonly console?: ConsoleSink;
  /** A line of the kernel log, with the milliseconds since power-on. */
  readonly onLog?: (text: string, atMs: number) => void;
}

/** Warm seats, before the kernel could ask for any. */
const FIRST_DRIVER_SEAT = SEAT_KERNEL + 1;
const WARM_VOLUMES = 2;
const WARM_PROCESSES = 2;

/** Busy turns of the loop may keep the host's own events waiting this long. */
const BUSY_MS = 5;

export class Machine {
  readonly ram: SharedArrayBuffer;
  readonly layout: RamLayout;
  readonly executor: Executor;
  /** Everything is mounted; rejects when the machine ended before. */
  readonly booted: Promise<void>;
  /** All workers are gone; the reason, '' after a shutdown. Never rejects. */
  readonly ended: Promise<string>;
  /** The status of the first shell of an interactive machine; 0 until it halted. */
  exitStatus = 0;
  readonly #options: MachineOptions;
  readonly #power: PowerSwitch;
  readonly #epoch: Epoch = powerOnNow();
  readonly #toKernel: Ring;
  readonly #recorder: TraceRecorder | undefined;
  readonly #unsent: { message: ToKernel; sent: () => void }[] = [];
  readonly #releases: (() => void)[] = [];
  #resolveBooted: () => void = () => {};
  #resolveEnded: (reason: string) => void = () => {};
  #reason: string | undefined;

  constructor(options: MachineOptions) {
    const { cpus = 1 } = options;
    if (!(Number.isInteger(cpus) && cpus > 0)) throw new PosixError(EINVAL, `${cpus} CPUs`);
    this.#options = options;
    this.ram = allocateRam(options.memBytes ?? DEFAULT_RAM);
    this.layout = layOut(this.ram, availableParallelism(), options.bootArchive);
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    this.booted = new Promise((resolve, reject) => {
      this.#resolveBooted = resolve;
      void this.ended.then((reason) => reject(new Error(reason || 'the machine was shut down')));
    });
    this.booted.catch(() => {}); // whoever waits for it is told; nobody has to wait
    const { disks = [] } = options;
    const recorder = options.trace === undefined ? undefined : new TraceRecorder(options.trace);
    this.#recorder = recorder;
    if (recorder) this.#releases.push(() => recorder.close());
    const { hardware, release } = claimDisks(disks);
    this.#releases.push(release);
    this.#power = new PowerSwitch({
      ...{ ram: this.ram, epoch: this.#epoch, modules: options.modules, hardware },
      ...(recorder && { eventsFor: (seat, role) => recorder.ringFor(seat, role) }),
      onGone: (seat, text) => this.#seatGone(seat, text),
    });
    const clock = hostClock(this.#epoch);
    const events = recorder?.ringFor(SEAT_BOARD, 'board');
    tracerOf(this.ram).attach(this.ram, { seat: SEAT_BOARD, clock, events });
    const onBug = (error: unknown): void => this.#end(`the board failed: ${describe(error)}`);
    this.executor = new Executor({ ram: this.ram, seat: SEAT_BOARD, clock, onBug });
    this.#toKernel = new Ring(this.ram, this.layout.board.toKernel);
    this.#connect();
    this.#powerOnAll(disks);
    void this.#run();
  }

  /** Keys of the terminal; resolves when the kernel can have them, or never will. */
  async keys(bytes: Uint8Array): Promise<void> {
    const pieces: Promise<void>[] = [];
    for (let at = 0; at < bytes.length; at += LINK_BYTES) {
      pieces.push(this.#send({ type: 'console', bytes: bytes.subarray(at, at + LINK_BYTES) }));
    }
    await Promise.all(pieces);
  }

  winsize(columns: number, rows: number): void {
    void this.#send({ type: 'winsize', columns, rows });
  }

  /** Cuts the power: nothing is written back. */
  async powerOff(reason = 'the power was cut'): Promise<void> {
    this.#end(reason);
    await this.ended;
  }

  /** Seats whose workers run. */
  get poweredSeats(): readonly number[] {
    return this.#power.powered;
  }

  /** What is wrong with the trace, once the machine has ended; undefined when it is whole. */
  get traceComplaint(): string | undefined {
    return this.#recorder?.complaint;
  }

  /** Milliseconds since power-on. */
  get uptimeMs(): number {
    return this.executor.clock.monotonicMs();
  }

  #connect(): void {
    const fromKernel = new Ring(this.ram, this.layout.board.toBoard);
    this.executor.produce(this.#toKernel);
    this.executor.consume(fromKernel, (ring) => this.#take(ring));
    this.executor.poll(() => this.#sendQueued());
    const { console: sink } = this.#options;
    if (sink) this.#releases.push(sink.onReady(() => this.executor.nudge()));
  }

  /** The kernel and, side by side with it, the workers that it will want at once. */
  #powerOnAll(disks: readonly DiskConfig[]): void {
    const volumes = Math.min(disks.length, WARM_VOLUMES);
    const firstProcess = FIRST_DRIVER_SEAT + 1 + volumes;
    const warm = {
      driver: disks.length > 0 ? [FIRST_DRIVER_SEAT] : [],
      volume: range(FIRST_DRIVER_SEAT + 1, volumes),
      process: range(firstProcess, WARM_PROCESSES),
    };
    this.#power.on(SEAT_KERNEL, 'kernel');
    for (const seat of warm.driver) this.#power.on(seat, 'driver');
    for (const seat of warm.volume) this.#power.on(seat, 'volume');
    for (const seat of warm.process) this.#power.on(seat, 'process');
    this.#writeKernelConfig({
      ...this.layout,
      ...{ cpus: this.#options.cpus ?? availableParallelism(), disks, warm },
      timeZoneOffsetMinutes: new Date().getTimezoneOffset(),
      interactive: this.#options.interactive ?? false,
      init: this.#options.init ?? [],
      ...(this.#options.seed === undefined ? {} : { seed: this.#options.seed }),
    });
  }

  #writeKernelConfig(config: KernelConfig): void {
    const bytes = encodeText(JSON.stringify(config));
    if (bytes.length > SEAT_CONFIG_SIZE) {
      void this.#power.allOff();
      for (const release of this.#releases.splice(0)) release();
      throw new PosixError(E2BIG, 'too many disks, or their file names are too long');
    }
    const page = seatPage(SEAT_KERNEL);
    new Uint8Array(this.ram, page + SEAT_CONFIG, bytes.length).set(bytes);
    storeWord(new Int32Array(this.ram, page, SEAT_CONFIG / 4), SEAT_BOOT / 4, bytes.length);
  }

  /** The main thread's loop: turns while there is work, and lets the host's events have theirs. */
  async #run(): Promise<void> {
    const bell = new Bell(this.ram, SEAT_BOARD);
    let breathedAtMs = this.uptimeMs;
    while (this.#reason === undefined) {
      const seen = bell.read();
      if (!this.executor.turn()) await bell.waitAsync(seen, Number.POSITIVE_INFINITY);
      else if (this.uptimeMs - breathedAtMs > BUSY_MS) {
        await new Promise((resolve) => setImmediate(resolve));
        breathedAtMs = this.uptimeMs;
      }
    }
    await this.#power.allOff();
    for (const release of this.#releases.splice(0)) release();
    for (const { sent } of this.#unsent.splice(0)) sent();
    this.#resolveEnded(this.#reason);
  }

  /** The machine's end, for the first reason given. */
  #end(reason: string): void {
    this.#reason ??= reason;
    this.executor.nudge();
  }

  #take(ring: Ring): boolean {
    const slot = ring.peek();
    if (slot === undefined) return false;
    const message = getLink(slot.payload.subarray(0, slot.length));
    const { console: sink } = this.#options;
    if (message?.type === 'console' && sink && !sink.ready()) return false;
    ring.release();
    if (message === undefined) this.#end('the kernel sent the board a message that is none');
    else this.#handle(message as ToBoard);
    return true;
  }

  #handle(message: ToBoard): void {
    const { console: sink, onLog } = this.#options;
    if (message.type === 'powerOn') this.#power.on(message.seat, message.role);
    else if (message.type === 'powerOff') this.#power.off(message.seat);
    else if (message.type === 'console') sink?.write(message.bytes);
    else if (message.type === 'log') onLog?.(message.text, this.uptimeMs);
    else if (message.type === 'booted') this.#resolveBooted();
    else {
      this.exitStatus = message.status;
      this.#end(message.text);
    }
  }

  #seatGone(seat: number, text: string): void {
    this.#recorder?.gone(seat);
    if (this.#reason !== undefined) return;
    if (seat !== SEAT_KERNEL) void this.#send({ type: 'seatGone', seat, text });
    else this.#end(text === '' ? 'the kernel ended' : `the kernel failed: ${text}`);
  }

  #send(message: ToKernel): Promise<void> {
    if (this.#reason !== undefined) return Promise.resolve();
    return new Promise((sent) => {
      this.#unsent.push({ message, sent });
      this.executor.nudge();
    });
  }

  #sendQueued(): boolean {
    let count = 0;
    for (let next = this.#unsent[0]; next !== undefined; next = this.#unsent[0]) {
      const slot = this.#toKernel.reserve();
      if (slot === undefined) break;
      slot.length = putLink(slot.payload, next.message);
      this.#toKernel.publish();
      this.#unsent.shift();
      next.sent();
      count++;
    }
    return count > 0;
  }
}

/** Powers a machine on. */
export const powerUp = (options: MachineOptions): Machine => new Machine(options);

const range = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => from + i);

const describe = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);
