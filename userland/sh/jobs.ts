// Asynchronous lists and their exit statuses (POSIX.1-2024 XCU §2.9.3.1), without job control: one
// process group, jobs are known by number, by pid, and by their text.

import {
  exitStatus,
  WEXITSTATUS,
  WIFEXITED,
  WNOHANG,
  WTERMSIG,
} from '../../kernel/abi/constants.ts';
import { ECHILD, EINTR, PosixError } from '../../kernel/abi/errno.ts';
import type { Sys } from '../libc/sys.ts';

export interface Job {
  readonly id: number;
  /** The processes of its pipeline; the last one gives its status. */
  readonly pids: readonly number[];
  readonly text: string;
  /** As wait(2) tells them. */
  readonly statuses: Map<number, number>;
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

  add(pids: readonly number[], text: string): Job {
    const id = this.list.reduce((most, job) => Math.max(most, job.id), 0) + 1;
    const job: Job = { id, pids, text, statuses: new Map() };
    this.list.push(job);
    if (this.list.length > remembered) {
      const old = this.list.findIndex((one) => isDone(one));
      if (old >= 0) this.list.splice(old, 1);
    }
    return job;
  }

  remove(job: Job): void {
    this.list = this.list.filter((one) => one !== job);
  }

  byPid(pid: number): Job | undefined {
    return this.list.findLast((job) => job.pids.includes(pid));
  }

  /** `%1`, `%%`, `%+`, `%-`, `%text`, `%?text`; the last resort is a pid. */
  find(spec: string): Job | undefined {
    if (!spec.startsWith('%')) return this.byPid(Number(spec));
    const name = spec.slice(1);
    if (name === '' || name === '%' || name === '+') return this.list.at(-1);
    if (name === '-') return this.list.at(-2) ?? this.list.at(-1);
    if (/^[0-9]+$/.test(name)) return this.list.find((job) => job.id === Number(name));
    if (name.startsWith('?')) return this.list.find((job) => job.text.includes(name.slice(1)));
    return this.list.find((job) => job.text.startsWith(name));
  }

  /** Notes which children have ended, without waiting. */
  poll(sys: Sys): void {
    for (const job of this.list) {
      for (const pid of job.pids) {
        if (!job.statuses.has(pid)) this.reap(sys, { job, pid, options: WNOHANG });
      }
    }
  }

  /** Waits for a process of a job; false when a signal came first. */
  wait(sys: Sys, job: Job, pid: number): boolean {
    return job.statuses.has(pid) || this.reap(sys, { job, pid, options: 0 });
  }

  private reap(sys: Sys, child: { job: Job; pid: number; options: number }): boolean {
    try {
      const result = sys.wait(child.pid, child.options);
      if (result.pid !== 0) child.job.statuses.set(child.pid, result.status);
      return true;
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      if (error.errno === EINTR) return false;
      if (error.errno !== ECHILD) throw error;
      child.job.statuses.set(child.pid, exitStatus(127));
      return true;
    }
  }
}

export const isDone = (job: Job): boolean => job.pids.every((pid) => job.statuses.has(pid));

export const jobStatus = (job: Job): number =>
  shellStatus(job.statuses.get(job.pids[job.pids.length - 1] ?? 0) ?? 0);
