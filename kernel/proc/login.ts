// The first shell: on the console, as root. When it ends, the machine halts.

import { O_RDWR } from '../abi/constants.ts';
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
];

export function* startLoginShell(kernel: Kernel, config: KernelConfig): Task<void> {
  const init = kernel.processes.init;
  for (const line of config.init) yield* run(kernel, ['sh', '-c', line]);
  yield* run(kernel, ['-sh', '-i']);
  if (init && !kernel.shuttingDown) yield* shutdown(kernel);
}

/** Runs a shell on the console and waits for it. */
function* run(kernel: Kernel, argv: string[]): Task<void> {
  const { init } = kernel.processes;
  const call = new Call(kernel, init);
  try {
    const console = { op: 'open', path: '/dev/console', flags: O_RDWR, mode: 0 } as const;
    const pid = yield* spawn(call, {
      path: '/bin/sh',
      argv,
      env: ENVIRONMENT,
      cwd: '/root',
      pgid: 0,
      fdActions: [0, 1, 2].map((fd) => ({ ...console, fd })),
    });
    kernel.tty.foreground = pid;
    const shell = kernel.processes.get(pid);
    while (!shell.dead) yield* sleep(init.childEvent);
    kernel.processes.remove(shell);
  } finally {
    call.end();
  }
}
