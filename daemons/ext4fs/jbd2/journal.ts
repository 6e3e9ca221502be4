// The journal at work: gathers published requests into transactions, commits them to the log (group
// commit, ordered data), and checkpoints them home. One lock keeps commits and checkpoints apart;
// requests go on meanwhile, in the next transaction.
//
//   s_first ──▶ │ … free … │ tail ▸ logged, not all at home ▸ head │ … free … │ ◀── end

import { EIO, EROFS, PosixError } from '../../../kernel/abi/errno.ts';
import { Lock, type Task } from '../../../kernel/ipc/task.ts';
import { COUNTERS, EVENTS } from '../../../kernel/ipc/trace-events.ts';
import type { BlockCache, Epoch } from '../../lib/cache/block-cache.ts';
import type { Mover } from '../../lib/data/mover.ts';
import type { Engine, Writeback } from '../../lib/engine.ts';
import { writeHome } from '../../lib/write-home.ts';
import type { JournalFormat } from './format.ts';
import { type LogMap, writeBlocks } from './log.ts';
import { LogWriter, logBlocksFor } from './log-writer.ts';

export interface JournalOptions {
  readonly engine: Engine;
  readonly format: JournalFormat;
  readonly map: LogMap;
  readonly mover: Mover;
  readonly state: LogState;
  /** Writes the journal's superblock: where the log begins (0 = it is empty), with which number. */
  readonly writeSuper: (start: number, sequence: number) => Task<void>;
  readonly onFailure: (error: PosixError) => void;
}

/** Where the log stands; kept as a note with the block cache, for a worker that takes over. */
export interface LogState {
  /** Where the next transaction goes. */
  readonly head: number;
  /** Log blocks from the tail to the head, at most. */
  readonly used: number;
  /** Number of the next transaction. */
  readonly sequence: number;
  /** It may have been written in part, or whole: nobody was told so. */
  readonly writing: boolean;
}

export function stateOf(cache: BlockCache): LogState | undefined {
  const { note } = cache;
  if (note === undefined) return undefined;
  const [head, used, sequence, writing] = note;
  return { head, used, sequence, writing: writing === 1 };
}

/** Log blocks left for what requests add while a commit makes room; few need more than a dozen. */
const REQUEST_BLOCKS = 64;

export class Journal implements Writeback {
  readonly #o: JournalOptions;
  readonly #lock = new Lock('journal');
  readonly #limit: number; // blocks of one transaction
  readonly #inLog = new Set<number>(); // blocks with a copy between tail and head
  /** What a worker before this one logged: nobody knows which blocks. */
  #inherited: boolean;
  /** Which blocks were freed by what it published and did not commit, only it knew: none may be taken. */
  #settling: boolean;
  /** A transaction that may lie at the head, whole or in part, of which nobody was told. */
  #abandoned: boolean;
  #head: number;
  #used: number; // log blocks from the tail to the head
  #failure: PosixError | undefined;
  /** All that is published is to be one transaction, as long as it fits in the log. */
  atOnce = false;
  commits = 0;
  checkpoints = 0;

  constructor(options: JournalOptions) {
    this.#o = options;
    const { engine, format, state } = options;
    const { cache } = engine;
    this.#head = state.head;
    this.#used = state.used;
    this.#inherited = state.used > 0;
    this.#settling = cache.running.blocks.size > 0;
    this.#abandoned = state.writing;
    this.#limit = Math.min((format.end - format.first) >> 2, cache.shape.frames >> 2);
    cache.renumber(state.sequence);
    this.#note(state.sequence, state.writing ? 'writing' : undefined);
  }

  /** The journal could not be written: the volume can only be read from then on. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  get accepting(): boolean {
    const { cache } = this.#o.engine;
    const room = cache.shape.frames - cache.unwritten;
    const log = this.#o.format.end - this.#o.format.first;
    const [limit, spare] = this.atOnce
      ? [(log >> 1) + (log >> 2), cache.shape.frames >> 4]
      : [this.#limit, cache.shape.frames >> 2];
    return !this.#settling && cache.running.blocks.size < limit && room > spare;
  }

  /** Blocks freed by a transaction that is not on the disk yet: the end of their run, else 0. */
  busyUntil(block: number): number {
    const { running, committing } = this.#o.engine.cache;
    if (running.freed.has(block)) return running.freed.endOfRun(block);
    return committing?.freed.has(block) ? committing.freed.endOfRun(block) : 0;
  }

  freed(start: number, count: number): void {
    this.#o.engine.cache.running.freed.add(start, count);
  }

  /** Everything published so far is on the disk when this is over. */
  *commit(): Task<void> {
    const { cache } = this.#o.engine;
    const target = cache.running;
    yield* this.#lock.acquire();
    try {
      // Whoever held the lock before may have committed this epoch, too: group commit.
      if (cache.running === target) yield* this.#commitRunning();
      else this.#checkAlive();
    } finally {
      this.#lock.release();
    }
  }

  /** Everything published so far is at home, and the log is empty. */
  *checkpoint(): Task<void> {
    yield* this.#lock.acquire();
    try {
      yield* this.#commitRunning();
      yield* this.#checkpointAll();
    } finally {
      this.#lock.release();
    }
  }

  *relieve(): Task<void> {
    if (this.#failure) throw new PosixError(EROFS, 'the journal could not be written');
    const { cache } = this.#o.engine;
    yield* this.commit();
    const crowded = cache.logged.size > cache.shape.frames >> 2;
    if (crowded) yield* this.checkpoint();
  }

  /** Checkpoints when more than half of the log is in use. */
  *tidy(): Task<void> {
    const { format } = this.#o;
    if (this.#used > (format.end - format.first) >> 1) yield* this.checkpoint();
  }

  /** The last thing at unmount: marks the log empty. */
  *close(): Task<void> {
    yield* this.checkpoint();
    const { cache } = this.#o.engine;
    cache.note = undefined; // whoever takes over from here on mounts a volume that is clean, or almost
    yield* this.#o.writeSuper(0, cache.running.tid);
  }

  #note(sequence: number, writing: 'writing' | undefined = undefined): void {
    const { cache } = this.#o.engine;
    cache.note = [this.#head, this.#used, sequence, writing ? 1 : 0];
  }

  #checkAlive(): void {
    if (this.#failure) throw new PosixError(EIO, `journal aborted: ${this.#failure.message}`);
  }

  *#commitRunning(): Task<void> {
    this.#checkAlive();
    const { engine, mover } = this.#o;
    const { running } = engine.cache;
    try {
      if (running.blocks.size > 0 || running.forgotten.size > 0) {
        yield* this.#commitEpoch();
      } else if (mover.unflushed) {
        mover.unflushed = false;
        yield* engine.device.flush();
      }
    } catch (error) {
      if (error instanceof PosixError) this.#abort(error);
      throw error;
    }
  }

  *#commitEpoch(): Task<void> {
    const { engine, format, map, mover } = this.#o;
    const { cache, device } = engine;
    yield* this.#makeRoom(cache.running);
    if (this.#abandoned) yield* this.#makeVoid();
    const epoch = cache.closeEpoch();
    engine.trace.count(COUNTERS.commits);
    const span = engine.trace.asyncBegin(EVENTS.commit, epoch.tid, epoch.blocks.size);
    yield* mover.settled(epoch); // ordered data: what the transaction maps is written before it
    const writer = new LogWriter({ engine, format, map }, epoch.tid, this.#head);
    const revoked = [...epoch.forgotten].filter((no) => this.#inherited || this.#inLog.has(no));
    this.#note(epoch.tid, 'writing');
    yield* writer.body(epoch, revoked);
    mover.unflushed = false;
    yield* device.flush();
    yield* writer.commit(engine.options.clock.wallclock());
    yield* device.flush();
    engine.trace.asyncEnd(EVENTS.commit, span);
    this.#used += logBlocksFor(format, epoch.blocks.size, revoked.length);
    this.#head = writer.head;
    for (const no of epoch.blocks.keys()) this.#inLog.add(no);
    this.#note(cache.running.tid); // first: a frame is LOGGED only when its transaction is in the log
    cache.epochLogged();
    this.#settling = false;
    this.commits++;
  }

  /**
   * Before another transaction is written over the one at the head: a mixture of the two could look
   * whole.
   */
  *#makeVoid(): Task<void> {
    const { engine, format, map } = this.#o;
    const { device } = engine;
    const scratch = yield* engine.scratch.take(1);
    try {
      scratch.bytes.fill(0);
      const at = [map.disk(this.#head)];
      yield* writeBlocks({ device, scratch, blockSize: format.blockSize, at });
    } finally {
      scratch.release();
    }
    yield* device.flush();
    this.#abandoned = false;
  }

  /** The log must have room for the transaction as it is now; requests may still add to it. */
  *#makeRoom(epoch: Epoch): Task<void> {
    const { format } = this.#o;
    const total = format.end - format.first;
    const needed = logBlocksFor(format, epoch.blocks.size, epoch.forgotten.size);
    if (this.#used + needed + REQUEST_BLOCKS > total) yield* this.#checkpointAll();
    const now = logBlocksFor(format, epoch.blocks.size, epoch.forgotten.size);
    if (now > total - this.#used) {
      throw new PosixError(EIO, `journal: a transaction of ${now} blocks in a log of ${total}`);
    }
  }

  *#checkpointAll(): Task<void> {
    const { engine, writeSuper } = this.#o;
    const { cache, device } = engine;
    if (this.#used === 0) return;
    try {
      const frames = [...cache.logged.values()];
      const span = engine.trace.asyncBegin(EVENTS.checkpoint, frames.length);
      yield* writeHome(engine, frames);
      yield* device.flush();
      cache.checkpointed(frames);
      this.#used = 0;
      this.#inherited = false;
      this.#inLog.clear();
      yield* writeSuper(this.#head, cache.running.tid);
      // On the medium before the log goes round: replaying an old part of it would undo newer ones.
      yield* device.flush();
      this.#note(cache.running.tid, this.#abandoned ? 'writing' : undefined);
      engine.trace.asyncEnd(EVENTS.checkpoint, span);
      this.checkpoints++;
    } catch (error) {
      if (error instanceof PosixError) this.#abort(error);
      throw error;
    }
  }

  #abort(error: PosixError): void {
    if (this.#failure) return;
    this.#failure = error;
    this.#o.onFailure(error);
  }
}
