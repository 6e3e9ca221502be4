// Faults at the beginnings of programs and servers: `proc.NAME.{spawn,exec,start}`.

import { fail } from '../abi/errno.ts';
import type { Task } from '../ipc/task.ts';
import type { Kernel } from '../kernel.ts';

export interface Beginning {
  /** A program, a driver, or the disk that a volume's server is for. */
  readonly name: string;
  readonly how: 'spawn' | 'exec' | 'start';
  readonly pid?: number;
}

/** Holds the beginning up, or fails it, if a rule says so. */
export function* meetBeginning(kernel: Kernel, { name, how, pid }: Beginning): Task<void> {
  const { gate } = kernel.faults;
  if (!gate.listens('proc')) return;
  const firing = gate.point('proc', name, how).hit(pid === undefined ? {} : { pid });
  if (firing === undefined) return;
  if (firing.delayMs > 0) yield* kernel.executor.pause(firing.delayMs);
  if (firing.errno !== undefined) fail(firing.errno, `fault at proc.${name}.${how}`);
}
