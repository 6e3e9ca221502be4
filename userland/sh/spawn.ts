// Programs: finding them (POSIX.1-2024 XCU §2.9.1.4), starting them with a plan of redirections,
// and waiting for them.

import {
  O_RDONLY,
  S_IFDIR,
  S_IFMT,
  SEEK_SET,
  SIGINT,
  SIGQUIT,
  WIFEXITED,
  WTERMSIG,
  X_OK,
} from '../../kernel/abi/constants.ts';
import { EACCES, EINTR, ENOENT, ENOEXEC, ENOTDIR, PosixError } from '../../kernel/abi/errno.ts';
import type { FdAction, SpawnRequest } from '../libc/sys.ts';
import { deathWords, shellStatus } from './jobs.ts';
import { openScratch, type Plan, Sink } from './redirect.ts';
import { posixWords, type Shell } from './shell.ts';

export interface SpawnOptions {
  readonly path: string;
  readonly argv: readonly string[];
  readonly plan: Plan;
  readonly drains: Drains;
  /** Without job control: standard input from /dev/null, SIGINT and SIGQUIT ignored. */
  readonly background: boolean;
  /** The job that it belongs to, under job control. */
  readonly group?: Group;
}

/** A process group in the making: its first process leads it (§2.11). */
export class Group {
  pgid = 0;
}

/** Is every pipeline a process group of its own? Subshells inside this process are part of one. */
export const controlsJobs = (shell: Shell): boolean =>
  shell.state.options.monitor && shell.level === 0;

/** Starts a program; throws PosixError when that fails. Releases the plan in any case. */
export function spawn(shell: Shell, options: SpawnOptions): number {
  const { plan, group } = options;
  shell.input?.sync();
  const detached = options.background && group === undefined;
  const before: FdAction[] = [];
  if (detached) before.push({ op: 'open', fd: 0, path: '/dev/null', flags: O_RDONLY, mode: 0 });
  try {
    options.drains.connect(plan, before);
    const pid = launch(shell, {
      path: options.path,
      argv: options.argv,
      env: shell.env(),
      fdActions: [...before, ...plan.actions()],
      ignore: detached ? [SIGINT, SIGQUIT] : [],
      defaults: shell.childDefaults().filter((n) => !detached || (n !== SIGINT && n !== SIGQUIT)),
      ...place(shell, options),
    });
    if (group?.pgid === 0) group.pgid = pid;
    return pid;
  } finally {
    plan.release(shell);
  }
}

/** Its process group; in the foreground that gets the terminal before the child runs. */
function place(shell: Shell, { group, background }: SpawnOptions): Partial<SpawnRequest> {
  if (group === undefined) return {};
  const terminal = group.pgid === 0 && !background ? shell.terminal : undefined;
  return { pgid: group.pgid, ...(terminal === undefined ? {} : { foreground: terminal.fd }) };
}

/** A file that the kernel cannot run is a shell script (§2.9.1.6). */
function launch(shell: Shell, request: SpawnRequest): number {
  try {
    return shell.sys.spawn(request);
  } catch (error) {
    if (!(error instanceof PosixError) || error.errno !== ENOEXEC) throw error;
    const argv = ['sh', request.path, ...request.argv.slice(1)];
    return shell.sys.spawn({ ...request, path: '/bin/sh', argv });
  }
}

interface Drain {
  readonly fd: number;
  readonly writeEnd?: number;
}

/**
 * Sinks are memory of this process. The children of one command or pipeline get one pipe in the
 * place of a sink, and a file in the place of each further one, as only one pipe can be drained
 * while they run.
 */
export class Drains {
  private readonly shell: Shell;
  private readonly made = new Map<Sink, Drain>();

  constructor(shell: Shell) {
    this.shell = shell;
  }

  /** Lets the child's descriptors that are sinks here lead into the pipe. */
  connect(plan: Plan, actions: FdAction[]): void {
    const { sinks } = this.shell.fds;
    if (sinks.size === 0) return;
    const used = new Set<Sink>();
    for (const source of plan.map.values()) if (source instanceof Sink) used.add(source);
    for (const [fd, sink] of sinks) if (!plan.map.has(fd)) used.add(sink);
    for (const sink of used) {
      const drain = this.drainFor(sink);
      const from = drain.writeEnd ?? drain.fd;
      for (const [to, other] of sinks) if (other === sink) actions.push({ op: 'dup2', from, to });
    }
    for (const { fd, writeEnd } of this.made.values()) {
      if (writeEnd === undefined) continue;
      actions.push({ op: 'close', fd }, { op: 'close', fd: writeEnd });
    }
  }

  private drainFor(sink: Sink): Drain {
    let drain = this.made.get(sink);
    if (drain === undefined) {
      if (this.made.size > 0) drain = { fd: openScratch(this.shell) };
      else {
        const pipe = this.shell.sys.pipe();
        drain = { fd: pipe.read, writeEnd: pipe.write };
      }
      this.made.set(sink, drain);
    }
    return drain;
  }

  /** All children have been started. */
  seal(): void {
    for (const { writeEnd } of this.made.values()) {
      if (writeEnd !== undefined) this.shell.sys.close(writeEnd);
    }
  }

  /** Reads what the children write, to its end. */
  readPipes(): void {
    for (const [sink, { fd, writeEnd }] of this.made) {
      if (writeEnd !== undefined) readAll(this.shell, fd, sink);
    }
  }

  /** The children have ended: reads what they left in files. */
  readFiles(): void {
    for (const [sink, { fd, writeEnd }] of this.made) {
      if (writeEnd !== undefined) continue;
      this.shell.sys.lseek(fd, 0, SEEK_SET);
      readAll(this.shell, fd, sink);
    }
  }

  /** The children run in the background: their output is read when the substitution ends. */
  detach(): void {
    for (const [sink, { fd, writeEnd }] of this.made) {
      if (writeEnd !== undefined) sink.pipes.push(fd);
      else this.shell.sys.close(fd);
    }
  }
}

function readAll(shell: Shell, fd: number, sink: Sink): void {
  try {
    const buffer = new Uint8Array(64 * 1024);
    for (;;) {
      const count = retry(() => shell.sys.read(fd, buffer));
      if (count === 0) return;
      sink.push(buffer.slice(0, count));
    }
  } finally {
    shell.sys.close(fd);
  }
}

/** Signal handlers have run by then; what they noted is looked at after the command. */
function retry<T>(call: () => T): T {
  for (;;) {
    try {
      return call();
    } catch (error) {
      if (!(error instanceof PosixError && error.errno === EINTR)) throw error;
    }
  }
}

/** Reads what background children of a finished substitution still write. */
export function drainAll(shell: Shell, sink: Sink): void {
  for (const fd of sink.pipes.splice(0)) readAll(shell, fd, sink);
}

/** Waits for a foreground child; its status as `$?` has it. */
export function waitFor(shell: Shell, pid: number, death: 'told' | 'silent' = 'told'): number {
  const { status } = retry(() => shell.sys.wait(pid));
  if (!WIFEXITED(status) && death === 'told') tellDeath(shell, WTERMSIG(status));
  return shellStatus(status);
}

export function tellDeath(shell: Shell, signal: number): void {
  const words = deathWords[signal];
  if (words === undefined) return;
  try {
    shell.write(shell.errorOutput(), `${words}\n`);
  } catch (error) {
    posixWords(error); // nobody to tell
  }
}

export interface Found {
  readonly path?: string;
  /** Why there is none: 127 not found, 126 not executable. */
  readonly status: number;
  readonly message: string;
}

const notFound: Found = { status: 127, message: 'not found' };
const denied: Found = { status: 126, message: 'Permission denied' };

/** Where a command is: its own path when it has a slash, otherwise by PATH, remembered. */
export function findProgram(shell: Shell, name: string, path = shell.get('PATH')): Found {
  if (name === '') return notFound;
  if (name.includes('/')) return { path: name, status: 0, message: '' };
  const own = path === shell.get('PATH');
  const known = own ? shell.hash.get(name) : undefined;
  if (known !== undefined) return { path: known, status: 0, message: '' };
  let result = notFound;
  for (const directory of (path ?? '').split(':')) {
    const candidate = directory === '' ? name : `${directory}/${name}`;
    const found = tryProgram(shell, candidate);
    if (found.path === undefined) {
      if (found.status === 126) result = denied;
      continue;
    }
    if (own && directory.startsWith('/')) shell.hash.set(name, candidate);
    return found;
  }
  return result;
}

function tryProgram(shell: Shell, path: string): Found {
  try {
    const { mode } = shell.sys.stat(path);
    if ((mode & S_IFMT) === S_IFDIR) return denied;
    shell.sys.access(path, X_OK);
    return { path, status: 0, message: '' };
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return error.errno === EACCES ? denied : notFound;
  }
}

/** The status and words for a program that could not be started. */
export function spawnFailure(error: unknown): { status: number; message: string } {
  if (!(error instanceof PosixError)) throw error;
  if (error.errno === ENOENT || error.errno === ENOTDIR) return notFound;
  return { status: 126, message: posixWords(error) };
}
