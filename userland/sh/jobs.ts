// Jobs and their exit statuses (POSIX.1-2024 XCU §2.9.3.1, §2.11): known by number, by pid, and by
// their text. With job control each is a process group of its own, and may be stopped.

import {
  exitStatus,
  SIGCONT,
  SIGTSTP,
  signalNames,
  WCONTINUED,
  WEXITSTATUS,
  WIFCONTINUED,
  WIFEXITED,
  WIFSTOPPED,
  WNOHANG,
  WSTOPSIG,
  WTERMSIG,
  WUNTRACED,
} from '../../kernel/abi/constants.ts';
import { ECHILD, EINTR, ESRCH, PosixError } from '../../kernel/abi/errno.ts';
import type { Sys } from '../libc/sys.ts';

export interface Job {
  readonly id: number;
  /** The processes of its pipeline; the last one gives its status. */
  readonly pids: readonly number[];
  readonly text: string;
  /** Its process group; 0 when it runs in the shell's. */
  readonly pgid: number;
  /** How processes ended, as wait(2) tells it. */
  readonly statuses: Map<number, number>;
  /** Processes that stand still, by the signal that stopped them. */
  readonly stopped: Map<number, number>;
  /** What the person at the terminal has been told last. */
  told: 'running' | 'stopped';
}

/** Finished jobs that nobody waited for are remembered up to this many. */
const remembered = 1024;

/** An exit status as `$?` shows it. */
export const shellStatus = (status: number): number =>
  WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);

export class Jobs {
  list: Job[] = [];
  /** Of the shell around this subshell: `kill $(jobs -p)` means those. */
  readonly outer: Jobs | undefined;

  constructor(outer?: Jobs) {
    this.outer = outer;
  }

  /** The jobs that `jobs` tells of. */
  shown(): readonly Job[] {
    return this.list.length > 0 || this.outer === undefined ? this.list : this.outer.shown();
  }

  /** A job that is not in the list: in the foreground, as long as it runs. */
  make(pids: readonly number[], what: { text: string; pgid: number }): Job {
    const id = this.list.reduce((most, job) => Math.max(most, job.id), 0) + 1;
    return { id, pids, ...what, statuses: new Map(), stopped: new Map(), told: 'running' };
  }

  /** Puts it at the end of the list: it is the current job. */
  add(job: Job): void {
    this.remove(job);
    this.list.push(job);
    if (this.list.length <= remembered) return;
    const old = this.list.findIndex((one) => isDone(one));
    if (old >= 0) this.list.splice(old, 1);
  }

  remove(job: Job): void {
    this.list = this.list.filter((one) => one !== job);
  }

  byPid(pid: number): Job | undefined {
    return this.list.findLast((job) => job.pids.includes(pid));
  }

  /** The current job and the one before it: those that stand still come first. */
  current(): { current: Job | undefined; previous: Job | undefined } {
    const shown = this.shown();
    const order = [...shown.filter((job) => !isStopped(job)), ...shown.filter(isStopped)];
    return { current: order.at(-1), previous: order.at(-2) };
  }

  /** `%1`, `%%`, `%+`, `%-`, `%text`, `%?text`; the last resort is a pid. */
  find(spec: string): Job | undefined {
    if (!spec.startsWith('%')) return this.byPid(Number(spec));
    const list = this.shown();
    const name = spec.slice(1);
    const { current, previous } = this.current();
    if (name === '' || name === '%' || name === '+') return current;
    if (name === '-') return previous ?? current;
    if (/^[0-9]+$/.test(name)) return list.find((job) => job.id === Number(name));
    if (name.startsWith('?')) return list.find((job) => job.text.includes(name.slice(1)));
    return list.find((job) => job.text.startsWith(name));
  }

  /** Notes which children have ended, stopped or gone on, without waiting. */
  poll(sys: Sys): void {
    const options = WNOHANG | WUNTRACED | WCONTINUED;
    for (const job of this.list) {
      for (const pid of job.pids) {
        if (!job.statuses.has(pid)) reap(sys, { job, pid, options });
      }
    }
  }

  /** Waits for a process of a job to end; false when a signal came first. */
  wait(sys: Sys, job: Job, pid: number): boolean {
    return job.statuses.has(pid) || reap(sys, { job, pid, options: 0 });
  }

  /** Waits until the process ends or stops; false when a signal came first. */
  waitStop(sys: Sys, job: Job, pid: number): boolean {
    return job.statuses.has(pid) || reap(sys, { job, pid, options: WUNTRACED });
  }
}

function reap(sys: Sys, child: { job: Job; pid: number; options: number }): boolean {
  const { job } = child;
  try {
    const { pid, status } = sys.wait(child.pid, child.options);
    if (pid === 0) return true;
    if (WIFSTOPPED(status)) job.stopped.set(pid, WSTOPSIG(status));
    else {
      job.stopped.delete(pid);
      if (!WIFCONTINUED(status)) job.statuses.set(pid, status);
    }
    return true;
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    if (error.errno === EINTR) return false;
    if (error.errno !== ECHILD) throw error;
    job.statuses.set(child.pid, exitStatus(127));
    return true;
  }
}

/** `[1] + Stopped    sleep 9`: as `jobs` shows it (XCU jobs, STDOUT). */
export function jobLine(jobs: Jobs, job: Job, form: 'short' | 'long' = 'short'): string {
  const { current, previous } = jobs.current();
  const mark = job === current ? '+' : job === previous ? '-' : ' ';
  const pid = form === 'long' ? `${job.pids[0]} ` : '';
  return `[${job.id}] ${mark} ${pid}${stateWords(job).padEnd(27)}${job.text}\n`;
}

function stateWords(job: Job): string {
  const [stop] = job.stopped.values();
  if (isStopped(job)) return stop === SIGTSTP ? 'Stopped' : `Stopped (${signalWord(stop ?? 0)})`;
  if (!isDone(job)) return 'Running';
  const last = job.statuses.get(job.pids.at(-1) ?? 0) ?? 0;
  if (!WIFEXITED(last)) return deathWords[WTERMSIG(last)] ?? `Signal ${WTERMSIG(last)}`;
  return WEXITSTATUS(last) === 0 ? 'Done' : `Done(${WEXITSTATUS(last)})`;
}

const signalWord = (signal: number): string =>
  `SIG${Object.entries(signalNames).find(([, n]) => n === signal)?.[0] ?? signal}`;

/** What is said of a process that a signal ended; of SIGINT and SIGPIPE nothing is. */
export const deathWords: Readonly<Record<number, string>> = {
  1: 'Hangup',
  3: 'Quit',
  4: 'Illegal instruction',
  6: 'Aborted',
  9: 'Killed',
  10: 'User defined signal 1',
  11: 'Segmentation fault',
  12: 'User defined signal 2',
  14: 'Alarm clock',
  15: 'Terminated',
};

/** Lets a job go on; it runs from here on, whether that has been told or not. */
export function resume(sys: Sys, job: Job): void {
  job.stopped.clear();
  job.told = 'running';
  const running = job.pids.filter((pid) => !job.statuses.has(pid));
  for (const target of job.pgid > 0 ? [-job.pgid] : running) {
    try {
      sys.kill(target, SIGCONT);
    } catch (error) {
      // A key may have ended it since it was brought to the foreground: who waits for it learns how.
      if (!(error instanceof PosixError) || error.errno !== ESRCH) throw error;
    }
  }
}

export const isDone = (job: Job): boolean => job.pids.every((pid) => job.statuses.has(pid));

export const isStopped = (job: Job): boolean => !isDone(job) && job.stopped.size > 0;

/** Its status as `$?` has it; of one that stands still, 128 and the signal. */
export function jobStatus(job: Job): number {
  const [signal] = job.stopped.values();
  if (signal !== undefined && !isDone(job)) return 128 + signal;
  return shellStatus(job.statuses.get(job.pids[job.pids.length - 1] ?? 0) ?? 0);
}
