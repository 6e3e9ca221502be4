// The flusher: writes dirty pages back when they are old, without anybody asking.

import { PosixError } from '../abi/errno.ts';
import type { Task } from '../ipc/task.ts';
import type { Kernel } from '../kernel.ts';
import type { Inode } from '../vfs/inode.ts';
import { flushInode } from './flush.ts';

/** How old a dirty page may become. */
const DEADLINE_MS = 30_000;
const PERIOD_MS = 1000;

export function startFlusher(kernel: Kernel): void {
  kernel.executor.start(flusher(kernel), 'flusher');
}

function* flusher(kernel: Kernel): Task<void> {
  while (!kernel.shuttingDown) {
    yield* kernel.executor.pause(PERIOD_MS, 'idle');
    if (kernel.pages.dirtyPages === 0) continue;
    const before = kernel.clock.monotonicMs() - DEADLINE_MS;
    try {
      for (const inode of dirtySince(kernel, before)) yield* flushInode(kernel, inode);
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      kernel.log(`flusher: ${error.message}`);
    }
  }
}

function dirtySince(kernel: Kernel, beforeMs: number): Inode[] {
  const superblocks = new Set(kernel.mounts.all.map((mount) => mount.superblock));
  return [...superblocks]
    .filter((superblock) => superblock.cached && !superblock.gone)
    .flatMap((superblock) => [...superblock.inodes.values()])
    .filter((inode) => inode.dirty.size > 0 && inode.dirtySinceMs < beforeMs);
}
