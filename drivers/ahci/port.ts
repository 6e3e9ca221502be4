// One port as the driver runs it: start-up (AHCI 1.3.1 §10.1.2), commands by slots (§5.5), and
// recovery from errors (§6.2.2). Nothing here waits: registers that settle are polled with a bound.

import type { Mmio } from '../../kernel/abi/board.ts';
import { EIO, PosixError } from '../../kernel/abi/errno.ts';
import { errorWords, LOG_BYTES, LOG_NOT_QUEUED, LOG_TAG_MASK } from '../lib/ata-regs.ts';
import type { After } from '../lib/watchdog.ts';
import { type Command, putCommand, readErrorLog, transferred } from './command.ts';
import type { PortMemory } from './memory.ts';
import * as r from './regs.ts';

/** Reads of a register before the port is given up. */
const POLL_LIMIT = 1000;

const LINK = r.IS_PCS | r.IS_PRCS;
const INTERRUPTS = r.IS_SDBS | r.IS_DHRS | r.IS_PSS | r.IS_OFS | r.IS_INFS | r.IS_FATAL | LINK;

/** Called once when a command is over. */
export type Finish = (fault: PosixError | undefined) => void;

interface Running {
  readonly command: Command;
  readonly finish: Finish;
  /** Looks that found it still running. */
  looks: number;
  resets: number;
}

/** How often a port with commands looks after them, and how many looks a command has. */
const LOOK_MS = 1000;
const LOOKS = 3;
/** Resets of the link for one command before it fails. */
const RESETS = 3;

export interface PortOptions {
  readonly name: string; // sdC0
  readonly hba: Mmio;
  readonly port: number;
  readonly ram: DataView;
  readonly memory: PortMemory;
  readonly log: (line: string) => void;
  readonly after: After;
  /** Serves interrupts that nobody raised: one may have been lost. */
  readonly serveInterrupts: () => void;
  /** The device is gone, or is another one now: everything on the port has failed. */
  readonly onPulled: () => void;
}

export class AhciPort {
  readonly name: string;
  readonly memory: PortMemory;
  readonly #hba: Mmio;
  readonly #base: number;
  readonly #ram: DataView;
  readonly #log: (line: string) => void;
  readonly #running = new Map<number, Running>();
  readonly #after: After;
  readonly #serveInterrupts: () => void;
  readonly #onPulled: () => void;
  #nextSlot = 0;
  #watched = false;
  /** Queued commands that the device takes at once; 0: it has no queue. */
  queueDepth = 0;
  /** The log of the queue's error is being read: nothing else is issued. */
  #readingLog = false;
  #dead = false;

  constructor(options: PortOptions) {
    this.name = options.name;
    this.memory = options.memory;
    this.#hba = options.hba;
    this.#base = r.portBase(options.port);
    this.#ram = options.ram;
    this.#log = options.log;
    this.#after = options.after;
    this.#serveInterrupts = options.serveInterrupts;
    this.#onPulled = options.onPulled;
  }

  get freeSlots(): number {
    if (this.#readingLog) return 0;
    const most = this.queued ? Math.min(this.memory.slots, this.queueDepth) : this.memory.slots;
    return Math.max(0, most - this.#running.size);
  }

  /** Whether reads and writes go by native command queuing. */
  get queued(): boolean {
    return this.queueDepth > 0;
  }

  /** Brings the port up; throws EIO when the device does not answer. */
  start(): void {
    this.#stop();
    this.#write(r.PORT_CLB, this.memory.commandList);
    this.#write(r.PORT_CLBU, 0);
    this.#write(r.PORT_FB, this.memory.receivedFis);
    this.#write(r.PORT_FBU, 0);
    this.#write(r.PORT_SERR, 0xffff_ffff);
    this.#write(r.PORT_CMD, r.CMD_FRE | r.CMD_SUD | r.CMD_POD | r.CMD_ICC_ACTIVE);
    this.#await('device is ready', () => !(this.#read(r.PORT_TFD) & (r.TFD_BSY | r.TFD_DRQ)));
    const signature = this.#read(r.PORT_SIG);
    if (signature !== r.SIG_ATA)
      throw new PosixError(EIO, `${this.name}: no ATA disk: signature 0x${signature.toString(16)}`);
    this.#run();
  }

  /** Starts a command; there must be a free slot. `finish` is called when it is over. */
  issue(build: (slot: number) => Command, finish: Finish): void {
    if (this.#dead) {
      finish(new PosixError(EIO, `${this.name}: the port is gone`));
      return;
    }
    const slot = this.#takeSlot();
    const command = build(slot);
    this.#running.set(slot, { command, finish, looks: 0, resets: 0 });
    putCommand(this.#ram, this.memory, slot, command);
    if (command.queued) this.#write(r.PORT_SACT, (1 << slot) >>> 0); // §5.5.1: before PxCI
    this.#write(r.PORT_CI, (1 << slot) >>> 0);
    this.#watch();
  }

  /** The port's part of an interrupt: finishes what is done, recovers from errors. */
  interrupt(): void {
    const status = this.#read(r.PORT_IS);
    if (status & r.IS_PRCS) {
      this.#pulled();
      return;
    }
    if (status & r.IS_PCS) this.#write(r.PORT_SERR, r.SERR_DIAG_X);
    this.#write(r.PORT_IS, status);
    if (status & (r.IS_FATAL | r.IS_OFS)) this.#recover(status);
    else if (this.#readingLog) this.#takeLog();
    else this.#reap(this.#issued());
  }

  /** §10.10: the link went down. Whatever is there now knows nothing of what was issued. */
  #pulled(): void {
    this.#dead = true;
    for (const [slot, { command, finish }] of [...this.#running]) {
      this.#running.delete(slot);
      finish(this.#fault(command, 'the disk was pulled out'));
    }
    this.#onPulled();
  }

  /** After the HBA was reset: brings the port up again and issues what ran once more. */
  restart(): void {
    this.#dead = false;
    this.#readingLog = false;
    this.#orGiveUp(() => {
      this.start();
      this.#reissue();
    });
  }

  /** Looks after the commands from time to time for as long as there are any. */
  #watch(): void {
    if (this.#watched || this.#running.size === 0) return;
    this.#watched = true;
    this.#after(LOOK_MS, () => {
      this.#watched = false;
      this.#look();
      this.#watch();
    });
  }

  #look(): void {
    if (this.#read(r.PORT_IS) & r.IS_PRCS) {
      this.#serveInterrupts();
      return;
    }
    if (this.#readingLog) this.#serveInterrupts();
    const issued = this.#readingLog ? -1 : this.#issued();
    if ([...this.#running.keys()].some((slot) => (issued & (1 << slot)) === 0)) {
      this.#log(`${this.name}: an interrupt was lost`);
      this.#serveInterrupts();
    }
    const overdue = [...this.#running].filter(([, running]) => ++running.looks >= LOOKS);
    if (overdue.length === 0) return;
    const failed: Running[] = [];
    for (const [slot, running] of overdue) {
      running.looks = 0;
      if (running.resets++ < RESETS) continue;
      this.#running.delete(slot);
      failed.push(running);
    }
    this.#readingLog = false;
    this.#log(`${this.name}: no answer for ${(LOOKS * LOOK_MS) / 1000} s: reset`);
    this.#orGiveUp(() => {
      this.#clearError();
      this.#reissue();
    });
    for (const { command, finish } of failed) finish(this.#fault(command, 'the drive is silent'));
  }

  /** Slots whose commands are not over: of queued ones PxSACT tells. */
  #issued(): number {
    const issued = this.#read(r.PORT_CI);
    return this.queued ? issued | this.#read(r.PORT_SACT) : issued;
  }

  /** Finishes the commands that are over. */
  #reap(issued: number): void {
    for (const [slot, { command, finish }] of [...this.#running]) {
      if (issued & (1 << slot)) continue;
      this.#running.delete(slot);
      const bytes = command.queued ? command.bytes : transferred(this.#ram, this.memory, slot);
      if (bytes === command.bytes) finish(undefined);
      else finish(this.#fault(command, `moved ${bytes} of ${command.bytes} bytes`));
    }
  }

  /** §6.2.2.1: stop the list, clear the error, start it, issue the others again; one command fails. */
  #recover(status: number): void {
    if (status & r.IS_TFES && this.#queueFailed()) return;
    const issued = this.#issued();
    const failed = (this.#read(r.PORT_CMD) >> r.CMD_CCS_SHIFT) & r.CMD_CCS_MASK;
    const taskFile = this.#read(r.PORT_TFD);
    const culprit = this.#running.get(failed);
    if (culprit) this.#running.delete(failed);
    this.#reap(issued);
    this.#orGiveUp(() => {
      this.#clearError();
      this.#reissue();
    });
    if (!culprit) return;
    const fault = this.#fault(culprit.command, reason(status, taskFile));
    this.#log(fault.message); // whoever asked learns only EIO
    culprit.finish(fault);
  }

  /** §6.2.2.2: the device stopped its whole queue; its log tells which command it was. */
  #queueFailed(): boolean {
    if (![...this.#running.values()].some(({ command }) => command.queued)) return false;
    if (this.#readingLog) return this.#failQueue('its error log cannot be read');
    this.#reap(this.#issued());
    this.#readingLog = true;
    this.#orGiveUp(() => {
      this.#clearError();
      // The tables of all slots are written again afterwards: this one borrows the first.
      putCommand(this.#ram, this.memory, 0, readErrorLog(this.memory.payload(0)));
      this.#write(r.PORT_CI, 1);
    });
    if (this.#dead) this.#readingLog = false;
    return true;
  }

  /** The log is there: one command fails, the others are issued again. */
  #takeLog(): void {
    if (this.#read(r.PORT_CI) & 1) return;
    this.#readingLog = false;
    const { address } = this.memory.payload(0);
    const [tag = 0, , status = 0, error = 0] = new Uint8Array(this.#ram.buffer, address, 4);
    const slot = tag & LOG_TAG_MASK;
    const whole = transferred(this.#ram, this.memory, 0) === LOG_BYTES;
    const named = whole && (tag & LOG_NOT_QUEUED) === 0;
    const culprit = named ? this.#running.get(slot) : undefined;
    if (culprit === undefined) {
      this.#failQueue('its error log names none of them');
      return;
    }
    this.#running.delete(slot);
    this.#orGiveUp(() => this.#reissue());
    const taskFile = status | (error << r.TFD_ERROR_SHIFT);
    const fault = this.#fault(culprit.command, reason(r.IS_TFES, taskFile));
    this.#log(fault.message); // whoever asked learns only EIO
    culprit.finish(fault);
  }

  /** Nobody knows which command it was: all of them failed. */
  #failQueue(why: string): true {
    this.#readingLog = false;
    this.#log(`${this.name}: the queue failed, and ${why}`);
    const failed = [...this.#running.values()];
    this.#running.clear();
    this.#orGiveUp(() => this.#clearError());
    for (const { command, finish } of failed) finish(this.#fault(command, 'the queue failed'));
    return true;
  }

  #clearError(): void {
    this.#write(r.PORT_CMD, this.#read(r.PORT_CMD) & ~r.CMD_ST);
    this.#await('command list stops', () => !(this.#read(r.PORT_CMD) & r.CMD_CR));
    this.#write(r.PORT_SERR, 0xffff_ffff);
    this.#write(r.PORT_IS, 0xffff_ffff);
    if (this.#read(r.PORT_TFD) & (r.TFD_BSY | r.TFD_DRQ)) this.#comreset();
    this.#run();
  }

  /** §10.4.2: resets the link and the device. */
  #comreset(): void {
    this.#log(`${this.name}: the device hangs: link reset`);
    this.#write(r.PORT_SCTL, r.SCTL_DET_RESET);
    this.#write(r.PORT_SCTL, 0);
    const present = () =>
      (this.#read(r.PORT_SSTS) & r.SSTS_DET_MASK) === r.SSTS_DET_PRESENT &&
      !(this.#read(r.PORT_TFD) & (r.TFD_BSY | r.TFD_DRQ));
    this.#await('device is back after the link reset', present);
    this.#write(r.PORT_SERR, 0xffff_ffff);
  }

  #reissue(): void {
    let issued = 0;
    let queued = 0;
    for (const [slot, { command }] of this.#running) {
      putCommand(this.#ram, this.memory, slot, command);
      issued |= 1 << slot;
      if (command.queued) queued |= 1 << slot;
    }
    if (queued !== 0) this.#write(r.PORT_SACT, queued >>> 0);
    if (issued !== 0) this.#write(r.PORT_CI, issued >>> 0);
  }

  /** If the port does not come back, everything on it fails, now and from now on. */
  #orGiveUp(bringUp: () => void): void {
    try {
      bringUp();
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      this.#log(`${error.message}: the port is given up`);
      this.#dead = true;
      for (const [slot, { command, finish }] of [...this.#running]) {
        this.#running.delete(slot);
        finish(this.#fault(command, 'the port is gone'));
      }
    }
  }

  #run(): void {
    this.#write(r.PORT_IS, 0xffff_ffff);
    this.#write(r.PORT_IE, INTERRUPTS);
    this.#write(r.PORT_CMD, this.#read(r.PORT_CMD) | r.CMD_ST);
  }

  /** §10.1.2 step 3: the port is idle when ST, CR, FRE and FR are clear. */
  #stop(): void {
    this.#write(r.PORT_IE, 0);
    this.#write(r.PORT_CMD, this.#read(r.PORT_CMD) & ~r.CMD_ST);
    this.#await('command list stops', () => !(this.#read(r.PORT_CMD) & r.CMD_CR));
    this.#write(r.PORT_CMD, this.#read(r.PORT_CMD) & ~r.CMD_FRE);
    this.#await('FIS receive stops', () => !(this.#read(r.PORT_CMD) & r.CMD_FR));
  }

  /** Round robin, so that the device takes commands in the order of their issue. */
  #takeSlot(): number {
    for (let i = 0; i < this.memory.slots; i++) {
      const slot = (this.#nextSlot + i) % this.memory.slots;
      if (this.#running.has(slot)) continue;
      this.#nextSlot = (slot + 1) % this.memory.slots;
      return slot;
    }
    throw new Error(`${this.name}: no free slot`);
  }

  #fault(command: Command, why: string): PosixError {
    const range = command.bytes === 0 ? '' : ` lba ${command.lba} count ${command.count}`;
    return new PosixError(EIO, `${this.name}: ${command.name}${range}: ${why}`);
  }

  #await(what: string, settled: () => boolean): void {
    for (let i = 0; i < POLL_LIMIT; i++) if (settled()) return;
    throw new PosixError(EIO, `${this.name}: waited in vain: ${what}`);
  }

  #read(offset: number): number {
    return this.#hba.read32(this.#base + offset);
  }

  #write(offset: number, value: number): void {
    this.#hba.write32(this.#base + offset, value);
  }
}

/** The sense note: what the error registers tell. */
function reason(status: number, taskFile: number): string {
  if (status & r.IS_HBFS) return 'host bus fatal error (bad DMA address)';
  if (status & r.IS_HBDS) return 'host bus data error';
  if (status & r.IS_OFS) return 'overflow: more data than the PRDT holds';
  if (status & r.IS_IFS) return 'interface fatal error';
  const error = taskFile >> r.TFD_ERROR_SHIFT;
  const words = errorWords(error);
  if (taskFile & 0x20) words.push('device fault');
  return words.join(', ') || `status 0x${taskFile.toString(16)}`;
}
