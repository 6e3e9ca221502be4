// The flusher: writes dirty pages back when they are old, without anybody asking.

import type { Task } from '../ipc/task.ts';
import type { Kernel } from '../kernel.ts';
import type { Inode } from '../vfs/inode.ts';
import { flushLater } from './flush.ts';

/** How old a dirty page may become. */
const DEADLINE_MS = 30_000;
const PERIOD_MS = 1000;
/** Files written back at a time. */
const FLUSHES = 32;

export function startFlusher(kernel: Kernel): void {
  kernel.executor.start(flusher(kernel), 'flusher');
}

function* flusher(kernel: Kernel): Task<void> {
  while (!kernel.shuttingDown) {
    yield* kernel.executor.pause(PERIOD_MS, 'idle');
    if (kernel.pages.dirtyPages === 0) continue;
    const before = kernel.clock.monotonicMs() - DEADLINE_MS;
    const old = dirtySince(kernel, before);
    yield* kernel.executor.each(old, FLUSHES, (inode) => flushLater(kernel, inode));
  }
}

function dirtySince(kernel: Kernel, beforeMs: number): Inode[] {
  const superblocks = new Set(kernel.mounts.all.map((mount) => mount.superblock));
  return [...superblocks]
    .filter((superblock) => superblock.cached && !superblock.gone)
    .flatMap((superblock) => [...superblock.dirtyInodes])
    .filter((inode) => inode.dirtySinceMs < beforeMs);
}
