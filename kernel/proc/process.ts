// A process: what it is, what it may, what it has open. Its worker runs the program; the kernel
// knows it by this object. States as in ps(1): R runs or is runnable, S waits in a call, T is stopped,
// Z is dead and not yet waited for.

import {
  NSIG,
  RLIMIT_NOFILE,
  SIGCHLD,
  SIGCONT,
  SIGKILL,
  SIGSTOP,
  SIGWINCH,
} from '../abi/constants.ts';
import { EBADF, EINTR, EMFILE, fail } from '../abi/errno.ts';
import type { Task } from '../ipc/task.ts';
import { WaitQueue as Queue, type WaitQueue, wakeAll } from '../ipc/task.ts';
import { type DescriptorTable, setDescriptor } from '../vfs/descriptors.ts';
import type { OpenFile } from '../vfs/file.ts';
import type { Path } from '../vfs/mount.ts';
import { Limits } from './limits.ts';
import type { Tracing } from './tracing.ts';
import type { ProcessSeat } from './workers.ts';

export type Disposition = 'default' | 'ignore' | 'handler';

export interface Descriptor {
  readonly file: OpenFile;
  closeOnExec: boolean;
}

export class Process {
  readonly pid: number;
  parent: Process | undefined;
  pgid: number;
  sid: number;
  uid: number;
  gid: number;
  umask = 0o022;
  name: string;
  argv: readonly string[] = [];
  cwd: Path;
  /** What its runtime sees of its descriptors, while a worker runs it. */
  table: DescriptorTable | undefined;
  /** The worker that runs it; undefined for servers and for the dead. */
  seat: ProcessSeat | undefined;
  state: 'alive' | 'zombie' = 'alive';
  status = 0; // as wait(2) tells it, once dead
  readonly children = new Set<Process>();
  /** Somebody waits for a child to change. */
  readonly childEvent: WaitQueue = new Queue('wait');
  readonly descriptors: (Descriptor | undefined)[] = [];
  readonly dispositions: Disposition[] = new Array(NSIG).fill('default');
  /** Bits of signals that wait until they are let through. */
  blocked = 0;
  /** Bits of signals that arrived while blocked, or while the process stood still. */
  held = 0;
  /** What its parent has not been told yet by wait(2). */
  untold: 'stopped' | 'continued' | undefined;
  /** Its calls wait here while it is stopped. */
  readonly continued: WaitQueue = new Queue('stopped');
  /** Supplementary groups. */
  groups: readonly number[];
  readonly limits: Limits;
  /** -20 … 19 */
  nice: number;
  /** Takes back the alarm under way; when it is due, and every how many milliseconds again. */
  alarm:
    | { readonly cancel: () => void; readonly dueMs: number; readonly everyMs: number }
    | undefined;
  /** Queues on which its calls wait, to be woken by a signal. */
  readonly sleeping = new Set<WaitQueue>();
  readonly startedMs: number;
  /** Spawns under way: each of them will be a process. */
  spawning = 0;
  /** The process by which pid 1 began what this one belongs to; sessions and groups do not leave it. */
  readonly scope: number;
  /** Milliseconds on a virtual CPU, and in the kernel on its behalf. */
  userMs = 0;
  systemMs = 0;
  /** The same of its children that were waited for. */
  readonly childrenUsed = { userMs: 0, systemMs: 0 };
  calls = 0;
  /** Its parent died before it: nobody waits for it, it is reaped when it ends. */
  adopted = false;
  /** Not a program but a server of the system: 'ext4fs', 'ahci'. */
  readonly server: boolean;
  /** Its parent's wish for all that it starts from now on (tracing.ts). */
  traceChildren: Tracing | undefined;
  #tracing: Tracing | undefined;
  #pending = 0;
  #stopSignal = 0;
  /** Opens under way: each of them will want a descriptor. */
  #opening = 0;

  constructor(
    pid: number,
    from: { name: string; cwd: Path; startedMs: number; parent?: Process; server?: boolean },
  ) {
    this.pid = pid;
    this.name = from.name;
    this.cwd = from.cwd;
    this.startedMs = from.startedMs;
    this.parent = from.parent;
    this.pgid = from.parent?.pgid ?? pid;
    this.sid = from.parent?.sid ?? pid;
    this.uid = from.parent?.uid ?? 0;
    this.gid = from.parent?.gid ?? 0;
    this.umask = from.parent?.umask ?? 0o022;
    this.groups = from.parent?.groups ?? [];
    this.limits = new Limits(from.parent?.limits);
    this.nice = from.parent?.nice ?? 0;
    this.blocked = from.parent?.blocked ?? 0;
    this.scope = from.parent === undefined || from.parent.pid === 1 ? pid : from.parent.scope;
    this.server = from.server ?? false;
  }

  /** Bits of signals that arrived and have a handler. */
  get pending(): number {
    return this.#pending;
  }

  set pending(bits: number) {
    this.#pending = bits;
    this.table?.callAttention(this.wanted);
  }

  /** The signal that stopped it; 0 = it is not stopped. */
  get stopSignal(): number {
    return this.#stopSignal;
  }

  set stopSignal(signal: number) {
    this.#stopSignal = signal;
    this.table?.callAttention(this.wanted);
  }

  /** Who is told of each of its calls. */
  get tracing(): Tracing | undefined {
    return this.#tracing;
  }

  set tracing(tracing: Tracing | undefined) {
    this.#tracing = tracing;
    this.table?.callAttention(this.wanted);
  }

  /** Whether its program is to come to the kernel for every call: for a handler, to stand still, traced. */
  get wanted(): boolean {
    return this.#pending !== 0 || this.#stopSignal !== 0 || this.#tracing !== undefined;
  }

  get dead(): boolean {
    return this.state === 'zombie';
  }

  /** The open file of a descriptor. Throws EBADF. */
  file(fd: number): OpenFile {
    return this.descriptor(fd).file;
  }

  descriptor(fd: number): Descriptor {
    return this.descriptors[fd] ?? fail(EBADF);
  }

  /** Runs an open that will want a descriptor. Throws EMFILE first: what cannot be opened is not made, or cut. */
  *opening<T>(body: Task<T>): Task<T> {
    const most = this.limits.soft(RLIMIT_NOFILE);
    let wanted = this.#opening + 1;
    for (let fd = 0; wanted > 0; fd++) {
      if (fd >= most) fail(EMFILE);
      if (this.descriptors[fd] === undefined) wanted--;
    }
    this.#opening++;
    try {
      return yield* body;
    } finally {
      this.#opening--;
    }
  }

  /**
   * Gives the lowest free descriptor at or above `min` to an open file. Throws EMFILE; EINTR when
   * the process died meanwhile: nobody would close it.
   */
  install(file: OpenFile, options: { closeOnExec: boolean; min?: number }): number {
    if (this.dead) fail(EINTR);
    let fd = options.min ?? 0;
    while (this.descriptors[fd] !== undefined) fd++;
    if (fd >= this.limits.soft(RLIMIT_NOFILE)) fail(EMFILE);
    setDescriptor(this, fd, { file, closeOnExec: options.closeOnExec });
    return fd;
  }

  /** Wakes every call of this process that waits: a signal came, or the end. */
  interrupt(): void {
    for (const queue of [...this.sleeping]) wakeAll(queue);
  }

  /** Whether a signal would come to nothing now: ignored, or held back. */
  ignores(signal: number): boolean {
    return this.dispositions[signal] === 'ignore' || (this.blocked & (1 << signal)) !== 0;
  }

  /** Whether a call that waits should give up with EINTR. */
  get interrupted(): boolean {
    return this.pending !== 0 || this.dead;
  }
}

/** What a signal that does not stop does to a process which has not said otherwise. */
export const defaultAction = (signal: number): 'end' | 'nothing' =>
  HARMLESS.includes(signal) ? 'nothing' : 'end';

const HARMLESS: readonly number[] = [SIGCHLD, SIGCONT, SIGWINCH];

/** Signals that no process can catch, ignore or block. */
export const uncatchable = (signal: number): boolean => signal === SIGKILL || signal === SIGSTOP;
