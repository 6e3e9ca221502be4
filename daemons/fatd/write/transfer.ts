// Ranges of the disk past the block cache, for what is looked at once when a volume is mounted.

import type { Task } from '../../../kernel/ipc/task.ts';
import type { Engine } from '../../lib/engine.ts';

/** Reads a range, or writes `bytes` to it, by way of scratch. */
export function* transfer(
  engine: Engine,
  { offset, length, bytes }: { offset: number; length: number; bytes?: Uint8Array },
): Task<Uint8Array> {
  const { blockSize } = engine.cache;
  const scratch = yield* engine.scratch.take(Math.ceil(length / blockSize));
  try {
    const whole = scratch.ref(0, scratch.count);
    const piece = { offset, ref: { ...whole, length } };
    if (bytes) {
      scratch.bytes.set(bytes);
      yield* engine.device.write([piece]);
    } else yield* engine.device.read([piece]);
    return scratch.bytes.slice(0, length);
  } finally {
    scratch.release();
  }
}
