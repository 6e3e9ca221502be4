// Who may use a terminal now (POSIX.1-2024 XBD §11.1.4): a process in the background that reads from,
// or changes, its controlling terminal is stopped; who cannot be stopped is refused.

import { SIGTTIN, type SIGTTOU } from '../../abi/constants.ts';
import { EINTR, EIO, fail } from '../../abi/errno.ts';
import type { Task } from '../../ipc/task.ts';
import { isOrphaned } from '../../proc/job-control.ts';
import type { Process } from '../../proc/process.ts';
import { sendSignal } from '../../proc/signal.ts';
import type { Call } from '../../vfs/call.ts';
import type { Tty } from './tty.ts';

/** Returns once the caller is in the foreground, or has nothing to do with the terminal. */
export function* holdBackground(
  call: Call,
  tty: Tty,
  signal: typeof SIGTTIN | typeof SIGTTOU,
): Task<void> {
  const { kernel, process } = call;
  while (isBackground(process, tty)) {
    if (process.ignores(signal)) {
      if (signal === SIGTTIN) fail(EIO);
      return;
    }
    if (isOrphaned(kernel, process.pgid)) fail(EIO);
    for (const member of kernel.processes.group(process.pgid)) sendSignal(kernel, member, signal);
    if (process.interrupted) fail(EINTR);
    yield* call.whileStopped();
  }
}

const isBackground = (process: Process, tty: Tty): boolean =>
  tty.session !== 0 &&
  tty.session === process.sid &&
  tty.foreground !== 0 &&
  tty.foreground !== process.pgid;
