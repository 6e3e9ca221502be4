// Where a file's data lies, room for what is written, and truncation. Clusters in a row need no chain
// (NoFatChain); a file that cannot go on behind its last cluster becomes a chain. What lies behind
// ValidDataLength reads as zeroes. exFAT specification 1.00, §7.6.

import { EFBIG, EIO, ENOSPC, fail } from '../../../../kernel/abi/errno.ts';
import { Unwritten } from '../../../lib/transaction.ts';
import type { Extent, MapRequest } from '../../../lib/volume.ts';
import { findFree } from '../../file/allocate.ts';
import type { Run } from '../../file/chain.ts';
import { extentOf, hole, span } from '../../file/extents.ts';
import { ATTR_ARCHIVE } from '../../ondisk.ts';
import { clustersOf } from '../../op.ts';
import { setAccessed, setModified } from '../attr.ts';
import { editSet } from '../dir/names.ts';
import { mustBeFile, placeOf, streamAt } from '../dir/places.ts';
import { ALLOCATION_POSSIBLE, type FileView, NO_FAT_CHAIN, type StreamView } from '../ondisk.ts';
import type { Op } from '../op.ts';
import { END, linksPerBlock, setNext } from '../volume/fat.ts';
import { take } from './allocate.ts';
import {
  type Allocation,
  allocationOf,
  dropAllocation,
  keepAllocation,
  runAt,
} from './allocation.ts';
import { freeAll } from './free.ts';

/** Pieces that one answer tells at most, and clusters that one request gives out. */
const PIECES = 64;
const CHAINED = 4096;
const ROW = 65_536;
/** Blocks of the FAT that one request fills when a file becomes a chain. */
const LINK_BLOCKS = 64;
const FILE_SIZE_MAX = 2 ** 53 - 2 ** 26;

export function mapRead(op: Op, request: MapRequest): Extent[] {
  const { ino } = request;
  const { ValidDataLength: valid } = streamAt(op, placeOf(op, ino));
  const allocation = allocationOf(op, ino);
  const out: Extent[] = [];
  const filled = clustersOf(op, valid);
  const { first, end } = span(op, request);
  for (let at = first; at < end && out.length < PIECES; ) {
    if (at >= filled) {
      out.push(hole(op, at, end - at));
      break;
    }
    const run = runAt(op, allocation, at);
    if (run === undefined) return fail(EIO, `file ${ino}: it has no cluster ${at}`);
    const count = Math.min(run.count, end - at, filled - at);
    const extent = extentOf(op, { ...run, count });
    const inside = valid - extent.offset;
    out.push(inside < extent.length ? { ...extent, valid: inside } : extent);
    at += count;
  }
  return out;
}

/** Gives one run of clusters out at most; more is asked for again. An empty answer: a step towards it. */
export function mapWrite(op: Op, request: MapRequest): Extent[] {
  const { ino } = request;
  if (request.offset + request.length > FILE_SIZE_MAX) fail(EFBIG);
  const { ValidDataLength: valid } = streamAt(op, placeOf(op, ino));
  const allocation = allocationOf(op, ino);
  const fresh = clustersOf(op, valid);
  const { first, end } = span(op, request);
  const out: Extent[] = [];
  for (let at = first; at < end && out.length < PIECES; ) {
    const run = runAt(op, allocation, at);
    if (run === undefined) {
      if (out.length > 0) break;
      if (at > allocation.clusters) fail(EIO, `file ${ino}: a write beyond its clusters`);
      const added = give(op, ino, { allocation, want: end - at });
      return added === undefined ? [] : [{ ...extentOf(op, added), fresh: true }];
    }
    // What is fresh and what is not are told apart.
    const part =
      at < fresh ? Math.min(run.count, end - at, fresh - at) : Math.min(run.count, end - at);
    const extent = extentOf(op, { ...run, count: part });
    out.push(at < fresh ? extent : { ...extent, fresh: true });
    at += part;
  }
  return out;
}

/** New clusters behind the last one; undefined when links of those before had to be written first. */
function give(
  op: Op,
  ino: number,
  { allocation, want }: { allocation: Allocation; want: number },
): Run | undefined {
  const { tx, vol, env } = op;
  const { first, clusters, contiguous } = allocation;
  const last = clusters === 0 ? undefined : runAt(op, allocation, clusters - 1)?.cluster;
  const inRow = contiguous || last === undefined;
  // The disk still has the chain as longer: it must end there before it goes on elsewhere.
  if (last !== undefined && env.freed.running.ends.has(last)) throw new Unwritten();
  const row = findFree(op, { near: last, want: Math.min(want, inRow ? ROW : CHAINED) });
  if (inRow && (last === undefined || row.start === last + 1)) {
    take(op, row, 'none');
    const begins = last === undefined ? row.start : first;
    const all = { first: begins, clusters: clusters + row.count, contiguous: true };
    keepAllocation(op, ino, all);
    return { index: clusters, cluster: row.start, count: row.count };
  }
  if (inRow && !becomeChain(op, ino, allocation)) return undefined;
  const count = Math.min(row.count, CHAINED);
  take(op, { start: row.start, count }, 'chain');
  if (last !== undefined) setNext(tx, vol, last, row.start);
  tx.onCommit(() => env.chains.append(first, { index: clusters, cluster: row.start, count }));
  keepAllocation(op, ino, { first, clusters: clusters + count, contiguous: false });
  return { index: clusters, cluster: row.start, count };
}

/**
 * Clusters in a row get the links that a chain must have; false: there are more than one request writes.
 * Nobody reads them before the set says that it is a chain, so it matters to nobody how far this came.
 */
function becomeChain(op: Op, ino: number, allocation: Allocation): boolean {
  const { tx, vol, env } = op;
  const { first, clusters } = allocation;
  const from = env.linked.get(ino) ?? 0;
  const to = Math.min(clusters - 1, from + LINK_BLOCKS * linksPerBlock(vol));
  for (let i = from; i < to; i++) setNext(tx, vol, first + i, first + i + 1);
  if (to < clusters - 1) {
    tx.onCommit(() => env.linked.set(ino, to));
    return false;
  }
  tx.onCommit(() => {
    env.linked.delete(ino);
    env.chains.forget(first);
  });
  if (streamAt(op, placeOf(op, ino)).FirstCluster === 0) return true;
  editSet(op, ino, (_, stream) => {
    stream.GeneralSecondaryFlags = ALLOCATION_POSSIBLE;
  });
  return true;
}

/** The data is on its way: the file is as long as that, and what was given to it is its own. */
export function written(op: Op, { ino, offset, length }: MapRequest): void {
  const end = offset + length;
  const allocation = allocationOf(op, ino);
  const { DataLength } = streamAt(op, placeOf(op, ino));
  const size = Math.max(end, DataLength);
  if (clustersOf(op, size) > allocation.clusters) fail(EIO, `file ${ino}: clusters are missing`);
  editSet(op, ino, (file, stream) => {
    stream.DataLength = size;
    stream.ValidDataLength = Math.max(end, stream.ValidDataLength);
    state(stream, allocation);
    touch(op, file);
  });
  if (clustersOf(op, size) === allocation.clusters) dropAllocation(op, ino);
}

function state(stream: StreamView, { first, clusters, contiguous }: Allocation): void {
  stream.FirstCluster = clusters === 0 ? 0 : first;
  const row = clusters > 0 && contiguous ? NO_FAT_CHAIN : 0;
  stream.GeneralSecondaryFlags = ALLOCATION_POSSIBLE | row;
}

/** mtime is now, and a backup will want the file. */
function touch({ tx }: Op, file: FileView): void {
  setModified(file, tx.now);
  setAccessed(file, tx.now);
  file.FileAttributes |= ATTR_ARCHIVE;
}

/** Before a file grows to `size`: can it, and is there room? */
export function mayGrow(op: Op, { ino, size }: { ino: number; size: number }): void {
  if (size > FILE_SIZE_MAX) fail(EFBIG);
  const more = clustersOf(op, size) - allocationOf(op, ino).clusters;
  if (more > op.env.free.total) fail(ENOSPC);
}

/** A step of giving the file all the clusters that it needs for `size`; true when another one is needed. */
export function reserve(op: Op, { ino, size }: { ino: number; size: number }): boolean {
  mustBeFile(ino);
  mayGrow(op, { ino, size });
  const allocation = allocationOf(op, ino);
  const want = clustersOf(op, size) - allocation.clusters;
  if (want <= 0) return false;
  give(op, ino, { allocation, want });
  return true;
}

/** A new size. What a longer file shows is behind its ValidDataLength; its clusters were reserved. */
export function truncate(op: Op, ino: number, size: number): void {
  mustBeFile(ino);
  if (size > FILE_SIZE_MAX) fail(EFBIG);
  const { DataLength } = streamAt(op, placeOf(op, ino));
  const before = allocationOf(op, ino);
  const keep = clustersOf(op, size);
  if (keep > before.clusters) fail(EIO, `file ${ino}: no clusters for ${size} bytes`);
  const allocation = { ...before, clusters: keep };
  if (size < DataLength) cut(op, ino, { allocation: before, keep });
  editSet(op, ino, (file, stream) => {
    stream.DataLength = size;
    stream.ValidDataLength = Math.min(stream.ValidDataLength, size);
    state(stream, allocation);
    touch(op, file);
  });
  if (before.clusters === keep || size < DataLength) dropAllocation(op, ino);
}

/** Frees what lies behind the first `keep` clusters. */
function cut(
  op: Op,
  ino: number,
  { allocation, keep }: { allocation: Allocation; keep: number },
): void {
  const { tx, vol, env } = op;
  const { first, clusters, contiguous } = allocation;
  tx.onCommit(() => void env.linked.delete(ino));
  const tail = runAt(op, allocation, keep)?.cluster;
  if (tail === undefined) return;
  if (keep > 0 && !contiguous) {
    const last = runAt(op, allocation, keep - 1)?.cluster ?? 0;
    setNext(tx, vol, last, END);
    tx.onCommit(() => {
      env.chains.forget(first);
      env.freed.running.ends.add(last, 1);
    });
  }
  freeAll(op, { first: tail, clusters: clusters - keep, contiguous, kind: 'file' });
}

/** Clusters behind the size: a write was given up. To be freed when nobody holds the file any more. */
export function trimTail(op: Op, ino: number): void {
  if (op.env.held.byIno(op.tx, ino) === undefined) return; // it would say what is there
  const { DataLength } = streamAt(op, placeOf(op, ino));
  const allocation = allocationOf(op, ino);
  const keep = clustersOf(op, DataLength);
  if (allocation.clusters > keep) cut(op, ino, { allocation, keep });
  dropAllocation(op, ino);
}
