// The engine of a volume: runs requests as transactions over its block cache. A request that misses
// blocks is abandoned, the blocks are fetched, and it runs again from its first line.

import type { Clock } from '../../kernel/abi/board.ts';
import { EIO, EROFS, PosixError } from '../../kernel/abi/errno.ts';
import type { Task } from '../../kernel/ipc/task.ts';
import { type Tracer, tracerOf } from '../../kernel/ipc/trace.ts';
import { COUNTERS, EVENTS, OUTCOME } from '../../kernel/ipc/trace-events.ts';
import { BlockCache, NoFrames } from './cache/block-cache.ts';
import { Fetcher } from './cache/fetch.ts';
import type { Area } from './cache/layout.ts';
import { Scratch } from './cache/scratch.ts';
import type { StoredReply } from './cache/table.ts';
import type { BlockDevice } from './device.ts';
import { Missing, Unwritten } from './transaction.ts';
import { BlockTransaction, RequestSeed } from './tx.ts';

/** Runs of one request before it counts as broken. */
const RUNS_MAX = 1000;

export interface EngineOptions {
  readonly ram: SharedArrayBuffer;
  readonly area: Area;
  readonly device: BlockDevice;
  readonly blockSize: number;
  readonly volume: Int32Array; // four words that tell volumes apart
  readonly resume: boolean; // take over the cache of a worker that died
  readonly clock: Clock;
  readonly random: (into: Uint8Array) => void;
  readonly log: (line: string) => void;
}

/** Who brings published blocks to the disk: a journal, or a careful writer. */
export interface Writeback {
  /** It could not write: what is published from now on would be lost. */
  readonly failed: boolean;
  /** Room for another request's changes? */
  readonly accepting: boolean;
  /** Commits, and checkpoints what is needed, so that there are room and frames again. */
  relieve(): Task<void>;
}

export interface RunOptions<T> {
  /** The request may change blocks: it waits until there is room for them. */
  readonly changes: boolean;
  /** The reply to keep with the changes; 'drop' abandons them and gives the result all the same. */
  readonly outcome?: (result: T, tx: BlockTransaction) => StoredReply | 'drop' | undefined;
}

export class Engine {
  readonly cache: BlockCache;
  readonly device: BlockDevice;
  readonly scratch: Scratch;
  readonly fetcher: Fetcher;
  readonly options: EngineOptions;
  readonly trace: Tracer;
  writeback: Writeback | undefined;
  /** Runs of requests that were abandoned for a missing block. */
  misses = 0;

  constructor(options: EngineOptions) {
    this.options = options;
    this.trace = tracerOf(options.ram);
    const { ram, area, device } = options;
    this.cache = new BlockCache(options);
    this.device = device;
    this.scratch = new Scratch(ram, area, this.cache.shape);
    this.fetcher = new Fetcher(this.cache, device, this.scratch);
  }

  /** Runs `body` until it finds all its blocks, then publishes what it changed. */
  *run<T>(body: (tx: BlockTransaction) => T, options: RunOptions<T>): Task<T> {
    const { clock, random, log } = this.options;
    const seed = new RequestSeed(clock.wallclock(), random);
    for (let runs = 0; runs < RUNS_MAX; runs++) {
      if (options.changes) yield* this.#admission();
      const tx = new BlockTransaction(this.cache, seed);
      try {
        return this.#runOnce(tx, body, options);
      } catch (error) {
        tx.abandon();
        yield* this.#afterMiss(error);
      }
    }
    log(`a request ran ${RUNS_MAX} times and never found all its blocks`);
    throw new PosixError(EIO, `request given up after ${RUNS_MAX} runs`);
  }

  #runOnce<T>(tx: BlockTransaction, body: (tx: BlockTransaction) => T, options: RunOptions<T>): T {
    const { trace } = this;
    trace.count(COUNTERS.transactions);
    trace.begin(EVENTS.transaction, this.cache.run);
    let outcome: number = OUTCOME.failed;
    try {
      const result = body(tx);
      const reply = options.outcome?.(result, tx);
      outcome = tx.changes && reply !== 'drop' ? OUTCOME.published : OUTCOME.readOnly;
      if (reply === 'drop') tx.abandon();
      else if (tx.changes && this.writeback?.failed) {
        throw new PosixError(EROFS, 'the volume could not be written');
      } else tx.publish(reply ? [reply] : []);
      return result;
    } catch (error) {
      const again = error instanceof Missing || error instanceof Unwritten;
      outcome = again ? OUTCOME.missing : OUTCOME.failed;
      throw error;
    } finally {
      trace.end(EVENTS.transaction, outcome);
    }
  }

  *#admission(): Task<void> {
    for (let i = 0; i < RUNS_MAX; i++) {
      const { writeback } = this;
      if (writeback === undefined || writeback.accepting || writeback.failed) return;
      yield* writeback.relieve();
    }
    throw new PosixError(EIO, 'write-back makes no room');
  }

  /** Does what the abandoned run lacked; throws what was no miss. */
  *#afterMiss(error: unknown): Task<void> {
    this.misses++;
    let problem = error;
    if (problem instanceof Missing) {
      this.trace.count(COUNTERS.restarts);
      this.trace.instant(EVENTS.missing, problem.blocks.length, problem.blocks[0]);
      try {
        yield* this.fetcher.fetch(problem.blocks);
        return;
      } catch (failure) {
        problem = failure;
      }
    }
    if (!(problem instanceof NoFrames || problem instanceof Unwritten)) throw problem;
    if (this.writeback === undefined || this.cache.unwritten === 0) {
      throw new PosixError(EIO, 'the block cache is too small for this request');
    }
    yield* this.writeback.relieve();
  }
}
