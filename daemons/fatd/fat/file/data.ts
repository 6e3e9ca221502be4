// Where a file's data lies, room for what is written, and truncation. A file has no holes: the serve
// loop writes zeroes where it grows (`grows`), and data is on the disk before the size that shows it.

import { EFBIG, EIO, ENOSPC, fail } from '../../../../kernel/abi/errno.ts';
import { Unwritten } from '../../../lib/transaction.ts';
import type { Extent, MapRequest } from '../../../lib/volume.ts';
import { chainLength, clusterAt, type Run } from '../../file/chain.ts';
import { extentOf, hole, span } from '../../file/extents.ts';
import { ATTR_ARCHIVE } from '../../ondisk.ts';
import { clustersOf } from '../../op.ts';
import { setModified } from '../attr.ts';
import { firstCluster, setFirstCluster } from '../dir/dir.ts';
import { editFile, fileEntry } from '../inode.ts';
import { type DirEntryView, FILE_SIZE_MAX } from '../ondisk.ts';
import type { Op } from '../op.ts';
import { END, setFatEntry } from '../volume/fat.ts';
import { allocate } from './allocate.ts';
import { freeFrom } from './free.ts';

/** Pieces that one answer tells at most, and clusters that one request gives out. */
const PIECES = 64;
const CLUSTERS = 4096;

export function mapRead(op: Op, request: MapRequest): Extent[] {
  const entry = fileEntry(op, request.ino);
  const out: Extent[] = [];
  const clusters = clustersOf(op, entry.DIR_FileSize);
  const { first, end } = span(op, request);
  for (let at = first; at < end && out.length < PIECES; ) {
    if (at >= clusters) {
      out.push(hole(op, at, end - at));
      break;
    }
    const run = clusterAt(op, firstCluster(op, entry), at);
    if (run === undefined) fail(EIO, `file ${request.ino}: its chain ends before its size`);
    const { count } = run as Run;
    const taken = Math.min(count, end - at, clusters - at);
    pushRun(op, out, { ...(run as Run), count: taken, fresh: false });
    at += taken;
  }
  return out;
}

/** Gives one run of clusters out at most; more is asked for again. */
export function mapWrite(op: Op, request: MapRequest): Extent[] {
  if (request.offset >= FILE_SIZE_MAX) fail(EFBIG);
  const { ino } = request;
  op.tx.onCommit(() => void op.env.grown.add(ino));
  const length = Math.min(request.length, FILE_SIZE_MAX - request.offset);
  const entry = fileEntry(op, ino);
  const start = firstCluster(op, entry);
  const fresh = clustersOf(op, entry.DIR_FileSize);
  const { first, end } = span(op, { ...request, length });
  const out: Extent[] = [];
  for (let at = first; at < end && out.length < PIECES; ) {
    const run = start === 0 ? undefined : clusterAt(op, start, at);
    if (run === undefined) {
      if (out.length > 0) break;
      return [added(op, { ino, start, from: first, want: end - first })];
    }
    const taken = Math.min(run.count, end - at);
    pushRun(op, out, { ...run, count: taken, fresh: at >= fresh });
    at += taken;
  }
  return out;
}

/** New clusters at the end of the chain, which may have to reach further than the write asks. */
function added(
  op: Op,
  { ino, start, from, want }: { ino: number; start: number; from: number; want: number },
): Extent {
  const { tx, vol, env } = op;
  const length = start === 0 ? 0 : chainLength(op, start);
  if (from > length) fail(EIO, `file ${ino}: a write beyond its chain`);
  const last = start === 0 ? undefined : clusterAt(op, start, length - 1)?.cluster;
  // The disk still has the chain as longer: it must end there before it goes on elsewhere.
  if (last !== undefined && env.freed.running.ends.has(last)) throw new Unwritten();
  const run = allocate(op, { near: last, want: Math.min(want, CLUSTERS) });
  if (last === undefined) setFirstCluster(editFile(op, ino), run.start);
  else {
    setFatEntry(tx, vol, last, run.start);
    tx.onCommit(() =>
      env.chains.append(start, { index: length, cluster: run.start, count: run.count }),
    );
  }
  return { ...extentOf(op, { index: from, cluster: run.start, count: run.count }), fresh: true };
}

export function written(op: Op, request: MapRequest): void {
  const entry = editFile(op, request.ino);
  const end = request.offset + request.length;
  if (end > FILE_SIZE_MAX) fail(EFBIG);
  if (end > entry.DIR_FileSize) entry.DIR_FileSize = end;
  touch(op, entry);
}

/** mtime is now, and a backup will want the file. */
function touch({ tx }: Op, entry: DirEntryView): void {
  setModified(entry, tx.now);
  entry.DIR_LstAccDate = entry.DIR_WrtDate;
  entry.DIR_Attr |= ATTR_ARCHIVE;
}

/** Before a file grows to `size`: can it, and is there room? */
export function mayGrow(op: Op, { ino, size }: { ino: number; size: number }): void {
  if (size > FILE_SIZE_MAX) fail(EFBIG);
  const entry = fileEntry(op, ino);
  const more = clustersOf(op, size) - clustersOf(op, entry.DIR_FileSize);
  if (more > op.env.free.total) fail(ENOSPC);
}

/** Cuts a file; longer it gets by being written. */
export function truncate(op: Op, ino: number, size: number): void {
  if (size > FILE_SIZE_MAX) fail(EFBIG);
  const entry = editFile(op, ino);
  if (size <= entry.DIR_FileSize) {
    const start = firstCluster(op, entry);
    const keep = clustersOf(op, size);
    if (start !== 0) cut(op, { start, keep, entry });
    entry.DIR_FileSize = size;
  }
  touch(op, entry);
}

/** Frees what lies behind the first `keep` clusters. */
function cut(
  op: Op,
  { start, keep, entry }: { start: number; keep: number; entry: DirEntryView },
): void {
  const { tx, vol, env } = op;
  const tail = clusterAt(op, start, keep)?.cluster;
  if (tail === undefined) return;
  if (keep === 0) setFirstCluster(entry, 0);
  else {
    const last = clusterAt(op, start, keep - 1) as Run;
    setFatEntry(tx, vol, last.cluster, END);
    tx.onCommit(() => {
      env.chains.forget(start);
      env.freed.running.ends.add(last.cluster, 1);
    });
  }
  freeFrom(op, tail, 'file');
}

/** Clusters behind the size: a write was given up. To be freed when nobody holds the file any more. */
export function trimTail(op: Op, ino: number): void {
  const { grown } = op.env;
  if (!grown.has(ino)) return;
  op.tx.onCommit(() => void grown.delete(ino));
  const entry = fileEntry(op, ino);
  const start = firstCluster(op, entry);
  if (start === 0) return;
  const keep = clustersOf(op, entry.DIR_FileSize);
  if (clusterAt(op, start, keep) === undefined) return;
  cut(op, { start, keep, entry: editFile(op, ino) });
}

type FreshRun = Run & { readonly fresh: boolean };

/** Neighbours on the volume are one extent. */
function pushRun(op: Op, out: Extent[], run: FreshRun): void {
  const extent = extentOf(op, run);
  const next = run.fresh ? { ...extent, fresh: true } : extent;
  const last = out.at(-1);
  const joins =
    last?.block !== undefined &&
    last.block + last.length / op.vol.blockSize === next.block &&
    last.fresh === next.fresh;
  if (joins) out[out.length - 1] = { ...last, length: last.length + next.length };
  else out.push(next);
}
