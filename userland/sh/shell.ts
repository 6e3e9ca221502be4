// The shell execution environment (POSIX.1-2024 XCU §2.13): variables, functions, options, traps
// and what else a subshell copies; and the few things that belong to the process.

import {
  O_CLOEXEC,
  O_RDONLY,
  SIGINT,
  SIGPIPE,
  SIGTSTP,
  SIGTTIN,
  SIGTTOU,
} from '../../kernel/abi/constants.ts';
import { EBADF, fail, PosixError, strerror } from '../../kernel/abi/errno.ts';
import { decodeText, encodeText } from '../../kernel/abi/text.ts';
import type { Disposition, Sys } from '../libc/sys.ts';
import { raise, ShellError } from './errors.ts';
import type { LineSource } from './input.ts';
import type { History } from './interactive/history.ts';
import { Jobs } from './jobs.ts';
import { Fds, Sink, type Source } from './redirect.ts';
import type { FunctionDef } from './syntax/ast.ts';
import type { Terminal } from './terminal.ts';

/** Records are never changed, so that a copy of the map is a copy of the variables. */
export interface Variable {
  readonly value: string | undefined;
  readonly exported: boolean;
  readonly readonly: boolean;
}

/** Long names of `set -o`, with their letters. */
export const optionLetters = {
  errexit: 'e',
  noglob: 'f',
  ignoreeof: 'I',
  interactive: 'i',
  monitor: 'm',
  noexec: 'n',
  stdin: 's',
  xtrace: 'x',
  verbose: 'v',
  vi: 'V',
  emacs: 'E',
  noclobber: 'C',
  allexport: 'a',
  notify: 'b',
  nounset: 'u',
  nolog: '',
  pipefail: '',
  hashall: 'h',
} as const;

export type OptionName = keyof typeof optionLetters;
export type Options = Record<OptionName, boolean>;

/** A trap's condition: 0 is EXIT, otherwise a signal; its action, '' to ignore. */
export type Traps = Map<number, string>;

export interface State {
  vars: Map<string, Variable>;
  functions: Map<string, FunctionDef>;
  aliases: Map<string, string>;
  options: Options;
  traps: Traps;
  /** What `trap` shows in a subshell that has changed none: the traps around it. */
  shownTraps: Traps | undefined;
  /** $0, and $1 and so on. */
  name: string;
  params: readonly string[];
  /** Where getopts stands inside a group of options. */
  optOffset: number;
  cwd: string;
}

export type Skip = 'none' | 'break' | 'continue' | 'return';

export class Shell {
  readonly sys: Sys;
  readonly fds: Fds;
  readonly pid: number;
  readonly ppid: number;
  state: State;
  jobs = new Jobs();
  /** The terminal whose foreground this shell hands out, when it controls jobs. */
  terminal: Terminal | undefined;
  /** What was typed last, as `jobs` tells of what it has started. */
  typed = '';
  /** Has the person been told of stopped jobs who asked to leave? */
  warned = false;
  history: History | undefined;
  /** Standard input as the source of commands; its owner leaves it behind what was used. */
  input: LineSource | undefined;
  /** Variables that `local` hides, one map for each running function. */
  locals: Map<string, Variable | undefined>[] = [];
  status = 0;
  /** Exit status of the last command substitution of this command, if any. */
  substituted: number | undefined;
  lastBackground = 0;
  line = 1;
  /** What LINENO counts from inside a function. */
  lineBase = 0;
  /** A failing command is being tested, and does not trigger errexit. */
  tested = false;
  loopDepth = 0;
  functionDepth = 0;
  /** How many files `.` is inside of; `return` may leave them. */
  sourceDepth = 0;
  skip: Skip = 'none';
  skipCount = 0;
  /** How many subshells inside this process. */
  level = 0;
  /** Descriptors that `exec` changed inside the current subshell. */
  undo: (() => void)[] = [];
  readonly hash = new Map<string, string>();
  readonly caught: number[] = [];
  /** The traps outside of all subshells in this process. */
  trapsAround: Traps = new Map();
  /** Signals that such a subshell sent to `$$`: their actions run when it has ended. */
  readonly forParent: number[] = [];
  /** Set while a built-in runs whose redirections are not carried out in this process. */
  builtinErrors: { readonly to: Source } | undefined;
  /** Signals whose disposition the shell has changed: were they ignored when it was started? */
  readonly ignoredAtEntry = new Map<number, boolean>();
  /** Inside a trap's action: `$?` before it, and how deep functions nested then. */
  trapped: { readonly status: number; readonly functionDepth: number } | undefined;
  private sigpipeGuarded = false;
  private environment: Map<string, string> | undefined;

  constructor(sys: Sys, identity: { pid: number; ppid: number }) {
    this.sys = sys;
    this.pid = identity.pid;
    this.ppid = identity.ppid;
    this.fds = new Fds(this);
    this.state = initialState();
  }

  // Variables.

  get(name: string): string | undefined {
    const variable = this.state.vars.get(name);
    if (variable !== undefined) return variable.value;
    return name === 'LINENO' ? String(this.line) : undefined;
  }

  set(name: string, value: string): void {
    const old = this.state.vars.get(name);
    const all = this.state.options.allexport;
    if (old === undefined) {
      this.state.vars.set(name, { value, exported: all, readonly: false });
    } else {
      if (old.readonly) raise(`${name}: is read only`);
      this.state.vars.set(name, { value, exported: old.exported || all, readonly: false });
    }
    if (old?.exported || all) this.environment = undefined;
    this.changed(name);
  }

  /** Sets attributes, and the value when there is one. */
  declare(name: string, changes: Partial<Variable>): void {
    const old = this.state.vars.get(name);
    if (old?.readonly && changes.value !== undefined) raise(`${name}: is read only`);
    const fresh: Variable = { value: undefined, exported: false, readonly: false };
    this.state.vars.set(name, { ...fresh, ...old, ...changes });
    this.environment = undefined;
    this.changed(name);
  }

  unset(name: string): void {
    if (this.state.vars.get(name)?.readonly) raise(`${name}: is read only`, 2);
    this.state.vars.delete(name);
    this.environment = undefined;
    this.changed(name);
  }

  /** Puts a variable back as it was, whatever its attributes. */
  restore(name: string, old: Variable | undefined): void {
    if (old === undefined) this.state.vars.delete(name);
    else this.state.vars.set(name, old);
    this.environment = undefined;
    this.changed(name);
  }

  private changed(name: string): void {
    if (name === 'PATH') this.hash.clear();
    else if (name === 'OPTIND') this.state.optOffset = 0;
  }

  env(): Map<string, string> {
    if (this.environment === undefined) {
      this.environment = new Map();
      for (const [name, variable] of this.state.vars) {
        if (variable.exported && variable.value !== undefined) {
          this.environment.set(name, variable.value);
        }
      }
    }
    return this.environment;
  }

  /** Another state takes over: a subshell begins or ends. */
  enterState(state: State): void {
    this.state = state;
    this.environment = undefined;
  }

  // Output.

  /** Standard error of the built-in that runs, or of the shell. */
  errorOutput(): Source {
    return this.builtinErrors === undefined ? this.fds.resolve(2) : this.builtinErrors.to;
  }

  /** An error on its way out is told where standard error still is what it was. */
  report(error: unknown): void {
    if (!(error instanceof ShellError) || error.reported) return;
    if (error.message !== '') this.complain(error.message);
    error.reported = true;
  }

  write(to: Source, text: string): void {
    if (to instanceof Sink) to.push(text);
    else if (text !== '' || to === undefined) this.writeBytes(to, encodeText(text));
  }

  writeBytes(to: Source, bytes: Uint8Array): void {
    if (to instanceof Sink) to.push(bytes);
    else if (to === undefined) fail(EBADF);
    else this.sys.write(to, bytes);
  }

  /** `sh: 3: cd: can't cd to /x`; nothing is said when standard error is closed. */
  complain(message: string, to: Source = this.errorOutput()): void {
    try {
      const said =
        message.length > longestMessage ? `${message.slice(0, longestMessage)}…` : message;
      this.write(to, `${this.state.name}: ${this.line}: ${said}\n`);
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
    }
  }

  /** A small file such as /etc/passwd; '' when it cannot be read. */
  readSmallFile(path: string): string {
    try {
      const fd = this.sys.open(path, O_RDONLY | O_CLOEXEC);
      const buffer = new Uint8Array(smallFileBytes);
      try {
        return decodeText(buffer.subarray(0, this.sys.read(fd, buffer)));
      } finally {
        this.sys.close(fd);
      }
    } catch (error) {
      if (error instanceof PosixError) return '';
      throw error;
    }
  }

  // Signals.

  /**
   * Writes to a pipe that nobody reads must not kill the shell while it plays the part of a
   * child: from now on they fail with EPIPE, and children are started with the default.
   */
  guardSigpipe(): void {
    if (this.sigpipeGuarded || this.state.traps.has(SIGPIPE)) return;
    this.sigpipeGuarded = true;
    this.dispose(SIGPIPE, 'ignore');
  }

  private dispose(signal: number, disposition: Disposition): void {
    const ignored = this.sys.sigaction(signal, disposition);
    if (!this.ignoredAtEntry.has(signal)) this.ignoredAtEntry.set(signal, ignored);
  }

  /** By a trap, or because it was ignored already when this shell, which no person uses, was started. */
  ignores(signal: number): boolean {
    if (this.state.traps.get(signal) === '') return true;
    return !this.state.options.interactive && this.ignoredAtEntry.get(signal) === true;
  }

  /** Signals to set back to their default in a child. */
  childDefaults(): number[] {
    const defaults = this.sigpipeGuarded && !this.ignores(SIGPIPE) ? [SIGPIPE] : [];
    if (this.state.options.interactive) defaults.push(...interactiveSignals);
    if (this.terminal !== undefined) defaults.push(SIGTSTP, SIGTTIN, SIGTTOU);
    return defaults.filter((signal) => this.state.traps.get(signal) !== '');
  }

  /** Tells the kernel what a signal does now. */
  applyTrap(signal: number): void {
    const action = this.state.traps.get(signal);
    let disposition: Disposition = (n) => this.caught.push(n);
    if (action === '') disposition = 'ignore';
    else if (action === undefined) disposition = this.untrapped(signal);
    if (signal === SIGPIPE) this.sigpipeGuarded = false;
    this.dispose(signal, disposition);
    // What was ignored on entry can be neither trapped nor reset (XCU §2.15 trap).
    if (this.ignores(signal) && disposition !== 'ignore') this.sys.sigaction(signal, 'ignore');
  }

  private untrapped(signal: number): Disposition {
    const stops = signal === SIGTSTP || signal === SIGTTIN || signal === SIGTTOU;
    if (stops && this.terminal !== undefined) return 'ignore';
    if (!this.state.options.interactive || this.level > 0) return 'default';
    if (signal === SIGINT) return (n) => this.caught.push(n);
    return interactiveSignals.includes(signal) ? 'ignore' : 'default';
  }

  /** An interactive shell survives Ctrl-C, SIGTERM and SIGQUIT. */
  becomeInteractive(): void {
    for (const signal of interactiveSignals) {
      if (!this.state.traps.has(signal)) this.applyTrap(signal);
    }
  }
}

/** What cannot be found may be megabytes long. */
const longestMessage = 1000;
const smallFileBytes = 64 * 1024;
const interactiveSignals = [SIGINT, 15, 3];

export function initialState(): State {
  const names = Object.keys(optionLetters) as OptionName[];
  const options = Object.fromEntries(names.map((name) => [name, false])) as Options;
  return {
    vars: new Map(),
    functions: new Map(),
    aliases: new Map(),
    options,
    traps: new Map(),
    shownTraps: undefined,
    name: 'sh',
    params: [],
    optOffset: 0,
    cwd: '/',
  };
}

/** The words for an error that a system call threw; anything else is a bug and goes on. */
export function posixWords(error: unknown): string {
  if (!(error instanceof PosixError)) throw error;
  return strerror(error.errno);
}
