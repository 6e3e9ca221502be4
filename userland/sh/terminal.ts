// Job control (POSIX.1-2024 XCU §2.11, XBD §11.1.4): the terminal belongs to one process group at a
// time. The shell gives it to the job in the foreground and takes it back when that ends or stops.

import {
  O_CLOEXEC,
  O_RDWR,
  SIGINT,
  SIGTSTP,
  SIGTTIN,
  SIGTTOU,
  WIFEXITED,
  WTERMSIG,
} from '../../kernel/abi/constants.ts';
import { EPERM, PosixError } from '../../kernel/abi/errno.ts';
import { TCSADRAIN, type Termios } from '../../kernel/abi/termios.ts';
import { isStopped, type Job, jobStatus } from './jobs.ts';
import type { Shell } from './shell.ts';
import { tellDeath } from './spawn.ts';
import { runTraps } from './traps.ts';

/** Descriptors that scripts use lie below. */
const ownFds = 100;
/** How often a shell in the background stops itself until it is in the foreground. */
const patience = 1000;

export const stopSignals = [SIGTSTP, SIGTTIN, SIGTTOU];

export class Terminal {
  readonly fd: number;
  private readonly pgid: number;
  /** How it was set before a job could change that. */
  private settings: Termios;

  constructor(shell: Shell, fd: number) {
    this.fd = fd;
    this.pgid = shell.sys.getpgid(0);
    this.settings = shell.sys.tty.getattr(fd);
  }

  give(shell: Shell, job: Job): void {
    this.settings = shell.sys.tty.getattr(this.fd);
    shell.sys.tty.setpgrp(this.fd, job.pgid);
  }

  /** At each prompt: whatever interrupted the command before, keys are the shell's again. */
  reclaim({ sys }: Shell): void {
    if (sys.tty.getpgrp(this.fd) !== this.pgid) sys.tty.setpgrp(this.fd, this.pgid);
  }

  /** A job that did not end by itself may have left the terminal in any state. */
  takeBack(shell: Shell, job: Job): void {
    const { tty } = shell.sys;
    tty.setpgrp(this.fd, this.pgid);
    const clean = job.pids.every((pid) => WIFEXITED(job.statuses.get(pid) ?? -1));
    if (clean) this.settings = tty.getattr(this.fd);
    else tty.setattr(this.fd, TCSADRAIN, this.settings);
  }
}

/** Makes the shell the owner of its terminal; undefined when there is none to own. */
export function takeTerminal(shell: Shell): Terminal | undefined {
  const { sys } = shell;
  let fd: number | undefined;
  try {
    const opened = sys.open('/dev/tty', O_RDWR | O_CLOEXEC);
    fd = sys.dupAbove(opened, ownFds);
    sys.close(opened);
    for (let i = 0; i < patience && sys.tty.getpgrp(fd) !== sys.getpgid(0); i++) {
      sys.kill(0, SIGTTIN);
    }
    for (const signal of stopSignals)
      if (!shell.state.traps.has(signal)) sys.sigaction(signal, 'ignore');
    lead(shell);
    sys.tty.setpgrp(fd, sys.getpgid(0));
    return new Terminal(shell, fd);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    if (fd !== undefined) sys.close(fd);
    return undefined;
  }
}

/** A group of its own; a session's leader has one. */
function lead(shell: Shell): void {
  try {
    shell.sys.setpgid(0, 0);
  } catch (error) {
    if (!(error instanceof PosixError && error.errno === EPERM)) throw error;
  }
}

/** Waits until the job in the foreground ends or stops; its status as `$?` has it. */
export function waitForeground(shell: Shell, job: Job): number {
  passOn(shell, job);
  for (const pid of job.pids) {
    while (!job.statuses.has(pid) && job.stopped.size === 0) {
      if (!shell.jobs.waitStop(shell.sys, job, pid)) continue; // handlers ran; traps wait
    }
  }
  shell.terminal?.takeBack(shell, job);
  const status = jobStatus(job);
  if (isStopped(job)) {
    shell.jobs.add(job);
    leaveLoops(shell);
    endEcho(shell);
    return status;
  }
  shell.jobs.remove(job);
  const last = job.statuses.get(job.pids.at(-1) ?? 0) ?? 0;
  if (!WIFEXITED(last)) tellDeath(shell, WTERMSIG(last));
  if (status === 128 + SIGINT && shell.state.options.interactive) {
    // The key that ended the job was meant for what the shell does as well.
    shell.status = status;
    endEcho(shell);
    shell.sys.kill(shell.sys.getpid(), SIGINT);
    runTraps(shell);
  }
  return status;
}

/** A Ctrl-C that was pressed before the job had the terminal was meant for the job. */
function passOn({ sys, caught, state }: Shell, { pgid }: Job): void {
  if (!state.options.interactive || !caught.includes(SIGINT) || pgid <= 0) return;
  caught.splice(caught.indexOf(SIGINT), 1);
  try {
    sys.kill(-pgid, SIGINT);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error; // it has ended
  }
}

/** The terminal shows the key that was pressed, as ^C or ^Z, and stays behind it. */
function endEcho(shell: Shell): void {
  if (shell.state.options.interactive) shell.write(shell.errorOutput(), '\n');
}

/** A stopped job stops the loop that it runs in. */
function leaveLoops(shell: Shell): void {
  if (shell.loopDepth === 0) return;
  shell.skip = 'break';
  shell.skipCount = shell.loopDepth;
}
