// A mounted volume that is written in the careful order: what FAT and exFAT have in common from mounting
// to unmounting. The format says how it is read, marked and put right.

import { ESTALE, EUCLEAN, PosixError } from '../../../kernel/abi/errno.ts';
import type { Label } from '../../../kernel/ipc/fault/places.ts';
import type { Task } from '../../../kernel/ipc/task.ts';
import { Mover } from '../../lib/data/mover.ts';
import type { Engine } from '../../lib/engine.ts';
import type { MountedVolume, MountRequest } from '../../lib/mounted.ts';
import type { Transaction } from '../../lib/transaction.ts';
import type { VolumeFs } from '../../lib/volume.ts';
import type { Held } from '../volume/held.ts';
import { Careful, type Plan } from './careful.ts';

/** Milliseconds between write-backs that nobody asks for. */
const COMMIT_MS = 5000;

/** The operations, and what a worker that takes over asks of them. */
export interface CarefulFs extends VolumeFs {
  readOnly: boolean;
  /** The numbers of what a worker before this one held. */
  held(tx: Transaction): number[];
  continueWork(...work: Parameters<MountedVolume['continueWork']>): boolean;
}

/** What is of one format. */
export interface CarefulKind {
  readonly format: string;
  /** Who finds what was lost. */
  readonly checker: string;
  readonly fs: CarefulFs;
  readonly held: Held;
  readonly plan: Plan;
  readonly labels: readonly Label[];
  /** Does the disk say that it was unmounted? */
  wasClean(tx: Transaction): boolean;
  /** Reads what is free; may put copies right. What it did, for the log. */
  load(copies: 'mend' | 'leave'): Task<string>;
  /** After a power cut; returns how many names it removed of files that were being moved. */
  recover(settle: () => Task<void>): Task<number>;
  mark(tx: Transaction, state: 'clean' | 'dirty'): void;
  /** Before the volume is marked clean. */
  tidy?(tx: Transaction): void;
}

export class CarefulMount implements MountedVolume {
  readonly format: string;
  readonly engine: Engine;
  readonly readOnly: boolean;
  readonly fs: CarefulFs;
  readonly mover: Mover;
  readonly #request: MountRequest;
  readonly #kind: CarefulKind;
  readonly #careful: Careful;
  #mounted = true;
  /** It was not unmounted the last time: what was lost then only a check finds. */
  #unclean = false;

  constructor(request: MountRequest, engine: Engine, kind: CarefulKind) {
    this.#request = request;
    this.#kind = kind;
    this.engine = engine;
    this.format = kind.format;
    this.fs = kind.fs;
    this.readOnly = kind.fs.readOnly;
    this.mover = new Mover(engine, kind.fs);
    this.#careful = new Careful({
      ...{ engine, mover: this.mover, plan: kind.plan },
      onFailure: (error) => this.#degrade(error),
    });
  }

  *open(): Task<void> {
    const { engine, fs } = this;
    const { revived } = engine.cache;
    const kind = this.#kind;
    if (revived && !this.readOnly) yield* this.#careful.commit(); // before any new request
    this.#unclean = !(yield* engine.run(
      (tx) => {
        if (revived) return kind.held.foundClean(tx);
        const clean = kind.wasClean(tx);
        kind.held.format(tx, clean ? 'clean' : 'dirty');
        return clean;
      },
      { changes: false },
    ));
    const copies = this.#unclean && !this.readOnly && !revived ? 'mend' : 'leave';
    const mended = yield* kind.load(copies);
    yield* this.#look();
    this.#request.hooks.label?.(kind.labels);
    if (this.readOnly) return;
    engine.writeback = this.#careful;
    if (revived) {
      for (const ino of yield* engine.run((tx) => fs.held(tx), { changes: false })) {
        this.#request.hooks.unfinished(ino); // the client may still have some of them open
      }
    } else yield* this.#markMounted(mended);
    if (this.#request.resume) this.mover.unflushed = true;
    this.#request.executor.start(this.#commitLoop(), 'commit timer');
  }

  /** Before anything is written: the root directory can be read. */
  *#look(): Task<void> {
    try {
      yield* this.engine.run((tx) => this.fs.attach(tx, NOBODY), { changes: false });
    } catch (error) {
      if (!(error instanceof PosixError) || error.errno !== ESTALE) throw error;
      throw new PosixError(EUCLEAN, 'there is no root directory');
    }
  }

  *#markMounted(mended: string): Task<void> {
    if (this.#unclean) {
      const removed = yield* this.#kind.recover(() => this.#careful.settle());
      const recovered = removed > 0 ? `, ${removed} files were being moved` : '';
      const { checker } = this.#kind;
      this.#request.log(
        `was not unmounted, clusters may be lost: run ${checker}${mended}${recovered}`,
      );
    }
    yield* this.#mark('dirty');
  }

  *#mark(state: 'clean' | 'dirty'): Task<void> {
    yield* this.engine.run((tx) => this.#kind.mark(tx, state), { changes: true });
    yield* this.#careful.settle();
  }

  *commit(): Task<void> {
    if (!this.readOnly) yield* this.#careful.commit();
  }

  *checkpoint(): Task<void> {
    if (!this.readOnly) yield* this.#careful.settle();
  }

  *unmount(): Task<void> {
    if (!this.#mounted) return;
    this.#mounted = false;
    if (!this.readOnly) {
      yield* this.#careful.settle();
      yield* this.#tidy();
      yield* this.#mark(this.#unclean ? 'dirty' : 'clean');
    }
    this.engine.cache.close();
  }

  *#tidy(): Task<void> {
    const { tidy } = this.#kind;
    if (tidy === undefined) return;
    yield* this.engine.run((tx) => tidy(tx), { changes: true });
    yield* this.#careful.settle();
  }

  continueWork(...work: Parameters<MountedVolume['continueWork']>): boolean {
    return this.fs.continueWork(...work);
  }

  /** What was not written cannot be made safe any more: from now on the volume is only read. */
  #degrade(error: PosixError): void {
    this.fs.readOnly = true;
    this.#request.log(`write-back failed, the volume is read-only from now on: ${error.message}`);
  }

  *#commitLoop(): Task<void> {
    const { executor } = this.#request;
    while (this.#mounted) {
      yield* executor.pause(COMMIT_MS, 'idle');
      if (!this.#mounted) return;
      try {
        if (!this.#careful.idle || this.mover.unflushed) yield* this.commit();
      } catch (error) {
        if (!(error instanceof PosixError)) throw error;
        return; // the volume is degraded, and the log says so
      }
    }
  }
}

const NOBODY = { uname: '', aname: '', nUname: 0 };
