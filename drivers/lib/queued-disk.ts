// A disk behind its request queue: what every driver makes of a device that takes commands.

import { EOPNOTSUPP, EROFS, PosixError } from '../../kernel/abi/errno.ts';
import type { Task } from '../../kernel/ipc/task.ts';
import { tracerOf } from '../../kernel/ipc/trace.ts';
import { type BlockDevice, BlockQueue } from './queue.ts';
import type { BlockRequest, RequestLimits } from './request.ts';
import type { SdDisk } from './sd-disk.ts';
import type { DiskStats } from './stats.ts';

export interface DeviceCommands {
  readonly name: string;
  readonly ram: SharedArrayBuffer;
  readonly limits: RequestLimits;
  readonly stats: DiskStats;
  readonly freeSlots: () => number;
  readonly issue: BlockDevice['issue'];
}

export function queuedDisk(
  identity: Omit<SdDisk, 'name' | 'submit'>,
  { name, ram, limits, stats, freeSlots, issue }: DeviceCommands,
): SdDisk {
  const { sectorCount } = identity;
  const queue = new BlockQueue({
    ...{ name, sectorCount, limits, stats, issue },
    trace: tracerOf(ram),
    get freeSlots() {
      return freeSlots();
    },
  });
  return {
    ...identity,
    name,
    *submit(request: BlockRequest): Task<void> {
      if (identity.readOnly && request.op !== 'read' && request.op !== 'flush')
        throw new PosixError(EROFS, `${name}: the disk is write-protected`);
      if (request.op === 'trim' && !identity.trim)
        throw new PosixError(EOPNOTSUPP, `${name}: the disk has no trim`);
      yield* queue.submit(request);
    },
  };
}
