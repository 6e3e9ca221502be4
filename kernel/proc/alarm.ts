// The alarm of a process: setitimer(ITIMER_REAL), SIGALRM once or again and again.

import { SIGALRM } from '../abi/constants.ts';
import type { Kernel } from '../kernel.ts';
import type { Process } from './process.ts';
import { sendSignal } from './signal.ts';

/** More often would leave the machine nothing else to do. */
const SHORTEST_MS = 1;

/** Sets the alarm, 0 ms takes it back; what was left of the one before. */
export function setAlarm(
  kernel: Kernel,
  process: Process,
  to: { ms: number; everyMs: number },
): { leftMs: number; everyMs: number } {
  const before = process.alarm;
  before?.cancel();
  process.alarm = undefined;
  if (to.ms > 0) arm(kernel, process, to);
  if (before === undefined) return { leftMs: 0, everyMs: 0 };
  const leftMs = Math.max(SHORTEST_MS, before.dueMs - kernel.clock.monotonicMs());
  return { leftMs, everyMs: before.everyMs };
}

function arm(kernel: Kernel, process: Process, to: { ms: number; everyMs: number }): void {
  const ms = Math.max(SHORTEST_MS, to.ms);
  const cancel = kernel.executor.after(ms, () => {
    process.alarm = undefined;
    if (to.everyMs > 0) arm(kernel, process, { ms: to.everyMs, everyMs: to.everyMs });
    sendSignal(kernel, process, SIGALRM);
  });
  process.alarm = { cancel, dueMs: kernel.clock.monotonicMs() + ms, everyMs: to.everyMs };
}
