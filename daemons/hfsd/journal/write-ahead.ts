// Write-back through a log: a group of requests is first written to the log as a whole, then home. A power
// cut between the two is made good by the next mount; before, nothing of the group has happened.

import { EIO, EROFS, PosixError } from '../../../kernel/abi/errno.ts';
import { Lock, type Task } from '../../../kernel/ipc/task.ts';
import type { Epoch } from '../../lib/cache/block-cache.ts';
import type { Mover } from '../../lib/data/mover.ts';
import type { Engine, Writeback } from '../../lib/engine.ts';
import { writeHome } from '../../lib/write-home.ts';
import { writeSectors } from './bytes.ts';
import { type LogPlace, listCapacity, writeHeader, writeList } from './format.ts';

export interface WriteAheadOptions {
  readonly engine: Engine;
  readonly mover: Mover;
  /** Undefined: there is no room for a log, blocks go home unprotected. */
  readonly place: LogPlace | undefined;
  /** Marks a header with what belongs to this log alone; tells the epoch that is being logged. */
  readonly mark: (header: Uint8Array, epoch: Epoch) => void;
  readonly onFailure: (error: PosixError) => void;
  readonly onOverflow: (blocks: number) => void;
}

/** Positions in the log. */
interface Logged {
  readonly start: number;
  readonly end: number;
}

export class WriteAhead implements Writeback {
  readonly #options: WriteAheadOptions;
  readonly #lock = new Lock('write-back');
  readonly #capacity: number; // blocks
  #failure: PosixError | undefined;
  #sequence = 1;
  /** The group that the header on the disk may still lead to: at first, whatever is there. */
  #last: Logged = { start: 0, end: 0 };

  constructor(options: WriteAheadOptions) {
    this.#options = options;
    const { place, engine } = options;
    const room = place === undefined ? 0 : place.size - place.sector;
    const { blockSize } = engine.cache;
    const lists = place === undefined ? 1 : Math.ceil(room / place.listSize / 8);
    this.#capacity = Math.floor((room - lists * (place?.listSize ?? 0)) / blockSize);
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  get accepting(): boolean {
    const { cache } = this.#options.engine;
    const most = cache.shape.frames >> 1;
    const logged = this.#options.place === undefined ? most : this.#capacity >> 1;
    return (
      cache.running.blocks.size < Math.max(1, Math.min(most, logged)) && cache.unwritten < most
    );
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
      if (error instanceof PosixError && !this.#failure) {
        this.#failure = error;
        this.#options.onFailure(error);
      }
      throw error;
    } finally {
      this.#lock.release();
    }
  }

  *#writeEpoch(): Task<void> {
    const { engine, mover } = this.#options;
    const { cache, device } = engine;
    if (cache.running.blocks.size === 0) {
      if (!mover.unflushed) return;
      mover.unflushed = false;
      yield* device.flush();
      return;
    }
    const epoch = cache.closeEpoch();
    yield* mover.settled(epoch);
    mover.unflushed = false;
    const logged = yield* this.#log(epoch);
    yield* writeHome(engine, [...epoch.blocks.values()]);
    yield* device.flush();
    if (logged !== undefined) {
      yield* this.#putHeader(epoch, { start: logged.end, end: logged.end });
      this.#last = logged;
    }
    cache.epochWritten();
  }

  /** Writes the epoch to the log; where it is, or undefined when it is not in the log. */
  *#log(epoch: Epoch): Task<Logged | undefined> {
    const { engine, place } = this.#options;
    const frames = [...epoch.blocks.values()].sort((a, b) => a.no - b.no);
    if (place === undefined) return undefined;
    const { blockSize } = engine.cache;
    const most = listCapacity(place.listSize);
    const lists = Math.ceil(frames.length / most);
    const length = lists * place.listSize + frames.length * blockSize;
    if (length >= place.size - place.sector) {
      this.#options.onOverflow(frames.length);
      return undefined;
    }
    const bytes = new Uint8Array(length);
    let at = 0;
    for (let i = 0; i < frames.length; i += most) {
      const some = frames.slice(i, i + most);
      const blocks = some.map(({ no }) => ({
        no: (no * blockSize) / place.sector,
        size: blockSize,
      }));
      bytes.set(writeList(place, blocks, i + most < frames.length ? 'more' : 'last'), at);
      at += place.listSize;
      for (const frame of some) {
        bytes.set(frame.bytes, at);
        at += blockSize;
      }
    }
    const start = yield* this.#placeFor(place, length);
    yield* writeSectors(engine, place.bufferAt + start, bytes);
    // File data and the log are on the disk before the header says that the log counts.
    yield* engine.device.flush();
    const end = start + length;
    yield* this.#putHeader(epoch, { start, end });
    yield* engine.device.flush();
    return { start, end };
  }

  /**
   * Behind the last group: the header on the disk may still lead to that, and it must be whole then. Where
   * there is no room beside it, the header that says that the log is empty is flushed first.
   */
  *#placeFor(place: LogPlace, length: number): Task<number> {
    const { start, end } = this.#last;
    if (end >= place.sector && end + length < place.size) return end;
    if (start < place.sector + length) yield* this.#options.engine.device.flush();
    return place.sector;
  }

  *#putHeader(epoch: Epoch, { start, end }: { start: number; end: number }): Task<void> {
    const { engine, place, mark } = this.#options;
    if (place === undefined) return;
    const header = writeHeader({ place, start, end }, this.#sequence++);
    mark(header, epoch);
    yield* writeSectors(engine, place.headerAt, header);
  }
}
