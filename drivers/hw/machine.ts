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
import { controllersOf, type DiskConfig } from '../../kernel/abi/disk/controllers.ts';
import { E2BIG, EINVAL, PosixError } from '../../kernel/abi/errno.ts';
import type { PowerChoice } from '../../kernel/abi/fault/rule.ts';
import {
  SEAT_BOARD,
  SEAT_CONFIG,
  SEAT_CONFIG_SIZE,
  SEAT_KERNEL,
  seatPage,
} from '../../kernel/abi/memlayout.ts';
import type { KernelConfig } from '../../kernel/abi/seat-config.ts';
import { encodeText } from '../../kernel/abi/text.ts';
import { Baton } from '../../kernel/ipc/baton/baton.ts';
import { Recorder, type RunRecord } from '../../kernel/ipc/baton/record.ts';
import type { Strategy } from '../../kernel/ipc/baton/strategy.ts';
import { Executor } from '../../kernel/ipc/executor.ts';
import { Ring } from '../../kernel/ipc/ring.ts';
import { tracerOf } from '../../kernel/ipc/trace.ts';
import { askAll, giveOrders } from '../../kernel/ipc/wait.ts';
import { BoardLoop } from './board-loop.ts';
import { type Epoch, hostClock, powerOnNow, SEEDED_EPOCH_MS, virtualClock } from './clock.ts';
import type { ConsoleSink } from './console.ts';
import { armFaults, powerCutBy, settleCaches } from './faults.ts';
import { Backplane } from './hardware.ts';
import { PowerSwitch, type RoleModules } from './power.ts';
import { allocateRam, DEFAULT_RAM, layOut, type RamLayout } from './ram.ts';
import { randomSource } from './random.ts';
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
  /** false: volumes get no workers of their own, the kernel serves them itself. */
  readonly daemons?: boolean;
  /** A repeatable run: an integer of up to 53 bits. */
  readonly seed?: number;
  /** A file for the trace of it all (trace/recorder.ts). */
  readonly trace?: string;
  /** How the seed chooses who runs; default: `random`. */
  readonly strategy?: Strategy;
  /**
   * Of a repeatable run: nothing comes from outside but by calls under way. When nobody can go on the
   * machine ends, and tells who waits for what.
   */
  readonly sealed?: boolean;
  /** The first event of a repeatable run that its record keeps in full. */
  readonly watchFrom?: number;
  /** Fault rules that hold before the first disk command, a line each. */
  readonly faults?: string;
  readonly console?: ConsoleSink;
  /** A line of the kernel log, with the milliseconds since power-on. */
  readonly onLog?: (text: string, atMs: number) => void;
}

/** What a repeatable run did, and what is needed to tell it in words. */
export interface NamedRecord extends RunRecord {
  /** What the worker of each seat was. */
  readonly seats: readonly (string | undefined)[];
  readonly rings: Pick<RamLayout, 'board' | 'host'>;
}

/** Warm seats, before the kernel could ask for any. */
const FIRST_DRIVER_SEAT = SEAT_KERNEL + 1;
const WARM_VOLUMES = 2;
const WARM_PROCESSES = 2;
/** Virtual CPUs of a repeatable run, on every host. */
const SEEDED_CPUS = 2;

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
  /** Fills with random bytes: in a repeatable run always the same. */
  readonly random: (into: Uint8Array) => void;
  readonly #options: MachineOptions;
  readonly #backplane: Backplane;
  readonly #power: PowerSwitch;
  readonly #epoch: Epoch;
  readonly #baton: Baton | undefined;
  readonly #loop: BoardLoop;
  readonly #history: Recorder | undefined;
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
    const { seed, strategy = 'random' } = options;
    this.#baton = seed === undefined ? undefined : Baton.start(this.ram, { seed, strategy });
    this.#epoch = this.#baton ? { hrtimeNs: 0n, wallMs: SEEDED_EPOCH_MS } : powerOnNow();
    this.layout = layOut(this.ram, {
      ...{ cores: availableParallelism(), archive: options.bootArchive },
      watchFrom: this.#baton && (options.watchFrom ?? 0),
    });
    this.#history = Recorder.of(this.ram);
    armFaults(this.ram, { seed: options.seed, rules: options.faults });
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
    const backplane = new Backplane(disks);
    this.#releases.push(() => backplane.release());
    this.#backplane = backplane;
    this.#power = new PowerSwitch({
      ...{ ram: this.ram, epoch: this.#epoch, modules: options.modules },
      hardware: () => backplane.hardware,
      ...(seed !== undefined && this.#baton ? { repeatable: { seed, baton: this.#baton } } : {}),
      ...(recorder && { eventsFor: (seat, role) => recorder.ringFor(seat, role) }),
      onMove: () => this.interrupt(),
      onGone: (seat, text) => this.#seatGone(seat, text),
    });
    this.executor = this.#newExecutor(recorder);
    this.#loop = new BoardLoop({
      ...{ executor: this.executor, baton: this.#baton, power: this.#power },
      onIdle: () => this.#idle(),
      onStuck: (seat) => this.#cutOff(seat),
    });
    this.random = randomSource(seed, 'host');
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

  /** A bay for one more disk, empty before the kernel has it plugged in; its name. */
  reserveDisk(disk: DiskConfig): string {
    return this.#backplane.reserve(disk);
  }

  /** A reserved bay that was not filled is free again. */
  forgetDisk(name: string): void {
    this.#backplane.forget(name);
  }

  /** Cuts the power: nothing is written back. */
  async powerOff(reason = 'the power was cut'): Promise<void> {
    this.#end(reason);
    await this.ended;
  }

  /** The host has something for the machine: its loop looks for it. */
  interrupt(): void {
    this.#loop.interrupt();
  }

  /** In a repeatable run the machine stands still until this work of the host is done. */
  hold<T>(work: Promise<T>): Promise<T> {
    return this.#loop.hold(work);
  }

  /** Runs `action` after `ms` of the machine's time; returns how to take it back. */
  after(ms: number, action: () => void): () => void {
    const cancel = this.executor.after(ms, action);
    this.interrupt();
    return cancel;
  }

  /** The same seed gives the same run. */
  get repeatable(): boolean {
    return this.#baton !== undefined;
  }

  /** Of a repeatable run: what it did, for comparison. */
  get record(): NamedRecord | undefined {
    const { board, host } = this.layout;
    const record = this.#history?.read();
    return record && { ...record, seats: [...this.#power.roles], rings: { board, host } };
  }

  /** Of a repeatable run: the hash of what it did so far. */
  get hash(): string | undefined {
    return this.#history?.hash;
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
    this.executor.poll(() => this.#lookForPowerCut());
    const { console: sink } = this.#options;
    if (sink) this.#releases.push(sink.onReady(() => this.interrupt()));
  }

  get #cpus(): number {
    return this.#options.cpus ?? (this.repeatable ? SEEDED_CPUS : availableParallelism());
  }

  /** The kernel and, side by side with it, the workers that it will want at once. */
  #powerOnAll(disks: readonly DiskConfig[]): void {
    const { daemons = true } = this.#options;
    const volumes = daemons ? Math.min(disks.length, WARM_VOLUMES) : 0;
    const drivers = controllersOf(disks).length;
    const firstVolume = FIRST_DRIVER_SEAT + Math.max(1, drivers);
    const firstProcess = firstVolume + volumes;
    const warm = {
      driver: range(FIRST_DRIVER_SEAT, drivers),
      volume: range(firstVolume, volumes),
      // The prompt needs one; others start when it is there.
      process: range(firstProcess, this.#options.interactive ? 1 : WARM_PROCESSES),
    };
    this.#power.on(SEAT_KERNEL, 'kernel');
    for (const seat of warm.driver) this.#power.on(seat, 'driver');
    for (const seat of warm.volume) this.#power.on(seat, 'volume');
    for (const seat of warm.process) this.#power.on(seat, 'process');
    this.#writeKernelConfig({
      ...this.layout,
      ...{ cpus: this.#cpus, disks, warm, daemons },
      timeZoneOffsetMinutes: this.repeatable ? 0 : new Date().getTimezoneOffset(),
      interactive: this.#options.interactive ?? false,
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
    new Uint8Array(this.ram, seatPage(SEAT_KERNEL) + SEAT_CONFIG, bytes.length).set(bytes);
    giveOrders(this.ram, SEAT_KERNEL, bytes.length);
  }

  #newExecutor(recorder: TraceRecorder | undefined): Executor {
    const baton = this.#baton;
    const clock = baton ? virtualClock(this.#epoch, () => baton.timeMs) : hostClock(this.#epoch);
    const events = recorder?.ringFor(SEAT_BOARD, 'board');
    tracerOf(this.ram).attach(this.ram, { seat: SEAT_BOARD, clock, events });
    const onBug = (error: unknown): void => this.#end(`the board failed: ${describe(error)}`);
    return new Executor({ ram: this.ram, seat: SEAT_BOARD, clock, onBug });
  }

  /** Until the machine has ended. */
  async #run(): Promise<void> {
    await this.#loop.run();
    await this.#power.allOff();
    for (const release of this.#releases.splice(0)) release();
    const keep = powerCutBy(this.ram);
    if (keep !== undefined) this.#settle(keep);
    for (const { sent } of this.#unsent.splice(0)) sent();
    this.#resolveEnded(this.#reason ?? '');
  }

  /** The machine's end, for the first reason given. */
  #end(reason: string): void {
    this.#reason ??= reason;
    this.#loop.stop();
  }

  /** Nobody can go on by himself. When nothing is to come from outside either, nobody ever will. */
  #idle(): void {
    const baton = this.#baton;
    if (baton === undefined || this.#options.sealed !== true) return;
    void askAll(baton).then((told) => {
      const lines = told.flatMap(({ seat, text }) =>
        text.split('\n').map((line) => `  ${this.#power.role(seat)} (seat ${seat}): ${line}`),
      );
      const waiting = lines.filter((line) => !line.endsWith(': '));
      this.#end(['deadlock: all wait for each other', ...waiting].join('\n'));
    });
  }

  /** A program that computes for ever while the host waits: the host's clock decides, for once. */
  #cutOff(seat: number): void {
    this.#options.onLog?.(`seat ${seat} computes and never waits: ended`, this.uptimeMs);
    this.#power.off(seat);
  }

  /** What a power cut by a fault leaves on the images. */
  #settle(keep: PowerChoice): void {
    try {
      settleCaches(this.ram, this.#backplane.hardware, keep);
    } catch (error) {
      this.#reason = `${this.#reason}; an image could not be written: ${describe(error)}`;
    }
  }

  /** A fault has cut the power: that is the end. */
  #lookForPowerCut(): boolean {
    const keep = powerCutBy(this.ram);
    if (keep !== undefined) this.#end(`the power was cut by a fault (power ${keep})`);
    return false;
  }

  #take(ring: Ring): boolean {
    const slot = ring.peek();
    if (slot === undefined) return false;
    const message = getLink(slot.payload.subarray(0, slot.length));
    const { console: sink } = this.#options;
    // In a repeatable run the host's terminal is as fast as it is asked to be.
    const slow = sink !== undefined && !this.repeatable && !sink.ready();
    if (message?.type === 'console' && slow) return false;
    ring.release();
    if (message === undefined) this.#end('the kernel sent the board a message that is none');
    else this.#handle(message as ToBoard);
    return true;
  }

  #handle(message: ToBoard): void {
    const { onLog } = this.#options;
    if (message.type === 'powerOn') {
      this.#power.on(message.seat, message.role, this.repeatable ? undefined : 'spare');
    } else if (message.type === 'powerOff') this.#power.off(message.seat);
    else if (message.type === 'reseat') this.#power.reseat(message);
    else if (message.type === 'plug') this.#replug('plug', message.text);
    else if (message.type === 'unplug') this.#replug('unplug', message.text);
    else if (message.type === 'console') this.#show(message.bytes);
    else if (message.type === 'log') onLog?.(message.text, this.uptimeMs);
    else if (message.type === 'booted') this.#resolveBooted();
    else {
      this.exitStatus = message.status;
      this.#end(message.text);
    }
  }

  /** The kernel wants a disk plugged in or pulled out. */
  #replug(how: 'plug' | 'unplug', name: string): void {
    try {
      this.#backplane[how](name);
      this.#power.replugged();
      this.#backplane.announce();
      void this.#send({ type: 'replugged', errno: 0, text: name });
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      void this.#send({ type: 'replugged', errno: error.errno, text: error.message });
    }
  }

  #show(bytes: Uint8Array): void {
    const to = { kind: 'console', from: SEAT_BOARD, to: SEAT_BOARD, place: 0 } as const;
    this.#history?.add(to, bytes);
    this.#options.console?.write(bytes);
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
      this.interrupt();
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
