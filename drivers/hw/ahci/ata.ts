// The drive behind a SATA port: ACS-3 commands over a medium with a volatile write cache. It moves
// data by the port's PRDT and answers with the values of its status and error registers.

import { EROFS, PosixError } from '../../../kernel/abi/errno.ts';
import type { Firing } from '../../../kernel/ipc/fault/firing.ts';
import * as ata from '../../ahci/ata-regs.ts';
import { type Disk, SECTOR_SIZE } from '../disk/disk.ts';
import { gather, type Segments, scatter } from '../disk/segments.ts';
import { WriteCache } from '../disk/write-cache.ts';
import { DSM_BLOCK_LIMIT, identifyData } from './ata-identify.ts';
import {
  type DataPath,
  type DriveCommand,
  type DriveFaults,
  type DriveOperation,
  faultyRead,
  faultyWrite,
} from './drive-faults.ts';

/** The registers of a command, as its FIS brings them. */
export interface AtaCommand {
  readonly command: number;
  readonly features: number;
  readonly device: number;
  readonly lba: number; // 48 bits
  readonly count: number; // 16 bits
}

/** What the drive answers. `pio` names the protocol: PIO data-in ends with another FIS. */
export interface AtaResult {
  readonly status: number;
  readonly error: number;
  readonly lba: number;
  readonly transferred: number; // bytes
  readonly protocol: 'dma' | 'pio' | 'none';
}

/** The host's memory for `sizeBytes` of this command; throws DmaFault or PrdtOverflow. */
export type TransferBuffers = (sizeBytes: number) => Segments;

export interface AtaDiskOptions {
  readonly disk: Disk;
  /** The write cache's memory, with what it holds; a new one if not given. */
  readonly cache?: SharedArrayBuffer | undefined;
  readonly serial: string;
  /** Told what the host said when the medium failed. */
  readonly log: (line: string) => void;
  readonly faults?: DriveFaults | undefined;
}

const DEVICE_LBA = 0x40;
const done = (transferred = 0, protocol: AtaResult['protocol'] = 'none'): AtaResult => ({
  status: ata.STATUS_OK,
  error: 0,
  lba: 0,
  transferred,
  protocol,
});
const refused = (error: number, lba = 0): AtaResult => ({
  status: ata.STATUS_OK | ata.STATUS_ERR,
  error,
  lba,
  transferred: 0,
  protocol: 'none',
});

export class AtaDisk {
  readonly disk: Disk;
  readonly cache: WriteCache;
  readonly faults: DriveFaults | undefined;
  readonly #serial: string;
  readonly #log: (line: string) => void;
  #writeCacheOn = true;

  constructor(options: AtaDiskOptions) {
    this.disk = options.disk;
    this.cache = new WriteCache(options.disk, options.cache);
    this.#serial = options.serial;
    this.#log = options.log;
    this.faults = options.faults;
  }

  /** What fires at a command that is taken up. */
  meet(command: AtaCommand): Firing | undefined {
    const known = asFaultsSee(command);
    return known && this.faults?.meet(known, this.disk.sectorCount);
  }

  execute(command: AtaCommand, buffers: TransferBuffers, firing?: Firing): AtaResult {
    const known = this.faults && asFaultsSee(command);
    if (known === undefined || this.faults === undefined) return this.#execute(command, buffers);
    const { faults } = this;
    const torn = firing?.has('torn') ?? false;
    const result = this.#guarded(command, () => {
      if (!torn) faults.check(known, firing);
      const answer = firing
        ? this.#faulty(command, { buffers, firing, operation: known.operation })
        : this.#execute(command, buffers);
      if (torn) faults.check(known, firing);
      return answer;
    });
    faults.afterwards(known, firing);
    return result;
  }

  /** A command that will never be answered. */
  lose(command: AtaCommand, firing: Firing): void {
    const known = asFaultsSee(command);
    if (known) this.faults?.afterwards(known, firing);
  }

  /** A command at which something fires. */
  #faulty(
    command: AtaCommand,
    what: { buffers: TransferBuffers; firing: Firing; operation: DriveOperation },
  ): AtaResult {
    const { buffers, firing, operation } = what;
    const path: DataPath = {
      read: (offset, segments) => this.cache.readv(offset, segments),
      write: (offset, segments) => this.#write(offset, segments),
      readMedium: (offset, segments) => this.disk.readv(offset, segments),
      writeMedium: (offset, segments) => this.cache.writeThrough(offset, segments),
      sectorCount: this.disk.sectorCount,
    };
    if (operation === 'read') {
      let moved = 0;
      const result = this.#transfer(command, (offset, size) => {
        moved = faultyRead(path, { offset, segments: buffers(size) }, firing);
      });
      return { ...result, transferred: moved };
    }
    if (operation === 'write') {
      return this.#transfer(command, (offset, size) =>
        faultyWrite(path, { offset, segments: buffers(size) }, firing),
      );
    }
    if (firing.has('lie')) {
      const bytes = operation === 'trim' ? command.count * SECTOR_SIZE : 0;
      return done(bytes, operation === 'trim' ? 'dma' : 'none');
    }
    if (firing.has('dup')) this.#execute(command, buffers);
    return this.#execute(command, buffers);
  }

  #execute(command: AtaCommand, buffers: TransferBuffers): AtaResult {
    switch (command.command) {
      case ata.ATA_IDENTIFY:
        return this.#identify(buffers);
      case ata.ATA_READ_DMA_EXT:
      case ata.ATA_READ_DMA:
        return this.#transfer(command, (offset, size) => this.cache.readv(offset, buffers(size)));
      case ata.ATA_WRITE_DMA_EXT:
      case ata.ATA_WRITE_DMA:
        return this.#transfer(command, (offset, size) => this.#write(offset, buffers(size)));
      case ata.ATA_WRITE_DMA_FUA_EXT:
        return this.#transfer(command, (offset, size) =>
          this.cache.writeThrough(offset, buffers(size)),
        );
      case ata.ATA_FLUSH_CACHE:
      case ata.ATA_FLUSH_CACHE_EXT:
      case ata.ATA_STANDBY_IMMEDIATE:
        return this.#guarded(command, () => {
          this.cache.flush();
          return done();
        });
      case ata.ATA_DATA_SET_MANAGEMENT:
        return this.#guarded(command, () => this.#trim(command, buffers));
      case ata.ATA_SET_FEATURES:
        return this.#guarded(command, () => this.#setFeatures(command));
      default:
        return refused(ata.ERROR_ABRT);
    }
  }

  /** SRST or COMRESET: settings fall back, the cache keeps its data (ACS-3 §4.14.2, 7.45.6). */
  reset(): void {
    this.#writeCacheOn = true;
  }

  /** The power is cut: the cache is lost. */
  powerOff(): void {
    this.cache.drop();
    this.disk.close();
  }

  #identify(buffers: TransferBuffers): AtaResult {
    const data = identifyData({
      model: 'ATOLL VIRTUAL DISK',
      serial: this.#serial,
      firmware: '1.0',
      sectorCount: this.disk.sectorCount,
      readOnly: this.disk.readOnly,
      writeCache: this.#writeCacheOn,
    });
    scatter(buffers(data.length), 0, data);
    return done(data.length, 'pio');
  }

  /** Checks the address range of a read or write, then moves the data. */
  #transfer(command: AtaCommand, move: (offset: number, size: number) => void): AtaResult {
    const { lba, count } = addressed(command);
    if ((command.device & DEVICE_LBA) === 0) return refused(ata.ERROR_ABRT);
    if (lba + count > this.disk.sectorCount)
      return refused(ata.ERROR_IDNF, Math.max(lba, this.disk.sectorCount));
    return this.#guarded(command, () => {
      move(lba * SECTOR_SIZE, count * SECTOR_SIZE);
      return done(count * SECTOR_SIZE, 'dma');
    });
  }

  #write(offset: number, segments: Segments): void {
    if (this.disk.readOnly) throw new PosixError(EROFS, `${this.disk.file}: is write-protected`);
    if (this.#writeCacheOn) this.cache.writev(offset, segments);
    else this.cache.writeThrough(offset, segments);
  }

  #trim(command: AtaCommand, buffers: TransferBuffers): AtaResult {
    const blocks = command.count;
    if ((command.features & ata.DSM_TRIM) === 0 || blocks === 0 || blocks > DSM_BLOCK_LIMIT)
      return refused(ata.ERROR_ABRT);
    if (this.disk.readOnly) return refused(ata.ERROR_ABRT);
    const list = new Uint8Array(blocks * SECTOR_SIZE);
    gather(buffers(list.length), 0, list);
    const view = new DataView(list.buffer);
    const ranges: { lba: number; count: number }[] = [];
    for (let at = 0; at < list.length; at += 8) {
      const lba = view.getUint32(at, true) + view.getUint16(at + 4, true) * 2 ** 32;
      const count = view.getUint16(at + 6, true);
      if (lba + count > this.disk.sectorCount) return refused(ata.ERROR_IDNF, lba);
      if (count > 0) ranges.push({ lba, count });
    }
    for (const { lba, count } of ranges) this.cache.trim(lba * SECTOR_SIZE, count * SECTOR_SIZE);
    return done(list.length, 'dma');
  }

  #setFeatures(command: AtaCommand): AtaResult {
    switch (command.features & 0xff) {
      case ata.FEATURE_ENABLE_WRITE_CACHE:
        this.#writeCacheOn = true;
        return done();
      case ata.FEATURE_DISABLE_WRITE_CACHE:
        this.cache.flush();
        this.#writeCacheOn = false;
        return done();
      case ata.FEATURE_SET_TRANSFER_MODE:
        return done();
      default:
        return refused(ata.ERROR_ABRT);
    }
  }

  /** A failing medium is an error of the command, with the host's reason in the log. */
  #guarded(command: AtaCommand, action: () => AtaResult): AtaResult {
    try {
      return action();
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      if (error.errno === EROFS) return refused(ata.ERROR_ABRT, command.lba);
      this.#log(`ata command 0x${command.command.toString(16)}: ${error.message}`);
      const reading = [ata.ATA_READ_DMA, ata.ATA_READ_DMA_EXT].includes(command.command);
      if (reading) return refused(ata.ERROR_UNC, command.lba);
      const fault = refused(ata.ERROR_ABRT, command.lba);
      return { ...fault, status: fault.status | ata.STATUS_DF };
    }
  }
}

const OPERATIONS: Readonly<Record<number, DriveOperation>> = {
  [ata.ATA_READ_DMA_EXT]: 'read',
  [ata.ATA_READ_DMA]: 'read',
  [ata.ATA_WRITE_DMA_EXT]: 'write',
  [ata.ATA_WRITE_DMA]: 'write',
  [ata.ATA_WRITE_DMA_FUA_EXT]: 'write',
  [ata.ATA_FLUSH_CACHE]: 'flush',
  [ata.ATA_FLUSH_CACHE_EXT]: 'flush',
  [ata.ATA_STANDBY_IMMEDIATE]: 'flush',
  [ata.ATA_DATA_SET_MANAGEMENT]: 'trim',
};

/** Reads, writes, flushes and trims; undefined for what no fault is about. */
function asFaultsSee(command: AtaCommand): DriveCommand | undefined {
  const operation = OPERATIONS[command.command];
  if (operation === undefined) return undefined;
  if (operation === 'read' || operation === 'write') return { operation, ...addressed(command) };
  return { operation, lba: 0, count: operation === 'trim' ? command.count : 0 };
}

/** LBA and count as the command's width has them; count 0 means the most. */
function addressed(command: AtaCommand): { lba: number; count: number } {
  const narrow = [ata.ATA_READ_DMA, ata.ATA_WRITE_DMA].includes(command.command);
  if (!narrow) return { lba: command.lba, count: command.count || ata.MAX_SECTORS_48 };
  const lba = (command.lba % 2 ** 24) + (command.device & 0x0f) * 2 ** 24;
  return { lba, count: command.count & 0xff || ata.MAX_SECTORS_28 };
}
