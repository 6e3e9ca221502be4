// Signals and the end of processes: sending, default actions, exit, reaping.

import { NSIG, SIGCHLD, SIGCONT, SIGKILL, SIGSTOP, signalStatus } from '../abi/constants.ts';
import { EINVAL, EPERM, ESRCH, fail } from '../abi/errno.ts';
import { wakeAll } from '../ipc/task.ts';
import type { Kernel } from '../kernel.ts';
import { leaveTable, setDescriptor } from '../vfs/descriptors.ts';
import { releaseFile } from '../vfs/file.ts';
import { neighbours, resume, stop, stopBits, stops, wakeOrphans } from './job-control.ts';
import { defaultAction, type Process, uncatchable } from './process.ts';
import { stopTracing } from './tracing.ts';

/** Sends a signal: it is delivered, or held back while it is blocked or the process stands still. */
export function sendSignal(kernel: Kernel, process: Process, signal: number): void {
  if (process.dead || signal === 0) return;
  if (process.server) {
    kernel.volumes.signal(kernel, process, signal);
    return;
  }
  if (signal === SIGCONT) {
    process.held &= ~stopBits;
    process.pending &= ~stopBits;
    resume(kernel, process);
    deliverHeld(kernel, process);
  } else if (stops(signal)) {
    process.held &= ~(1 << SIGCONT);
    process.pending &= ~(1 << SIGCONT);
  }
  const blocked = (process.blocked & (1 << signal)) !== 0;
  const waits = process.stopSignal !== 0 || blocked;
  if (!waits || signal === SIGKILL || (signal === SIGSTOP && process.stopSignal === 0)) {
    deliver(kernel, process, signal);
  } else if (signal !== SIGSTOP && process.dispositions[signal] !== 'ignore') {
    process.held |= 1 << signal;
  }
}

/** What was held back and is blocked no more. */
export function deliverHeld(kernel: Kernel, process: Process): void {
  const ready = process.held & ~process.blocked;
  process.held &= process.blocked;
  for (let signal = 1; signal < NSIG; signal++) {
    if ((ready & (1 << signal)) !== 0) sendSignal(kernel, process, signal);
  }
}

/** Marks a signal for its handler, ends or stops the process, or does nothing. */
function deliver(kernel: Kernel, process: Process, signal: number): void {
  const disposition = uncatchable(signal) ? 'default' : process.dispositions[signal];
  if (disposition === 'ignore') return;
  if (disposition === 'handler') {
    process.pending |= 1 << signal;
    process.interrupt();
  } else if (stops(signal)) stop(kernel, process, signal);
  else if (defaultAction(signal) === 'end') end(kernel, process, signalStatus(signal));
}

/** kill(2): a process, a group (0 = one's own, negative), or everybody (-1). */
export function kill(
  kernel: Kernel,
  from: Process,
  request: { pid: number; signal: number },
): void {
  const { pid, signal } = request;
  if (signal < 0 || signal >= NSIG) fail(EINVAL);
  const { processes } = kernel;
  const everybody = (p: Process): boolean => p.pid !== 1 && p !== from && !p.server;
  const targets =
    pid > 0
      ? [processes.get(pid)]
      : pid === -1
        ? processes.all.filter(everybody)
        : groupWithZombies(kernel, pid === 0 ? from.pgid : -pid);
  if (targets.length === 0) fail(ESRCH);
  const sameSession = (p: Process): boolean => signal === SIGCONT && p.sid === from.sid;
  const allowed = targets.filter((p) => from.uid === 0 || from.uid === p.uid || sameSession(p));
  if (allowed.length === 0 || (pid === 1 && signal !== 0)) fail(EPERM);
  for (const target of allowed) if (target.pid !== 1) sendSignal(kernel, target, signal);
}

/** Who has not been waited for is there, as for kill(2) of one process; it takes no signal any more. */
const groupWithZombies = (kernel: Kernel, pgid: number): Process[] =>
  kernel.processes.all.filter((process) => process.pgid === pgid);

/** A process ends: what it held is released, its parent is told. `status` as wait(2) gives it. */
export function end(kernel: Kernel, process: Process, status: number): void {
  if (process.dead) return;
  const groups = neighbours(kernel, process);
  process.state = 'zombie';
  process.status = status;
  process.stopSignal = 0;
  process.untold = undefined;
  process.alarm?.cancel();
  stopTracing(kernel, process);
  closeAll(kernel, process);
  leaveTable(process);
  kernel.dcache.unpin(process.cwd.dentry);
  kernel.cpus.forget(process);
  process.interrupt();
  wakeAll(process.continued);
  wakeAll(process.childEvent);
  const { init } = kernel.processes;
  for (const child of [...process.children]) {
    child.parent = init;
    init.children.add(child);
    child.adopted = true;
    if (child.dead) kernel.processes.remove(child);
  }
  process.children.clear();
  if (process.seat) kernel.workers.expectBack(process.seat, process);
  if (process.pid === process.sid) kernel.terminals.leaderEnded(process.sid);
  tellParent(kernel, process);
  wakeOrphans(kernel, groups);
}

function tellParent(kernel: Kernel, process: Process): void {
  const { parent } = process;
  if (parent === undefined || process.adopted) {
    kernel.processes.remove(process);
    return;
  }
  const unwanted = parent.pid !== 1 && parent.dispositions[SIGCHLD] === 'ignore';
  if (unwanted) kernel.processes.remove(process);
  else sendSignal(kernel, parent, SIGCHLD);
  wakeAll(parent.childEvent);
}

/** Closes all descriptors, or only those marked close-on-exec. */
export function closeAll(kernel: Kernel, process: Process, which: 'all' | 'cloexec' = 'all'): void {
  const { descriptors } = process;
  for (let fd = 0; fd < descriptors.length; fd++) {
    const descriptor = descriptors[fd];
    if (descriptor === undefined || (which === 'cloexec' && !descriptor.closeOnExec)) continue;
    setDescriptor(process, fd, undefined);
    releaseFile(kernel, descriptor.file);
  }
}
