// Sectors of the device read and written past the block cache, through scratch: headers and the log. Who
// has the volume for himself, as fsck does, reads and writes them at once.

import { subgrant } from '../../../kernel/ipc/grant.ts';
import type { Task } from '../../../kernel/ipc/task.ts';
import type { Engine } from '../../lib/engine.ts';
import type { Medium } from '../../lib/medium.ts';

/** Whole sectors of a volume, wherever it lies. */
export interface Sectors {
  readonly sizeBytes: number;
  read(offset: number, length: number): Task<Uint8Array>;
  write(offset: number, bytes: Uint8Array): Task<void>;
  flush(): Task<void>;
}

export const engineSectors = (engine: Engine): Sectors => ({
  sizeBytes: engine.device.sizeBytes,
  read: (offset, length) => readSectors(engine, offset, length),
  write: (offset, bytes) => writeSectors(engine, offset, bytes),
  flush: () => engine.device.flush(),
});

export const mediumSectors = (medium: Medium): Sectors => ({
  sizeBytes: medium.sizeBytes,
  *read(offset, length) {
    return medium.read(offset, length);
  },
  *write(offset, bytes) {
    medium.write(offset, bytes);
  },
  *flush() {
    medium.flush();
  },
});

/** A copy of whole sectors. */
export function* readSectors(engine: Engine, offset: number, length: number): Task<Uint8Array> {
  const out = new Uint8Array(length);
  const { scratch, cache } = engine;
  const most = scratch.maxBlocks * cache.blockSize;
  for (let done = 0; done < length; ) {
    const count = Math.min(most, length - done);
    const blocks = yield* scratch.take(Math.ceil(count / cache.blockSize));
    try {
      const ref = subgrant(blocks.ref(0, blocks.count), 0, count);
      yield* engine.device.read([{ offset: offset + done, ref }]);
      out.set(blocks.bytes.subarray(0, count), done);
    } finally {
      blocks.release();
    }
    done += count;
  }
  return out;
}

export function* writeSectors(engine: Engine, offset: number, bytes: Uint8Array): Task<void> {
  const { scratch, cache } = engine;
  const most = scratch.maxBlocks * cache.blockSize;
  for (let done = 0; done < bytes.length; ) {
    const count = Math.min(most, bytes.length - done);
    const blocks = yield* scratch.take(Math.ceil(count / cache.blockSize));
    try {
      blocks.bytes.set(bytes.subarray(done, done + count));
      const ref = subgrant(blocks.ref(0, blocks.count), 0, count);
      yield* engine.device.write([{ offset: offset + done, ref }]);
    } finally {
      blocks.release();
    }
    done += count;
  }
}
