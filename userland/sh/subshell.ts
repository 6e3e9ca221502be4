// Subshells (POSIX.1-2024 XCU §2.13). In the foreground one runs inside this process on a copy of
// the state, and everything it changed in the process is put back. One that must run beside this
// shell is a child /bin/sh that reads the state and the command from a pipe.

import { SIGINT, SIGQUIT } from '../../kernel/abi/constants.ts';
import { EPIPE, PosixError } from '../../kernel/abi/errno.ts';
import { encodeText } from '../../kernel/abi/text.ts';
import { ShellError, ShellExit } from './errors.ts';
import { Jobs } from './jobs.ts';
import type { Plan } from './redirect.ts';
import { type Options, posixWords, type Shell, type State, type Variable } from './shell.ts';
import { type Drains, type Group, spawn } from './spawn.ts';
import type { Command, FunctionDef } from './syntax/ast.ts';
import { runExitTrap } from './traps.ts';

/** How deep subshells may nest inside this process. */
const maxLevel = 200;

/** Runs it as a subshell inside this process; returns its exit status. */
export function inSubshell(shell: Shell, run: () => void): number {
  if (shell.level >= maxLevel) throw new ShellError(2, 'subshells nest too deep');
  const outer = {
    state: shell.state,
    jobs: shell.jobs,
    locals: shell.locals,
    undo: shell.undo,
    skip: shell.skip,
    skipCount: shell.skipCount,
    loopDepth: shell.loopDepth,
    functionDepth: shell.functionDepth,
    sourceDepth: shell.sourceDepth,
    tested: shell.tested,
    lastBackground: shell.lastBackground,
    lineBase: shell.lineBase,
    trapped: shell.trapped,
  };
  if (shell.level === 0) shell.trapsAround = outer.state.traps;
  shell.enterState(copyState(outer.state));
  shell.jobs = new Jobs(outer.jobs);
  shell.undo = [];
  shell.locals = [];
  shell.trapped = undefined;
  shell.level++;
  try {
    return complete(shell, run);
  } finally {
    for (const undo of shell.undo.reverse()) undo();
    shell.level--;
    if (shell.level === 0) shell.caught.push(...shell.forParent.splice(0));
    const inner = shell.state;
    Object.assign(shell, { ...outer, state: inner });
    leaveState(shell, outer.state);
  }
}

/** Runs to the end of the subshell, its EXIT trap included. */
function complete(shell: Shell, run: () => void): number {
  const status = catchEnd(shell, run);
  if (status.abrupt) return status.code;
  shell.status = status.code;
  return catchEnd(shell, () => runExitTrap(shell)).code;
}

function catchEnd(shell: Shell, run: () => void): { code: number; abrupt: boolean } {
  try {
    run();
    return { code: shell.status, abrupt: false };
  } catch (error) {
    if (error instanceof ShellExit) return { code: error.status, abrupt: error.abrupt };
    if (error instanceof ShellError) {
      shell.report(error);
      return { code: error.status, abrupt: false };
    }
    if (error instanceof RangeError) {
      shell.complain('recursion too deep');
      return { code: 2, abrupt: false };
    }
    if (error instanceof PosixError && error.errno === EPIPE) return { code: 141, abrupt: true };
    throw error;
  }
}

function copyState(state: State): State {
  const traps = new Map<number, string>();
  for (const [signal, action] of state.traps) if (action === '') traps.set(signal, '');
  return {
    ...state,
    vars: new Map(state.vars),
    functions: new Map(state.functions),
    aliases: new Map(state.aliases),
    options: { ...state.options },
    traps,
    shownTraps: state.shownTraps ?? state.traps,
  };
}

/** Puts back what a subshell changed in the process: directory and signals. */
function leaveState(shell: Shell, outer: State): void {
  const inner = shell.state;
  const touched = new Set<number>();
  for (const [signal, action] of inner.traps) {
    if (signal !== 0 && outer.traps.get(signal) !== action) touched.add(signal);
  }
  for (const [signal, action] of outer.traps) {
    if (signal !== 0 && action === '' && inner.traps.get(signal) !== '') touched.add(signal);
  }
  shell.enterState(outer);
  for (const signal of touched) shell.applyTrap(signal);
  if (inner.cwd === outer.cwd) return;
  try {
    shell.sys.chdir(outer.cwd);
  } catch (error) {
    shell.complain(`cannot return to ${outer.cwd}: ${posixWords(error)}`); // it was removed
  }
}

/** What a child shell needs to know, as JSON. */
export interface Handover {
  readonly command: Command;
  readonly vars: readonly (readonly [string, Variable])[];
  readonly functions: readonly (readonly [string, FunctionDef])[];
  readonly aliases: readonly (readonly [string, string])[];
  readonly options: Options;
  readonly name: string;
  readonly params: readonly string[];
  readonly ignored: readonly number[];
  readonly ignoredAtEntry: readonly (readonly [number, boolean])[];
  readonly shownTraps: readonly (readonly [number, string])[];
  readonly optOffset: number;
  readonly cwd: string;
  readonly pid: number;
  readonly ppid: number;
  readonly status: number;
  readonly lastBackground: number;
  readonly line: number;
  readonly lineBase: number;
  readonly tested: boolean;
  readonly loopDepth: number;
  readonly functionDepth: number;
}

interface ChildOptions {
  readonly plan: Plan;
  readonly drains: Drains;
  readonly background: boolean;
  readonly group?: Group;
}

/** Starts the command in a shell of its own, beside this one; returns its pid. */
export function spawnSubshell(shell: Shell, command: Command, options: ChildOptions): number {
  shell.guardSigpipe();
  const pipe = shell.sys.pipe();
  const { plan } = options;
  plan.bind({ fd: pipe.read, from: pipe.read }, pipe.read); // it is close-on-exec until then
  let pid: number;
  try {
    const argv = ['sh', '--subshell', String(pipe.read)];
    pid = spawn(shell, { path: '/bin/sh', argv, ...options });
  } catch (error) {
    shell.sys.close(pipe.write);
    throw error;
  } finally {
    shell.sys.close(pipe.read);
  }
  send(shell, pipe.write, JSON.stringify(handover(shell, command)));
  return pid;
}

function send(shell: Shell, fd: number, text: string): void {
  try {
    shell.sys.write(fd, encodeText(text));
  } catch (error) {
    // A child that died before it read everything tells so by its exit status.
    if (!(error instanceof PosixError && error.errno === EPIPE)) throw error;
  } finally {
    shell.sys.close(fd);
  }
}

function handover(shell: Shell, command: Command): Handover {
  const { state } = shell;
  const ignored = [...state.traps].filter(([signal, action]) => signal !== 0 && action === '');
  return {
    command,
    vars: [...state.vars],
    functions: [...state.functions],
    aliases: [...state.aliases],
    options: { ...state.options, interactive: false, monitor: false },
    name: state.name,
    params: state.params,
    ignored: ignored.map(([signal]) => signal),
    ignoredAtEntry: [...ignoredOnEntry(shell)],
    shownTraps: [...(state.shownTraps ?? state.traps)],
    optOffset: state.optOffset,
    cwd: state.cwd,
    pid: shell.pid,
    ppid: shell.ppid,
    status: shell.status,
    lastBackground: shell.lastBackground,
    line: shell.line,
    lineBase: shell.lineBase,
    tested: shell.tested,
    loopDepth: shell.loopDepth,
    functionDepth: shell.functionDepth,
  };
}

/** What the child finds ignored, but not because this shell was started so, it may trap. */
function ignoredOnEntry({ state, ignoredAtEntry }: Shell): Map<number, boolean> {
  const own = state.options.interactive ? [] : ignoredAtEntry;
  return new Map([[SIGINT, false], [SIGQUIT, false], ...own]);
}

/** In the child: becomes the shell that was handed over. */
export function takeOver(shell: Shell, from: Handover): void {
  const { state } = shell;
  shell.enterState({
    ...state,
    vars: new Map(from.vars),
    functions: new Map(from.functions),
    aliases: new Map(from.aliases),
    options: from.options,
    traps: new Map(from.ignored.map((signal) => [signal, ''])),
    shownTraps: new Map(from.shownTraps),
    name: from.name,
    params: from.params,
    optOffset: from.optOffset,
    cwd: from.cwd,
  });
  for (const [signal, ignored] of from.ignoredAtEntry) shell.ignoredAtEntry.set(signal, ignored);
  shell.status = from.status;
  shell.lastBackground = from.lastBackground;
  shell.line = from.line;
  shell.lineBase = from.lineBase;
  shell.tested = from.tested;
  shell.loopDepth = from.loopDepth;
  shell.functionDepth = from.functionDepth;
}
