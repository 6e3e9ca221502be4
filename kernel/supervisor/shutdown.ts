// sync(2) and the machine's end: processes end, everything is written and unmounted, the board halts.

import { SIGKILL, SIGTERM } from '../abi/constants.ts';
import { EBUSY, type Errno, PosixError, strerror, toErrno } from '../abi/errno.ts';
import type { Task } from '../ipc/task.ts';
import type { Kernel } from '../kernel.ts';
import type { Process } from '../proc/process.ts';
import { closeAll, sendSignal } from '../proc/signal.ts';
import type { Superblock } from '../vfs/inode.ts';
import type { Mount } from '../vfs/mount.ts';
import { flushSuperblock, unmount } from './mounting.ts';

/** How long processes have between SIGTERM and SIGKILL. */
const GRACE_MS = 300;
const STEP_MS = 5;
/** How long a volume may stay busy after that. */
const PATIENCE_MS = 2000;

/**
 * Everything that was written before is on the disk when this ends; returns the error of what is not,
 * also of write-back that failed since the last sync, once (as syncfs(2) of Linux 5.8).
 */
export function* syncAll(kernel: Kernel): Task<Errno | undefined> {
  let failed: Errno | undefined;
  for (const superblock of mounted(kernel)) {
    yield* flushSuperblock(kernel, superblock);
    const told = superblock.cached ? yield* syncServer(kernel, superblock) : undefined;
    failed ??= superblock.writeError ?? told;
    superblock.writeError = undefined;
  }
  return failed ?? (yield* syncDisks(kernel));
}

/** Programs write to disks directly, too: their own caches are flushed last. */
function* syncDisks(kernel: Kernel): Task<Errno | undefined> {
  let failed: Errno | undefined;
  for (const superblock of mounted(kernel)) {
    if (superblock.type !== 'sd') continue;
    const told = yield* syncServer(kernel, superblock);
    failed ??= told;
  }
  return failed;
}

function* syncServer(kernel: Kernel, superblock: Superblock): Task<Errno | undefined> {
  if (superblock.gone) return undefined;
  const { client, root } = superblock;
  const [reply] = yield* client.all([{ message: { name: 'Tfsync', fid: root.fid, datasync: 0 } }]);
  if (reply?.name !== 'Rlerror') return undefined;
  const errno = toErrno(reply.ecode);
  kernel.log(`sync: ${superblock.source}: ${strerror(errno)}`);
  return errno;
}

const mounted = (kernel: Kernel): Superblock[] => [
  ...new Set(kernel.mounts.all.map((mount) => mount.superblock)),
];

/** Ends the processes, unmounts the volumes, tells the board. What is too busy is at least synced. */
export function* shutdown(kernel: Kernel, status = 0): Task<void> {
  kernel.shuttingDown = true;
  yield* endProcesses(kernel);
  yield* syncAll(kernel);
  const problems: string[] = [];
  for (const mount of [...kernel.mounts.all].reverse()) {
    if (!mount.superblock.cached || mount.superblock.gone) continue;
    try {
      yield* unmountPatiently(kernel, mount);
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      problems.push(`${mount.target}: ${error.message}`);
      kernel.log(`shutdown: ${mount.target}: ${error.message}`);
    }
  }
  yield* syncDisks(kernel);
  kernel.link.send({ type: 'halted', text: problems.join('\n'), status });
}

/** Calls of processes that were killed just now may still be under way. */
function* unmountPatiently(kernel: Kernel, mount: Mount): Task<void> {
  for (let waited = 0; ; waited += STEP_MS) {
    try {
      return yield* unmount(kernel, mount, 0);
    } catch (error) {
      const busy = error instanceof PosixError && error.errno === EBUSY;
      if (!busy || waited >= PATIENCE_MS) throw error;
      yield* kernel.executor.pause(STEP_MS);
    }
  }
}

function* endProcesses(kernel: Kernel): Task<void> {
  const { executor, processes } = kernel;
  const programs = (): Process[] =>
    processes.all.filter((p) => p.pid !== 1 && !p.server && !p.dead);
  for (const process of programs()) sendSignal(kernel, process, SIGTERM);
  for (let waited = 0; waited < GRACE_MS && programs().length > 0; waited += STEP_MS) {
    yield* executor.pause(STEP_MS);
  }
  for (const process of programs()) sendSignal(kernel, process, SIGKILL);
  const { init } = processes;
  closeAll(kernel, init);
  if (init.cwd.dentry !== kernel.mounts.root.dentry) {
    kernel.dcache.unpin(init.cwd.dentry);
    init.cwd = kernel.mounts.root;
    kernel.dcache.pin(init.cwd.dentry);
  }
}
