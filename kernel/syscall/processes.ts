// System calls on processes and signals: spawn, exec, wait, kill, groups, ids, handlers.

import { NSIG, SIGKILL, SIGSTOP, WNOHANG } from '../abi/constants.ts';
import { ECHILD, EINTR, EINVAL, ENOTTY, EPERM, fail, PosixError } from '../abi/errno.ts';
import { SYS } from '../abi/syscall.ts';
import { encodeText } from '../abi/text.ts';
import { type Task, WaitQueue, wakeAll } from '../ipc/task.ts';
import type { Disposition, Process } from '../proc/process.ts';
import { kill } from '../proc/signal.ts';
import { exec, type SpawnRequest, spawn } from '../proc/spawn.ts';
import type { Call } from '../vfs/call.ts';
import {
  arg,
  type Calls,
  fdArg,
  putText,
  type Request,
  type Result,
  textData,
} from './dispatch.ts';

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
    target.pgid = arg(request, 1) || pid;
    return {};
  },
  *[SYS.getppid](call) {
    return { r0: call.process.parent?.pid ?? 0 };
  },
  *[SYS.setuid](call, request) {
    const uid = arg(request, 0);
    if (!(uid >= 0)) fail(EINVAL);
    if (call.uid !== 0 && uid !== call.uid) fail(EPERM);
    call.process.uid = uid;
    return {};
  },
  *[SYS.setgid](call, request) {
    const gid = arg(request, 0);
    if (!(gid >= 0)) fail(EINVAL);
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
    setDisposition(call.process, arg(request, 0), arg(request, 1));
    return {};
  },
  *[SYS.takeSignals](call) {
    const r0 = call.process.pending;
    call.process.pending = 0;
    return { r0 };
  },
  *[SYS.sleep](call, request) {
    yield* sleepFor(call, arg(request, 0));
    return {};
  },
  *[SYS.setForeground](call, request) {
    const { inode } = call.process.file(fdArg(request));
    if (inode === undefined) fail(ENOTTY);
    call.kernel.tty.foreground = arg(request, 1);
    return {};
  },
};

function spawnData(request: Request): SpawnRequest {
  try {
    const data = JSON.parse(textData(request)) as Partial<SpawnRequest>;
    const { path, argv, env } = data;
    if (typeof path !== 'string' || !Array.isArray(argv) || !Array.isArray(env)) fail(EINVAL);
    return { ...data, path, argv, env };
  } catch (error) {
    throw error instanceof PosixError ? error : new PosixError(EINVAL);
  }
}

function setDisposition(process: Process, signal: number, what: number): void {
  const kinds: Disposition[] = ['default', 'ignore', 'handler'];
  const kind = kinds[what];
  if (!(signal > 0 && signal < NSIG) || kind === undefined) fail(EINVAL);
  if (signal === SIGKILL || signal === SIGSTOP) fail(EINVAL);
  process.dispositions[signal] = kind;
  if (kind !== 'handler') process.pending &= ~(1 << signal);
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
      call.kernel.processes.remove(dead);
      return { r0: dead.pid, r1: dead.status };
    }
    if (want.options & WNOHANG) return { r0: 0, r1: 0 };
    yield* call.sleep(process.childEvent);
  }
}

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
