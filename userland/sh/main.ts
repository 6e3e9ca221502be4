// sh: the shell's entry (POSIX.1-2024 XCU sh). Commands come from -c, a file, standard input, or,
// for a child shell of a pipeline, from the shell that started it.

import { O_CLOEXEC, O_RDONLY, SIGPIPE } from '../../kernel/abi/constants.ts';
import { EPIPE, PosixError } from '../../kernel/abi/errno.ts';
import { helped } from '../libc/program.ts';
import type { Program, Sys } from '../libc/sys.ts';
import { parseOptions } from './builtins/options.ts';
import { ShellError, ShellExit, ShellSyntaxError } from './errors.ts';
import { execute, runSource } from './exec.ts';
import { LineSource, readFile } from './input.ts';
import { interact, readProfiles } from './interactive/session.ts';
import { posixWords, Shell } from './shell.ts';
import { type Handover, takeOver } from './subshell.ts';
import { Lexer } from './syntax/lexer.ts';
import { runExitTrap, runTraps } from './traps.ts';

const usage = `[-aCefhimnuvxl] [-o OPTION]... [-c COMMAND [NAME [ARGUMENT]...] | FILE [ARGUMENT]... | -s]
Runs COMMAND, the commands in FILE, or what it reads; docs/shell.md tells more.`;

export const main: Program = (sys) => {
  if (sys.argv[1] === '--subshell' && sys.argv[2] !== undefined) {
    return childShell(sys, Number(sys.argv[2]));
  }
  if (helped(sys, usage)) return 0;
  const shell = new Shell(sys, { pid: sys.getpid(), ppid: sys.getppid() });
  shell.state.name = sys.argv[0] ?? 'sh';
  importEnvironment(shell);
  return toTheEnd(shell, () => start(shell, sys.argv.slice(1)));
};

function importEnvironment(shell: Shell): void {
  const { sys } = shell;
  for (const [name, value] of sys.env) {
    if (!/^[A-Za-z_]\w*$/.test(name) || name === 'IFS') continue;
    shell.declare(name, { value, exported: true });
  }
  if (shell.get('PATH') === undefined) shell.set('PATH', '/bin:/usr/bin');
  shell.set('PPID', String(shell.ppid));
  shell.set('OPTIND', '1');
  shell.set('PS4', shell.get('PS4') ?? '+ ');
  shell.set('IFS', ' \t\n');
  shell.state.cwd = workingDirectory(shell);
  shell.declare('PWD', { value: shell.state.cwd, exported: true });
}

/** PWD is believed when it names the working directory (XCU sh, PWD). */
function workingDirectory(shell: Shell): string {
  const real = shell.sys.getcwd();
  const claimed = shell.get('PWD');
  if (claimed === undefined || !/^\//.test(claimed) || /\/\.\.?(\/|$)/.test(claimed)) return real;
  if (claimed === real) return real;
  try {
    const a = shell.sys.stat(claimed);
    const b = shell.sys.stat('.');
    return a.dev === b.dev && a.ino === b.ino ? claimed : real;
  } catch (error) {
    posixWords(error);
    return real;
  }
}

/** Runs to the end of the shell, the EXIT trap included; the exit status. */
function toTheEnd(shell: Shell, run: () => void): number {
  const end = attempt(shell, run);
  shell.input?.sync();
  if (end.abrupt) return end.status;
  shell.status = end.status;
  return attempt(shell, () => runExitTrap(shell)).status;
}

function attempt(shell: Shell, run: () => void): { status: number; abrupt: boolean } {
  try {
    run();
    return { status: shell.status, abrupt: false };
  } catch (error) {
    if (error instanceof ShellExit) return { status: error.status, abrupt: error.abrupt };
    return { status: reported(shell, error), abrupt: false };
  }
}

/** Says what went wrong, if that is not said yet; the exit status for it. */
function reported(shell: Shell, error: unknown): number {
  if (error instanceof ShellSyntaxError) {
    shell.line = error.line;
    shell.complain(`Syntax error: ${error.message}`);
    return 2;
  }
  if (error instanceof ShellError) {
    shell.report(error);
    return error.status;
  }
  if (error instanceof RangeError) {
    shell.complain('recursion too deep');
    return 2;
  }
  if (error instanceof PosixError && error.errno === EPIPE) return 128 + SIGPIPE;
  shell.complain(posixWords(error));
  return 2;
}

function start(shell: Shell, args: readonly string[]): void {
  let fromString = false;
  let login = shell.sys.argv[0]?.startsWith('-') === true;
  const { rest } = parseOptions(shell, args, (letter) => {
    if (letter === 'c') fromString = true;
    if (letter === 'l') login = true;
    return letter === 'c' || letter === 'l';
  });
  if (login) readProfiles(shell);
  const [first, ...more] = rest;
  if (fromString) {
    if (first === undefined) throw new ShellError(2, '-c requires an argument');
    shell.state.name = more[0] ?? shell.state.name;
    shell.state.params = more.slice(1);
    runSource(shell, new Lexer({ text: first, aliases: shell.state.aliases }));
  } else if (first !== undefined && !shell.state.options.stdin) {
    shell.state.params = more;
    runSource(shell, new Lexer({ text: openScript(shell, first), aliases: shell.state.aliases }));
  } else {
    shell.state.params = rest;
    shell.state.options.stdin = true;
    runInput(shell);
  }
}

function openScript(shell: Shell, path: string): string {
  let fd: number;
  try {
    fd = shell.sys.open(path, O_RDONLY | O_CLOEXEC);
  } catch (error) {
    const words =
      posixWords(error) === 'No such file or directory' ? 'No such file' : posixWords(error);
    shell.line = 0;
    throw new ShellError(words === 'No such file' ? 127 : 126, `cannot open ${path}: ${words}`);
  }
  shell.state.name = path;
  return readFile(shell.sys, fd);
}

function runInput(shell: Shell): void {
  const { options } = shell.state;
  if (!options.interactive) options.interactive = shell.sys.isatty(0) && shell.sys.isatty(2);
  if (options.interactive) interact(shell, (error) => reported(shell, error));
  else {
    const input = new LineSource(shell.sys, { fd: 0, onSignal: () => runTraps(shell) });
    shell.input = input;
    const more = (): string | undefined => echoed(shell, input.line());
    runSource(shell, new Lexer({ text: '', more, aliases: shell.state.aliases }));
  }
}

/** `set -v`: input is written as it is read. */
function echoed(shell: Shell, line: string | undefined): string | undefined {
  if (line !== undefined && shell.state.options.verbose) shell.write(2, line);
  return line;
}

/** A child shell reads what it has to know and to run from a descriptor. */
function childShell(sys: Sys, fd: number): number {
  const from = JSON.parse(readFile(sys, fd)) as Handover;
  const shell = new Shell(sys, { pid: from.pid, ppid: from.ppid });
  takeOver(shell, from);
  return toTheEnd(shell, () => execute(shell, from.command));
}
