// Mounting a FAT volume: checks it, counts what is free, marks it as mounted; and the way back.

import { ESTALE, EUCLEAN, PosixError } from '../../kernel/abi/errno.ts';
import type { Task } from '../../kernel/ipc/task.ts';
import { Mover } from '../lib/data/mover.ts';
import { Engine } from '../lib/engine.ts';
import type { MountedVolume, MountRequest } from '../lib/mounted.ts';
import { readProbe } from '../lib/probe.ts';
import { rootOf } from './dir/dir.ts';
import { DirCache } from './dir/dir-index.ts';
import { ChainCache } from './file/chain.ts';
import { FatFs } from './fs.ts';
import { labelsOf } from './labels.ts';
import { type FatEnv, Freed } from './op.ts';
import { type MountOptions, parseOptions } from './options.ts';
import { FreeMap } from './volume/free-map.ts';
import { type FatVolume, openVolume } from './volume/geometry.ts';
import { Held } from './volume/held.ts';
import { Careful } from './write/careful.ts';
import { recoverNames } from './write/recover.ts';
import { markClean, noteFree, readTable, wasClean } from './write/state.ts';

/** Milliseconds between write-backs that nobody asks for. */
const COMMIT_MS = 5000;

export function* mountFat(request: MountRequest): Task<MountedVolume> {
  const options = parseOptions(request.options);
  const volume = openVolume(yield* readProbe(request), request.device.sizeBytes);
  const mount = new FatMount(request, volume, options);
  yield* mount.open();
  return mount;
}

class FatMount implements MountedVolume {
  readonly format = 'vfat';
  readonly engine: Engine;
  readonly readOnly: boolean;
  readonly fs: FatFs;
  readonly mover: Mover;
  readonly #request: MountRequest;
  readonly #volume: FatVolume;
  readonly #env: FatEnv;
  readonly #careful: Careful;
  #mounted = true;
  /** It was not unmounted the last time: what was lost then only a check finds. */
  #unclean = false;

  constructor(request: MountRequest, volume: FatVolume, options: MountOptions) {
    this.#request = request;
    this.#volume = volume;
    this.readOnly = request.readOnly || request.device.readOnly || options.readOnly;
    const { blockSize, serial, clusterEnd, sizeBytes } = volume;
    const words = Int32Array.of(serial, clusterEnd, blockSize, sizeBytes / 512);
    this.engine = new Engine({ ...request, blockSize, volume: words });
    this.#env = this.#newEnv(options);
    this.fs = new FatFs({ volume, env: this.#env, readOnly: this.readOnly });
    this.mover = new Mover(this.engine, this.fs);
    this.#careful = new Careful({
      ...{ engine: this.engine, mover: this.mover, volume, freed: this.#env.freed },
      onFailure: (error) => this.#degrade(error),
    });
  }

  #newEnv(options: MountOptions): FatEnv {
    const { hooks } = this.#request;
    const { cache } = this.engine;
    const { blockSize } = this.#volume;
    return {
      options,
      free: new FreeMap(this.#volume),
      chains: new ChainCache(),
      dirs: new DirCache(),
      held: new Held({ blockSize, frames: cache.shape.frames }),
      unfinished: (ino) => hooks.unfinished(ino),
      refuses: (pool) => hooks.refuses?.(pool) ?? false,
      freed: { running: new Freed(), committing: new Freed() },
      noteFreed: (cluster, count) => cache.running.freed.add(cluster, count),
    };
  }

  *open(): Task<void> {
    const { engine, fs } = this;
    const { revived } = engine.cache;
    const { free, held } = this.#env;
    if (revived && !this.readOnly) yield* this.#careful.commit(); // before any new request
    this.#unclean = !(yield* engine.run(
      (tx) => {
        if (revived) return held.foundClean(tx);
        const clean = wasClean(tx, this.#volume);
        held.format(tx, clean ? 'clean' : 'dirty');
        return clean;
      },
      { changes: false },
    ));
    const copies = this.#unclean && !this.readOnly && !revived ? 'mend' : 'leave';
    const mended = yield* readTable(engine, this.#volume, { free, copies });
    yield* this.#look();
    this.#request.hooks.label?.(labelsOf(this.#volume));
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
      yield* this.engine.run((tx) => this.fs.attach(tx), { changes: false });
    } catch (error) {
      if (!(error instanceof PosixError) || error.errno !== ESTALE) throw error;
      throw new PosixError(EUCLEAN, 'there is no root directory');
    }
  }

  *#markMounted(mended: number): Task<void> {
    if (this.#unclean) {
      const removed = yield* this.#recover();
      const copies = mended > 0 ? `, ${mended} pieces of its FATs differed` : '';
      const names = removed > 0 ? `, ${removed} files were being moved` : '';
      this.#request.log(`was not unmounted, clusters may be lost: run fsck.fat${copies}${names}`);
    }
    yield* this.#mark('dirty');
  }

  *#recover(): Task<number> {
    const removed = yield* recoverNames({
      engine: this.engine,
      root: rootOf(this.#volume),
      op: (tx) => ({ tx, vol: this.#volume, env: this.#env }),
      settle: () => this.#careful.settle(),
    });
    this.#env.dirs.clear();
    return removed;
  }

  *#mark(state: 'clean' | 'dirty'): Task<void> {
    yield* this.engine.run(
      (tx) => {
        markClean(tx, this.#volume, state);
        noteFree(tx, this.#volume, state === 'clean' ? this.#env.free : undefined);
      },
      { changes: true },
    );
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
      yield* this.#mark(this.#unclean ? 'dirty' : 'clean');
    }
    this.engine.cache.close();
  }

  continueWork(...[tx, work]: Parameters<MountedVolume['continueWork']>): boolean {
    return this.fs.continueWork(tx, work);
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
