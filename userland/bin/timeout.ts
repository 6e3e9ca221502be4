// timeout: runs a command and ends it when its time is up. POSIX.1-2024 timeout -f -k -p -s, GNU
// coreutils §23.6.

import {
  SIGALRM,
  SIGCONT,
  SIGHUP,
  SIGINT,
  SIGKILL,
  SIGQUIT,
  SIGTERM,
  SIGTTIN,
  SIGTTOU,
  WIFSIGNALED,
  WTERMSIG,
} from '../../kernel/abi/constants.ts';
import { EINTR, ENOENT, ESRCH, PosixError } from '../../kernel/abi/errno.ts';
import { program, type Tool } from '../libc/program.ts';
import { startProgram } from '../libc/spawn.ts';
import { shellStatus, signalName, signalNumber } from '../libc/stdlib.ts';
import { parseDuration } from '../libc/text/numbers.ts';
import { quoted, quotedArgument } from '../libc/text/quote.ts';

const TIMED_OUT = 124;
/** setitimer's most: a wait that is longer never ends here. */
const LONGEST_MS = 2 ** 31;

export const main = program(
  {
    usage: '[-fpv] [-k DURATION] [-s SIGNAL] DURATION COMMAND [ARG]...',
    short: 'fk:ps:v',
    long: {
      foreground: 'f',
      'kill-after=': 'k',
      'preserve-status': 'p',
      'signal=': 's',
      verbose: 'v',
    },
    stopAtOperand: true,
    trouble: 125,
  },
  (tool, options) => {
    const [time, ...argv] = options.operands;
    if (time === undefined || argv.length === 0) {
      tool.error(`Try '${tool.name} --help' for more information.\n`);
      return tool.trouble;
    }
    const name = options.value('s') ?? 'TERM';
    const signal = signalNumber(name) ?? tool.misuse(`${quotedArgument(name)}: invalid signal`);
    const killAfter = options.value('k');
    return run(tool, argv, {
      signal,
      ms: duration(tool, time),
      killMs: killAfter === undefined ? 0 : duration(tool, killAfter),
      foreground: options.has('f'),
      preserve: options.has('p'),
      verbose: options.has('v'),
    });
  },
);

interface Limit {
  readonly signal: number;
  readonly ms: number;
  readonly killMs: number;
  readonly foreground: boolean;
  readonly preserve: boolean;
  readonly verbose: boolean;
}

function duration(tool: Tool, text: string): number {
  const seconds = parseDuration(text);
  if (seconds === undefined) return tool.misuse(`invalid time interval ${quotedArgument(text)}`);
  return seconds * 1000 > LONGEST_MS ? 0 : Math.ceil(seconds * 1000);
}

function run(tool: Tool, argv: readonly string[], limit: Limit): number {
  const { sys } = tool;
  // Its own group: what the command started is ended with it.
  if (!limit.foreground) sys.setpgid(0, 0);
  let child: number | undefined;
  let timedOut = false;
  let { signal } = limit;
  const send = (what: number): void => {
    if (child === undefined) return;
    if (limit.verbose && what !== SIGCONT)
      tool.note(`sending signal ${signalName(what) ?? what} to command ${quoted(argv[0] ?? '')}`);
    if (limit.foreground) deliver(tool, child, what);
    else toGroup(tool, child, what);
  };
  const due = (): void => {
    timedOut = true;
    const now = signal;
    const killsLater = limit.killMs > 0 && now !== SIGKILL;
    if (killsLater) signal = SIGKILL;
    send(now);
    // What is sent to the group is ignored here; the second time must not be when it is SIGALRM itself.
    if (now === SIGALRM) sys.sigaction(SIGALRM, due);
    if (killsLater) sys.setitimer(limit.killMs, 0);
  };
  sys.sigaction(SIGALRM, due);
  for (const caught of [SIGTERM, SIGINT, SIGHUP, SIGQUIT]) sys.sigaction(caught, send);
  for (const stop of [SIGTTIN, SIGTTOU]) sys.sigaction(stop, 'ignore');
  if (limit.signal !== SIGALRM)
    sys.sigaction(limit.signal === SIGKILL ? SIGTERM : limit.signal, send);
  const started = startProgram(tool, argv, (name) => `failed to run command ${quoted(name)}`, {
    defaults: [SIGTTIN, SIGTTOU],
  });
  if (typeof started !== 'number') return started.errno === ENOENT ? 127 : 126;
  child = started;
  if (limit.ms > 0) sys.setitimer(limit.ms, 0);
  const status = waitThrough(tool, child);
  if (timedOut && !limit.preserve && !(WIFSIGNALED(status) && WTERMSIG(status) === SIGKILL))
    return TIMED_OUT;
  return shellStatus(status);
}

/** To all that the command started, and to itself where it left the group: each of them once. */
function toGroup(tool: Tool, child: number, signal: number): void {
  const { sys } = tool;
  const apart = groupOf(tool, child) !== sys.getpgid(0);
  if (signal !== SIGKILL) sys.sigaction(signal, 'ignore');
  for (const to of apart ? [child, 0] : [0]) {
    deliver(tool, to, signal);
    if (signal !== SIGKILL && signal !== SIGCONT) deliver(tool, to, SIGCONT);
  }
}

function groupOf(tool: Tool, pid: number): number | undefined {
  try {
    return tool.sys.getpgid(pid);
  } catch (error) {
    if (error instanceof PosixError) return undefined; // it has ended
    throw error;
  }
}

function waitThrough(tool: Tool, pid: number): number {
  for (;;) {
    try {
      return tool.sys.wait(pid).status;
    } catch (error) {
      if (!(error instanceof PosixError) || error.errno !== EINTR) throw error;
    }
  }
}

/** It may have ended a moment ago, and its group with it. */
function deliver(tool: Tool, pid: number, signal: number): void {
  try {
    tool.sys.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof PosixError) || error.errno !== ESRCH) throw error;
  }
}
