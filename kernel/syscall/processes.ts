// System calls on processes and signals: spawn, exec, wait, kill, groups, ids, handlers.

import {
  CONTINUED_STATUS,
  NSIG,
  SIGKILL,
  SIGSTOP,
  stopStatus,
  WCONTINUED,
  WNOHANG,
  WUNTRACED,
} from '../abi/constants.ts';
import { ECHILD, EINTR, EINVAL, EPERM, fail } from '../abi/errno.ts';
import { SYS } from '../abi/syscall.ts';
import { encodeText } from '../abi/text.ts';
import { type Task, WaitQueue, wakeAll } from '../ipc/task.ts';
import type { Disposition, Process } from '../proc/process.ts';
import { kill } from '../proc/signal.ts';
import { exec, type SpawnRequest, spawn } from '../proc/spawn.ts';
import type { Call } from '../vfs/call.ts';
import { arg, type Calls, putText, type Request, type Result, textData } from './dispatch.ts';

export const processCalls: Calls = {
  *[SYS.spawn](call, request) {
    const { stdio: _, ...rest } = spawnData(request);
    return { r0: yield* spawn(call, rest) };
  },
  *[SYS.spawnStdio](call, request) {
    if (call.process.pid !== 1) fail(EPERM);
    return { r0: yield* spawn(call, spawnData(request)) };
  },
  *[SYS.exec](call, request) {
    const start = yield* exec(call, spawnData(request));
    return putText(request, encodeText(JSON.stringify(start)));
  },
  *[SYS.wait](call, request) {
    return yield* wait(call, { pid: arg(request, 0), options: arg(request, 1) });
  },
  *[SYS.kill](call, request) {
    const [pid, signal] = [arg(request, 0), arg(request, 1)];
    if (Number.isNaN(pid) || Number.isNaN(signal)) fail(EINVAL);
    kill(call.kernel, call.process, { pid, signal });
    return {};
  },
  *[SYS.getpgid](call, request) {
    const pid = arg(request, 0);
    return { r0: pid === 0 ? call.process.pgid : call.kernel.processes.get(pid).pgid };
  },
  *[SYS.setpgid](call, request) {
    const pid = arg(request, 0) || call.process.pid;
    const target = call.kernel.processes.get(pid);
    if (target !== call.process && target.parent !== call.process) fail(EPERM);
    const pgid = arg(request, 1) || pid;
    if (pgid < 0) fail(EINVAL);
    const { sid } = call.process;
    if (target.sid !== sid || target.pid === target.sid) fail(EPERM);
    const there = call.kernel.processes.group(pgid).some((member) => member.sid === sid);
    if (pgid !== pid && !there) fail(EPERM);
    target.pgid = pgid;
    return {};
  },
  *[SYS.getppid](call) {
    return { r0: call.process.parent?.pid ?? 0 };
  },
  *[SYS.setuid](call, request) {
    const uid = arg(request, 0);
    if (!(uid >= 0 && uid < 0xffff_ffff)) fail(EINVAL);
    if (call.uid !== 0 && uid !== call.uid) fail(EPERM);
    call.process.uid = uid;
    return {};
  },
  *[SYS.setgid](call, request) {
    const gid = arg(request, 0);
    if (!(gid >= 0 && gid < 0xffff_ffff)) fail(EINVAL);
    if (call.uid !== 0 && gid !== call.gid) fail(EPERM);
    call.process.gid = gid;
    return {};
  },
  *[SYS.umask](call, request) {
    const before = call.process.umask;
    call.process.umask = arg(request, 0) & 0o777;
    return { r0: before };
  },
  *[SYS.sigaction](call, request) {
    return { r0: setDisposition(call.process, arg(request, 0), arg(request, 1)) };
  },
  *[SYS.takeSignals](call) {
    const r0 = call.process.pending >>> 0;
    call.process.pending = 0;
    return { r0 };
  },
  *[SYS.sleep](call, request) {
    yield* sleepFor(call, Math.min(request.args[0] ?? 0, LONGEST_SLEEP_MS));
    return {};
  },
};

function spawnData(request: Request): SpawnRequest {
  const data = parsed(textData(request));
  const { path, argv, env, cwd, pgid } = data;
  if (typeof path !== 'string' || !areStrings(argv)) fail(EINVAL);
  if (!Array.isArray(env) || !env.every((pair) => areStrings(pair) && pair.length === 2)) {
    fail(EINVAL);
  }
  if (cwd !== undefined && typeof cwd !== 'string') fail(EINVAL);
  if (pgid !== undefined && !(typeof pgid === 'number' && Number.isInteger(pgid) && pgid >= 0))
    fail(EINVAL);
  const { setsid, foreground } = data;
  if (setsid !== undefined && typeof setsid !== 'boolean') fail(EINVAL);
  if (foreground !== undefined && typeof foreground !== 'number') fail(EINVAL);
  for (const signal of [...list(data.ignore), ...list(data.defaults)]) {
    if (!(Number.isInteger(signal) && Number(signal) > 0 && Number(signal) < NSIG)) fail(EINVAL);
  }
  for (const action of list(data.fdActions)) if (!isAction(action)) fail(EINVAL);
  list(data.stdio);
  return { ...data, path, argv, env } as SpawnRequest;
}

function parsed(json: string): Partial<Record<keyof SpawnRequest, unknown>> {
  try {
    const data: unknown = JSON.parse(json);
    if (typeof data === 'object' && data !== null) return data;
  } catch {
    // not JSON: told below
  }
  fail(EINVAL, 'a malformed request to spawn');
}

const areStrings = (words: unknown): words is string[] =>
  Array.isArray(words) && words.every((word) => typeof word === 'string');

const list = (items: unknown): readonly unknown[] =>
  items === undefined ? [] : Array.isArray(items) ? items : fail(EINVAL);

function isAction(action: unknown): boolean {
  const { op, path } = (action ?? {}) as { op?: unknown; path?: unknown };
  return op === 'dup2' || op === 'close' || (op === 'open' && typeof path === 'string');
}

/** What signals may do, as sigaction's numbers have it. */
const kinds: readonly Disposition[] = ['default', 'ignore', 'handler'];

/** Returns what it did before. */
function setDisposition(process: Process, signal: number, what: number): number {
  const kind = kinds[what];
  if (!(signal > 0 && signal < NSIG) || kind === undefined) fail(EINVAL);
  if (signal === SIGKILL || signal === SIGSTOP) fail(EINVAL);
  const before = kinds.indexOf(process.dispositions[signal] ?? 'default');
  process.dispositions[signal] = kind;
  if (kind !== 'handler') process.pending &= ~(1 << signal);
  return before;
}

/** waitpid(2): pid > 0 that child, -1 any, 0 the caller's group, < -1 that group. */
function* wait(call: Call, want: { pid: number; options: number }): Task<Result> {
  const { process } = call;
  const { pid } = want;
  const matches = (child: Process): boolean =>
    pid === -1 ||
    child.pid === pid ||
    (pid === 0 && child.pgid === process.pgid) ||
    (pid < -1 && child.pgid === -pid);
  for (;;) {
    const candidates = [...process.children].filter(matches);
    if (candidates.length === 0) fail(ECHILD);
    const dead = candidates.find((child) => child.dead);
    if (dead) {
      reap(call, dead);
      return { r0: dead.pid, r1: dead.status };
    }
    const changed = candidates.find((child) => tells(child, want.options));
    if (changed) {
      const stopped = changed.untold === 'stopped';
      changed.untold = undefined;
      return { r0: changed.pid, r1: stopped ? stopStatus(changed.stopSignal) : CONTINUED_STATUS };
    }
    if (want.options & WNOHANG) return { r0: 0, r1: 0 };
    yield* call.sleep(process.childEvent);
  }
}

const tells = ({ untold }: Process, options: number): boolean =>
  (untold === 'stopped' && (options & WUNTRACED) !== 0) ||
  (untold === 'continued' && (options & WCONTINUED) !== 0);

function reap(call: Call, child: Process): void {
  const { childrenUsed: used } = call.process;
  used.userMs += child.userMs + child.childrenUsed.userMs;
  used.systemMs += child.systemMs + child.childrenUsed.systemMs;
  call.kernel.processes.remove(child);
}

/** A year: what a timer takes for ever. */
const LONGEST_SLEEP_MS = 365 * 86_400_000;

function* sleepFor(call: Call, ms: number): Task<void> {
  if (!(ms >= 0)) fail(EINVAL);
  const { executor, clock } = call.kernel;
  const until = clock.monotonicMs() + ms;
  const queue = new WaitQueue('sleep');
  const cancel = executor.after(ms, () => wakeAll(queue));
  try {
    while (clock.monotonicMs() < until) yield* call.sleep(queue);
  } finally {
    cancel();
  }
  if (call.process.dead) fail(EINTR);
}
