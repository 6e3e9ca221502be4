// The flusher: writes dirty pages back when they are old, without anybody asking.

import type { Task } from '../ipc/task.ts';
import type { Kernel } from '../kernel.ts';
import type { Inode, Superblock } from '../vfs/inode.ts';
import { flushMany } from './flush.ts';

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
    for (const superblock of new Set(kernel.mounts.all.map((mount) => mount.superblock))) {
      yield* flushMany(kernel, dirtySince(superblock, before));
    }
  }
}

function dirtySince(superblock: Superblock, beforeMs: number): Inode[] {
  if (!superblock.cached || superblock.gone) return [];
  return [...superblock.dirtyInodes].filter((inode) => inode.dirtySinceMs < beforeMs);
}
