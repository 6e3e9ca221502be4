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
  /** Of a queued command, whose count lies in the features. */
  readonly tag?: number;
}

/** What the drive answers. `pio` names the protocol: PIO data-in ends with another FIS. */
export interface AtaResult {
  readonly status: number;
  readonly error: number;
  readonly lba: number;
  readonly transferred: number; // bytes
  readonly protocol: 'dma' | 'pio' | 'none' | 'queued';
}

export interface AtaDiskOptions extends DriveOptions {
  readonly serial: string;
  /** Of native command queuing; 0 = it has none, as on an IDE cable. */
  readonly queueDepth?: number;
  /** Told what the host said when the medium failed. */
  readonly log: (line: string) => void;
}

const DEVICE_LBA = 0x40;
const DEVICE_FUA = 0x80; // of queued writes
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
  readonly #queueDepth: number;
  /** A queued command failed, and its log was not read yet: nothing else is done before. */
  #queueError: Uint8Array | undefined;

  constructor(options: AtaDiskOptions) {
    this.drive = new Drive(options);
    this.#serial = options.serial;
    this.#log = options.log;
    this.#queueDepth = options.queueDepth ?? 0;
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
    const { command: code } = command;
    if (this.#queueError && code !== ata.ATA_READ_LOG_EXT) return refused(ata.ERROR_ABRT);
    switch (code) {
      case ata.ATA_IDENTIFY:
        return this.#identify(buffers);
      case ata.ATA_READ_LOG_EXT:
        return this.#readLog(command, buffers);
      case ata.ATA_READ_FPDMA_QUEUED:
      case ata.ATA_WRITE_FPDMA_QUEUED:
        return this.#queued(command, buffers, firing);
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
    this.#queueError = undefined;
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
      queueDepth: this.#queueDepth,
    });
    scatter(buffers(data.length), 0, data);
    return done(data.length, 'pio');
  }

  /** §7.21, §7.61: what fails is told by the log of the queue's error, with its tag. */
  #queued(command: AtaCommand, buffers: TransferBuffers, firing: Firing | undefined): AtaResult {
    const { tag = 0, device, count } = command;
    if (this.#queueDepth === 0) return refused(ata.ERROR_ABRT);
    const through = (device & DEVICE_FUA) !== 0;
    const reads = command.command === ata.ATA_READ_FPDMA_QUEUED;
    const result = this.#transfer(command, (at) =>
      reads
        ? this.drive.read(at, buffers, firing)
        : this.drive.write(at, buffers, { firing, through }),
    );
    const failed = (result.status & ata.STATUS_ERR) !== 0;
    // A drive that stops short of the end of a queued command can tell it by an error only.
    const short = !failed && result.transferred < (count || ata.MAX_SECTORS_48) * SECTOR_SIZE;
    const told = short ? { ...refused(ata.ERROR_ABRT, command.lba) } : result;
    if (failed || short) this.#queueError = errorLog(tag, told);
    return { ...told, protocol: 'queued' };
  }

  /** §7.23: a page of 512 bytes; reading that of the queue's error ends it. */
  #readLog({ lba, count }: AtaCommand, buffers: TransferBuffers): AtaResult {
    const page = lba & 0xff;
    if (count !== 1 || this.#queueDepth === 0) return refused(ata.ERROR_ABRT);
    const data = new Uint8Array(SECTOR_SIZE);
    if (page === ata.LOG_DIRECTORY) {
      data[0] = 1; // version
      data[ata.LOG_NCQ_ERROR * 2] = 1; // pages
    } else if (page === ata.LOG_NCQ_ERROR) {
      if (this.#queueError) data.set(this.#queueError);
      else data[0] = ata.LOG_NOT_QUEUED;
      this.#queueError = undefined;
      data[511] = -data.reduce((sum, byte) => sum + byte, 0) & 0xff;
    } else return refused(ata.ERROR_ABRT);
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

/** §9.13: tag, status, error, LBA and count of the command that failed. */
function errorLog(tag: number, { status, error, lba }: AtaResult): Uint8Array {
  const data = new Uint8Array(SECTOR_SIZE);
  data.set([tag & ata.LOG_TAG_MASK, 0, status, error]);
  const low = lba % 2 ** 24;
  const high = Math.floor(lba / 2 ** 24);
  for (const [i, shift] of [0, 8, 16].entries()) {
    data[4 + i] = (low >>> shift) & 0xff;
    data[8 + i] = (high >>> shift) & 0xff;
  }
  return data;
}

const OPERATIONS: Readonly<Record<number, DriveOperation>> = {
  [ata.ATA_READ_DMA_EXT]: 'read',
  [ata.ATA_READ_FPDMA_QUEUED]: 'read',
  [ata.ATA_WRITE_FPDMA_QUEUED]: 'write',
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
