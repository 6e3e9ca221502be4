// The first shell: on the console, as root. When it ends, the machine halts.

import { O_RDWR, WEXITSTATUS, WIFEXITED, WTERMSIG } from '../abi/constants.ts';
import type { KernelConfig } from '../abi/seat-config.ts';
import { sleep, type Task } from '../ipc/task.ts';
import type { Kernel } from '../kernel.ts';
import { shutdown } from '../supervisor/shutdown.ts';
import { Call } from '../vfs/call.ts';
import { spawn } from './spawn.ts';

const ENVIRONMENT: [string, string][] = [
  ['PATH', '/bin'],
  ['HOME', '/root'],
  ['USER', 'root'],
  ['TERM', 'xterm'],
  ['SHELL', '/bin/sh'],
  ['PS1', 'atoll:$PWD# '],
];

export function* startLoginShell(kernel: Kernel, config: KernelConfig): Task<void> {
  for (const line of config.init) yield* run(kernel, ['sh', '-c', line]);
  const status = yield* run(kernel, ['-sh', '-i']);
  if (!kernel.shuttingDown) yield* shutdown(kernel, shellStatus(status));
}

/** As a shell tells it in $?. */
const shellStatus = (status: number): number =>
  WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);

/** Runs a shell on the console; its status as wait(2) gives it. */
function* run(kernel: Kernel, argv: string[]): Task<number> {
  const { init } = kernel.processes;
  const call = new Call(kernel, init);
  try {
    const console = { op: 'open', path: '/dev/console', flags: O_RDWR, mode: 0 } as const;
    const pid = yield* spawn(call, {
      path: '/bin/sh',
      argv,
      env: ENVIRONMENT,
      cwd: '/root',
      setsid: true, // and the console is its terminal
      fdActions: [0, 1, 2].map((fd) => ({ ...console, fd })),
    });
    const shell = kernel.processes.get(pid);
    while (!shell.dead) yield* sleep(init.childEvent);
    kernel.processes.remove(shell);
    return shell.status;
  } finally {
    call.end();
  }
}
