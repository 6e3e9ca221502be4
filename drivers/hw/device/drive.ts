// The drive behind any controller: a medium under a volatile write cache, the switch of that cache,
// and the faults at each command. Controllers bring the host's memory and turn faults into their own
// error registers.

import { EROFS, PosixError } from '../../../kernel/abi/errno.ts';
import type { Firing } from '../../../kernel/ipc/fault/firing.ts';
import { type Disk, SECTOR_SIZE } from '../disk/disk.ts';
import type { Segments } from '../disk/segments.ts';
import { WriteCache } from '../disk/write-cache.ts';
import {
  type DataPath,
  type DriveCommand,
  type DriveFaults,
  faultyRead,
  faultyWrite,
} from './drive-faults.ts';

/** The host's memory for `sizeBytes` of a command; throws what the controller makes of bad lists. */
export type TransferBuffers = (sizeBytes: number) => Segments;

export interface SectorExtent {
  readonly lba: number;
  readonly count: number; // sectors
}

export interface DriveOptions {
  readonly disk: Disk;
  /** The write cache's memory, with what it holds; a new one if not given. */
  readonly cache?: SharedArrayBuffer | undefined;
  readonly faults?: DriveFaults | undefined;
}

/** Sectors inside the disk. Methods throw EIO, or EROFS where the write-protect switch is on. */
export class Drive {
  readonly disk: Disk;
  readonly cache: WriteCache;
  readonly faults: DriveFaults | undefined;
  writeCacheOn = true;

  constructor({ disk, cache, faults }: DriveOptions) {
    this.disk = disk;
    this.cache = new WriteCache(disk, cache);
    this.faults = faults;
  }

  /** What fires at a command that is taken up. */
  meet(command: DriveCommand): Firing | undefined {
    return this.faults?.meet(command, this.disk.sectorCount);
  }

  /** A command that will never be answered. */
  lose(command: DriveCommand, firing: Firing): void {
    this.faults?.afterwards(command, firing);
  }

  /** Returns the bytes moved. */
  read(at: SectorExtent, buffers: TransferBuffers, firing?: Firing): number {
    const sizeBytes = at.count * SECTOR_SIZE;
    return this.#checked({ operation: 'read', ...at }, firing, () => {
      const where = { offset: at.lba * SECTOR_SIZE, segments: buffers(sizeBytes) };
      if (firing) return faultyRead(this.#path(), where, firing);
      this.cache.readv(where.offset, where.segments);
      return sizeBytes;
    });
  }

  /** `through`: it is on the medium when this returns (FUA). Returns the bytes moved. */
  write(at: SectorExtent, buffers: TransferBuffers, how: Written = {}): number {
    const { firing, through = false } = how;
    const sizeBytes = at.count * SECTOR_SIZE;
    return this.#checked({ operation: 'write', ...at }, firing, () => {
      const where = { offset: at.lba * SECTOR_SIZE, segments: buffers(sizeBytes) };
      if (firing) faultyWrite(this.#path(), where, firing);
      else if (through) this.#writeThrough(where.offset, where.segments);
      else this.#write(where.offset, where.segments);
      return sizeBytes;
    });
  }

  flush(firing?: Firing): void {
    this.#checked({ operation: 'flush', lba: 0, count: 0 }, firing, () => {
      if (firing?.has('lie')) return 0;
      this.cache.flush();
      if (firing?.has('dup')) this.cache.flush();
      return 0;
    });
  }

  /** The sectors are no longer needed. */
  trim(ranges: readonly SectorExtent[], firing?: Firing): void {
    const [{ lba, count } = { lba: 0, count: 0 }] = ranges;
    this.#checked({ operation: 'trim', lba, count }, firing, () => {
      this.#refuseProtected();
      if (firing?.has('lie')) return 0;
      for (const range of ranges) {
        this.cache.trim(range.lba * SECTOR_SIZE, range.count * SECTOR_SIZE);
      }
      return 0;
    });
  }

  /** The power is cut, or the disk is pulled out: the cache is lost. */
  powerOff(): void {
    this.cache.drop();
    this.disk.close();
  }

  #checked(command: DriveCommand, firing: Firing | undefined, action: () => number): number {
    const { faults } = this;
    if (faults === undefined) return action();
    const torn = firing?.has('torn') ?? false;
    try {
      if (!torn) faults.check(command, firing);
      const moved = action();
      if (torn) faults.check(command, firing);
      return moved;
    } finally {
      faults.afterwards(command, firing);
    }
  }

  #path(): DataPath {
    return {
      read: (offset, segments) => this.cache.readv(offset, segments),
      write: (offset, segments) => this.#write(offset, segments),
      readMedium: (offset, segments) => this.disk.readv(offset, segments),
      writeMedium: (offset, segments) => this.cache.writeThrough(offset, segments),
      sectorCount: this.disk.sectorCount,
    };
  }

  #write(offset: number, segments: Segments): void {
    if (!this.writeCacheOn) {
      this.#writeThrough(offset, segments);
      return;
    }
    this.#refuseProtected();
    this.cache.writev(offset, segments);
  }

  #writeThrough(offset: number, segments: Segments): void {
    this.#refuseProtected();
    this.cache.writeThrough(offset, segments);
  }

  #refuseProtected(): void {
    if (this.disk.readOnly) throw new PosixError(EROFS, `${this.disk.file}: is write-protected`);
  }
}

export interface Written {
  readonly firing?: Firing | undefined;
  readonly through?: boolean;
}
