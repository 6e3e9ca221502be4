// wait, jobs and kill.

import { NSIG, WIFEXITED, WTERMSIG } from '../../../kernel/abi/constants.ts';
import { raise } from '../errors.ts';
import { isDone, type Job, jobStatus, shellStatus } from '../jobs.ts';
import { posixWords, type Shell } from '../shell.ts';
import { drainAll, tellDeath } from '../spawn.ts';
import { runTraps } from '../traps.ts';
import type { Io } from './registry.ts';
import { signalName, signalNumber } from './trap.ts';

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
  shell.jobs.poll(shell.sys);
  const long = args.includes('-l');
  const shown = shell.jobs.shown();
  const current = shown.at(-1);
  const previous = shown.at(-2);
  for (const job of [...shown]) {
    if (args.includes('-p')) {
      shell.write(io.out, `${job.pids[0]}\n`);
      continue;
    }
    const mark = job === current ? '+' : job === previous ? '-' : ' ';
    const status = jobStatus(job);
    const state = !isDone(job) ? 'Running' : status === 0 ? 'Done' : `Done(${status})`;
    const pid = long ? `${job.pids[0]} ` : '';
    shell.write(io.out, `[${job.id}] ${mark} ${pid}${state.padEnd(27)}${job.text}\n`);
    if (isDone(job)) shell.jobs.remove(job);
  }
  return 0;
}

export function kill(shell: Shell, args: readonly string[], io: Io): number {
  const [first = '', second] = args;
  if (first === '-l' || first === '-L') return listSignals(shell, args.slice(1), io);
  let signal: number | undefined = 15;
  let targets = args;
  if (first === '-s' || first === '-n') {
    signal = signalNumber(second ?? '');
    if (signal === undefined) raise(`invalid signal number or name: ${second ?? ''}`);
    targets = args.slice(2);
  } else if (first === '--') targets = args.slice(1);
  else if (/^-./.test(first)) {
    signal = signalNumber(first.slice(1));
    if (signal === undefined) raise(`invalid signal number or name: ${first.slice(1)}`);
    targets = args.slice(1);
  }
  if (targets[0] === '--') targets = targets.slice(1);
  if (targets.length === 0) raise('Usage: kill [-s sigspec | -signum | -sigspec] [pid | job]...');
  let status = 0;
  for (const target of targets) {
    for (const pid of pidsOf(shell, target)) {
      try {
        if (shell.level > 0 && pid === shell.pid) shell.forParent.add(signal ?? 15);
        shell.sys.kill(pid, signal ?? 15);
      } catch (error) {
        shell.complain(`kill: ${posixWords(error)}`);
        status = 1;
      }
    }
  }
  return status;
}

function pidsOf(shell: Shell, target: string): readonly number[] {
  if (target.startsWith('%')) {
    return shell.jobs.find(target)?.pids ?? raise(`No such job: ${target}`);
  }
  if (!/^-?[0-9]+$/.test(target)) raise(`Illegal number: ${target}`);
  return [Number(target)];
}

function listSignals(shell: Shell, args: readonly string[], io: Io): number {
  if (args[0] !== undefined) {
    const number = Number(args[0]) > 128 ? Number(args[0]) - 128 : Number(args[0]);
    if (!Number.isInteger(number) || number < 0 || number >= NSIG) {
      raise(`invalid signal number or exit status: ${args[0]}`);
    }
    shell.write(io.out, `${signalName(number)}\n`);
    return 0;
  }
  const names: string[] = [];
  for (let n = 1; n < NSIG; n++) if (signalName(n) !== String(n)) names.push(signalName(n));
  shell.write(io.out, `${names.join('\n')}\n`);
  return 0;
}
