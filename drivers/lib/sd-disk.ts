// A disk as a driver offers it to the /dev/sd tree and to the servers above.

import type { Task } from '../../kernel/ipc/task.ts';
import type { BouncePool } from './bounce.ts';
import type { BlockRequest } from './request.ts';

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

/** A controller that is up. */
export interface BlockController {
  readonly disks: readonly SdDisk[];
  /** Memory for what cannot be moved in place: unaligned requests. */
  readonly bounce: BouncePool;
  /** Resets the controller; commands that run are issued again. */
  reset(): void;
  /** Flushes and parks all disks. */
  shutdown(): Task<void>;
}
