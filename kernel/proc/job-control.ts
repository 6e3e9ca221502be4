// Stopping and continuing processes, and what becomes of groups that nobody could continue any more
// (POSIX.1-2024 XBD §3.264 "Orphaned Process Group", XSH §2.4.3, _Exit()).

import { SIGCHLD, SIGCONT, SIGHUP, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU } from '../abi/constants.ts';
import { wakeAll } from '../ipc/task.ts';
import type { Kernel } from '../kernel.ts';
import type { Process } from './process.ts';
import { sendSignal } from './signal.ts';

const STOPPING: readonly number[] = [SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU];

export const stopBits = STOPPING.reduce((bits, signal) => bits | (1 << signal), 0);

export const stops = (signal: number): boolean => STOPPING.includes(signal);

/**
 * The process stops: at once if it waits in a call, else at its next one. The signals of a terminal
 * do not stop a group that is orphaned: nobody would continue it.
 */
export function stop(kernel: Kernel, process: Process, signal: number): void {
  if (process.stopSignal !== 0) return;
  if (signal !== SIGSTOP && isOrphaned(kernel, process.pgid)) return;
  process.stopSignal = signal;
  process.untold = 'stopped';
  kernel.cpus.release(process);
  tellParent(kernel, process);
}

export function resume(kernel: Kernel, process: Process): void {
  if (process.stopSignal === 0) return;
  process.stopSignal = 0;
  process.untold = 'continued';
  wakeAll(process.continued);
  tellParent(kernel, process);
}

/** Whether no member has a parent outside the group, but in its session, that could continue it. */
export function isOrphaned(kernel: Kernel, pgid: number): boolean {
  return !kernel.processes.group(pgid).some(({ parent, sid }) => {
    const outside = parent !== undefined && parent.pgid !== pgid && parent.pid !== 1;
    return outside && parent.sid === sid && !parent.dead;
  });
}

/** The groups in which the end of this process may be felt: its own, and its children's. */
export function neighbours(kernel: Kernel, process: Process): number[] {
  if (!kernel.processes.all.some((one) => one.stopSignal !== 0)) return [];
  const groups = new Set([process.pgid, ...[...process.children].map((child) => child.pgid)]);
  return [...groups].filter((pgid) => !isOrphaned(kernel, pgid));
}

/** Groups that were not orphaned before: what stands still there is told that nobody is left. */
export function wakeOrphans(kernel: Kernel, groups: readonly number[]): void {
  for (const pgid of groups) {
    const members = kernel.processes.group(pgid);
    if (!isOrphaned(kernel, pgid) || !members.some((one) => one.stopSignal !== 0)) continue;
    for (const signal of [SIGHUP, SIGCONT]) {
      for (const member of members) sendSignal(kernel, member, signal);
    }
  }
}

function tellParent(kernel: Kernel, process: Process): void {
  const { parent } = process;
  if (parent === undefined || parent.pid === 1) return;
  sendSignal(kernel, parent, SIGCHLD);
  wakeAll(parent.childEvent);
}
