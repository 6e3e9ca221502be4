// Built-ins that steer: break, continue, return, exit, eval, `.`, exec, and the trivial ones.

import { O_CLOEXEC, O_RDONLY } from '../../../kernel/abi/constants.ts';
import { PosixError } from '../../../kernel/abi/errno.ts';
import { leave, raise } from '../errors.ts';
import { runSource, runText } from '../exec.ts';
import { readFile } from '../input.ts';
import { warnOfStopped } from '../interactive/session.ts';
import { Plan } from '../redirect.ts';
import { posixWords, type Shell } from '../shell.ts';
import { Drains, findProgram, spawn, spawnFailure, waitFor } from '../spawn.ts';
import { Lexer } from '../syntax/lexer.ts';

export function colon(): number {
  return 0;
}

export function falseStatus(): number {
  return 1;
}

/** A count or status; dash's words when it is none. */
export function number(text: string): number {
  if (!/^[0-9]{1,10}$/.test(text)) raise(`Illegal number: ${text}`);
  return Number(text);
}

export function breakLoop(shell: Shell, args: readonly string[]): number {
  return skipLoops(shell, 'break', args);
}

export function continueLoop(shell: Shell, args: readonly string[]): number {
  return skipLoops(shell, 'continue', args);
}

function skipLoops(shell: Shell, kind: 'break' | 'continue', args: readonly string[]): number {
  const count = args[0] === undefined ? 1 : number(args[0]);
  if (count === 0) raise(`Illegal number: ${args[0]}`);
  if (shell.loopDepth === 0) return 0;
  shell.skip = kind;
  shell.skipCount = Math.min(count, shell.loopDepth);
  return 0;
}

export function returnFrom(shell: Shell, args: readonly string[]): number {
  const ends = shell.trapped?.functionDepth === shell.functionDepth ? shell.trapped : shell;
  const status = args[0] === undefined ? ends.status : number(args[0]) & 0xff;
  if (shell.functionDepth === 0 && shell.sourceDepth === 0) {
    // Outside a function or script, the result is unspecified: it ends what runs, as in dash.
    leave(status);
  }
  shell.skip = 'return';
  return status;
}

export function exit(shell: Shell, args: readonly string[]): number {
  const { interactive } = shell.state.options;
  if (interactive && shell.level === 0 && warnOfStopped(shell)) return 1;
  // What ends a trap's action gives what was there before it (XCU exit, return).
  return leave(args[0] === undefined ? (shell.trapped ?? shell).status : number(args[0]) & 0xff);
}

export function evaluate(shell: Shell, args: readonly string[]): number {
  const text = args[0] === '--' ? args.slice(1).join(' ') : args.join(' ');
  const { line, lineBase } = shell;
  shell.lineBase = 0;
  try {
    runText(shell, text);
  } finally {
    shell.line = line;
    shell.lineBase = lineBase;
  }
  return shell.status;
}

/** A file that reads itself ends long before memory does. */
const maxSourceDepth = 200;

export function dot(shell: Shell, args: readonly string[]): number {
  const name = args[0] === '--' ? args[1] : args[0];
  if (name === undefined) return 0;
  if (shell.sourceDepth >= maxSourceDepth) raise(`${name}: files nest too deep`);
  const text = readFile(shell.sys, findSource(shell, name));
  const { line, lineBase } = shell;
  shell.lineBase = 0;
  shell.sourceDepth++;
  try {
    runSource(shell, new Lexer({ text, aliases: shell.state.aliases }));
  } finally {
    shell.sourceDepth--;
    shell.line = line;
    shell.lineBase = lineBase;
  }
  if (shell.skip === 'return') shell.skip = 'none';
  return shell.status;
}

/** A readable file by its path, or by PATH when the name has no slash. */
function findSource(shell: Shell, name: string): number {
  const candidates = name.includes('/')
    ? [name]
    : (shell.get('PATH') ?? '').split(':').map((dir) => (dir === '' ? name : `${dir}/${name}`));
  let why = `cannot open ${name}: No such file`;
  for (const path of candidates) {
    try {
      return shell.sys.open(path, O_RDONLY | O_CLOEXEC);
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      if (name.includes('/') && error.code !== 'ENOENT') {
        why = `cannot open ${name}: ${posixWords(error)}`;
      }
    }
  }
  return raise(name.includes('/') ? why : `${name}: not found`);
}

/** With a command: it takes the place of the shell. Redirections have been done for good. */
export function exec(shell: Shell, args: readonly string[]): number {
  const words = args[0] === '--' ? args.slice(1) : args;
  const name = words[0];
  if (name === undefined) return 0;
  const found = findProgram(shell, name);
  if (found.path === undefined) return failedExec(shell, name, found);
  if (shell.level > 0 || shell.fds.sinks.size > 0) return spawnInstead(shell, found.path, words);
  shell.input?.sync();
  try {
    for (const signal of shell.childDefaults()) shell.sys.sigaction(signal, 'default');
    return shell.sys.exec({ path: found.path, argv: words, env: shell.env() });
  } catch (error) {
    if (error instanceof PosixError && error.code === 'ENOEXEC') {
      const argv = ['sh', found.path, ...words.slice(1)];
      return shell.sys.exec({ path: '/bin/sh', argv, env: shell.env() });
    }
    return failedExec(shell, name, spawnFailure(error));
  }
}

function failedExec(shell: Shell, name: string, why: { status: number; message: string }): number {
  shell.complain(`exec: ${name}: ${why.message}`);
  if (shell.state.options.interactive && shell.level === 0) return why.status;
  return leave(why.status);
}

/** A subshell inside this process cannot be replaced: it waits for the program and ends. */
function spawnInstead(shell: Shell, path: string, argv: readonly string[]): number {
  const drains = new Drains(shell);
  let pid: number;
  try {
    pid = spawn(shell, { path, argv, plan: new Plan(), drains, background: false });
  } catch (error) {
    return failedExec(shell, argv[0] ?? '', spawnFailure(error));
  }
  drains.seal();
  drains.readPipes();
  const status = waitFor(shell, pid);
  drains.readFiles();
  return leave(status, 'abrupt');
}
