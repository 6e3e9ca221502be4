// System call entry: takes a call from a process's ring, runs it, and answers. The one place where
// a PosixError in the kernel becomes an errno for a program. Layout: kernel/abi/syscall.ts.

import { exitStatus } from '../abi/constants.ts';
import { EFAULT, EINTR, EIO, ENOSYS, fail, PosixError } from '../abi/errno.ts';
import { DIED, SYS, syscallName } from '../abi/syscall.ts';
import { decodeText } from '../abi/text.ts';
import type { Task } from '../ipc/task.ts';
import { COUNTERS, EVENTS } from '../ipc/trace-events.ts';
import type { Kernel } from '../kernel.ts';
import type { Process } from '../proc/process.ts';
import { end } from '../proc/signal.ts';
import { report, shown } from '../proc/tracing.ts';
import { type ProcessSeat, putReply } from '../proc/workers.ts';
import { Call } from '../vfs/call.ts';
import type { Buffer } from '../vfs/file.ts';
import { attributeCalls } from './attributes.ts';
import { batchCalls } from './batch.ts';
import { descriptorCalls } from './descriptors.ts';
import { ioCalls, pipeMoved, ringForAhead } from './io.ts';
import { nameCalls } from './names.ts';
import { processCalls } from './processes.ts';
import { resourceCalls } from './resources.ts';
import { systemCalls } from './system.ts';
import { terminalCalls } from './terminals.ts';
import { xattrCalls } from './xattrs.ts';

/** What a call asks for, copied out of its slot; the data stays in the window. */
export interface Request {
  readonly number: number;
  readonly tag: number;
  readonly args: readonly number[];
  /** The data that the caller put into its window. */
  readonly data: Uint8Array;
  /** The same place, as long as the window goes: for what is returned. */
  readonly room: (bytes: number) => Buffer;
  /** The data as bytes in `ram`, for writes. */
  readonly source: Buffer;
}

export interface Result {
  readonly r0?: number;
  readonly r1?: number;
  /** Bytes put into the window. */
  readonly length?: number;
}

export type Handler = (call: Call, request: Request) => Task<Result>;
export type Calls = Partial<Record<number, Handler>>;

const handlers: Calls = {
  ...ioCalls,
  ...nameCalls,
  ...attributeCalls,
  ...xattrCalls,
  ...batchCalls,
  ...descriptorCalls,
  ...processCalls,
  ...resourceCalls,
  ...systemCalls,
  ...terminalCalls,
};

/** Takes the next call from a seat's ring and starts it. */
export function takeCall(kernel: Kernel, seat: ProcessSeat): boolean {
  const slot = seat.requests.peek();
  if (slot === undefined) return false;
  const { view } = slot;
  const number = view.getUint32(0, true);
  const tag = view.getUint32(4, true);
  const dataAt = view.getUint32(8, true);
  const length = view.getUint32(12, true);
  const args = [16, 24, 32, 40, 48].map((at) => view.getFloat64(at, true));
  seat.requests.release();
  const { process } = seat;
  if (number === SYS.ready) kernel.workers.ready(seat, tag);
  else if (number === SYS.readAhead) ringForAhead(kernel, process, args[0] ?? -1);
  else if (number === SYS.pipeMoved) pipeMoved(process, args[0] ?? -1);
  else if (process === undefined || process.dead) answer(kernel, seat, { tag, errno: DIED });
  else if (number === SYS.exit && process.tracing) {
    kernel.executor.start(tracedExit(kernel, seat, { process, tag, args }), 'traced exit');
  } else if (number === SYS.exit) {
    end(kernel, process, exitStatus(args[0] ?? 0));
    answer(kernel, seat, { tag, errno: DIED });
  } else
    start(kernel, seat, {
      process,
      request: toRequest(seat, { number, tag, args, dataAt, length }),
    });
  return true;
}

/** Its tracer is told while there still is something to be told of. */
function* tracedExit(
  kernel: Kernel,
  seat: ProcessSeat,
  { process, tag, args }: { process: Process; tag: number; args: readonly number[] },
): Task<void> {
  const { clock } = kernel;
  yield* report(kernel, process, {
    ...{ pid: process.pid, number: SYS.exit, args, data: '', length: 0, errno: 0, r0: 0, r1: 0 },
    ...{ answer: '', answerLength: 0, beganMs: clock.monotonicMs(), tookMs: 0 },
  });
  end(kernel, process, exitStatus(args[0] ?? 0));
  answer(kernel, seat, { tag, errno: DIED });
}

function start(
  kernel: Kernel,
  seat: ProcessSeat,
  to: { process: Process; request: Request },
): void {
  const { process, request } = to;
  process.calls++;
  const beganMs = kernel.clock.monotonicMs();
  const ended = kernel.executor.startNow(counted(kernel, seat, to), {
    name: `call ${syscallName(request.number)}`,
    beforeStep: () => kernel.setCaller(process),
    subject: process,
  });
  process.systemMs += kernel.clock.monotonicMs() - beganMs;
  if (!ended) kernel.cpus.release(process);
}

/** The seat's memory stays while a call uses it. */
function* counted(
  kernel: Kernel,
  seat: ProcessSeat,
  to: { process: Process; request: Request },
): Task<void> {
  seat.calls++;
  try {
    yield* serve(kernel, seat, to);
  } finally {
    seat.calls--;
  }
}

function* serve(
  kernel: Kernel,
  seat: ProcessSeat,
  to: { process: Process; request: Request },
): Task<void> {
  const { process, request } = to;
  kernel.executor.trace.count(COUNTERS.syscalls);
  const { errno, result } = yield* perform(kernel, process, request);
  if (process.pid !== 1) yield* toUserMode(kernel, process);
  const { tag } = request;
  if (process.dead) answer(kernel, seat, { tag, errno: DIED });
  else answer(kernel, seat, { tag, errno, signals: process.pending, ...result });
}

/** Runs the handler of one call, whatever comes of it: the errno, 0 when it was done, and the result. */
export function* perform(
  kernel: Kernel,
  process: Process,
  request: Request,
): Task<{ errno: number; result: Result }> {
  const { trace } = kernel.executor;
  const span = trace.asyncBegin(EVENTS.syscall, request.number, process.pid);
  const call = new Call(kernel, process);
  let errno = 0;
  let result: Result = {};
  const traced = process.tracing && beforeCall(kernel, request);
  try {
    const handler = handlers[request.number] ?? fail(ENOSYS);
    if (process.stopSignal !== 0) yield* call.whileStopped();
    if (process.dead) fail(EINTR);
    const { sysPoints } = kernel;
    result = sysPoints.armed
      ? yield* sysPoints.serve(call, request, handler)
      : yield* handler(call, request);
  } catch (error) {
    errno = errnoOf(kernel, error, request);
  } finally {
    call.end();
  }
  trace.asyncEnd(EVENTS.syscall, span, errno);
  if (traced) yield* tellTracer(kernel, process, { request, traced, errno, result });
  return { errno, result };
}

/** What a traced call was asked for: its answer may lie in the same place. */
const beforeCall = (kernel: Kernel, request: Request) => ({
  data: shown(request.data),
  beganMs: kernel.clock.monotonicMs(),
});

function* tellTracer(
  kernel: Kernel,
  process: Process,
  done: {
    request: Request;
    traced: ReturnType<typeof beforeCall>;
    errno: number;
    result: Result;
  },
): Task<void> {
  const { request, traced, errno, result } = done;
  const { length: answerLength = 0, r0 = 0, r1 = 0 } = result;
  yield* report(kernel, process, {
    ...{ pid: process.pid, number: request.number, args: request.args, ...traced, errno, r0, r1 },
    ...{ length: request.data.length, answerLength },
    answer: shown(request.room(answerLength).bytes),
    tookMs: kernel.clock.monotonicMs() - traced.beganMs,
  });
}

/** Waits for a virtual CPU, and as long as the process is stopped. */
function* toUserMode(kernel: Kernel, process: Process): Task<void> {
  const call = new Call(kernel, process);
  while (!process.dead) {
    if (process.stopSignal !== 0) yield* call.whileStopped();
    yield* kernel.cpus.acquire(process);
    if (process.stopSignal === 0) return;
    kernel.cpus.release(process);
  }
}

function errnoOf(kernel: Kernel, error: unknown, request: Request): number {
  if (error instanceof PosixError) return error.errno;
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  kernel.log(`kernel: bug in call ${syscallName(request.number)}: ${what}`);
  return EIO;
}

/** Puts the answer into the ring; waits for room if the host has many calls under way. */
function answer(
  kernel: Kernel,
  seat: ProcessSeat,
  reply: { tag: number; errno: number; signals?: number } & Result,
): void {
  const { tag, errno, length = 0, signals = 0, r0 = 0, r1 = 0 } = reply;
  if (seat.gone || putReply(seat, { tag, errno, length, signals, r0, r1 })) return;
  kernel.executor.after(1, () => answer(kernel, seat, reply));
}

function toRequest(
  seat: ProcessSeat,
  from: { number: number; tag: number; args: number[]; dataAt: number; length: number },
): Request {
  const { number, tag, args, dataAt, length } = from;
  const size = seat.window.length;
  const buffer = (bytes: number): Buffer => {
    if (dataAt + bytes > size || bytes < 0) fail(EFAULT);
    return {
      segment: { address: seat.windowAt + dataAt, length: bytes },
      bytes: seat.window.subarray(dataAt, dataAt + bytes),
    };
  };
  const room = (bytes: number): Buffer => buffer(Math.min(bytes, size - dataAt));
  const sound = dataAt + length <= size;
  const source = sound ? buffer(length) : { segment: { address: 0, length: 0 }, bytes: NOTHING };
  return { number: sound ? number : -1, tag, args, data: source.bytes, source, room };
}

const NOTHING = new Uint8Array(0);

/** An argument as an integer; anything else is EINVAL's business, here 0. */
export const arg = (request: Request, index: number): number => {
  const value = request.args[index] ?? 0;
  return Number.isSafeInteger(value) ? value : Number.NaN;
};

/** A descriptor argument. */
export const fdArg = (request: Request, index = 0): number => {
  const fd = arg(request, index);
  return fd >= 0 && fd < 65_536 ? fd : -1;
};

/** The data as one string. */
export const textData = (request: Request): string => decodeText(request.data.slice());

/** The data as strings joined by NUL. */
export const textsData = (request: Request): string[] => textData(request).split('\0');

/** Puts a string into the window; its length in bytes. */
export function putText(request: Request, bytes: Uint8Array): Result {
  const room = request.room(bytes.length);
  if (room.bytes.length < bytes.length) fail(EFAULT);
  room.bytes.set(bytes);
  return { length: bytes.length, r0: bytes.length };
}
