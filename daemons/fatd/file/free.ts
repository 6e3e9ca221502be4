// Taking clusters back. Many go in steps; what is left of them is kept by a held record, so that a worker
// after this one goes on. After a power cut they are lost, no more.

import { clusterByte, type Op, TAIL_INO } from '../op.ts';

export interface Doomed {
  readonly first: number;
  /** Of a chain, no more than these; of clusters in a row, so many. */
  readonly clusters: number;
  readonly contiguous: boolean;
  readonly kind: 'file' | 'directory';
}

/** Frees what one request may; returns what is left. */
type FreeSome<O> = (op: O, doomed: Doomed) => Doomed | undefined;

/** Frees clusters; those that are too many for this request by `freeStep`. */
export function freeAll<O extends Op>(op: O, doomed: Doomed, freeSome: FreeSome<O>): void {
  if (doomed.first === 0 || doomed.clusters === 0) return;
  const rest = freeSome(op, doomed);
  if (rest === undefined) return;
  const ino = TAIL_INO + doomed.first;
  hold(op, ino, rest);
  op.tx.onCommit(() => op.env.unfinished(ino));
}

/** One more step; true when another one is needed. */
export function freeStep<O extends Op>(op: O, ino: number, freeSome: FreeSome<O>): boolean {
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

/** Blocks of a directory that one request frees: they are metadata, and void then. */
const BLOCKS = 256;

/** The clusters that one request frees, of at most `most`. */
export function freedAtOnce({ vol }: Op, kind: Doomed['kind'], most: number): number {
  if (kind === 'file') return most;
  return Math.min(most, Math.max(1, Math.floor((BLOCKS * vol.blockSize) / vol.clusterSize)));
}

/** The blocks of a directory's clusters are metadata no longer. */
export function forgetBlocks({ tx, vol }: Op, first: number, count: number): void {
  const block = clusterByte(vol, first) / vol.blockSize;
  for (let i = 0; i < (count * vol.clusterSize) / vol.blockSize; i++) tx.forget(block + i);
}
