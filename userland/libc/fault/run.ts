// Running a command under faults: the rules hold from just before it starts until it has ended, and
// Ctrl-C reaches it and whoever waits for it.

import { SIGINT, SIGKILL, WIFEXITED, WNOHANG } from '../../../kernel/abi/constants.ts';
import { EINTR, ENOENT, ESRCH, PosixError } from '../../../kernel/abi/errno.ts';
import type { Tool } from '../program.ts';
import { startProgram } from '../spawn.ts';
import { shellStatus } from '../stdlib.ts';
import type { FaultEngine } from './engine.ts';

/** How a command ended. */
export interface Ending {
  readonly status: number; // as a shell tells it
  readonly how: 'exited' | 'killed' | 'hung';
}

/** Longest pause between two looks at a command that has a time limit. */
const LOOK_MS = 20;

/** Runs a command to its end; `limitMs` of time, or for ever. */
export function runCommand(tool: Tool, argv: readonly string[], limitMs = Infinity): Ending {
  const pid = startProgram(tool, argv);
  if (typeof pid !== 'number') {
    return { status: pid.errno === ENOENT ? 127 : 126, how: 'exited' };
  }
  const { sys } = tool;
  if (limitMs === Infinity) return ending(waitThrough(tool, pid));
  const endMs = sys.monotonicMs() + limitMs;
  for (let pause = 1; sys.monotonicMs() < endMs; pause = Math.min(pause * 2, LOOK_MS)) {
    const done = sys.wait(pid, WNOHANG);
    if (done.pid === pid) return ending(done.status);
    sleepThrough(tool, pause);
  }
  try {
    sys.kill(pid, SIGKILL);
  } catch (error) {
    if (!(error instanceof PosixError) || error.errno !== ESRCH) throw error;
  }
  return { ...ending(waitThrough(tool, pid)), how: 'hung' };
}

/** Runs a script of the shell. */
export const runScript = (tool: Tool, script: string): Ending =>
  runCommand(tool, ['sh', '-c', script]);

/** Calls `work` with a look at whether Ctrl-C was typed, which alone ends nothing then. */
export function noticingInterrupts<T>(tool: Tool, work: (interrupted: () => boolean) => T): T {
  let seen = false;
  tool.sys.sigaction(SIGINT, () => {
    seen = true;
  });
  try {
    return work(() => seen);
  } finally {
    tool.sys.sigaction(SIGINT, 'default');
  }
}

/** Runs the command under these rules; its status, and what the rules did on standard error. */
export function runUnder(
  tool: Tool,
  engine: FaultEngine,
  what: { rules: readonly string[]; argv: readonly string[]; expectsAll: 'all' | 'some' },
): number {
  return noticingInterrupts(tool, () => {
    const names: string[] = [];
    try {
      for (const rule of what.rules) names.push(engine.add(rule));
      const { status } = runCommand(tool, what.argv);
      for (const { name, seen, fired, text } of engine.rules()) {
        if (!names.includes(name)) continue;
        if (what.expectsAll === 'some') tool.note(`${name} fired ${fired} of ${seen} hits`);
        else if (fired < expected(text)) tool.warn(`fired ${fired} of ${expected(text)}: ${text}`);
      }
      return Math.max(status, tool.status);
    } finally {
      engine.remove(names);
    }
  });
}

/** How often a rule of a plan fires: its hits are listed. */
const expected = (text: string): number => / nth=([\d,]+)/.exec(text)?.[1]?.split(',').length ?? 0;

const ending = (status: number): Ending => ({
  status: shellStatus(status),
  how: WIFEXITED(status) ? 'exited' : 'killed',
});

/** wait(2) that a signal of ours does not end. */
function waitThrough(tool: Tool, pid: number): number {
  for (;;) {
    try {
      return tool.sys.wait(pid).status;
    } catch (error) {
      if (!(error instanceof PosixError) || error.errno !== EINTR) throw error;
    }
  }
}

function sleepThrough(tool: Tool, ms: number): void {
  try {
    tool.sys.sleep(ms);
  } catch (error) {
    if (!(error instanceof PosixError) || error.errno !== EINTR) throw error;
  }
}
