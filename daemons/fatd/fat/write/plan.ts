// What of a FAT volume may be written when: blocks of an epoch in the stages of stages.ts.

import type { Task } from '../../../../kernel/ipc/task.ts';
import type { Frame } from '../../../lib/cache/block-cache.ts';
import { BlockSet } from '../../../lib/cache/block-set.ts';
import type { Freed } from '../../volume/freed.ts';
import type { Outgoing, Plan, ReadOld } from '../../write/careful.ts';
import { type Change, type Stage, stageWhole } from '../../write/stages.ts';
import type { GoneName } from '../op.ts';
import type { FatBits, FatVolume } from '../volume/geometry.ts';
import {
  type Moves,
  noteMoves,
  stageDirectory,
  stageNewDirectory,
  stageTable,
  type TablePart,
} from './stages.ts';

type Kind = 'table' | 'directory' | 'whole';

export class FatPlan implements Plan {
  readonly copies: number;
  readonly #volume: FatVolume;
  readonly #freed: Freed<GoneName>;

  constructor(volume: FatVolume, freed: Freed<GoneName>) {
    this.#volume = volume;
    this.#freed = freed;
    this.copies = volume.mirrors.length;
  }

  closed(): void {
    this.#freed.closed();
  }

  written(): void {
    this.#freed.written();
  }

  /** Of a block of the table, in its mirrors. */
  copyOf(no: number, copy: number): number | undefined {
    const { blockSize, fatStart, mirrors } = this.#volume;
    const mirror = mirrors[copy];
    if (mirror === undefined || kindOfBlock(this.#volume, no) !== 'table') return undefined;
    return no * blockSize - fatStart + mirror;
  }

  *stage(frames: readonly Frame[], readOld: ReadOld): Task<Outgoing[]> {
    const volume = this.#volume;
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
      out.push(...stageSmallTable(volume, yield* this.#readTable(readOld), { tables, part }));
    } else {
      const before = yield* readOld(tables.map(({ no }) => no));
      tables.forEach(({ no, bytes }, i) => {
        const change = { old: before[i] ?? bytes, now: bytes.slice() };
        const byte = no * blockSize - volume.fatStart;
        const firstCluster = (byte * 8) / volume.bits;
        const staged = stageTable(volume.bits, change, { ...part, firstCluster });
        out.push({ no, old: change.old, staged });
      });
    }
    const before = yield* readOld(rest.map(({ no }) => no));
    const isFresh = (no: number): boolean => clusterOf(no) >= 2 && allocated.has(clusterOf(no));
    const changes = rest.map(({ no, bytes }, i) => {
      const now = bytes.slice();
      return { no, kind: kindOf(no), old: before[i] ?? now, now };
    });
    const moves = movesOf(changes, { bits: volume.bits, blockSize, isFresh });
    for (const { no, kind, ...change } of changes) {
      const staged =
        kind !== 'directory'
          ? stageWhole(change, 5)
          : isFresh(no)
            ? stageNewDirectory(change, moves)
            : stageDirectory(change, no * blockSize, moves);
      out.push({ no, old: change.old, staged });
    }
    return out;
  }

  *#readTable(readOld: ReadOld): Task<Uint8Array> {
    const volume = this.#volume;
    const first = volume.fatStart / volume.blockSize;
    const count = volume.fatSize / volume.blockSize;
    const parts = yield* readOld(Array.from({ length: count }, (_, i) => first + i));
    const table = new Uint8Array(volume.fatSize);
    parts.forEach((part, i) => {
      table.set(part, i * volume.blockSize);
    });
    return table;
  }
}

/** Files that lose one entry in this epoch and get another. */
function movesOf(
  changes: readonly (Change & { readonly no: number; readonly kind: Kind })[],
  {
    bits,
    blockSize,
    isFresh,
  }: { bits: FatBits; blockSize: number; isFresh: (no: number) => boolean },
): Moves {
  const lost = new Map<number, number>();
  const found = new Set<number>();
  for (const { no, kind, old, now } of changes) {
    if (kind !== 'directory') continue;
    const before = isFresh(no) ? new Uint8Array(now.length) : old;
    noteMoves({ old: before, now }, no * blockSize, { bits, lost, found });
  }
  return { bits, sectors: new Map([...lost].filter(([cluster]) => found.has(cluster))) };
}

function kindOfBlock(volume: FatVolume, no: number): Kind {
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
      no,
      old: old.subarray(at, at + blockSize),
      staged: { 1: cut(1), 2: cut(2), 3: cut(3), 4: cut(4), 5: cut(5) },
    };
  });
}
