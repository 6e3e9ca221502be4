// Mounting an ext2, ext3 or ext4 volume: checks it, replays its journal, marks it as mounted,
// finishes what its orphan list holds; and the way back. super.rst, journal.rst, orphan.rst.

import { EINVAL, ESTALE, EUCLEAN, PosixError } from '../../kernel/abi/errno.ts';
import type { Task } from '../../kernel/ipc/task.ts';
import { Mover } from '../lib/data/mover.ts';
import { Engine } from '../lib/engine.ts';
import { InPlace } from '../lib/in-place.ts';
import type { MountedVolume, MountRequest } from '../lib/mounted.ts';
import { readProbe } from '../lib/probe.ts';
import type { Transaction } from '../lib/transaction.ts';
import { type RunOp, replayFastCommits } from './fast-commit/replay.ts';
import type { FastEntry } from './fast-commit/scan.ts';
import { Ext4Fs } from './fs.ts';
import { type Journal, stateOf } from './jbd2/journal.ts';
import {
  type JournalFile,
  openJournalFile,
  type Recovered,
  recoverJournal,
  resumeJournal,
  type StartOptions,
  startJournal,
} from './jbd2/open.ts';
import { labelsOf } from './labels.ts';
import {
  EXT4_VALID_FS,
  SUPERBLOCK_OFFSET,
  SUPERBLOCK_SIZE,
  type SuperblockView,
} from './ondisk.ts';
import { type Ext4Env, Op } from './op.ts';
import { INCOMPAT } from './volume/features.ts';
import { has, openVolume, type Volume } from './volume/superblock.ts';

/** Milliseconds between commits that nobody asks for; jbd2's own interval. */
const COMMIT_MS = 5000;
/** Steps of finishing orphans at mount; each frees many blocks. */
const ORPHAN_STEPS = 1_000_000;
/** Files that are refused and told of in the log. */
const REFUSED_TOLD = 100;

const OPTIONS: ReadonlySet<string> = new Set(
  'ro rw noatime relatime nodiratime strictatime defaults data=ordered barrier errors=remount-ro'.split(
    ' ',
  ),
);

export function* mountExt4(request: MountRequest): Task<MountedVolume> {
  const readOnly = wantsReadOnly(request);
  const volume = yield* probeVolume(request);
  if (volume.readOnlyFeatures.length > 0) {
    request.log(`read-only, for its features ${volume.readOnlyFeatures.join(', ')}`);
  }
  const mount = new Ext4Mount(request, volume, readOnly || volume.readOnlyFeatures.length > 0);
  yield* mount.open();
  return mount;
}

function wantsReadOnly({ readOnly, device, options }: MountRequest): boolean {
  const unknown = options.find((word) => word !== '' && !OPTIONS.has(word));
  if (unknown !== undefined) throw new PosixError(EINVAL, `unknown mount option '${unknown}'`);
  return readOnly || device.readOnly || options.includes('ro');
}

function* probeVolume(request: MountRequest): Task<Volume> {
  const bytes = yield* readProbe(request);
  const superblock = bytes.subarray(SUPERBLOCK_OFFSET, SUPERBLOCK_OFFSET + SUPERBLOCK_SIZE);
  return openVolume(superblock, request.device.sizeBytes);
}

class Ext4Mount implements MountedVolume {
  readonly format = 'ext4';
  readonly engine: Engine;
  readonly readOnly: boolean;
  readonly #request: MountRequest;
  #volume: Volume;
  #fs: Ext4Fs;
  #mover: Mover;
  #file: JournalFile | undefined;
  #journal: Journal | undefined;
  #inPlace: InPlace;
  #mounted = true;
  #tookOver = false;
  readonly #refused = new Set<string>();

  constructor(request: MountRequest, volume: Volume, readOnly: boolean) {
    this.#request = request;
    this.#volume = volume;
    this.readOnly = readOnly;
    this.engine = new Engine({
      ...{ ...request, blockSize: volume.blockSize, volume: wordsOf(volume) },
    });
    this.#fs = this.#newFs();
    this.#mover = new Mover(this.engine, this.#fs);
    this.#inPlace = this.#newInPlace();
  }

  get fs(): Ext4Fs {
    return this.#fs;
  }

  get mover(): Mover {
    return this.#mover;
  }

  *open(): Task<void> {
    if (has.journal(this.#volume)) yield* this.#openJournal();
    else yield* this.#look();
    yield* this.#tellPlaces();
    if (this.readOnly) return;
    if (this.#journal === undefined) {
      if (this.engine.cache.revived) yield* this.#inPlace.commit();
      yield* this.#markMounted();
      this.engine.writeback = this.#inPlace;
    }
    try {
      yield* this.#finishOrphans();
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      this.#degrade('the orphan list is damaged', error);
    }
    // Data that the worker before this one wrote may still be in the drive's cache.
    if (this.#request.resume) this.#mover.unflushed = true;
    this.#request.executor.start(this.#commitLoop(), 'commit timer');
  }

  *#tellPlaces(): Task<void> {
    const { label } = this.#request.hooks;
    if (label === undefined) return;
    const look = (tx: Transaction) => {
      const op = new Op(tx, this.#volume, { isOpen: () => false, unfinished: () => {} });
      return labelsOf(op, this.#file?.map);
    };
    label(yield* this.engine.run(look, { changes: false }));
  }

  *commit(): Task<void> {
    if (this.readOnly) return;
    yield* (this.#journal ?? this.#inPlace).commit();
  }

  *checkpoint(): Task<void> {
    if (this.readOnly) return;
    yield* this.#journal ? this.#journal.checkpoint() : this.#inPlace.commit();
  }

  *unmount(): Task<void> {
    if (!this.#mounted) return;
    this.#mounted = false;
    if (!this.readOnly) yield* this.#closeClean();
    this.engine.cache.close();
  }

  continueWork(...[tx, work]: Parameters<MountedVolume['continueWork']>): boolean {
    return this.#fs.truncateStep(tx, work.ino, work);
  }

  #newFs(): Ext4Fs {
    const { hooks } = this.#request;
    const env: Ext4Env = {
      isOpen: () => true, // the 9P server tells by `forget` when no fid is left
      refused: (what) => this.#tellOnce(what),
      unfinished: (ino) => hooks.unfinished(ino),
      refuses: (pool) => hooks.refuses?.(pool) ?? false,
      freed: (start, count) => this.#journal?.freed(start, count),
      busyUntil: (block) => this.#journal?.busyUntil(block) ?? 0,
    };
    return new Ext4Fs({ volume: this.#volume, env, readOnly: this.readOnly });
  }

  /** Who walks a tree asks for the same files again and again. */
  #tellOnce(what: string): void {
    if (this.#refused.has(what) || this.#refused.size >= REFUSED_TOLD) return;
    this.#refused.add(what);
    this.#request.log(what);
  }

  #newInPlace(): InPlace {
    return new InPlace(this.engine, this.#mover, (error) =>
      this.#degrade('write-back failed', error),
    );
  }

  /** What was not written cannot be made safe any more: from now on the volume is only read. */
  #degrade(what: string, error: PosixError): void {
    this.#fs.readOnly = true;
    this.#request.log(`${what}, the volume is read-only from now on: ${error.message}`);
  }

  *#openJournal(): Task<void> {
    const { engine } = this;
    const state = this.readOnly ? undefined : stateOf(engine.cache);
    this.#tookOver = state !== undefined;
    if (state === undefined) engine.cache.reset(wordsOf(this.#volume));
    this.#file = yield* openJournalFile(engine, this.#fs, this.#volume);
    if (state) {
      this.#journal = resumeJournal(this.#file, { ...this.#journalOptions, state });
    } else {
      const { sequence, fast } = yield* this.#recover(this.#file);
      yield* this.#look();
      if (this.readOnly) {
        yield* this.#replayFast(fast);
        return;
      }
      yield* this.#markMounted();
      this.#journal = yield* startJournal(this.#file, { ...this.#journalOptions, sequence });
      engine.writeback = this.#journal;
      yield* this.#replayFast(fast);
    }
    engine.writeback = this.#journal;
    if (state) this.#request.executor.start(this.#settle(this.#journal), 'commit at takeover');
  }

  /** Requests that change something wait for it, all others do not. */
  *#settle(journal: Journal): Task<void> {
    try {
      yield* journal.commit();
    } catch (error) {
      if (!(error instanceof PosixError)) throw error; // the journal is aborted, and the log says so
    }
  }

  get #journalOptions(): StartOptions {
    return {
      mover: this.#mover,
      wide: has.bit64(this.#volume),
      checksums: has.metadataCsum(this.#volume),
      onFailure: (error) => this.#degrade('journal aborted', error),
    };
  }

  /** Replays the log. */
  *#recover(file: JournalFile): Task<Recovered> {
    const dirty = (this.#volume.incompat & INCOMPAT.needs_recovery) !== 0;
    const clean = this.readOnly ? 'nowhere' : 'wipe';
    const put = !dirty ? clean : this.readOnly ? 'redirect' : 'home';
    const recovered = yield* recoverJournal(file, put);
    if (recovered.replayed > 0 && dirty) yield* this.#afterReplay(recovered.replayed);
    return recovered;
  }

  /** What was made durable since the last transaction becomes one, as a whole. */
  *#replayFast(fast: readonly FastEntry[]): Task<void> {
    if (fast.length === 0) return;
    const { engine } = this;
    const { log } = this.#request;
    const run: RunOp = (body) => engine.run((tx) => this.#fs.change(tx, body), { changes: true });
    if (this.#journal) this.#journal.atOnce = true;
    yield* replayFastCommits(fast, run, log);
    if (this.#journal) {
      yield* this.#journal.commit();
      this.#journal.atOnce = false;
    }
    log(`fast commits replayed${this.readOnly ? ' in memory' : ''}: ${fast.length} entries`);
  }

  /** Before anything is written: the root directory and all group descriptors can be read. */
  *#look(): Task<void> {
    try {
      yield* this.engine.run((tx) => this.#fs.attach(tx), { changes: false });
    } catch (error) {
      if (!(error instanceof PosixError) || error.errno !== ESTALE) throw error;
      throw new PosixError(EUCLEAN, 'the root directory is no inode in use');
    }
    yield* this.engine.run((tx) => this.#fs.statfs(tx), { changes: false });
  }

  /** The replay may have changed anything, the superblock included. */
  *#afterReplay(transactions: number): Task<void> {
    this.#request.log(
      `journal replayed${this.readOnly ? ' in memory' : ''}: ${transactions} transactions`,
    );
    this.engine.cache.dropClean();
    if (!this.readOnly) this.#volume = yield* probeVolume(this.#request);
    this.#fs = this.#newFs();
    this.#mover = new Mover(this.engine, this.#fs);
    this.#inPlace = this.#newInPlace();
  }

  /** With a journal: it must be replayed from now on. Without: the volume is not clean. */
  *#markMounted(): Task<void> {
    const journal = this.#file !== undefined;
    yield* this.#editSuperblock((sb, now) => {
      if (journal) sb.s_feature_incompat |= INCOMPAT.needs_recovery;
      else sb.s_state &= ~EXT4_VALID_FS;
      sb.s_mtime = now;
      sb.s_mnt_count = (sb.s_mnt_count + 1) & 0xffff;
      sb.s_wtime = now;
    });
  }

  *#closeClean(): Task<void> {
    yield* this.engine.run((tx) => this.#fs.updateSuperblockTotals(tx), { changes: true });
    yield* this.commit();
    if (this.#journal) yield* this.#journal.close();
    yield* this.#editSuperblock((sb, now) => {
      sb.s_feature_incompat &= ~INCOMPAT.needs_recovery;
      sb.s_state |= EXT4_VALID_FS;
      sb.s_wtime = now;
    });
  }

  /** Changes the superblock at its place, past the journal, which is empty. */
  *#editSuperblock(change: (sb: SuperblockView, nowSec: number) => void): Task<void> {
    this.engine.writeback = this.#inPlace;
    yield* this.engine.run(
      (tx) => {
        const op = new Op(tx, this.#volume, { isOpen: () => false, unfinished: () => {} });
        change(op.editSuperblock(), tx.now.sec >>> 0);
      },
      { changes: true },
    );
    yield* this.#inPlace.commit();
  }

  /** Deletes files that were open without a name, and ends truncations that were cut short. */
  *#finishOrphans(): Task<void> {
    const { engine } = this;
    let steps = 0;
    const count = () => {
      if (steps++ === ORPHAN_STEPS) throw new PosixError(EUCLEAN, 'the orphan list has no end');
    };
    const drain = (tx: Transaction) => this.#fs.drainOrphanFile(tx);
    // Who takes over a mounted volume finds it drained.
    if (!this.#tookOver) while (yield* engine.run(drain, { changes: true })) count();
    const orphans = yield* engine.run((tx) => this.#fs.orphans(tx), { changes: false });
    const { hooks, resume } = this.#request;
    if (resume) {
      for (const ino of orphans) hooks.unfinished(ino); // the client may still have some of them open
      return;
    }
    const use = { inUse: false };
    for (const ino of orphans) {
      const step = (tx: Transaction) => this.#fs.truncateStep(tx, ino, use);
      while (yield* engine.run(step, { changes: true })) count();
    }
    if (orphans.length > 0) this.#request.log(`${orphans.length} orphan inodes finished`);
  }

  /** Commits what nobody synced, and brings an idle volume's log home. */
  *#commitLoop(): Task<void> {
    const { executor } = this.#request;
    const { cache } = this.engine;
    while (this.#mounted) {
      yield* executor.pause(COMMIT_MS, 'idle');
      if (!this.#mounted) return;
      try {
        if (cache.running.blocks.size > 0) yield* this.commit();
        else if (cache.logged.size > 0) yield* this.checkpoint();
        yield* this.#journal?.tidy() ?? nothing();
      } catch (error) {
        if (!(error instanceof PosixError)) throw error;
        return; // the volume is degraded, and the log says so
      }
    }
  }
}

/** Tell volumes apart. */
const wordsOf = ({ uuid }: Volume): Int32Array => new Int32Array(uuid.slice().buffer, 0, 4);

function* nothing(): Task<void> {}
