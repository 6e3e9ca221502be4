// One IDE channel of the model: the task file of ATA/ATAPI-6 §7 with its two drives, PIO and DMA
// (§9, protocols), and the bus master's registers for it.

import { EVENTS } from '../../../kernel/ipc/trace-events.ts';
import * as r from '../../ide/regs.ts';
import * as ata from '../../lib/ata-regs.ts';
import type { AtaCommand, AtaDisk, AtaResult } from '../ata/ata.ts';
import { CommandFaults } from '../device/command-faults.ts';
import { type Dma, DmaFault } from '../device/dma.ts';
import type { Segments } from '../disk/segments.ts';

const PIO_IN: readonly number[] = [
  ...[ata.ATA_IDENTIFY, ata.ATA_READ_SECTORS, ata.ATA_READ_SECTORS_EXT],
];
const PIO_OUT: readonly number[] = [ata.ATA_WRITE_SECTORS, ata.ATA_WRITE_SECTORS_EXT];
const DMA_COMMANDS: readonly number[] = [
  ...[ata.ATA_READ_DMA, ata.ATA_READ_DMA_EXT, ata.ATA_WRITE_DMA, ata.ATA_WRITE_DMA_EXT],
  ...[ata.ATA_WRITE_DMA_FUA_EXT, ata.ATA_DATA_SET_MANAGEMENT],
];
const TO_MEMORY: readonly number[] = [ata.ATA_READ_DMA, ata.ATA_READ_DMA_EXT];
const NARROW: readonly number[] = [ata.ATA_READ_SECTORS, ata.ATA_WRITE_SECTORS];
const SIGNATURE = { [r.ERROR]: 1, [r.COUNT]: 1, [r.LBA_LOW]: 1 } as const;
const NO_DEVICE = 0x7f;
const PRDS_MOST = 8192; // of 64 KiB at most: a table lies in 64 KiB

/** The PRDT ends before the data does, or lies outside memory. */
class BadPrdt extends Error {}

/** Data that goes through the data register, a sector at a time. */
interface Pio {
  readonly bytes: Uint8Array;
  at: number;
  readonly out: AtaCommand | undefined; // to be executed when all of it is there
}

export class IdeChannel {
  readonly drives: readonly (AtaDisk | undefined)[];
  readonly #dma: Dma;
  readonly #faults: CommandFaults;
  /** Registers 1 to 6 as written last and the time before (LBA48, §6.20); [ERROR] is the answer's. */
  #now = new Uint8Array(8);
  #before = new Uint8Array(8);
  #error = 0;
  #status = 0;
  #control = 0;
  #pending: AtaCommand | undefined;
  #pio: Pio | undefined;
  #intrq = false;
  #raised = false;
  #hung = false;
  #bmCommand = 0;
  #bmStatus = 0;
  #bmPrdt = 0;
  #wanted = 0; // bytes that the running DMA command is to move

  constructor(dma: Dma, drives: readonly (AtaDisk | undefined)[]) {
    this.#dma = dma;
    this.drives = drives;
    const gate = () => drives.find((drive) => drive?.faults)?.faults?.gate;
    this.#faults = new CommandFaults(() => gate()?.clock.monotonicMs() ?? 0);
    this.#reset();
  }

  get #drive(): AtaDisk | undefined {
    return this.drives[(this.#now[r.DEVICE] ?? 0) & r.DEVICE_1 ? 1 : 0];
  }

  get ready(): boolean {
    if (this.#pending === undefined || this.#hung || this.#faults.open(1) === 0) return false;
    return !DMA_COMMANDS.includes(this.#pending.command) || (this.#bmCommand & r.BM_START) !== 0;
  }

  get dueAtMs(): number | undefined {
    return this.#faults.dueAtMs;
  }

  /** INTRQ rose since the last look, and nIEN lets it through. */
  takeInterrupt(): boolean {
    const raised = this.#raised;
    this.#raised = false;
    return raised;
  }

  readCommand(at: number, width: number): number {
    if (at === r.DATA) return width === 2 ? this.#readData() : 0;
    if (this.drives.every((drive) => drive === undefined)) return NO_DEVICE;
    if (at === r.STATUS) {
      this.#intrq = false;
      return this.#drive ? this.#status : 0;
    }
    if (at === r.ERROR) return this.#error;
    const high = (this.#control & r.CONTROL_HOB) !== 0;
    return (high ? this.#before : this.#now)[at] ?? 0;
  }

  writeCommand(at: number, width: number, value: number): void {
    if (at === r.DATA) {
      if (width === 2) this.#writeData(value);
      return;
    }
    this.#control &= ~r.CONTROL_HOB;
    if (this.#status & r.BSY) return;
    if (at === r.COMMAND) {
      this.#begin(value & 0xff);
      return;
    }
    this.#before[at] = this.#now[at] ?? 0;
    this.#now[at] = value;
  }

  readControl(at: number): number {
    if (at !== r.ALTERNATE_STATUS) return 0;
    if (this.drives.every((drive) => drive === undefined)) return NO_DEVICE;
    return this.#drive ? this.#status : 0;
  }

  /** §9.2: SRST, set and cleared again, resets both drives. */
  writeControl(at: number, value: number): void {
    if (at !== r.CONTROL) return;
    const before = this.#control;
    this.#control = value;
    if (value & r.CONTROL_SRST) this.#status = r.BSY;
    else if (before & r.CONTROL_SRST) this.#reset();
    if (before & r.CONTROL_NIEN && !(value & r.CONTROL_NIEN) && this.#intrq) this.#raised = true;
  }

  readBusMaster(at: number, width: number): number {
    if (at === r.BM_COMMAND) return this.#bmCommand;
    if (at === r.BM_STATUS) return this.#bmStatus;
    return at === r.BM_PRDT && width === 4 ? this.#bmPrdt : 0;
  }

  writeBusMaster(at: number, width: number, value: number): void {
    if (at === r.BM_COMMAND) {
      this.#bmCommand = value & (r.BM_START | r.BM_TO_MEMORY);
      this.#bmStatus &= ~r.BM_ACTIVE;
      if (value & r.BM_START) this.#bmStatus |= r.BM_ACTIVE;
    } else if (at === r.BM_STATUS) {
      this.#bmStatus &= ~(value & (r.BM_ERROR | r.BM_INTERRUPT));
    } else if (at === r.BM_PRDT && width === 4) this.#bmPrdt = (value & ~3) >>> 0;
  }

  /** Runs the command that waits, if it may run. */
  step(): void {
    const command = this.#pending;
    const drive = this.#drive;
    if (!this.ready || command === undefined || drive === undefined) return;
    const { verdict, firing } = this.#faults.take(0, 1, () => drive.meet(command));
    if (verdict === 'hang') this.#hung = true;
    if (firing && verdict !== 'run') {
      if (firing.has('drop')) this.#hung = true;
      if (this.#hung) drive.lose(command, firing);
      return;
    }
    this.#pending = undefined;
    const pio = this.#pio;
    const input = PIO_IN.includes(command.command);
    let bytes: Uint8Array = new Uint8Array(0);
    const buffers = (sizeBytes: number): Segments => {
      if (DMA_COMMANDS.includes(command.command)) return this.#regions(command, sizeBytes);
      bytes = pio ? pio.bytes : new Uint8Array(sizeBytes);
      return [bytes];
    };
    this.#dma.trace.begin(EVENTS.dma, command.lba, command.count * r.SECTOR_SIZE);
    let result: AtaResult | undefined;
    try {
      result = drive.execute(command, buffers, firing);
    } catch (error) {
      if (!(error instanceof DmaFault || error instanceof BadPrdt)) throw error;
      this.#bmStatus |= r.BM_ERROR;
    }
    this.#dma.trace.end(EVENTS.dma, result?.transferred ?? 0);
    this.#pio = undefined;
    this.#complete(command, result);
    if (!input || (this.#status & ata.STATUS_ERR) !== 0) return;
    this.#pio = { bytes: bytes.subarray(0, result?.transferred ?? 0), at: 0, out: undefined };
    if (this.#pio.bytes.length > 0) this.#status |= ata.STATUS_DRQ;
  }

  #reset(): void {
    this.#now = new Uint8Array(8);
    this.#before = new Uint8Array(8);
    this.#error = SIGNATURE[r.ERROR];
    this.#now[r.COUNT] = SIGNATURE[r.COUNT];
    this.#now[r.LBA_LOW] = SIGNATURE[r.LBA_LOW];
    this.#status = ata.STATUS_OK;
    this.#pending = undefined;
    this.#pio = undefined;
    this.#intrq = false;
    this.#raised = false;
    this.#hung = false;
    this.#bmCommand = 0;
    this.#bmStatus = 0;
    this.#faults.reset();
    for (const drive of this.drives) drive?.reset();
  }

  #begin(code: number): void {
    const drive = this.#drive;
    if (drive === undefined) return; // nobody listens
    this.#intrq = false;
    this.#error = 0;
    this.#pio = undefined;
    const command = this.#command(code);
    if (PIO_OUT.includes(code)) {
      const most = NARROW.includes(code) ? ata.MAX_SECTORS_28 : ata.MAX_SECTORS_48;
      const bytes = new Uint8Array((command.count || most) * r.SECTOR_SIZE);
      this.#pio = { bytes, at: 0, out: command };
      this.#status = ata.STATUS_OK | ata.STATUS_DRQ; // the first block is asked for without interrupt
      return;
    }
    this.#status = r.BSY;
    this.#pending = command;
  }

  #command(code: number): AtaCommand {
    const byte = (from: Uint8Array, at: number) => from[at] ?? 0;
    const [now, before] = [this.#now, this.#before];
    const address = (from: Uint8Array) =>
      byte(from, r.LBA_LOW) + byte(from, r.LBA_MID) * 2 ** 8 + byte(from, r.LBA_HIGH) * 2 ** 16;
    return {
      command: code,
      features: byte(now, r.FEATURES),
      device: byte(now, r.DEVICE),
      lba: address(now) + address(before) * 2 ** 24,
      count: byte(now, r.COUNT) + (NARROW.includes(code) ? 0 : byte(before, r.COUNT) * 256),
    };
  }

  #complete(command: AtaCommand, result: AtaResult | undefined): void {
    const failed: AtaResult = {
      ...{ status: ata.STATUS_OK | ata.STATUS_ERR, error: ata.ERROR_ABRT, lba: 0, transferred: 0 },
      protocol: 'none',
    };
    const { status, error } = result ?? failed;
    this.#status = status;
    this.#error = error;
    if (DMA_COMMANDS.includes(command.command)) {
      const wanted = this.#wanted;
      this.#wanted = 0;
      // More room than the drive filled: the bus master stays active (Bus Master IDE 1.0 §3.1).
      const short = result !== undefined && !error && result.transferred < wanted;
      if (!short) this.#bmStatus &= ~r.BM_ACTIVE;
    }
    this.#interrupt();
  }

  #interrupt(): void {
    this.#intrq = true;
    this.#bmStatus |= r.BM_INTERRUPT;
    if (!(this.#control & r.CONTROL_NIEN)) this.#raised = true;
  }

  /** The PRDT as pieces of memory, `sizeBytes` in all. */
  #regions(command: AtaCommand, sizeBytes: number): Segments {
    const toMemory = (this.#bmCommand & r.BM_TO_MEMORY) !== 0;
    if (toMemory !== TO_MEMORY.includes(command.command)) throw new BadPrdt();
    this.#wanted = sizeBytes;
    const segments: Uint8Array[] = [];
    let left = sizeBytes;
    for (let i = 0; left > 0; i++) {
      if (i === PRDS_MOST) throw new BadPrdt();
      const at = this.#bmPrdt + i * r.Prd.size;
      const prd = new r.Prd(this.#dma.view(at, r.Prd.size), at);
      const length = Math.min(left, prd.count & ~1 || r.PRD_BOUNDARY);
      segments.push(this.#dma.bytes((prd.base & ~1) >>> 0, length));
      left -= length;
      if (prd.flags & r.PRD_LAST) break;
    }
    if (left > 0) throw new BadPrdt();
    return segments;
  }

  #readData(): number {
    const pio = this.#pio;
    if (pio === undefined || pio.out || !(this.#status & ata.STATUS_DRQ)) return 0;
    const word = (pio.bytes[pio.at] ?? 0) | ((pio.bytes[pio.at + 1] ?? 0) << 8);
    pio.at += 2;
    if (pio.at >= pio.bytes.length) {
      this.#status &= ~ata.STATUS_DRQ;
      this.#pio = undefined;
    } else if (pio.at % r.SECTOR_SIZE === 0) this.#interrupt();
    return word;
  }

  #writeData(value: number): void {
    const pio = this.#pio;
    if (!pio?.out || !(this.#status & ata.STATUS_DRQ)) return;
    pio.bytes[pio.at] = value & 0xff;
    pio.bytes[pio.at + 1] = value >> 8;
    pio.at += 2;
    if (pio.at >= pio.bytes.length) {
      this.#status = r.BSY;
      this.#pending = pio.out;
    } else if (pio.at % r.SECTOR_SIZE === 0) this.#interrupt();
  }
}
