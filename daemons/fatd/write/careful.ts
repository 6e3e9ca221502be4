// Write-back of a FAT volume: an epoch of changed blocks goes to the disk in the stages of stages.ts.
// What the disk holds before is read from it, so that a worker may die between any two writes and the
// next one goes on from what is there.

import { EIO, EROFS, PosixError } from '../../../kernel/abi/errno.ts';
import { Lock, type Task } from '../../../kernel/ipc/task.ts';
import type { Frame } from '../../lib/cache/block-cache.ts';
import { BlockSet } from '../../lib/cache/block-set.ts';
import type { Mover } from '../../lib/data/mover.ts';
import type { Piece } from '../../lib/device.ts';
import type { Engine, Writeback } from '../../lib/engine.ts';
import { Freed } from '../op.ts';
import type { FatVolume } from '../volume/geometry.ts';
import { HELD_BLOCK } from '../volume/held.ts';
import {
  type Change,
  type Moves,
  noteMoves,
  STAGES,
  type Stage,
  type Staged,
  stageDirectory,
  stageNewDirectory,
  stageTable,
  stageWhole,
  type TablePart,
} from './stages.ts';

export interface CarefulOptions {
  readonly engine: Engine;
  readonly mover: Mover;
  readonly volume: FatVolume;
  readonly freed: { running: Freed; committing: Freed };
  readonly onFailure: (error: PosixError) => void;
}

/** A block on its way: what it holds after each stage. */
interface Outgoing {
  readonly no: number;
  readonly kind: 'table' | 'directory' | 'whole';
  readonly old: Uint8Array;
  readonly staged: Staged;
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
    const { engine, mover, freed } = this.#options;
    if (this.idle) {
      if (mover.unflushed) yield* this.#flush();
      return;
    }
    const epoch = engine.cache.closeEpoch(HELD_BLOCK);
    freed.committing = freed.running;
    freed.running = new Freed();
    yield* mover.settled(epoch);
    const blocks = yield* this.#stage([...epoch.blocks.values()].sort((a, b) => a.no - b.no));
    for (let stage = 1; stage <= STAGES; stage++) yield* this.#write(blocks, stage as Stage);
    engine.cache.epochWritten();
    freed.committing = new Freed();
  }

  *#stage(frames: readonly Frame[]): Task<Outgoing[]> {
    const { volume } = this.#options;
    const { blockSize } = volume;
    const kindOf = (no: number) => kindOfBlock(volume, no);
    const out: Outgoing[] = [];
    const allocated = new BlockSet();
    const directories = new BlockSet();
    const tables = frames.filter(({ no }) => kindOf(no) === 'table');
    const rest = frames.filter(({ no }) => kindOf(no) !== 'table');
    const clusterOf = (no: number): number =>
      Math.floor((no * blockSize - volume.dataStart) / volume.clusterSize) + 2;
    for (const { no } of rest) if (clusterOf(no) >= 2) directories.add(clusterOf(no), 1);
    const part = {
      allocated: (cluster: number) => allocated.add(cluster, 1),
      isDirectory: (cluster: number) => directories.has(cluster),
    };
    if (volume.bits === 12 && tables.length > 0) {
      out.push(...stageSmallTable(volume, yield* this.#readTable(), { tables, part }));
    } else {
      const before = yield* this.#readOld(tables.map(({ no }) => no));
      tables.forEach(({ no, bytes }, i) => {
        const change = { old: before[i] ?? bytes, now: bytes.slice() };
        const byte = no * blockSize - volume.fatStart;
        const firstCluster = (byte * 8) / volume.bits;
        const staged = stageTable(volume.bits, change, { ...part, firstCluster });
        out.push({ no, kind: 'table', old: change.old, staged });
      });
    }
    const before = yield* this.#readOld(rest.map(({ no }) => no));
    const isFresh = (no: number): boolean => clusterOf(no) >= 2 && allocated.has(clusterOf(no));
    const changes = rest.map(({ no, bytes }, i) => {
      const now = bytes.slice();
      return { no, kind: kindOf(no), old: before[i] ?? now, now };
    });
    const moves = movesOf(changes, { blockSize, isFresh });
    for (const { no, kind, ...change } of changes) {
      const staged =
        kind !== 'directory'
          ? stageWhole(change, 5)
          : isFresh(no)
            ? stageNewDirectory(change, moves)
            : stageDirectory(change, no * blockSize, moves);
      out.push({ no, kind, old: change.old, staged });
    }
    return out.sort((a, b) => a.no - b.no);
  }

  /** What the disk holds now. */
  *#readOld(numbers: readonly number[]): Task<Uint8Array[]> {
    const { engine, volume } = this.#options;
    const { blockSize } = volume;
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

  *#readTable(): Task<Uint8Array> {
    const { volume } = this.#options;
    const first = volume.fatStart / volume.blockSize;
    const count = volume.fatSize / volume.blockSize;
    const parts = yield* this.#readOld(Array.from({ length: count }, (_, i) => first + i));
    const table = new Uint8Array(volume.fatSize);
    parts.forEach((part, i) => {
      table.set(part, i * volume.blockSize);
    });
    return table;
  }

  /** Writes what a stage changes, behind a flush of what was written before it. */
  *#write(blocks: readonly Outgoing[], stage: Stage): Task<void> {
    const changed = blocks.filter(({ old, staged }) => {
      const before = stage === 1 ? old : staged[(stage - 1) as Stage];
      return !same(before, staged[stage]);
    });
    const { mover } = this.#options;
    if (stage > 1 && (changed.length > 0 || stage === STAGES)) {
      if (this.#pending || mover.unflushed) yield* this.#flush();
    }
    if (changed.length > 0) yield* this.#writeBlocks(changed, stage);
  }

  *#writeBlocks(blocks: readonly Outgoing[], stage: Stage): Task<void> {
    const { engine, volume } = this.#options;
    const { blockSize, fatStart, mirrors } = volume;
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
        for (const mirror of mirrors) {
          const copies = some.map(({ no, kind }) => ({
            offset: kind === 'table' ? no * blockSize - fatStart + mirror : undefined,
          }));
          const pieces = joined(copies, blockSize, ref);
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

/** Files that lose one entry in this epoch and get another. */
function movesOf(
  changes: readonly (Change & { readonly no: number; readonly kind: Outgoing['kind'] })[],
  { blockSize, isFresh }: { blockSize: number; isFresh: (no: number) => boolean },
): Moves {
  const lost = new Map<number, number>();
  const found = new Set<number>();
  for (const { no, kind, old, now } of changes) {
    if (kind !== 'directory') continue;
    const before = isFresh(no) ? new Uint8Array(now.length) : old;
    noteMoves({ old: before, now }, no * blockSize, { lost, found });
  }
  return new Map([...lost].filter(([cluster]) => found.has(cluster)));
}

function kindOfBlock(volume: FatVolume, no: number): Outgoing['kind'] {
  const byte = no * volume.blockSize;
  if (byte >= volume.rootStart) return 'directory';
  const inTable = byte >= volume.fatStart && byte < volume.fatStart + volume.fatSize;
  return inTable ? 'table' : 'whole';
}

/** FAT12: numbers lie across blocks, and all of the table is a few sectors. */
function stageSmallTable(
  { blockSize, fatStart }: FatVolume,
  old: Uint8Array,
  { tables, part }: { tables: readonly Frame[]; part: Omit<TablePart, 'firstCluster'> },
): Outgoing[] {
  const now = old.slice();
  for (const { no, bytes } of tables) now.set(bytes, no * blockSize - fatStart);
  const staged = stageTable(12, { old, now }, { ...part, firstCluster: 0 });
  return tables.map(({ no }) => {
    const at = no * blockSize - fatStart;
    const cut = (stage: Stage) => staged[stage].subarray(at, at + blockSize);
    return {
      ...{ no, kind: 'table' },
      old: old.subarray(at, at + blockSize),
      staged: { 1: cut(1), 2: cut(2), 3: cut(3), 4: cut(4), 5: cut(5) },
    };
  });
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

const same = (a: Uint8Array, b: Uint8Array): boolean =>
  a === b || (a.length === b.length && a.every((byte, i) => byte === b[i]));
