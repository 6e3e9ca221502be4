// What login(1) does: the message of the day, then the first shell, on the console, as root. When it
// ends, the machine halts.

import { O_RDONLY, O_RDWR, O_WRONLY, WEXITSTATUS, WIFEXITED, WTERMSIG } from '../abi/constants.ts';
import { type Errno, PosixError, strerror } from '../abi/errno.ts';
import { PAGE_SIZE } from '../abi/memlayout.ts';
import { sleep, type Task } from '../ipc/task.ts';
import type { Kernel } from '../kernel.ts';
import { shutdown } from '../supervisor/shutdown.ts';
import { Call } from '../vfs/call.ts';
import { type Buffer, type OpenFile, readAt, releaseFile, writeAt } from '../vfs/file.ts';
import { open } from '../vfs/open.ts';
import { spawn } from './spawn.ts';

const ENVIRONMENT: [string, string][] = [
  ['PATH', '/bin'],
  ['HOME', '/root'],
  ['USER', 'root'],
  ['TERM', 'xterm'],
  ['SHELL', '/bin/sh'],
  ['PS1', 'atoll:$PWD# '],
];

export function* startLoginShell(kernel: Kernel): Task<void> {
  yield* showMotd(kernel);
  const status = yield* run(kernel, ['-sh', '-i']);
  if (!kernel.shuttingDown) yield* shutdown(kernel, shellStatus(status));
}

/** Without a process of its own: nothing else would need a second worker before the prompt. */
function* showMotd(kernel: Kernel): Task<void> {
  const call = new Call(kernel, kernel.processes.init);
  const { frames, ram } = kernel;
  const address = frames.mustTake(1, 'the message of the day');
  const files: OpenFile[] = [];
  try {
    const motd = yield* open(call, { path: '/etc/motd', flags: O_RDONLY, mode: 0 });
    files.push(motd);
    const console = yield* open(call, { path: '/dev/console', flags: O_WRONLY, mode: 0 });
    files.push(console);
    const length = yield* readAt(call, motd, pageAt(ram, address, PAGE_SIZE));
    yield* writeAt(call, console, pageAt(ram, address, length));
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    kernel.log(`/etc/motd: ${strerror(error.errno as Errno)}`);
  } finally {
    for (const file of files) releaseFile(kernel, file);
    frames.give(address, 1);
    call.end();
  }
}

const pageAt = (ram: SharedArrayBuffer, address: number, length: number): Buffer => ({
  segment: { address, length },
  bytes: new Uint8Array(ram, address, length),
});

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
