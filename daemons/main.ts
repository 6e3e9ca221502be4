// A volume's worker: the formats that Atoll knows, and the loop that one of them runs in.

import type { Board } from '../kernel/abi/board.ts';
import type { VolumeConfig } from '../kernel/abi/seat-config.ts';
import { Executor } from '../kernel/ipc/executor.ts';
import { mountExt4 } from './ext4fs/mount.ts';
import { volumeMain } from './lib/main.ts';
import type { FormatRegistry } from './lib/mounted.ts';

const formats: FormatRegistry = { ext4: mountExt4, ext3: mountExt4, ext2: mountExt4 };

export function main(board: Board, config: VolumeConfig): void {
  const { ram, seat, clock } = board;
  const onBug = (error: unknown): never => {
    throw error; // ends the worker: the board tells the kernel with the stack
  };
  const executor = new Executor({ ram, seat, clock, onBug });
  volumeMain({ board, executor, config, formats });
  executor.run();
}
