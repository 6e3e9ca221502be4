// What a header or a catalog record says of a fork: its size and its first extents.
// TN1150, "Fork Data Structure"; Inside Macintosh: Files, "Catalog File Data Records".

import { ForkRecord } from '../ondisk.ts';

/** Allocation blocks in a row. */
export interface Run {
  readonly start: number;
  readonly count: number;
}

export interface ForkData {
  size: number; // bytes
  blocks: number; // allocation blocks, those in overflow records included
  clump: number; // bytes by which it likes to grow
  extents: Run[];
}

export const EMPTY_FORK: Readonly<ForkData> = { size: 0, blocks: 0, clump: 0, extents: [] };

/** How one of the formats writes a row of extents. */
export interface ExtentCoding {
  /** Extents in a record. */
  readonly slots: 3 | 8;
  read(bytes: Uint8Array): Run[];
  write(runs: readonly Run[]): Uint8Array;
}

/** Extents end at the first that is empty. */
function readRuns(
  bytes: Uint8Array,
  get: (view: DataView, i: number) => Run,
  slots: number,
): Run[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const runs: Run[] = [];
  for (let i = 0; i < slots; i++) {
    const run = get(view, i);
    if (run.count === 0) break;
    runs.push(run);
  }
  return runs;
}

export const hfsExtents: ExtentCoding = {
  slots: 3,
  read: (bytes) =>
    readRuns(bytes, (v, i) => ({ start: v.getUint16(4 * i), count: v.getUint16(4 * i + 2) }), 3),
  write(runs) {
    const bytes = new Uint8Array(12);
    const view = new DataView(bytes.buffer);
    for (const [i, { start, count }] of runs.entries()) {
      view.setUint16(4 * i, start);
      view.setUint16(4 * i + 2, count);
    }
    return bytes;
  },
};

export const plusExtents: ExtentCoding = {
  slots: 8,
  read: (bytes) =>
    readRuns(bytes, (v, i) => ({ start: v.getUint32(8 * i), count: v.getUint32(8 * i + 4) }), 8),
  write(runs) {
    const bytes = new Uint8Array(64);
    const view = new DataView(bytes.buffer);
    for (const [i, { start, count }] of runs.entries()) {
      view.setUint32(8 * i, start);
      view.setUint32(8 * i + 4, count);
    }
    return bytes;
  },
};

export function readFork(bytes: Uint8Array): ForkData {
  const fork = new ForkRecord(new DataView(bytes.buffer, bytes.byteOffset, 80));
  return {
    size: fork.logicalSize,
    blocks: fork.totalBlocks,
    clump: fork.clumpSize,
    extents: plusExtents.read(fork.extents),
  };
}

export function writeFork(data: Readonly<ForkData>): Uint8Array {
  const bytes = new Uint8Array(80);
  const fork = new ForkRecord(new DataView(bytes.buffer));
  fork.logicalSize = data.size;
  fork.clumpSize = data.clump;
  fork.totalBlocks = data.blocks;
  fork.extents = plusExtents.write(data.extents);
  return bytes;
}
