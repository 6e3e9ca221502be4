// Traps (POSIX.1-2024 XCU §2.15 trap): actions run between commands, when a signal was caught, and
// when the shell or subshell ends.

import { SIGINT } from '../../kernel/abi/constants.ts';
import { EINTR, PosixError } from '../../kernel/abi/errno.ts';
import { Interrupted, leave } from './errors.ts';
import { runText } from './exec.ts';
import type { Shell } from './shell.ts';

/** Runs the actions of signals that came since the last command. */
export function runTraps(shell: Shell): void {
  for (const signal of shell.caught.splice(0)) {
    const action = shell.state.traps.get(signal);
    if (action !== undefined && action !== '') runAction(shell, action);
    else if (shell.level > 0) {
      shell.caught.push(signal); // the shell around this subshell has a trap for it
      leave(128 + signal, 'abrupt');
    } else if (signal === SIGINT && shell.state.options.interactive) throw new Interrupted();
  }
}

function runAction(shell: Shell, action: string): void {
  const { status, tested, skip, skipCount, line, trapped } = shell;
  shell.skip = 'none';
  shell.trapped = { status, functionDepth: shell.functionDepth };
  try {
    runText(shell, action);
  } finally {
    shell.trapped = trapped;
  }
  shell.line = line;
  shell.tested = tested;
  if (shell.skip === 'none') {
    shell.status = status;
    shell.skip = skip;
    shell.skipCount = skipCount;
  }
}

/** At the end of the shell or subshell; the action sees the exit status and may change it. */
export function runExitTrap(shell: Shell): void {
  const action = shell.state.traps.get(0);
  if (action === undefined || action === '') return;
  shell.state.traps.delete(0);
  const { status } = shell;
  shell.skip = 'none';
  shell.tested = false;
  shell.trapped = { status, functionDepth: shell.functionDepth };
  runText(shell, action);
  shell.status = status;
}

/** Lets caught signals in during a long loop of built-ins, which makes no system call by itself. */
export function poll(shell: Shell): void {
  try {
    shell.sys.getppid(); // unlike getpid, it asks the kernel
  } catch (error) {
    if (!(error instanceof PosixError && error.errno === EINTR)) throw error;
  }
  runTraps(shell);
}
