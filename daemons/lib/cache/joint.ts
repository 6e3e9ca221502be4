// Requests that are published together: each is a transaction of its own over what those before it did, and
// all of them happen by one atomic store, with their replies. What a thousand names of one directory share -
// its blocks, their checksums, the record - is so paid once for many of them. Nothing here waits.

import { PosixError } from '../../../kernel/abi/errno.ts';
import { COUNTERS, EVENTS, OUTCOME } from '../../../kernel/ipc/trace-events.ts';
import type { Engine, RunOptions } from '../engine.ts';
import { Missing, Unwritten } from '../transaction.ts';
import { BlockTransaction, RequestSeed } from '../tx.ts';
import { NoFrames } from './block-cache.ts';
import { RECORD_REPLIES } from './layout.ts';
import type { StoredReply } from './table.ts';

/** Blocks that are published at once, unless one request changes more: a journal has room for a few more. */
const BLOCKS_MOST = 48;

/** What became of a request; 'alone': it lacks a block, or room, and is to be run by itself. */
export type Outcome<T> = { readonly value: T } | { readonly error: PosixError } | 'alone';

export class Joint {
  readonly #engine: Engine;
  #base: BlockTransaction | undefined;
  #replies: StoredReply[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Runs one more; it has happened once `publish` returns, which must be before anything else runs. */
  run<T>(body: (tx: BlockTransaction) => T, options: RunOptions<T>): Outcome<T> {
    const { cache, trace, writeback, options: host } = this.#engine;
    if (options.changes && (writeback?.failed || writeback?.accepting === false)) return 'alone';
    if (this.#replies.length === RECORD_REPLIES) this.publish();
    const seed = new RequestSeed(host.clock.wallclock(), host.random);
    this.#base ??= new BlockTransaction(cache, seed);
    const tx = new BlockTransaction(cache, seed, this.#base);
    trace.begin(EVENTS.transaction, cache.run);
    let outcome: number = OUTCOME.failed;
    try {
      const value = body(tx);
      outcome = this.#settle(tx, options.outcome?.(value, tx));
      return { value };
    } catch (error) {
      tx.abandon();
      if (error instanceof PosixError) return { error };
      const again = error instanceof Missing || error instanceof Unwritten;
      if (!again && !(error instanceof NoFrames)) throw error;
      if (again) outcome = OUTCOME.missing;
      return 'alone';
    } finally {
      trace.end(EVENTS.transaction, outcome);
    }
  }

  /** All of it happens. */
  publish(): void {
    const base = this.#base;
    const replies = this.#replies;
    this.#base = undefined;
    this.#replies = [];
    if (base === undefined) return;
    this.#engine.trace.count(COUNTERS.transactions);
    base.publish(replies);
  }

  #settle(tx: BlockTransaction, reply: StoredReply | 'drop' | undefined): number {
    if (reply === 'drop' || !tx.changes) {
      if (reply === 'drop') tx.abandon();
      else tx.join();
      return OUTCOME.readOnly;
    }
    const base = this.#base;
    if (base !== undefined && base.size > 0 && base.size + tx.size > BLOCKS_MOST) {
      base.publish(this.#replies);
      this.#replies = [];
    }
    tx.join();
    if (reply) this.#replies.push(reply);
    return OUTCOME.published;
  }
}
