// Write-back for volumes without a journal: changed blocks are written to their places at sync, by
// the timer, and when frames run short.

import { EIO, EROFS, PosixError } from '../../kernel/abi/errno.ts';
import { Lock, type Task } from '../../kernel/ipc/task.ts';
import type { Mover } from './data/mover.ts';
import type { Engine, Writeback } from './engine.ts';
import { writeHome } from './write-home.ts';

export class InPlace implements Writeback {
  readonly #engine: Engine;
  readonly #mover: Mover;
  readonly #onFailure: (error: PosixError) => void;
  readonly #lock = new Lock('write-back');
  #failure: PosixError | undefined;

  constructor(engine: Engine, mover: Mover, onFailure: (error: PosixError) => void) {
    this.#engine = engine;
    this.#mover = mover;
    this.#onFailure = onFailure;
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  get accepting(): boolean {
    const { cache } = this.#engine;
    return cache.unwritten < cache.shape.frames >> 1;
  }

  *relieve(): Task<void> {
    if (this.#failure) throw new PosixError(EROFS, 'the volume could not be written');
    yield* this.commit();
  }

  /** Everything published so far is on the disk when this is over. */
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

  *#writeEpoch(): Task<void> {
    const { cache, device } = this.#engine;
    if (cache.running.blocks.size > 0) {
      const epoch = cache.closeEpoch();
      yield* this.#mover.settled(epoch);
      yield* writeHome(this.#engine, [...epoch.blocks.values()]);
      cache.epochWritten();
    } else if (!this.#mover.unflushed) return;
    this.#mover.unflushed = false;
    yield* device.flush();
  }

  #fail(error: PosixError): void {
    if (this.#failure) return;
    this.#failure = error;
    this.#onFailure(error);
  }
}
