// Taking clusters back: of a chain, or in a row.

import { EUCLEAN, fail } from '../../../../kernel/abi/errno.ts';
import * as steps from '../../file/free.ts';
import { type Doomed, forgetBlocks, freedAtOnce } from '../../file/free.ts';
import { isFileIno } from '../../op.ts';
import type { HeldFile } from '../../volume/held.ts';
import { streamAt } from '../dir/places.ts';
import type { Op } from '../op.ts';
import { isCluster, nextCluster } from '../volume/fat.ts';
import { beyond, statedAllocation } from './allocation.ts';

/** Clusters that one request frees: of a chain, in a row. */
const CHAINED = 256;
const ROW = 32_768;

export const freeAll = (op: Op, doomed: Doomed): void => steps.freeAll(op, doomed, freeSome);

export const freeStep = (op: Op, ino: number): boolean => steps.freeStep(op, ino, freeSome);

export function freeNameless(op: Op, file: HeldFile): void {
  const { env, tx } = op;
  const { ino, place } = file;
  const allocation = beyond(op, file) ?? statedAllocation(op, streamAt(op, place));
  freeAll(op, { ...allocation, kind: isFileIno(ino) ? 'file' : 'directory' });
  tx.onCommit(() => {
    env.dirs.forget(ino);
    env.tree.forget(ino);
    env.linked.delete(ino);
  });
}

/** Returns what is left. */
function freeSome(op: Op, doomed: Doomed): Doomed | undefined {
  const { vol } = op;
  const { first, clusters, contiguous, kind } = doomed;
  if (!contiguous) {
    op.tx.onCommit(() => op.env.chains.forget(first));
    return freeChain(op, doomed, Math.min(clusters, freedAtOnce(op, kind, CHAINED)));
  }
  if (first < 2 || first + clusters > vol.clusterEnd)
    fail(EUCLEAN, `${clusters} clusters in a row from ${first} on`);
  const count = Math.min(clusters, freedAtOnce(op, kind, ROW));
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
  const { tx, env } = op;
  const used = countUsed(op, first, count);
  env.bitmap.set(tx, { first, count }, 'free');
  if (kind === 'directory') forgetBlocks(op, first, count);
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
