// Redirections (POSIX.1-2024 XCU §2.7). A command's redirections become a plan: files are opened at
// once, and the plan is then either carried out in a child (as fd actions), in this process (and
// undone later), or only looked up, for a built-in that writes to one descriptor.
// Inside `$(...)` a descriptor may be a Sink: memory in this process that stands for a pipe.

import {
  O_APPEND,
  O_CLOEXEC,
  O_CREAT,
  O_EXCL,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  PIPE_BUF,
  S_IFMT,
  S_IFREG,
  SEEK_SET,
} from '../../kernel/abi/constants.ts';
import { EBADF, ENOENT, ENOTDIR, PosixError, strerror } from '../../kernel/abi/errno.ts';
import { decodeText, encodeText } from '../../kernel/abi/text.ts';
import type { FdAction } from '../libc/sys.ts';
import { raise } from './errors.ts';
import { expandString } from './expand/expand.ts';
import type { Shell } from './shell.ts';
import type { Redir } from './syntax/ast.ts';

/** Descriptors that the shell keeps for itself begin here: scripts hardly count so far. */
const ownFds = 100;

/** What a command substitution gives has to fit into memory several times. */
const sinkLimitBytes = 128 * 1024 * 1024;

export class Sink {
  private readonly chunks: (string | Uint8Array)[] = [];
  private size = 0;
  /** Read ends of pipes that background children write to: read to their end when it is over. */
  readonly pipes: number[] = [];

  push(chunk: string | Uint8Array): void {
    this.size += chunk.length;
    if (this.size > sinkLimitBytes) raise('command substitution: output too long');
    this.chunks.push(chunk);
  }

  bytes(): Uint8Array {
    const parts = this.chunks.map((c) => (typeof c === 'string' ? encodeText(c) : c));
    const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }

  text(): string {
    const only = this.chunks[0];
    if (this.chunks.length === 0) return '';
    if (this.chunks.length === 1 && typeof only === 'string' && !/[\udc80-\udcff]/.test(only)) {
      return only;
    }
    return decodeText(this.bytes());
  }
}

/** What a descriptor is; undefined when it is closed. */
export type Source = number | Sink | undefined;

interface Step {
  readonly fd: number;
  /** The descriptor to duplicate, as numbered when the steps before have been done; or close. */
  readonly from: number | undefined;
}

export class Plan {
  readonly steps: Step[] = [];
  /** What each changed descriptor is, in terms of this process. */
  readonly map = new Map<number, Source>();
  private readonly opened: number[] = [];

  bind(step: Step, source: Source): void {
    this.steps.push(step);
    this.map.set(step.fd, source);
  }

  own(fd: number): void {
    this.opened.push(fd);
  }

  actions(): FdAction[] {
    return this.steps.map((step) =>
      step.from === undefined
        ? { op: 'close', fd: step.fd }
        : { op: 'dup2', from: step.from, to: step.fd },
    );
  }

  /** Closes what was opened for the plan. */
  release(shell: Shell): void {
    for (const fd of this.opened.splice(0)) shell.sys.close(fd);
  }
}

/** Opens what the redirections name. On an error nothing stays open. */
export function planRedirs(shell: Shell, redirs: readonly Redir[], plan: Plan = new Plan()): Plan {
  const involved = new Set(redirs.map((redir) => redir.fd));
  for (const { target } of redirs) {
    if (target.lit !== undefined && /^[0-9]{1,4}$/.test(target.lit)) {
      involved.add(Number(target.lit));
    }
  }
  try {
    for (const redir of redirs) {
      if (redir.op === '<&' || redir.op === '>&') planDup(shell, redir, plan);
      else {
        const fd = clear(shell, openRedir(shell, redir), involved);
        plan.own(fd);
        plan.bind({ fd: redir.fd, from: fd }, fd);
      }
    }
  } catch (error) {
    plan.release(shell);
    throw error;
  }
  return plan;
}

function planDup(shell: Shell, redir: Redir, plan: Plan): void {
  const word = expandString(shell, redir.target);
  if (word === '-') {
    plan.bind({ fd: redir.fd, from: undefined }, undefined);
    return;
  }
  if (!/^[0-9]{1,4}$/.test(word)) raise('Bad fd number');
  const from = Number(word);
  const source = plan.map.has(from) ? plan.map.get(from) : shell.fds.resolve(from);
  if (source === undefined || (!plan.map.has(from) && !shell.fds.isOpen(source))) {
    raise(`${from}: Bad file descriptor`);
  }
  if (from !== redir.fd) plan.bind({ fd: redir.fd, from }, source);
}

/** Moves a fresh descriptor out of the way of those that the command names. */
function clear(shell: Shell, fd: number, involved: ReadonlySet<number>): number {
  if (!involved.has(fd)) return fd;
  const moved = shell.sys.dupAbove(fd, ownFds);
  shell.sys.close(fd);
  return involved.has(moved) ? clear(shell, moved, involved) : moved;
}

const openFlags = {
  '<': O_RDONLY,
  '>': O_WRONLY | O_CREAT | O_TRUNC,
  '>|': O_WRONLY | O_CREAT | O_TRUNC,
  '>>': O_WRONLY | O_CREAT | O_APPEND,
  '<>': O_RDWR | O_CREAT,
} as const;

function openRedir(shell: Shell, redir: Redir): number {
  const word = expandString(shell, redir.target);
  if (redir.op === '<<') return openHereDoc(shell, word);
  if (redir.op === '<&' || redir.op === '>&') return raise('Bad fd number');
  let flags = openFlags[redir.op];
  const keeps = redir.op === '>' && shell.state.options.noclobber;
  if (keeps) {
    if (isRegular(shell, word)) raise(`cannot create ${word}: File exists`);
    if (!exists(shell, word)) flags |= O_EXCL;
  }
  try {
    return shell.sys.open(word, flags | O_CLOEXEC, 0o666);
  } catch (error) {
    return openFailed(error, word, redir.op === '<' ? 'open' : 'create');
  }
}

function openFailed(error: unknown, path: string, verb: 'open' | 'create'): never {
  if (!(error instanceof PosixError)) throw error;
  let words = strerror(error.errno);
  if (error.errno === ENOENT) words = verb === 'open' ? 'No such file' : 'Directory nonexistent';
  else if (error.errno === ENOTDIR && verb === 'create') words = 'Directory nonexistent';
  return raise(`cannot ${verb} ${path}: ${words}`);
}

function exists(shell: Shell, path: string): boolean {
  try {
    shell.sys.stat(path);
    return true;
  } catch (error) {
    if (error instanceof PosixError) return false;
    throw error;
  }
}

function isRegular(shell: Shell, path: string): boolean {
  return exists(shell, path) && (shell.sys.stat(path).mode & S_IFMT) === S_IFREG;
}

/** A short body goes through a pipe, which holds it; a long one through an unlinked file. */
function openHereDoc(shell: Shell, text: string): number {
  const bytes = encodeText(text);
  if (bytes.length <= PIPE_BUF) {
    const pipe = shell.sys.pipe();
    shell.sys.write(pipe.write, bytes);
    shell.sys.close(pipe.write);
    return pipe.read;
  }
  const fd = openScratch(shell);
  shell.sys.write(fd, bytes);
  shell.sys.lseek(fd, 0, SEEK_SET);
  return fd;
}

let scratchCount = 0;

/** A file without a name, for reading and writing. */
export function openScratch(shell: Shell): number {
  const path = `/tmp/.sh-${shell.sys.getpid()}-${scratchCount++}`;
  try {
    const fd = shell.sys.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600);
    shell.sys.unlink(path);
    return fd;
  } catch (error) {
    return openFailed(error, path, 'create');
  }
}

interface Saved {
  readonly fd: number;
  readonly copy: number | undefined;
  readonly sink: Sink | undefined;
}

/** The descriptors of this process, and which of them are sinks. */
export class Fds {
  readonly sinks = new Map<number, Sink>();
  private readonly shell: Shell;

  constructor(shell: Shell) {
    this.shell = shell;
  }

  resolve(fd: number): Source {
    return this.sinks.get(fd) ?? fd;
  }

  isOpen(source: number | Sink): boolean {
    if (source instanceof Sink || source <= 2) return true;
    try {
      this.shell.sys.fstat(source);
      return true;
    } catch (error) {
      if (error instanceof PosixError) return false;
      throw error;
    }
  }

  /** Carries the plan out in this process; returns how to undo it. */
  apply(plan: Plan): () => void {
    const saved: Saved[] = [];
    if (plan.steps.length > 0) this.shell.input?.sync();
    try {
      for (const step of plan.steps) {
        if (!saved.some((s) => s.fd === step.fd)) saved.push(this.save(step.fd));
        this.perform(step);
      }
    } catch (error) {
      this.undo(saved);
      throw error;
    } finally {
      plan.release(this.shell);
    }
    return () => this.undo(saved);
  }

  /** Carries the plan out for good; inside a subshell, until that ends. */
  applyForGood(plan: Plan): void {
    if (this.shell.level > 0) {
      this.shell.undo.push(this.apply(plan));
      return;
    }
    this.shell.input?.sync();
    for (const step of plan.steps) this.perform(step);
    plan.release(this.shell);
  }

  private save(fd: number): Saved {
    const sink = this.sinks.get(fd);
    try {
      return { fd, sink, copy: this.shell.sys.dupAbove(fd, ownFds) };
    } catch (error) {
      if (error instanceof PosixError && error.errno === EBADF)
        return { fd, sink, copy: undefined };
      throw error;
    }
  }

  private perform(step: Step): void {
    if (step.from === undefined) {
      this.sinks.delete(step.fd);
      this.closeQuietly(step.fd);
      return;
    }
    const sink = this.sinks.get(step.from);
    if (sink !== undefined) {
      if (step.fd > 2) this.reserve(step.fd);
      this.sinks.set(step.fd, sink);
    } else {
      this.sinks.delete(step.fd);
      this.shell.sys.dup2(step.from, step.fd);
    }
  }

  /** Keeps the kernel from giving a sink's number to something else. */
  private reserve(fd: number): void {
    const { sys } = this.shell;
    const filler = sys.open('/dev/null', O_WRONLY | O_CLOEXEC);
    if (filler === fd) return;
    sys.dup2(filler, fd);
    sys.close(filler);
  }

  private undo(saved: readonly Saved[]): void {
    for (const { fd, copy, sink } of saved.toReversed()) {
      if (copy === undefined) this.closeQuietly(fd);
      else {
        this.shell.sys.dup2(copy, fd);
        this.shell.sys.close(copy);
      }
      if (sink === undefined) this.sinks.delete(fd);
      else this.sinks.set(fd, sink);
    }
  }

  private closeQuietly(fd: number): void {
    try {
      this.shell.sys.close(fd);
    } catch (error) {
      if (!(error instanceof PosixError)) throw error; // it was closed already
    }
  }
}
