// Taking chains back.

import * as steps from '../../file/free.ts';
import { type Doomed, forgetBlocks, freedAtOnce } from '../../file/free.ts';
import { ATTR_DIRECTORY } from '../../ondisk.ts';
import type { HeldFile } from '../../volume/held.ts';
import { firstCluster, readEntry } from '../dir/dir.ts';
import type { Op } from '../op.ts';
import { FREE, nextCluster, setFatEntry } from '../volume/fat.ts';

/** Clusters that one request frees. */
const CLUSTERS = 256;

/** A chain, or what is left of it from a cluster on. */
export function freeFrom(op: Op, first: number, kind: Doomed['kind']): void {
  const clusters = op.vol.clusterEnd; // no chain is longer
  steps.freeAll(op, { first, clusters, contiguous: false, kind }, freeSome);
}

export const freeStep = (op: Op, ino: number): boolean => steps.freeStep(op, ino, freeSome);

export function freeNameless(op: Op, { ino, place }: HeldFile): void {
  const { tx, env } = op;
  const entry = readEntry(op, place);
  const first = firstCluster(op, entry);
  const isDirectory = (entry.DIR_Attr & ATTR_DIRECTORY) !== 0;
  tx.onCommit(() => {
    if (isDirectory) env.dirs.forget(first);
    else env.grown.delete(ino);
  });
  freeFrom(op, first, isDirectory ? 'directory' : 'file');
}

/** A chain that leads astray ends there. */
function freeSome(op: Op, doomed: Doomed): Doomed | undefined {
  const { tx, vol, env } = op;
  const { first, kind } = doomed;
  const most = freedAtOnce(op, kind, CLUSTERS);
  tx.onCommit(() => env.chains.forget(first));
  let cluster: number | undefined = first;
  for (let done = 0; cluster !== undefined && done < most; done++) {
    const freed: number = cluster;
    cluster = nextCluster(tx, vol, freed);
    setFatEntry(tx, vol, freed, FREE);
    if (kind === 'directory') forgetBlocks(op, freed, 1);
    tx.onCommit(() => {
      env.free.add(freed, 1);
      env.freed.running.clusters.add(freed, 1);
      env.noteFreed(freed, 1);
    });
  }
  return cluster === undefined ? undefined : { ...doomed, first: cluster };
}
