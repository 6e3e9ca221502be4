// Signals and the end of processes: sending, default actions, exit, reaping.

import { NSIG, SIGCHLD, SIGKILL, signalStatus } from '../abi/constants.ts';
import { EINVAL, EPERM, ESRCH, fail } from '../abi/errno.ts';
import { wakeAll } from '../ipc/task.ts';
import type { Kernel } from '../kernel.ts';
import { releaseFile } from '../vfs/file.ts';
import { defaultAction, type Process, uncatchable } from './process.ts';

/** Delivers a signal: marks it for a handler, ends the process, or does nothing. */
export function sendSignal(kernel: Kernel, process: Process, signal: number): void {
  if (process.dead || signal === 0) return;
  if (process.server) {
    if (signal === SIGKILL) kernel.volumes.killServer(process);
    return;
  }
  const disposition = uncatchable(signal) ? 'default' : process.dispositions[signal];
  if (disposition === 'ignore') return;
  if (disposition === 'handler') {
    process.pending |= 1 << signal;
    process.interrupt();
  } else if (defaultAction(signal) === 'end') end(kernel, process, signalStatus(signal));
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
        : processes.group(pid === 0 ? from.pgid : -pid);
  if (targets.length === 0) fail(ESRCH);
  const allowed = targets.filter((p) => from.uid === 0 || from.uid === p.uid);
  if (allowed.length === 0 || (pid === 1 && signal !== 0)) fail(EPERM);
  for (const target of allowed) if (target.pid !== 1) sendSignal(kernel, target, signal);
}

/** A process ends: what it held is released, its parent is told. `status` as wait(2) gives it. */
export function end(kernel: Kernel, process: Process, status: number): void {
  if (process.dead) return;
  process.state = 'zombie';
  process.status = status;
  closeAll(kernel, process);
  kernel.dcache.unpin(process.cwd.dentry);
  kernel.cpus.forget(process);
  process.interrupt();
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
  tellParent(kernel, process);
}

function tellParent(kernel: Kernel, process: Process): void {
  const { parent } = process;
  if (parent === undefined || process.adopted) {
    kernel.processes.remove(process);
    return;
  }
  sendSignal(kernel, parent, SIGCHLD);
  wakeAll(parent.childEvent);
}

/** Closes all descriptors, or only those marked close-on-exec. */
export function closeAll(kernel: Kernel, process: Process, which: 'all' | 'cloexec' = 'all'): void {
  const { descriptors } = process;
  for (let fd = 0; fd < descriptors.length; fd++) {
    const descriptor = descriptors[fd];
    if (descriptor === undefined || (which === 'cloexec' && !descriptor.closeOnExec)) continue;
    descriptors[fd] = undefined;
    releaseFile(kernel, descriptor.file);
  }
}
