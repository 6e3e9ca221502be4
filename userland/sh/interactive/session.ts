// The shell in front of a person (POSIX.1-2024 XCU sh): profile files, prompts, the history, one
// command after the other until the end of input or `exit`. An error ends only its line.

import { O_CLOEXEC, O_RDONLY, SIGCHLD, SIGINT, SIGWINCH } from '../../../kernel/abi/constants.ts';
import { PosixError } from '../../../kernel/abi/errno.ts';
import { Interrupted, ShellExit } from '../errors.ts';
import { execute, runSource } from '../exec.ts';
import { LineSource, readFile } from '../input.ts';
import { isDone, isStopped, jobLine } from '../jobs.ts';
import type { Shell } from '../shell.ts';
import { Lexer } from '../syntax/lexer.ts';
import { Parser } from '../syntax/parser.ts';
import { takeTerminal } from '../terminal.ts';
import { runTraps } from '../traps.ts';
import { Editor } from './editor.ts';
import { History } from './history.ts';
import { promptText, screenPrompt } from './prompt.ts';

/** Says what went wrong; the exit status for it. */
export type Report = (error: unknown) => number;

export function interact(shell: Shell, report: Report): void {
  const session = new Session(shell);
  session.begin();
  for (;;) {
    try {
      if (session.run()) break;
    } catch (error) {
      if (error instanceof ShellExit) throw error;
      if (error instanceof Interrupted) session.interrupted();
      shell.status = error instanceof Interrupted ? 128 + SIGINT : report(error);
      settle(shell);
    }
  }
}

/** A login shell reads /etc/profile and ~/.profile (XCU sh, ENVIRONMENT VARIABLES and common use). */
export function readProfiles(shell: Shell): void {
  source(shell, '/etc/profile');
  const home = shell.get('HOME');
  if (home !== undefined) source(shell, `${home}/.profile`);
}

/** Runs a file in this shell, if it can be read. */
function source(shell: Shell, path: string): void {
  let fd: number;
  try {
    fd = shell.sys.open(path, O_RDONLY | O_CLOEXEC);
  } catch (error) {
    if (error instanceof PosixError) return;
    throw error;
  }
  const { line } = shell;
  const text = readFile(shell.sys, fd);
  runSource(shell, new Lexer({ text, aliases: shell.state.aliases }));
  shell.line = line;
  if (shell.skip === 'return') shell.skip = 'none';
}

/** Forgets what an aborted command was in the middle of. */
function settle(shell: Shell): void {
  shell.skip = 'none';
  shell.tested = false;
  shell.loopDepth = 0;
  shell.lineBase = 0;
  shell.line = 1;
}

class Session {
  private readonly shell: Shell;
  private readonly history: History;
  private readonly editor: Editor;
  /** What has been read of the command that is being typed. */
  private command = '';
  private ended = false;
  /** The line under edit was given up: the editor has gone to the next row. */
  private givenUp = false;

  constructor(shell: Shell) {
    this.shell = shell;
    this.history = new History(shell);
    const onSignal = (): void => this.signalled();
    this.editor = new Editor({ shell, history: this.history, onSignal });
  }

  begin(): void {
    const { shell } = this;
    const root = shell.sys.geteuid() === 0;
    if (shell.get('PS1') === undefined) shell.set('PS1', root ? '# ' : '$ ');
    if (shell.get('PS2') === undefined) shell.set('PS2', '> ');
    if (shell.get('TERM') !== 'dumb' && !shell.state.options.vi) shell.state.options.emacs = true;
    shell.becomeInteractive();
    shell.terminal = takeTerminal(shell);
    if (shell.terminal !== undefined) shell.state.options.monitor = true;
    shell.sys.sigaction(SIGWINCH, () => this.editor.resized());
    const file = shell.get('ENV');
    if (file !== undefined && file !== '') source(shell, promptText(shell, file));
    this.history.load();
    shell.history = this.history;
  }

  /** Reads and runs commands with one parser; true at the end of the input. */
  run(): boolean {
    const { shell } = this;
    this.command = '';
    const more = (): string | undefined => this.more();
    const lexer = new Lexer({ text: '', more, aliases: shell.state.aliases });
    const parser = new Parser(lexer);
    for (;;) {
      lexer.line = 1;
      const command = parser.parseComplete();
      if (command === null) {
        if (!this.mayLeave()) return false;
        return true;
      }
      shell.typed = this.command.trim();
      this.remember();
      if (command === undefined) continue;
      shell.warned = false;
      execute(shell, command);
      shell.skip = 'none';
    }
  }

  /** Behind the terminal's `^C`, which a built-in was interrupted by, the prompt needs a row of its own. */
  interrupted(): void {
    if (!this.givenUp) this.shell.write(2, '\n');
    this.givenUp = false;
  }

  private remember(): void {
    this.history.add(this.command);
    this.command = '';
  }

  /** The next line of input; the parser asks again at its end, the terminal must not. */
  private more(): string | undefined {
    if (this.ended) return undefined;
    const { shell } = this;
    shell.terminal?.reclaim(shell);
    const first = this.command === '';
    if (first) this.tellJobs();
    const prompt = screenPrompt(shell, shell.get(first ? 'PS1' : 'PS2') ?? '', this.history.next);
    const line = this.read(prompt);
    if (line === undefined) this.ended = true;
    else this.command += line;
    if (line !== undefined && shell.state.options.verbose) shell.write(2, line);
    return line;
  }

  private read(prompt: string): string | undefined {
    const { shell } = this;
    this.watchChildren();
    try {
      if (shell.state.options.emacs && isTerminal(shell)) {
        return this.editor.readLine(prompt, this.command === '' ? 'first' : 'further');
      }
    } catch (error) {
      if (error instanceof Interrupted) this.command = '';
      this.givenUp = error instanceof Interrupted;
      throw error;
    }
    shell.write(2, prompt);
    const source = new LineSource(shell.sys, { fd: 0, onSignal: () => this.signalled() });
    const line = source.line();
    source.sync();
    if (line === undefined) shell.write(2, '\n');
    return line;
  }

  /** `set -b`: a job's end is told at once. */
  private watchChildren(): void {
    const { state, sys } = this.shell;
    if (state.traps.has(SIGCHLD)) return;
    sys.sigaction(SIGCHLD, state.options.notify ? () => undefined : 'default');
  }

  /** Ctrl-C runs its trap, if any, and leads to a new prompt. */
  private signalled(): void {
    const { shell } = this;
    const interrupted = shell.caught.includes(SIGINT);
    runTraps(shell);
    if (interrupted) throw new Interrupted();
    if (shell.state.options.notify) this.tellJobs();
  }

  private tellJobs(): void {
    const { shell } = this;
    shell.jobs.poll(shell.sys);
    for (const job of [...shell.jobs.list]) {
      const state = isStopped(job) ? 'stopped' : 'running';
      if (!isDone(job) && job.told === state) continue;
      if (isDone(job) || state === 'stopped') shell.write(2, jobLine(shell.jobs, job));
      job.told = state;
      if (isDone(job)) shell.jobs.remove(job);
    }
  }

  /** The end of input is ignored under `set -o ignoreeof`, and once while jobs stand still. */
  private mayLeave(): boolean {
    const { shell } = this;
    const ignored = shell.state.options.ignoreeof;
    const stays = ignored || warnOfStopped(shell);
    if (ignored) shell.write(2, 'Use "exit" to leave the shell.\n');
    this.ended = false;
    return !stays;
  }
}

/** Tells once that jobs stand still that would be left behind. */
export function warnOfStopped(shell: Shell): boolean {
  if (shell.warned || !shell.jobs.list.some(isStopped)) return false;
  shell.write(shell.errorOutput(), 'You have stopped jobs.\n');
  shell.warned = true;
  return true;
}

function isTerminal(shell: Shell): boolean {
  try {
    shell.sys.tty.getattr(0);
    return true;
  } catch (error) {
    if (error instanceof PosixError) return false;
    throw error;
  }
}
