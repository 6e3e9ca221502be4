// wait, jobs, fg and bg (POSIX.1-2024 XCU; §2.11).

import { WIFEXITED, WTERMSIG } from '../../../kernel/abi/constants.ts';
import { raise } from '../errors.ts';
import { isDone, isStopped, type Job, jobLine, jobStatus, resume, shellStatus } from '../jobs.ts';
import type { Shell } from '../shell.ts';
import { drainAll, tellDeath } from '../spawn.ts';
import { waitForeground } from '../terminal.ts';
import { runTraps } from '../traps.ts';
import type { Io } from './registry.ts';

export function wait(shell: Shell, args: readonly string[]): number {
  for (const sink of shell.fds.sinks.values()) drainAll(shell, sink);
  const words = args[0] === '--' ? args.slice(1) : args;
  if (words.length === 0) {
    for (const job of [...shell.jobs.list]) {
      for (const pid of job.pids) {
        const interrupted = waitFor(shell, job, pid);
        if (interrupted !== undefined) return interrupted;
      }
      shell.jobs.remove(job);
    }
    return 0;
  }
  let status = 0;
  for (const word of words) {
    const job = shell.jobs.find(word);
    if (job === undefined) {
      if (word.startsWith('%')) raise(`No such job: ${word}`);
      if (!/^[0-9]+$/.test(word)) raise(`Illegal number: ${word}`);
      status = 127;
      continue;
    }
    for (const pid of word.startsWith('%') ? job.pids : [Number(word)]) {
      const interrupted = waitFor(shell, job, pid);
      if (interrupted !== undefined) return interrupted;
    }
    status = word.startsWith('%')
      ? jobStatus(job)
      : shellStatus(job.statuses.get(Number(word)) ?? 0);
    if (isDone(job)) shell.jobs.remove(job);
  }
  return status;
}

/** Undefined when the child has ended; a status when a trapped signal ended the waiting. */
function waitFor(shell: Shell, job: Job, pid: number): number | undefined {
  while (!shell.jobs.wait(shell.sys, job, pid)) {
    const signal = shell.caught.find((n) => (shell.state.traps.get(n) ?? '') !== '');
    runTraps(shell);
    if (signal !== undefined) return 128 + signal;
  }
  const status = job.statuses.get(pid) ?? 0;
  if (!WIFEXITED(status)) tellDeath(shell, WTERMSIG(status));
  return undefined;
}

export function jobs(shell: Shell, args: readonly string[], io: Io): number {
  let form: 'short' | 'long' | 'pids' = 'short';
  let at = 0;
  for (; /^-[lp]+$/.test(args[at] ?? ''); at++) form = args[at]?.endsWith('p') ? 'pids' : 'long';
  if (args[at] === '--') at++;
  const bad = args.slice(at).find((arg) => arg.startsWith('-'));
  if (bad !== undefined) raise(`Illegal option ${bad}`);
  shell.jobs.poll(shell.sys);
  const named = args.slice(at).map((arg) => shell.jobs.find(arg) ?? raise(`No such job: ${arg}`));
  const shown = args.length > at ? named : [...shell.jobs.shown()];
  for (const job of shown) {
    if (form === 'pids') shell.write(io.out, `${job.pids[0]}\n`);
    else {
      shell.write(io.out, jobLine(shell.jobs, job, form));
      job.told = isStopped(job) ? 'stopped' : 'running';
      if (isDone(job)) shell.jobs.remove(job);
    }
  }
  return 0;
}

/** Takes a job into the foreground (XCU fg). */
export function fg(shell: Shell, args: readonly string[], io: Io): number {
  const job = controlled(shell, args[0] === '--' ? args[1] : args[0]);
  shell.write(io.out, `${job.text}\n`);
  shell.terminal?.give(shell, job);
  resume(shell.sys, job);
  return waitForeground(shell, job);
}

/** Lets stopped jobs go on in the background (XCU bg). */
export function bg(shell: Shell, args: readonly string[], io: Io): number {
  const names = args[0] === '--' ? args.slice(1) : args;
  for (const name of names.length === 0 ? [undefined] : names) {
    const job = controlled(shell, name);
    resume(shell.sys, job);
    shell.jobs.add(job);
    shell.write(io.out, `[${job.id}] ${job.text}\n`);
  }
  return 0;
}

function controlled(shell: Shell, name: string | undefined): Job {
  if (!shell.state.options.monitor) raise('no job control');
  shell.jobs.poll(shell.sys);
  const spec = name === undefined || name.startsWith('%') ? (name ?? '%+') : `%${name}`;
  const job = shell.jobs.find(spec);
  if (job === undefined)
    return raise(name === undefined ? 'No current job' : `No such job: ${name}`, 1);
  if (job.pgid === 0) raise(`job ${job.id} not created under job control`, 1);
  if (isDone(job)) raise(`job ${job.id} has terminated`, 1);
  return job;
}
