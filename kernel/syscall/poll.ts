// poll(2): which of several descriptors are ready, now or within a time.

import { POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT, RLIMIT_NOFILE } from '../abi/constants.ts';
import { EFAULT, EINVAL, fail } from '../abi/errno.ts';
import { getPollEntries, POLL_ENTRY_SIZE, type PollEntry, putPollEntries } from '../abi/syscall.ts';
import { type Parked, type Task, WaitQueue, wakeAll } from '../ipc/task.ts';
import type { Call } from '../vfs/call.ts';
import type { OpenFile } from '../vfs/file.ts';
import { arg, type Request, type Result } from './dispatch.ts';

/** A day: a longer wait is not distinguished from this. */
const LONGEST_MS = 86_400_000;

export function* poll(call: Call, request: Request): Task<Result> {
  const { executor, clock } = call.kernel;
  const entries = getPollEntries(request.data.slice());
  const timeoutMs = arg(request, 0);
  if (Number.isNaN(timeoutMs) || request.data.length % POLL_ENTRY_SIZE !== 0) fail(EINVAL);
  if (entries.length > call.process.limits.soft(RLIMIT_NOFILE)) fail(EINVAL);
  const files = entries.map(({ fd }) => held(call, fd));
  const untilMs = timeoutMs < 0 ? Number.POSITIVE_INFINITY : clock.monotonicMs() + timeoutMs;
  const woken = new WaitQueue('poll');
  const cancel =
    timeoutMs > 0 ? executor.after(Math.min(timeoutMs, LONGEST_MS), () => wakeAll(woken)) : none;
  const queues = joinQueues(files, woken);
  try {
    for (;;) {
      const now = entries.map((entry, i) => ({ ...entry, revents: look(entry, files[i]) }));
      const r0 = now.filter(({ revents }) => revents !== 0).length;
      if (r0 > 0 || clock.monotonicMs() >= untilMs) return answer(request, now, r0);
      queues.rejoin();
      yield* call.sleep(woken);
    }
  } finally {
    queues.leave();
    cancel();
  }
}

const none = (): void => undefined;

function answer(request: Request, entries: readonly PollEntry[], r0: number): Result {
  const room = request.room(entries.length * POLL_ENTRY_SIZE).bytes;
  if (room.length < entries.length * POLL_ENTRY_SIZE) fail(EFAULT);
  return { r0, length: putPollEntries(room, entries) };
}

/** The open file; undefined when the descriptor is none or left out. */
const held = (call: Call, fd: number): OpenFile | undefined =>
  fd >= 0 && call.process.descriptors[fd] !== undefined ? call.file(fd) : undefined;

/** What is so of what was asked for. What is no stream never makes anybody wait. */
function look({ fd, events }: PollEntry, file: OpenFile | undefined): number {
  if (fd < 0) return 0;
  if (file === undefined) return POLLNVAL;
  const state = file.stream?.poll() ?? POLLIN | POLLOUT;
  return state & (events | POLLERR | POLLHUP);
}

/** Waits in the queues of all streams at once: whoever wakes one of them wakes `woken`. */
function joinQueues(
  files: readonly (OpenFile | undefined)[],
  woken: WaitQueue,
): { rejoin: () => void; leave: () => void } {
  const queues = new Set(files.flatMap((file) => file?.stream?.changed ?? []));
  const parked: Parked = { resume: () => wakeAll(woken) };
  const leave = (): void => {
    for (const { waiting } of queues) {
      const at = waiting.indexOf(parked);
      if (at >= 0) waiting.splice(at, 1);
    }
  };
  return {
    leave,
    rejoin: () => {
      leave();
      for (const { waiting } of queues) waiting.push(parked);
    },
  };
}
