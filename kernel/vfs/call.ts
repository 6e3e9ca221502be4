// A call: one system call under way. It carries who asks, and holds what it uses: dentries stay
// pinned and open files open until it ends, whatever others do meanwhile.

import { EINTR, fail } from '../abi/errno.ts';
import { sleep, type Task, type WaitQueue } from '../ipc/task.ts';
import type { Kernel } from '../kernel.ts';
import type { Process } from '../proc/process.ts';
import type { Dentry } from './dcache.ts';
import { type OpenFile, releaseFile } from './file.ts';

export class Call {
  readonly kernel: Kernel;
  readonly process: Process;
  readonly #dentries: Dentry[] = [];
  readonly #files: OpenFile[] = [];

  constructor(kernel: Kernel, process: Process) {
    this.kernel = kernel;
    this.process = process;
  }

  get uid(): number {
    return this.process.uid;
  }

  get gid(): number {
    return this.process.gid;
  }

  get groups(): readonly number[] {
    return this.process.groups;
  }

  /** Keeps a dentry until the call ends. */
  hold(dentry: Dentry): Dentry {
    this.kernel.dcache.pin(dentry);
    this.#dentries.push(dentry);
    return dentry;
  }

  /** How often this call itself pins a dentry. */
  holds(dentry: Dentry): number {
    return this.#dentries.filter((one) => one === dentry).length;
  }

  /** The open file of a descriptor, kept open until the call ends. */
  file(fd: number): OpenFile {
    const file = this.process.file(fd);
    file.refs++;
    this.#files.push(file);
    return file;
  }

  /**
   * Waits on a queue until woken, and on while the process is stopped; throws EINTR when a signal
   * came first. Hold no lock here: the stop may last.
   */
  *sleep(queue: WaitQueue): Task<void> {
    const { process } = this;
    if (process.interrupted) fail(EINTR);
    process.sleeping.add(queue);
    try {
      yield* sleep(queue);
    } finally {
      process.sleeping.delete(queue);
    }
    yield* this.whileStopped();
    if (process.interrupted) fail(EINTR);
  }

  /** Waits until the process is stopped no more, or dead. */
  *whileStopped(): Task<void> {
    const { process } = this;
    while (process.stopSignal !== 0) yield* sleep(process.continued);
  }

  /** The call is over. */
  end(): void {
    for (const dentry of this.#dentries) this.kernel.dcache.unpin(dentry);
    for (const file of this.#files) releaseFile(this.kernel, file);
  }
}
