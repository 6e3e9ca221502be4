// Who is traced, and how it is told (strace(1)): each call of a traced process, when it is done, as a
// line of JSON in a pipe of its tracer. What nobody traces pays one comparison a call; what is traced
// comes to the kernel for every call, as a process does whose attention is wanted.

import { EINVAL, EPERM, fail } from '../abi/errno.ts';
import type { TracedCall } from '../abi/syscall.ts';
import { decodeText, encodeText } from '../abi/text.ts';
import { sleep, type Task } from '../ipc/task.ts';
import type { Kernel } from '../kernel.ts';
import { type OpenFile, releaseFile } from '../vfs/file.ts';
import { PipeEnd } from '../vfs/pipe.ts';
import type { Process } from './process.ts';

export interface Tracing {
  readonly file: OpenFile;
  /** Whether what it starts is traced, too. */
  readonly follow: boolean;
}

/** Bytes of a call's data that are told. */
const SHOWN = 256;

/** From now on the process is traced; `what` 'children': not itself, but what it starts. */
export function trace(
  kernel: Kernel,
  process: Process,
  { tracing, what }: { tracing: Tracing; what: 'process' | 'children' },
): void {
  if (!(tracing.file.stream instanceof PipeEnd)) fail(EINVAL, 'a trace goes into a pipe');
  if (process.server || process.pid === 1) fail(EPERM);
  tracing.file.refs++;
  if (what === 'children') {
    if (process.traceChildren) releaseFile(kernel, process.traceChildren.file);
    process.traceChildren = tracing;
    return;
  }
  if (process.tracing) releaseFile(kernel, process.tracing.file);
  process.tracing = tracing;
}

/** A new process is traced when its parent asked for it, or is traced with all it starts. */
export function inheritTracing(kernel: Kernel, parent: Process, child: Process): void {
  const tracing = parent.traceChildren ?? (parent.tracing?.follow ? parent.tracing : undefined);
  if (tracing) trace(kernel, child, { tracing, what: 'process' });
}

export function stopTracing(kernel: Kernel, process: Process): void {
  const { tracing, traceChildren } = process;
  process.tracing = undefined;
  process.traceChildren = undefined;
  if (tracing) releaseFile(kernel, tracing.file);
  if (traceChildren) releaseFile(kernel, traceChildren.file);
}

/** As much of a call's data as is told. */
export const shown = (bytes: Uint8Array): string => decodeText(bytes.slice(0, SHOWN));

/** Waits until the tracer has room for it; a tracer that is gone traces no more. */
export function* report(kernel: Kernel, process: Process, call: TracedCall): Task<void> {
  const stream = process.tracing?.file.stream;
  if (!(stream instanceof PipeEnd)) return;
  const { pipe } = stream;
  const line = encodeText(`${JSON.stringify(call)}\n`);
  for (;;) {
    if (pipe.readers === 0) return stopTracing(kernel, process);
    pipe.expectChange();
    if (pipe.room >= line.length) break;
    yield* sleep(pipe.changed);
  }
  pipe.put(line);
  pipe.wake();
}
