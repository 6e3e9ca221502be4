// The process table: pids, and who is whose child. Pid 1 is the host's own process: it adopts the
// orphans and reaps them at once.

import { ESRCH, fail } from '../abi/errno.ts';
import type { Path } from '../vfs/mount.ts';
import { Process } from './process.ts';

const PID_MAX = 99_999;

export class ProcessTable {
  readonly #byPid = new Map<number, Process>();
  #lastPid = 0;

  get all(): Process[] {
    return [...this.#byPid.values()];
  }

  /** The first process, or a server: nobody's child. */
  addRoot(from: { name: string; cwd: Path; startedMs: number; server?: boolean }): Process {
    return this.#add(new Process(this.#takePid(), from));
  }

  addChild(parent: Process, from: { name: string; cwd: Path; startedMs: number }): Process {
    const process = new Process(this.#takePid(), { ...from, parent });
    parent.children.add(process);
    return this.#add(process);
  }

  find(pid: number): Process | undefined {
    return this.#byPid.get(pid);
  }

  /** Throws ESRCH. */
  get(pid: number): Process {
    return this.find(pid) ?? fail(ESRCH);
  }

  get init(): Process {
    return this.get(1);
  }

  group(pgid: number): Process[] {
    return this.all.filter((process) => process.pgid === pgid && !process.dead);
  }

  /** The process was waited for. */
  remove(process: Process): void {
    process.parent?.children.delete(process);
    this.#byPid.delete(process.pid);
  }

  #add(process: Process): Process {
    this.#byPid.set(process.pid, process);
    return process;
  }

  #takePid(): number {
    do this.#lastPid = (this.#lastPid % PID_MAX) + 1;
    while (this.#byPid.has(this.#lastPid));
    return this.#lastPid;
  }
}
