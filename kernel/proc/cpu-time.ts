// RLIMIT_CPU: SIGXCPU when a process has used its seconds, and each second after; SIGKILL at the end.

import { RLIMIT_CPU, SIGKILL, SIGXCPU } from '../abi/constants.ts';
import type { Kernel } from '../kernel.ts';
import type { Process } from './process.ts';
import { sendSignal } from './signal.ts';

const SECOND_MS = 1000;
/** Between two looks at one process, at least. */
const LOOK_MS = 10;

/** Who is being watched already. */
const watched = new WeakSet<Process>();

/** Watches a process as long as it has a limit. One that is not limited costs nothing. */
export function watchCpuTime(kernel: Kernel, process: Process): void {
  if (watched.has(process)) return;
  watched.add(process);
  let warnAtMs = process.limits.soft(RLIMIT_CPU) * SECOND_MS;
  const look = (): void => {
    const { soft, hard } = process.limits.get(RLIMIT_CPU);
    if (process.dead || soft === Number.POSITIVE_INFINITY) {
      watched.delete(process);
      return;
    }
    const usedMs = kernel.cpus.usedMs(process) + process.systemMs;
    if (usedMs >= hard * SECOND_MS) sendSignal(kernel, process, SIGKILL);
    else if (usedMs >= Math.max(warnAtMs, soft * SECOND_MS)) {
      warnAtMs = usedMs + SECOND_MS;
      sendSignal(kernel, process, SIGXCPU);
    }
    const nextMs = Math.max(warnAtMs, soft * SECOND_MS) - usedMs;
    kernel.executor.after(Math.min(SECOND_MS, Math.max(LOOK_MS, nextMs)), look, 'idle');
  };
  look();
}
