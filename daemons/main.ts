// A volume's worker: the formats that Atoll knows, and the loop that one of them runs in. Without such a
// worker the kernel lends its own loop.

import type { Board } from '../kernel/abi/board.ts';
import type { VolumeConfig } from '../kernel/abi/seat-config.ts';
import { Executor } from '../kernel/ipc/executor.ts';
import { EVENTS } from '../kernel/ipc/trace-events.ts';
import { mountExt4 } from './ext4fs/mount.ts';
import { mountExFat } from './fatd/exfat/mount.ts';
import { mountFat } from './fatd/fat/mount.ts';
import { mountHfs, mountHfsPlus } from './hfsd/mount.ts';
import { type VolumeMainOptions, volumeMain } from './lib/main.ts';
import type { FormatRegistry } from './lib/mounted.ts';

export { rehearse } from './rehearsal.ts';

const formats: FormatRegistry = {
  ...{ ext4: mountExt4, ext3: mountExt4, ext2: mountExt4 },
  ...{ exfat: mountExFat, vfat: mountFat, fat: mountFat },
  ...{ hfs: mountHfs, hfsplus: mountHfsPlus, hfsx: mountHfsPlus },
};

export function main(board: Board, config: VolumeConfig): void {
  const { ram, seat, clock } = board;
  const onBug = (error: unknown): never => {
    throw error; // ends the worker: the board tells the kernel with the stack
  };
  const executor = new Executor({ ram, seat, clock, onBug });
  const { trace } = executor;
  trace.instant(EVENTS.worker, trace.label(`volume ${config.name}`));
  serve({ board, executor, config });
  executor.run();
}

/** Serves a volume in whatever worker it is called, until its executor is stopped. */
export function serve(volume: Omit<VolumeMainOptions, 'formats'>): void {
  volumeMain({ ...volume, formats });
}
