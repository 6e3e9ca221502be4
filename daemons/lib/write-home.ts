// Writing cached blocks to their places on the disk, neighbours in one transfer.

import type { Task } from '../../kernel/ipc/task.ts';
import type { Frame } from './cache/block-cache.ts';
import type { Piece } from './device.ts';
import type { Engine } from './engine.ts';

/** Pieces that are handed to the device at once. */
const BATCH = 32;

/** Writes the frames to where their blocks belong. They must not change meanwhile; no flush. */
export function* writeHome(engine: Engine, frames: readonly Frame[]): Task<void> {
  const sorted = [...frames].sort((a, b) => a.no - b.no);
  let batch: Piece[] = [];
  for (const run of runs(sorted, engine.scratch.maxBlocks)) {
    if (run.length > 1) {
      yield* writeRun(engine, run);
      continue;
    }
    const [frame] = run;
    if (frame === undefined) continue;
    batch.push({ offset: frame.no * engine.cache.blockSize, ref: engine.cache.refOf(frame) });
    if (batch.length < BATCH) continue;
    yield* engine.device.write(batch);
    batch = [];
  }
  if (batch.length > 0) yield* engine.device.write(batch);
}

function* writeRun(engine: Engine, run: readonly Frame[]): Task<void> {
  const scratch = yield* engine.scratch.take(run.length);
  try {
    run.forEach((frame, i) => {
      scratch.block(i).set(frame.bytes);
    });
    const offset = (run[0]?.no ?? 0) * engine.cache.blockSize;
    yield* engine.device.write([{ offset, ref: scratch.ref(0, run.length) }]);
  } finally {
    scratch.release();
  }
}

/** Blocks that follow each other on the disk, at most `max` in a run. */
function* runs(sorted: readonly Frame[], max: number): Generator<Frame[]> {
  let run: Frame[] = [];
  for (const frame of sorted) {
    const last = run.at(-1);
    if (last !== undefined && (last.no + 1 !== frame.no || run.length === max)) {
      yield run;
      run = [];
    }
    run.push(frame);
  }
  if (run.length > 0) yield run;
}
