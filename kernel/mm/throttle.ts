// The limits on pages that are not on the disk yet: a volume's own and one for all, as Linux's
// dirty_ratio. From half of a limit on, write-back runs beside the writers; at the limit they wait until
// pages are written. They are slowed, never failed.

import { sleep, type Task, wakeAll } from '../ipc/task.ts';
import type { Superblock } from '../vfs/inode.ts';
import type { FlushContext } from './flush.ts';

/** Of the pages that the cache may hold: for one volume, and for all. */
const VOLUME_SHARE = 1 / 10;
const ALL_SHARE = 1 / 5;
const VOLUME_LEAST = 16; // pages
const ALL_LEAST = 32;

/** Waits while the volume, or all of them, are too far ahead of the disk. */
export function* throttle(context: FlushContext, superblock: Superblock): Task<void> {
  const { pages } = context;
  if (excess(context, superblock) <= 1 / 2) return;
  writeBack(context, superblock);
  while (excess(context, superblock) > 1 && superblock.writingBack && !superblock.gone) {
    yield* sleep(pages.written);
  }
}

/** What is unwritten, as a share of what may be. */
function excess({ pages }: FlushContext, superblock: Superblock): number {
  const here = Math.max(VOLUME_LEAST, pages.capacity * VOLUME_SHARE);
  const all = Math.max(ALL_LEAST, pages.capacity * ALL_SHARE);
  return Math.max(superblock.unwritten / here, pages.unwritten / all);
}

/** Starts a write-back of the volume unless one is under way. */
function writeBack(context: FlushContext, superblock: Superblock): void {
  if (superblock.writingBack) return;
  superblock.writingBack = true;
  context.executor.start(writingBack(context, superblock), 'write-back');
}

function* writingBack(context: FlushContext, superblock: Superblock): Task<void> {
  try {
    yield* context.flushAll(superblock);
  } finally {
    superblock.writingBack = false;
    wakeAll(context.pages.written);
  }
}
