// Truncations and deletions that one request cannot end: they go on in bounded steps, each a
// transaction of its own, and the steps have a bound as well.

import { EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import type { Task } from '../../../kernel/ipc/task.ts';
import type { MountedVolume } from '../mounted.ts';
import type { Transaction } from '../transaction.ts';

/** A step frees an extent, sixteen attributes or a node of a tree: none of them takes less than this. */
const STEP_BYTES = 512;

/**
 * Steps until nothing is left of what `hooks.unfinished` told of.
 * EUCLEAN: there were more than the volume can have things to free.
 */
export function* finishWork(
  volume: MountedVolume,
  work: { readonly ino: number; readonly inUse: () => boolean },
): Task<void> {
  const { ino, inUse } = work;
  const { engine } = volume;
  const most = Math.ceil(engine.device.sizeBytes / STEP_BYTES);
  const step = (tx: Transaction): boolean => volume.continueWork(tx, { ino, inUse: inUse() });
  for (let steps = 0; steps < most; steps++)
    if (!(yield* engine.run(step, { changes: true }))) return;
  fail(EUCLEAN, `to cut or delete inode ${ino} came to no end in ${most} steps`);
}
