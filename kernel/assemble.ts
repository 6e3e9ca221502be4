// Puts the kernel's parts together in one object; nothing runs yet.

import type { Board } from './abi/board.ts';
import { LINK_BYTES } from './abi/board-link.ts';
import type { Pool } from './abi/fault/points.ts';
import { FRAMES } from './abi/memlayout.ts';
import type { KernelConfig } from './abi/seat-config.ts';
import { FaultControl } from './fault/control.ts';
import { SysPoints } from './fault/sys.ts';
import { Terminals } from './fs/tty/terminals.ts';
import type { TtyPort } from './fs/tty/tty.ts';
import { Executor } from './ipc/executor.ts';
import type { Refuses } from './ipc/fault/gate.ts';
import { GrantTable } from './ipc/grant.ts';
import { Ring } from './ipc/ring.ts';
import { Lock } from './ipc/task.ts';
import type { Kernel } from './kernel.ts';
import { KernelLog } from './log.ts';
import { Frames } from './mm/frames.ts';
import { InodeTable } from './mm/inode-table.ts';
import { PageCache } from './mm/page-cache.ts';
import type { Process } from './proc/process.ts';
import { sendSignal } from './proc/signal.ts';
import { ProcessTable } from './proc/table.ts';
import { Workers } from './proc/workers.ts';
import { Cpus } from './sched/cpus.ts';
import { BoardLink } from './supervisor/board-link.ts';
import { DiskTree } from './supervisor/disks/disk-tree.ts';
import { flushSuperblock } from './supervisor/mounting.ts';
import { Volumes } from './supervisor/volumes.ts';
import { takeCall } from './syscall/dispatch.ts';
import { DentryCache } from './vfs/dcache.ts';
import { MountTable } from './vfs/mount.ts';

/** Names that the dentry cache keeps. */
const DENTRIES = 16_384;

/** What of the configuration the parts need. */
type Parts = Pick<KernelConfig, 'board' | 'framesEnd' | 'cpus'> & { readonly dentries?: number };

export function assemble(board: Board, config: Parts): Kernel {
  const { ram, clock, seat } = board;
  const klog = new KernelLog(clock);
  const onBug = (error: unknown, name: string): void => {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    klog.add(`kernel: bug in ${name}: ${what}`);
  };
  const executor = new Executor({ ram, seat, clock, onBug });
  const { toBoard, toKernel } = config.board;
  const link = new BoardLink(executor, {
    toBoard: new Ring(ram, toBoard),
    toKernel: new Ring(ram, toKernel),
  });
  klog.onLine = (text) => link.send({ type: 'log', text });
  const frames = new Frames(FRAMES, config.framesEnd);
  const pages = new PageCache(ram, frames);
  const inodes = new InodeTable(ram, frames);
  const faults = new FaultControl({
    ...{ ram, seat, clock },
    log: (line) => klog.add(line),
    kill: (service) => kernel.volumes.killNamed(kernel, service),
    who: () => whoCalls(kernel),
  });
  executor.poll(() => faults.follow());
  const workers = new Workers({
    ...{ ram, frames, executor, link },
    kernelSeat: seat,
    tables: { ...pages.index.tables, ...inodes.tables },
    onCall: (from) => takeCall(kernel, from),
    reclaim: (count) => pages.reclaim(count),
  });
  const kernel: Kernel = {
    ...{ ram, executor, clock, frames, pages, inodes, klog, link, seat, faults },
    sysPoints: new SysPoints(faults.gate),
    log: (line) => klog.add(line),
    grants: new GrantTable(ram),
    dcache: new DentryCache({ executor, pages }, config.dentries ?? DENTRIES),
    mounts: new MountTable(),
    renameLock: new Lock('rename'),
    processes: new ProcessTable(),
    cpus: new Cpus({ count: config.cpus, clock, executor }),
    random: (into) => board.random(into),
    terminals: new Terminals(consolePort(link), (pgid, signal) => {
      for (const process of kernel.processes.group(pgid)) sendSignal(kernel, process, signal);
    }),
    workers,
    volumes: new Volumes({ ram, executor, workers, link }),
    disks: new DiskTree(),
    flushAll: (superblock) => flushSuperblock(kernel, superblock),
    caller: { pid: 0, uid: 0, gid: 0 },
    setCaller: ({ pid, uid, gid }: Process) => {
      kernel.caller = { pid, uid, gid };
    },
    shuttingDown: false,
  };
  armPools(kernel);
  return kernel;
}

/** The console's screen: the board shows what it is sent. */
const consolePort = (link: BoardLink): TtyPort => ({
  send: (bytes) => {
    for (let at = 0; at < bytes.length; at += LINK_BYTES) {
      link.send({ type: 'console', bytes: bytes.slice(at, at + LINK_BYTES) });
    }
  },
  get full() {
    return link.full;
  },
  room: link.room,
});

/** The pools whose own code asks whether a fault empties them. */
function armPools({ faults, frames, pages, grants, workers }: Kernel): void {
  const pool = (name: Pool): Refuses => faults.pool(name);
  frames.refuses = pool('frames');
  pages.refuses = pool('pages');
  grants.refuses = pool('grants');
  workers.refuses = pool('seats');
}

/** The process whose call runs just now; what runs in the background counts to the last one. */
function whoCalls(kernel: Kernel): { pid: number; pgrp: number } {
  const { pid } = kernel.caller;
  return { pid, pgrp: kernel.processes.find(pid)?.pgid ?? 0 };
}
