// Write-back without a journal: an epoch of changed blocks goes to the disk in stages with a flush between
// them; what belongs to which stage is the format's to say (fat-plan.ts, exFAT's plan.ts). What the disk
// holds before is read from it, so that a worker may die between any two writes and the next one goes on.

import { EIO, EROFS, PosixError } from '../../../kernel/abi/errno.ts';
import { Lock, type Task } from '../../../kernel/ipc/task.ts';
import type { Frame } from '../../lib/cache/block-cache.ts';
import type { Mover } from '../../lib/data/mover.ts';
import type { Piece } from '../../lib/device.ts';
import type { Engine, Writeback } from '../../lib/engine.ts';
import { sameBytes } from '../../lib/same-bytes.ts';
import { HELD_BLOCK } from '../volume/held.ts';
import { STAGES, type Stage, type Staged } from './stages.ts';

/** A block on its way: what it holds after each stage. */
export interface Outgoing {
  readonly no: number;
  readonly old: Uint8Array;
  readonly staged: Staged;
}

/** What the disk holds of these blocks now. */
export type ReadOld = (numbers: readonly number[]) => Task<Uint8Array[]>;

/** What a format says of an epoch. */
export interface Plan {
  /** The epoch is closed: what requests free from now on belongs to the next one. */
  closed(): void;
  /** All of its stages are written. */
  written(): void;
  stage(frames: readonly Frame[], readOld: ReadOld): Task<Outgoing[]>;
  /** How many other places a block may be written to, and where they are (bytes). */
  readonly copies: number;
  copyOf(no: number, copy: number): number | undefined;
}

export interface CarefulOptions {
  readonly engine: Engine;
  readonly mover: Mover;
  readonly plan: Plan;
  readonly onFailure: (error: PosixError) => void;
}

export class Careful implements Writeback {
  readonly #options: CarefulOptions;
  readonly #lock = new Lock('write-back');
  #failure: PosixError | undefined;
  /** Something was written since the device was flushed last. */
  #pending = false;

  constructor(options: CarefulOptions) {
    this.#options = options;
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  get accepting(): boolean {
    const { cache } = this.#options.engine;
    return cache.unwritten < cache.shape.frames >> 1;
  }

  /** Is there anything to be written? */
  get idle(): boolean {
    for (const no of this.#options.engine.cache.running.blocks.keys()) {
      if (no < HELD_BLOCK) return false;
    }
    return true;
  }

  *relieve(): Task<void> {
    if (this.#failure) throw new PosixError(EROFS, 'the volume could not be written');
    yield* this.commit();
  }

  /** Everything published so far is safe on the disk; what it freed may still look taken there. */
  *commit(): Task<void> {
    yield* this.#lock.acquire();
    try {
      if (this.#failure) throw new PosixError(EIO, this.#failure.message);
      yield* this.#writeEpoch();
    } catch (error) {
      if (error instanceof PosixError) this.#fail(error);
      throw error;
    } finally {
      this.#lock.release();
    }
  }

  /** The same, and the disk shows all of it. */
  *settle(): Task<void> {
    yield* this.commit();
    yield* this.#flush();
  }

  *#writeEpoch(): Task<void> {
    const { engine, mover, plan } = this.#options;
    if (this.idle) {
      if (mover.unflushed) yield* this.#flush();
      return;
    }
    const epoch = engine.cache.closeEpoch(HELD_BLOCK);
    plan.closed();
    yield* mover.settled(epoch);
    const frames = [...epoch.blocks.values()].sort((a, b) => a.no - b.no);
    const staged = yield* plan.stage(frames, (numbers) => this.#readOld(numbers));
    const blocks = staged.sort((a, b) => a.no - b.no);
    for (let stage = 1; stage <= STAGES; stage++) yield* this.#write(blocks, stage as Stage);
    engine.cache.epochWritten();
    plan.written();
  }

  /** What the disk holds now. */
  *#readOld(numbers: readonly number[]): Task<Uint8Array[]> {
    const { engine } = this.#options;
    const { blockSize } = engine.cache;
    const out: Uint8Array[] = [];
    const most = engine.scratch.maxBlocks;
    for (let i = 0; i < numbers.length; i += most) {
      const some = numbers.slice(i, i + most);
      const scratch = yield* engine.scratch.take(some.length);
      try {
        const places = some.map((no) => ({ offset: no * blockSize }));
        yield* engine.device.read(joined(places, blockSize, (k, n) => scratch.ref(k, n)));
        for (let k = 0; k < some.length; k++) out.push(scratch.block(k).slice());
      } finally {
        scratch.release();
      }
    }
    return out;
  }

  /** Writes what a stage changes, behind a flush of what was written before it. */
  *#write(blocks: readonly Outgoing[], stage: Stage): Task<void> {
    const changed = blocks.filter(({ old, staged }) => {
      const before = stage === 1 ? old : staged[(stage - 1) as Stage];
      return !sameBytes(before, staged[stage]);
    });
    const { mover } = this.#options;
    if (stage > 1 && (changed.length > 0 || stage === STAGES)) {
      if (this.#pending || mover.unflushed) yield* this.#flush();
    }
    if (changed.length > 0) yield* this.#writeBlocks(changed, stage);
  }

  *#writeBlocks(blocks: readonly Outgoing[], stage: Stage): Task<void> {
    const { engine, plan } = this.#options;
    const { blockSize } = engine.cache;
    const most = engine.scratch.maxBlocks;
    for (let i = 0; i < blocks.length; i += most) {
      const some = blocks.slice(i, i + most);
      const scratch = yield* engine.scratch.take(some.length);
      try {
        some.forEach(({ staged }, k) => {
          scratch.block(k).set(staged[stage]);
        });
        const ref = (k: number, n: number) => scratch.ref(k, n);
        const home = some.map(({ no }) => ({ offset: no * blockSize }));
        this.#pending = true;
        yield* engine.device.write(joined(home, blockSize, ref));
        for (let copy = 0; copy < plan.copies; copy++) {
          const places = some.map(({ no }) => ({ offset: plan.copyOf(no, copy) }));
          const pieces = joined(places, blockSize, ref);
          if (pieces.length > 0) yield* engine.device.write(pieces);
        }
      } finally {
        scratch.release();
      }
    }
  }

  *#flush(): Task<void> {
    const { engine, mover } = this.#options;
    this.#pending = false;
    mover.unflushed = false;
    yield* engine.device.flush();
  }

  #fail(error: PosixError): void {
    if (this.#failure) return;
    this.#failure = error;
    this.#options.onFailure(error);
  }
}

/** Transfers of blocks that lie one behind the other in scratch; neighbours on the disk are one. */
function joined(
  places: readonly { readonly offset: number | undefined }[],
  blockSize: number,
  ref: (first: number, count: number) => Piece['ref'],
): Piece[] {
  const runs: { offset: number; first: number; count: number }[] = [];
  places.forEach(({ offset }, k) => {
    const last = runs.at(-1);
    if (offset === undefined) return;
    const follows = last && last.first + last.count === k;
    if (follows && last.offset + last.count * blockSize === offset) last.count++;
    else runs.push({ offset, first: k, count: 1 });
  });
  return runs.map(({ offset, first, count }) => ({ offset, ref: ref(first, count) }));
}
