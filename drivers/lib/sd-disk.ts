// A disk as a driver offers it to the /dev/sd tree and to the servers above.

import type { DriverBoard } from '../../kernel/abi/board.ts';
import type { Task } from '../../kernel/ipc/task.ts';
import type { BouncePool } from './bounce.ts';
import type { BlockRequest, RamRange } from './request.ts';
import type { DiskStats } from './stats.ts';
import type { After } from './watchdog.ts';

/** What a driver is started with. */
export interface DriverStart {
  readonly board: Pick<DriverBoard, 'ram' | 'pci'>;
  /** Memory for the controller's structures and bounce buffers. */
  readonly dma: RamRange;
  readonly log: (line: string) => void;
  readonly after: After;
  /** Where the disk of each port is counted. */
  readonly stats: (port: number) => DiskStats;
}

export interface SdDisk {
  readonly name: string; // sdC0
  readonly sectorCount: number;
  /** Its write-protect switch is on. */
  readonly readOnly: boolean;
  readonly writeCache: boolean;
  readonly trim: boolean;
  readonly model: string;
  readonly serial: string;
  readonly firmware: string;
  /** Returns when the device has done it; throws EIO with the device's own reason. */
  submit(request: BlockRequest): Task<void>;
}

export type StartDriver = (options: DriverStart) => Task<BlockController>;

/** A controller that is up. */
export interface BlockController {
  /** Those that are there now, in the order of their ports. */
  readonly disks: readonly SdDisk[];
  /** Memory for what cannot be moved in place: unaligned requests. */
  readonly bounce: BouncePool;
  /** Returns when what was plugged in or pulled out before is in `disks`, or no longer. */
  settled(): Task<void>;
  /** Resets the controller; commands that run are issued again. */
  reset(): void;
  /** Flushes and parks all disks. */
  shutdown(): Task<void>;
}
