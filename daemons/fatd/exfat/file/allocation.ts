// The clusters of a file: what its set says, or, while a write is under way, what the daemon has given it
// beyond that. This is kept in the file's held record, which outlives the worker and is never written.
//
//   notes of the record:  clusters[4] first[4] kind[1]  1 = in a row, 2 = a chain; 0 = there is nothing more

import { EIO, EUCLEAN, fail } from '../../../../kernel/abi/errno.ts';
import { clusterAt, type Run } from '../../file/chain.ts';
import { clustersOf } from '../../op.ts';
import type { HeldFile } from '../../volume/held.ts';
import { commonIno, placeOf, streamAt } from '../dir/places.ts';
import { NO_FAT_CHAIN, type StreamView } from '../ondisk.ts';
import type { Op } from '../op.ts';

export interface Allocation {
  readonly first: number; // 0: none
  readonly clusters: number;
  readonly contiguous: boolean;
}

const CLUSTERS_AT = 0;
const FIRST_AT = 4;
const KIND_AT = 8;

/** What the set says. */
export function statedAllocation(op: Op, stream: StreamView): Allocation {
  const { FirstCluster: first, DataLength, GeneralSecondaryFlags } = stream;
  const clusters = first === 0 ? 0 : clustersOf(op, DataLength);
  return { first, clusters, contiguous: (GeneralSecondaryFlags & NO_FAT_CHAIN) !== 0 };
}

export function allocationOf(op: Op, ino: number): Allocation {
  const held = op.env.held.byIno(op.tx, ino);
  const more = held && beyond(op, held);
  return more ?? statedAllocation(op, streamAt(op, placeOf(op, ino)));
}

export function beyond(op: Op, held: HeldFile): Allocation | undefined {
  const notes = op.env.held.notesOf(op.tx, held);
  const kind = notes.getUint8(KIND_AT);
  if (kind === 0) return undefined;
  const [clusters, first] = [notes.getUint32(CLUSTERS_AT), notes.getUint32(FIRST_AT)];
  return { first, clusters, contiguous: kind === 1 };
}

/** The file has been given clusters that its set does not tell of. */
export function keepAllocation(
  op: Op,
  ino: number,
  { first, clusters, contiguous }: Allocation,
): void {
  const { held } = op.env;
  const file = held.byIno(op.tx, ino) ?? held.hold(op.tx, ino, { place: placeOf(op, ino) });
  const notes = held.editNotes(op.tx, file);
  notes.setUint32(CLUSTERS_AT, clusters);
  notes.setUint32(FIRST_AT, first);
  notes.setUint8(KIND_AT, contiguous ? 1 : 2);
}

/** The set tells all there is. */
export function dropAllocation(op: Op, ino: number): void {
  const { held } = op.env;
  const file = held.byIno(op.tx, ino);
  if (file === undefined || beyond(op, file) === undefined) return;
  held.editNotes(op.tx, file).setUint8(KIND_AT, 0);
  if (!held.isNameless(file) && commonIno(file.place, 0) === ino) held.release(op.tx, file);
}

/** The n-th cluster of a file and those that follow it in a row; undefined: it has no such cluster. */
export function runAt(op: Op, allocation: Allocation, index: number): Run | undefined {
  const { first, clusters, contiguous } = allocation;
  if (index >= clusters) return undefined;
  if (contiguous) {
    if (first < 2 || first + clusters > op.vol.clusterEnd)
      fail(EUCLEAN, `${clusters} clusters in a row from ${first} on`);
    return { index, cluster: first + index, count: clusters - index };
  }
  const run = clusterAt(op, first, index);
  if (run === undefined) return fail(EIO, `the chain from cluster ${first} ends before its file`);
  return { ...run, count: Math.min(run.count, clusters - index) };
}
