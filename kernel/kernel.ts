// The kernel's parts, in one place: what every file below kernel/ may need of the others. main.ts
// puts them together in the order of the boot.

import type { Clock } from './abi/board.ts';
import type { FaultControl } from './fault/control.ts';
import type { SysPoints } from './fault/sys.ts';
import type { Caller } from './fs/caller.ts';
import type { Terminals } from './fs/tty/terminals.ts';
import type { Executor } from './ipc/executor.ts';
import type { GrantTable } from './ipc/grant.ts';
import type { Lock } from './ipc/task.ts';
import type { KernelLog } from './log.ts';
import type { FlushContext } from './mm/flush.ts';
import type { Frames } from './mm/frames.ts';
import type { InodeTable } from './mm/inode-table.ts';
import type { PageCache } from './mm/page-cache.ts';
import type { Process } from './proc/process.ts';
import type { ProcessTable } from './proc/table.ts';
import type { Workers } from './proc/workers.ts';
import type { Cpus } from './sched/cpus.ts';
import type { BoardLink } from './supervisor/board-link.ts';
import type { DiskTree } from './supervisor/disks/disk-tree.ts';
import type { Volumes } from './supervisor/volumes.ts';
import type { DentryCache } from './vfs/dcache.ts';
import type { MountTable } from './vfs/mount.ts';

export interface Kernel extends FlushContext {
  readonly ram: SharedArrayBuffer;
  readonly executor: Executor;
  readonly clock: Clock;
  readonly frames: Frames;
  readonly grants: GrantTable;
  readonly klog: KernelLog;
  readonly pages: PageCache;
  readonly inodes: InodeTable;
  readonly dcache: DentryCache;
  readonly mounts: MountTable;
  readonly renameLock: Lock;
  readonly processes: ProcessTable;
  readonly workers: Workers;
  readonly cpus: Cpus;
  readonly volumes: Volumes;
  readonly disks: DiskTree;
  readonly faults: FaultControl;
  readonly sysPoints: SysPoints;
  readonly random: (into: Uint8Array) => void;
  readonly seat: number;
  readonly link: BoardLink;
  readonly terminals: Terminals;
  /** Who the current step of a call works for: what servers inside the kernel see. */
  caller: Caller;
  setCaller(process: Process): void;
  /** The end has begun: nothing new is started. */
  shuttingDown: boolean;
}
