// One IDE channel as the driver runs it: a command at a time for its two drives, by PIO or bus-master
// DMA, and the software reset that recovers it (ATA/ATAPI-6 §9, Bus Master IDE 1.0 §3.1).

import type { PciFunction, Registers } from '../../kernel/abi/board.ts';
import { EIO, PosixError } from '../../kernel/abi/errno.ts';
import * as ata from '../lib/ata-regs.ts';
import type { RamRange } from '../lib/request.ts';
import { type After, Watchdog, type Watched } from '../lib/watchdog.ts';
import type { IdeCommand } from './command.ts';
import * as r from './regs.ts';

const POLL_LIMIT = 1000;

export type Finish = (fault: PosixError | undefined) => void;

interface Queued extends Watched {
  readonly drive: number; // 0, 1
  readonly name: string; // of the disk
  readonly build: () => IdeCommand;
  readonly finish: Finish;
}

export interface ChannelOptions {
  readonly pci: PciFunction;
  readonly channel: number;
  readonly ram: DataView;
  /** For the PRDT: 1 KiB that does not cross 64 KiB. */
  readonly prdt: RamRange;
  readonly log: (line: string) => void;
  readonly after: After;
}

/** Pieces of memory that the PRDT takes, each of up to 64 KiB and cut at most once. */
export const SEGMENTS = 64;
export const PRDT_BYTES = SEGMENTS * 2 * r.Prd.size;

export class IdeChannel {
  readonly #options: ChannelOptions;
  readonly #command: Registers;
  readonly #control: Registers;
  readonly #busMaster: Registers | undefined;
  readonly #watchdog: Watchdog;
  readonly #queue: Queued[] = [];
  #running: { item: Queued; command: IdeCommand; moved: number } | undefined;

  constructor(options: ChannelOptions) {
    const { pci, channel } = options;
    const command = pci.registers(r.commandBar(channel));
    const control = pci.registers(r.controlBar(channel));
    if (!command || !control) throw new PosixError(EIO, `ide: no registers of channel ${channel}`);
    this.#options = options;
    this.#command = command;
    this.#control = control;
    this.#busMaster = pci.registers(r.BUS_MASTER_BAR);
    this.#watchdog = new Watchdog({
      after: options.after,
      commands: () => (this.#running ? [this.#running.item] : []),
      recheck: () => this.#recheck(),
      reset: (givenUp) => this.#silent(givenUp),
    });
  }

  get hasDma(): boolean {
    return this.#busMaster !== undefined;
  }

  /** Whether a drive answers: registers hold what was written, and the signature is a disk's. */
  detect(drive: number): boolean {
    this.#select(drive, 0);
    this.#command.write(r.COUNT, 1, 0x55);
    this.#command.write(r.LBA_LOW, 1, 0xaa);
    const holds =
      this.#command.read(r.COUNT, 1) === 0x55 && this.#command.read(r.LBA_LOW, 1) === 0xaa;
    return holds && (this.#control.read(r.ALTERNATE_STATUS, 1) & ata.STATUS_DRDY) !== 0;
  }

  /** §9.2: resets both drives. Throws EIO when they stay busy. */
  reset(): void {
    this.#busMaster?.write(this.#bm(r.BM_COMMAND), 1, 0);
    this.#control.write(r.CONTROL, 1, r.CONTROL_SRST);
    this.#control.write(r.CONTROL, 1, 0);
    for (let i = 0; i < POLL_LIMIT; i++)
      if (!(this.#control.read(r.ALTERNATE_STATUS, 1) & r.BSY)) return;
    throw new PosixError(EIO, `ide: channel ${this.#options.channel} stays busy after a reset`);
  }

  /** Queues a command; `build` is called when it starts. */
  issue(to: { drive: number; name: string }, build: () => IdeCommand, finish: Finish): void {
    this.#queue.push({ ...to, build, finish, looks: 0, resets: 0 });
    this.#next();
  }

  /** Resets the channel and issues again what ran; doing a command twice does no harm. */
  restart(): void {
    const item = this.#running?.item;
    this.#running = undefined;
    if (item) this.#queue.unshift(item);
    this.reset();
    this.#next();
  }

  /** The controller's interrupt; it may be the other channel's. */
  interrupt(): void {
    if (this.#busMaster) {
      const status = this.#busMaster.read(this.#bm(r.BM_STATUS), 1);
      if (!(status & r.BM_INTERRUPT)) return;
    }
    if (this.#control.read(r.ALTERNATE_STATUS, 1) & r.BSY) return;
    const bm = this.#stopBusMaster();
    const status = this.#command.read(r.STATUS, 1);
    const running = this.#running;
    if (running === undefined) return;
    const { command } = running;
    if (status & (ata.STATUS_ERR | ata.STATUS_DF)) this.#end(this.#reason(status));
    else if (bm & r.BM_ERROR) this.#end('bus master error (bad DMA address)');
    else if (command.protocol === 'pio-in') this.#pioIn(status);
    else if (command.protocol === 'pio-out' && running.moved < command.bytes) this.#pioOut();
    else if (command.protocol.startsWith('dma') && bm & r.BM_ACTIVE)
      this.#end(`moved less than ${command.bytes} bytes`);
    else this.#end(undefined);
  }

  #next(): void {
    if (this.#running) return;
    const item = this.#queue.shift();
    if (item === undefined) return;
    const command = item.build();
    this.#running = { item, command, moved: 0 };
    this.#start(item.drive, command);
    this.#watchdog.watch();
  }

  #start(drive: number, command: IdeCommand): void {
    const { wide, lba, count, features, code, protocol } = command;
    this.#select(drive, wide ? 0 : Math.floor(lba / 2 ** 24));
    if (protocol.startsWith('dma')) this.#armBusMaster(command);
    const bytes = (at: number, low: number, high: number) => {
      if (wide) this.#command.write(at, 1, high);
      this.#command.write(at, 1, low);
    };
    bytes(r.FEATURES, features & 0xff, features >> 8);
    bytes(r.COUNT, count & 0xff, count >> 8);
    const part = (shift: number) => Math.floor(lba / 2 ** shift) & 0xff;
    bytes(r.LBA_LOW, part(0), part(24));
    bytes(r.LBA_MID, part(8), part(32));
    bytes(r.LBA_HIGH, part(16), part(40));
    this.#command.write(r.COMMAND, 1, code);
    if (protocol === 'pio-out') this.#pioOut();
    else if (protocol.startsWith('dma')) {
      const direction = protocol === 'dma-in' ? r.BM_TO_MEMORY : 0;
      this.#busMaster?.write(this.#bm(r.BM_COMMAND), 1, direction | r.BM_START);
    }
  }

  #select(drive: number, high: number): void {
    const device = r.DEVICE_LBA | (drive === 1 ? r.DEVICE_1 : 0) | (high & 0xf);
    this.#command.write(r.DEVICE, 1, device);
  }

  /** Fills the PRDT; no region crosses 64 KiB. */
  #armBusMaster({ segments, protocol }: IdeCommand): void {
    const { prdt, ram } = this.#options;
    let at = prdt.address;
    let last = at;
    for (const { address, length } of segments) {
      for (let done = 0; done < length; ) {
        const from = address + done;
        const take = Math.min(length - done, r.PRD_BOUNDARY - (from % r.PRD_BOUNDARY));
        const prd = new r.Prd(ram, at);
        prd.base = from;
        prd.count = take % r.PRD_BOUNDARY;
        prd.flags = 0;
        last = at;
        at += r.Prd.size;
        done += take;
      }
    }
    new r.Prd(ram, last).flags = r.PRD_LAST;
    const bm = this.#busMaster;
    bm?.write(this.#bm(r.BM_COMMAND), 1, protocol === 'dma-in' ? r.BM_TO_MEMORY : 0);
    bm?.write(this.#bm(r.BM_STATUS), 1, r.BM_ERROR | r.BM_INTERRUPT);
    bm?.write(this.#bm(r.BM_PRDT), 4, prdt.address);
  }

  /** Returns the bus master's status as it was. */
  #stopBusMaster(): number {
    const bm = this.#busMaster;
    if (bm === undefined) return 0;
    const status = bm.read(this.#bm(r.BM_STATUS), 1);
    if (this.#running?.command.protocol.startsWith('dma')) bm.write(this.#bm(r.BM_COMMAND), 1, 0);
    bm.write(this.#bm(r.BM_STATUS), 1, r.BM_ERROR | r.BM_INTERRUPT);
    return status;
  }

  #pioIn(status: number): void {
    const running = this.#running;
    if (running === undefined) return;
    if (!(status & ata.STATUS_DRQ)) {
      this.#end(`moved ${running.moved} of ${running.command.bytes} bytes`);
      return;
    }
    this.#moveSector((at) => {
      const word = this.#command.read(r.DATA, 2);
      this.#options.ram.setUint16(at, word, true);
    });
    if (running.moved >= running.command.bytes) this.#end(undefined);
  }

  /** The next sector, when the drive asks for it. */
  #pioOut(): void {
    if (!(this.#control.read(r.ALTERNATE_STATUS, 1) & ata.STATUS_DRQ)) return;
    this.#moveSector((at) => {
      this.#command.write(r.DATA, 2, this.#options.ram.getUint16(at, true));
    });
  }

  #moveSector(word: (at: number) => void): void {
    const running = this.#running;
    if (running === undefined) return;
    const { segments, bytes } = running.command;
    const end = Math.min(running.moved + r.SECTOR_SIZE, bytes);
    let before = 0;
    for (const { address, length } of segments) {
      const from = Math.max(running.moved, before);
      const to = Math.min(end, before + length);
      for (let at = from; at < to; at += 2) word(address + at - before);
      before += length;
    }
    running.moved = end;
  }

  #end(why: string | undefined): void {
    const running = this.#running;
    if (running === undefined) return;
    this.#running = undefined;
    this.#finish(running.item, running.command, why);
    this.#next();
  }

  #finish({ name, finish }: Queued, command: IdeCommand, why: string | undefined): void {
    if (why === undefined) {
      finish(undefined);
      return;
    }
    const { lba, bytes } = command;
    const where = bytes === 0 ? '' : ` lba ${lba} count ${bytes / r.SECTOR_SIZE}`;
    const fault = new PosixError(EIO, `${name}: ${command.name}${where}: ${why}`);
    this.#options.log(fault.message); // whoever asked learns only EIO
    finish(fault);
  }

  #reason(status: number): string {
    const error = this.#command.read(r.ERROR, 1);
    const words = ata.errorWords(error);
    if (status & ata.STATUS_DF) words.push('device fault');
    return words.join(', ') || `status 0x${status.toString(16)}`;
  }

  #recheck(): void {
    const running = this.#running;
    this.interrupt();
    if (running && this.#running !== running)
      this.#options.log(`${running.item.name}: an interrupt was lost`);
  }

  #silent(givenUp: ReadonlySet<Watched>): void {
    const running = this.#running;
    if (running === undefined) return;
    const { item, command } = running;
    this.#options.log(`${item.name}: no answer for 3 s: reset`);
    this.#running = undefined;
    try {
      this.reset();
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      this.#options.log(`${error.message}: what waits there fails`);
      const lost = this.#queue.splice(0);
      this.#finish(item, command, 'the channel is gone');
      for (const one of lost) this.#finish(one, command, 'the channel is gone');
      return;
    }
    if (givenUp.has(item)) this.#finish(item, command, 'the drive is silent');
    else this.#queue.unshift(item);
    this.#next();
  }

  #bm(register: number): number {
    return r.busMaster(this.#options.channel) + register;
  }
}
