// The call that carries many (kernel/abi/batch.ts): what is cached is answered in one go, what a server
// must be asked for goes to it side by side.

import {
  BATCH_ENTRY_SIZE,
  BATCH_MOST,
  BATCHABLE,
  type BatchEntry,
  getBatchEntry,
  putBatchAnswer,
} from '../abi/batch.ts';
import { EFAULT, EINTR, EINVAL, fail } from '../abi/errno.ts';
import { SYS } from '../abi/syscall.ts';
import { sleep, type Task, WaitQueue, wakeAll } from '../ipc/task.ts';
import type { Call } from '../vfs/call.ts';
import { arg, type Calls, perform, type Request } from './dispatch.ts';

/** Entries that wait for a server at a time. */
const LANES = 64;

export const batchCalls: Calls = {
  *[SYS.batch](call, request) {
    const count = arg(request, 0);
    const { data } = request;
    if (!(count > 0 && count <= BATCH_MOST)) fail(EINVAL);
    if (count * BATCH_ENTRY_SIZE > data.length) fail(EFAULT);
    const table = new DataView(data.buffer, data.byteOffset, data.length);
    const entries = Array.from({ length: count }, (_, i) => getBatchEntry(table, i));
    yield* serveAll(call, request, { table, entries });
    return { length: data.length };
  },
};

interface Batch {
  readonly table: DataView;
  readonly entries: readonly BatchEntry[];
}

function* serveAll(call: Call, request: Request, { table, entries }: Batch): Task<void> {
  const { kernel, process } = call;
  const done = new WaitQueue('batch');
  let next = 0;
  let running = 0;
  const lane = function* (): Task<void> {
    try {
      for (let i = next++; i < entries.length && !process.dead; i = next++) {
        putBatchAnswer(table, i, yield* serveEntry(call, request, entries[i] as BatchEntry));
      }
    } finally {
      running--;
      wakeAll(done);
    }
  };
  // The first lane serves all that is cached; where it waits, the next goes on.
  while (running < LANES && next < entries.length) {
    running++;
    kernel.executor.startNow(lane(), {
      name: 'batch',
      beforeStep: () => kernel.setCaller(process),
      subject: process,
    });
  }
  while (running > 0) yield* sleep(done);
  if (process.dead) fail(EINTR);
}

function* serveEntry(call: Call, batch: Request, entry: BatchEntry) {
  const { number, args, data: at, length, room } = entry;
  const size = Math.max(length, room);
  if (!BATCHABLE.has(number)) return { errno: EINVAL, length: 0, r0: 0 };
  if (at + size > batch.data.length) return { errno: EFAULT, length: 0, r0: 0 };
  const { segment, bytes } = batch.source;
  const part = (limit: number, count: number) => ({
    segment: { address: segment.address + at, length: Math.min(limit, count) },
    bytes: bytes.subarray(at, at + Math.min(limit, count)),
  });
  const source = part(length, length);
  const { errno, result } = yield* perform(call.kernel, call.process, {
    number,
    tag: batch.tag,
    args,
    data: source.bytes,
    source,
    room: (count) => part(size, count),
  });
  return { errno, length: result.length ?? 0, r0: result.r0 ?? 0 };
}
