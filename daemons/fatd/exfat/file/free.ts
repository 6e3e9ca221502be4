// Taking clusters back. Many go in steps; what is left of them is kept by a held record, so that a worker
// after this one goes on. After a power cut they are lost, no more.

import { EUCLEAN, fail } from '../../../../kernel/abi/errno.ts';
import { clusterByte, type Op, TAIL_INO } from '../op.ts';
import { isCluster, nextCluster } from '../volume/fat.ts';
import type { Allocation } from './allocation.ts';

/** Clusters that one request frees: of a chain, in a row; blocks of a directory, void metadata then. */
const CHAINED = 256;
const ROW = 32_768;
const BLOCKS = 256;

export interface Doomed extends Allocation {
  readonly kind: 'file' | 'directory';
}

/** Frees clusters; those that are too many for this request by `freeStep`. */
export function freeAll(op: Op, doomed: Doomed): void {
  if (doomed.first === 0 || doomed.clusters === 0) return;
  const rest = freeSome(op, doomed);
  if (rest === undefined) return;
  const ino = TAIL_INO + doomed.first;
  hold(op, ino, rest);
  op.tx.onCommit(() => op.env.unfinished(ino));
}

/** One more step; true when another one is needed. */
export function freeStep(op: Op, ino: number): boolean {
  const { held } = op.env;
  const file = held.byIno(op.tx, ino);
  if (file === undefined) return false;
  const view = held.entryOf(op.tx, file);
  const rest = freeSome(op, {
    first: view.getUint32(0),
    clusters: view.getUint32(4),
    contiguous: view.getUint8(8) === 1,
    kind: view.getUint8(9) === 1 ? 'directory' : 'file',
  });
  if (rest === undefined) held.release(op.tx, file);
  else hold(op, ino, rest);
  return rest !== undefined;
}

function hold(op: Op, ino: number, { first, clusters, contiguous, kind }: Doomed): void {
  const entry = new Uint8Array(10);
  const view = new DataView(entry.buffer);
  view.setUint32(0, first);
  view.setUint32(4, clusters);
  view.setUint8(8, contiguous ? 1 : 0);
  view.setUint8(9, kind === 'directory' ? 1 : 0);
  op.env.held.hold(op.tx, ino, { entry });
}

/** Returns what is left. */
function freeSome(op: Op, doomed: Doomed): Doomed | undefined {
  const { vol } = op;
  const { first, clusters, contiguous, kind } = doomed;
  const each = vol.clusterSize / vol.blockSize;
  const bound = kind === 'file' ? Number.POSITIVE_INFINITY : Math.max(1, Math.floor(BLOCKS / each));
  if (!contiguous) {
    op.tx.onCommit(() => op.env.chains.forget(first));
    return freeChain(op, doomed, Math.min(clusters, CHAINED, bound));
  }
  if (first < 2 || first + clusters > vol.clusterEnd)
    fail(EUCLEAN, `${clusters} clusters in a row from ${first} on`);
  const count = Math.min(clusters, ROW, bound);
  freeRow(op, { first, count, kind });
  return count === clusters
    ? undefined
    : { ...doomed, first: first + count, clusters: clusters - count };
}

/** A chain that leads astray, or to what is free, ends there. */
function freeChain(op: Op, doomed: Doomed, most: number): Doomed | undefined {
  const { tx, vol, env } = op;
  let cluster: number | undefined = doomed.first;
  for (let done = 0; done < most; done++) {
    if (!isCluster(vol, cluster) || env.bitmap.isFree(tx, cluster)) return undefined;
    const freed: number = cluster;
    cluster = nextCluster(tx, vol, freed);
    freeRow(op, { first: freed, count: 1, kind: doomed.kind });
    if (cluster === undefined) return undefined;
  }
  const clusters = doomed.clusters - most;
  return clusters <= 0 ? undefined : { ...doomed, first: cluster, clusters };
}

function freeRow(
  op: Op,
  { first, count, kind }: { first: number; count: number; kind: Doomed['kind'] },
): void {
  const { tx, vol, env } = op;
  const used = countUsed(op, first, count);
  env.bitmap.set(tx, { first, count }, 'free');
  if (kind === 'directory') {
    const block = clusterByte(vol, first) / vol.blockSize;
    const blocks = (count * vol.clusterSize) / vol.blockSize;
    for (let i = 0; i < blocks; i++) tx.forget(block + i);
  }
  tx.onCommit(() => {
    for (const cluster of used) env.free.add(cluster, 1);
    env.freed.running.clusters.add(first, count);
    env.noteFreed(first, count);
  });
}

/** What is free already is not counted again. */
function countUsed({ tx, env }: Op, first: number, count: number): number[] {
  const used: number[] = [];
  for (let at = first; at < first + count; at++) if (!env.bitmap.isFree(tx, at)) used.push(at);
  return used;
}
