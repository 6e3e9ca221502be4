// A disk that speaks ATA, behind a SATA port or on an IDE channel: ACS-3 commands over a drive. It
// moves data to and from memory that its controller names and answers with the values of its status and error registers.

import { EROFS, PosixError } from '../../../kernel/abi/errno.ts';
import type { Firing } from '../../../kernel/ipc/fault/firing.ts';
import * as ata from '../../lib/ata-regs.ts';
import {
  Drive,
  type DriveOptions,
  type SectorExtent,
  type TransferBuffers,
} from '../device/drive.ts';
import type { DriveCommand, DriveFaults, DriveOperation } from '../device/drive-faults.ts';
import { type Disk, SECTOR_SIZE } from '../disk/disk.ts';
import { gather, scatter } from '../disk/segments.ts';
import { DSM_BLOCK_LIMIT, identifyData } from './ata-identify.ts';

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

export interface AtaDiskOptions extends DriveOptions {
  readonly serial: string;
  /** Told what the host said when the medium failed. */
  readonly log: (line: string) => void;
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
  readonly drive: Drive;
  readonly #serial: string;
  readonly #log: (line: string) => void;

  constructor(options: AtaDiskOptions) {
    this.drive = new Drive(options);
    this.#serial = options.serial;
    this.#log = options.log;
  }

  get disk(): Disk {
    return this.drive.disk;
  }

  get cache(): Drive['cache'] {
    return this.drive.cache;
  }

  get faults(): DriveFaults | undefined {
    return this.drive.faults;
  }

  /** What fires at a command that is taken up. */
  meet(command: AtaCommand): Firing | undefined {
    const known = asFaultsSee(command);
    return known && this.drive.meet(known);
  }

  /** A command that will never be answered. */
  lose(command: AtaCommand, firing: Firing): void {
    const known = asFaultsSee(command);
    if (known) this.drive.lose(known, firing);
  }

  execute(command: AtaCommand, buffers: TransferBuffers, firing?: Firing): AtaResult {
    switch (command.command) {
      case ata.ATA_IDENTIFY:
        return this.#identify(buffers);
      case ata.ATA_READ_DMA_EXT:
      case ata.ATA_READ_DMA:
      case ata.ATA_READ_SECTORS:
      case ata.ATA_READ_SECTORS_EXT:
        return this.#transfer(command, (at) => this.drive.read(at, buffers, firing));
      case ata.ATA_WRITE_DMA_EXT:
      case ata.ATA_WRITE_DMA:
      case ata.ATA_WRITE_SECTORS:
      case ata.ATA_WRITE_SECTORS_EXT:
        return this.#transfer(command, (at) => this.drive.write(at, buffers, { firing }));
      case ata.ATA_WRITE_DMA_FUA_EXT:
        return this.#transfer(command, (at) =>
          this.drive.write(at, buffers, { firing, through: true }),
        );
      case ata.ATA_FLUSH_CACHE:
      case ata.ATA_FLUSH_CACHE_EXT:
      case ata.ATA_STANDBY_IMMEDIATE:
        return this.#guarded(command, () => {
          this.drive.flush(firing);
          return done();
        });
      case ata.ATA_DATA_SET_MANAGEMENT:
        return this.#guarded(command, () => this.#trim(command, buffers, firing));
      case ata.ATA_SET_FEATURES:
        return this.#guarded(command, () => this.#setFeatures(command));
      default:
        return refused(ata.ERROR_ABRT);
    }
  }

  /** SRST or COMRESET: settings fall back, the cache keeps its data (ACS-3 §4.14.2, 7.45.6). */
  reset(): void {
    this.drive.writeCacheOn = true;
  }

  /** The power is cut: the cache is lost. */
  powerOff(): void {
    this.drive.powerOff();
  }

  #identify(buffers: TransferBuffers): AtaResult {
    const { disk, writeCacheOn } = this.drive;
    const data = identifyData({
      model: 'ATOLL VIRTUAL DISK',
      serial: this.#serial,
      firmware: '1.0',
      sectorCount: disk.sectorCount,
      readOnly: disk.readOnly,
      writeCache: writeCacheOn,
    });
    scatter(buffers(data.length), 0, data);
    return done(data.length, 'pio');
  }

  /** Checks the address range of a read or write, then moves the data. */
  #transfer(command: AtaCommand, move: (at: SectorExtent) => number): AtaResult {
    const { lba, count } = addressed(command);
    const { sectorCount } = this.disk;
    if ((command.device & DEVICE_LBA) === 0) return refused(ata.ERROR_ABRT);
    if (lba + count > sectorCount) return refused(ata.ERROR_IDNF, Math.max(lba, sectorCount));
    return this.#guarded(command, () => done(move({ lba, count }), 'dma'));
  }

  #trim(command: AtaCommand, buffers: TransferBuffers, firing: Firing | undefined): AtaResult {
    const blocks = command.count;
    if ((command.features & ata.DSM_TRIM) === 0 || blocks === 0 || blocks > DSM_BLOCK_LIMIT)
      return refused(ata.ERROR_ABRT);
    const list = new Uint8Array(blocks * SECTOR_SIZE);
    gather(buffers(list.length), 0, list);
    const view = new DataView(list.buffer);
    const ranges: SectorExtent[] = [];
    for (let at = 0; at < list.length; at += 8) {
      const lba = view.getUint32(at, true) + view.getUint16(at + 4, true) * 2 ** 32;
      const count = view.getUint16(at + 6, true);
      if (lba + count > this.disk.sectorCount) return refused(ata.ERROR_IDNF, lba);
      if (count > 0) ranges.push({ lba, count });
    }
    this.drive.trim(ranges, firing);
    return done(list.length, 'dma');
  }

  #setFeatures(command: AtaCommand): AtaResult {
    const { drive } = this;
    switch (command.features & 0xff) {
      case ata.FEATURE_ENABLE_WRITE_CACHE:
        drive.writeCacheOn = true;
        return done();
      case ata.FEATURE_DISABLE_WRITE_CACHE:
        drive.cache.flush();
        drive.writeCacheOn = false;
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
      if (OPERATIONS[command.command] === 'read') return refused(ata.ERROR_UNC, command.lba);
      const fault = refused(ata.ERROR_ABRT, command.lba);
      return { ...fault, status: fault.status | ata.STATUS_DF };
    }
  }
}

const OPERATIONS: Readonly<Record<number, DriveOperation>> = {
  [ata.ATA_READ_DMA_EXT]: 'read',
  [ata.ATA_READ_DMA]: 'read',
  [ata.ATA_READ_SECTORS]: 'read',
  [ata.ATA_READ_SECTORS_EXT]: 'read',
  [ata.ATA_WRITE_DMA_EXT]: 'write',
  [ata.ATA_WRITE_DMA]: 'write',
  [ata.ATA_WRITE_SECTORS]: 'write',
  [ata.ATA_WRITE_SECTORS_EXT]: 'write',
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

/** Commands with 28-bit addresses. */
const NARROW = [
  ...[ata.ATA_READ_DMA, ata.ATA_WRITE_DMA, ata.ATA_READ_SECTORS, ata.ATA_WRITE_SECTORS],
];

/** LBA and count as the command's width has them; count 0 means the most. */
function addressed(command: AtaCommand): { lba: number; count: number } {
  const narrow = NARROW.includes(command.command);
  if (!narrow) return { lba: command.lba, count: command.count || ata.MAX_SECTORS_48 };
  const lba = (command.lba % 2 ** 24) + (command.device & 0x0f) * 2 ** 24;
  return { lba, count: command.count & 0xff || ata.MAX_SECTORS_28 };
}
