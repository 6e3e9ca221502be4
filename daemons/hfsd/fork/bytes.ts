// Small forks read and written whole, through the block cache: targets of symbolic links, resource forks
// and large attributes as values.

import { ENOSPC, EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import type { Op } from '../op.ts';
import { cutFork, type Fork, findRun, growFork } from './fork.ts';

/** Extents of a fork that is written or freed in one request. */
const RUNS_MAX = 256;

/** `length` bytes from `offset` on, all of which the caller knows to be inside the fork. */
export function readBytes(op: Op, fork: Fork, { offset, length }: Span): Uint8Array {
  const out = new Uint8Array(length);
  eachUnit(op, fork, { offset, length }, ({ no, index, count, done }) => {
    out.set(op.tx.read(no).bytes.subarray(index, index + count), done);
  });
  return out;
}

/** Makes these bytes the fork's whole content. */
export function writeBytes(op: Op, fork: Fork, bytes: Uint8Array): void {
  const { data } = fork;
  const { allocSize } = op.vol;
  const wanted = Math.ceil(bytes.length / allocSize);
  cutFork(op, fork, { keep: 0, steps: RUNS_MAX });
  for (let runs = 0; data.blocks < wanted && runs < RUNS_MAX; runs++)
    growFork(op, fork, wanted - data.blocks);
  data.size = bytes.length;
  eachUnit(op, fork, { offset: 0, length: bytes.length }, ({ no, index, count, done }) => {
    const part = bytes.subarray(done, done + count);
    op.tx.create(no).bytes.set(part, index);
  });
  fork.save();
}

/** Writes into the fork, which grows as far as it must; what is skipped is zero. */
export function writeInto(op: Op, fork: Fork, offset: number, bytes: Uint8Array): void {
  const { data } = fork;
  const { allocSize } = op.vol;
  const had = data.blocks * allocSize;
  const end = offset + bytes.length;
  const wanted = Math.ceil(end / allocSize);
  for (let runs = 0; data.blocks < wanted; runs++) {
    if (runs === RUNS_MAX) fail(ENOSPC, `file ${fork.cnid}: free space is in too many pieces`);
    growFork(op, fork, wanted - data.blocks);
  }
  const put = (span: Span, from?: Uint8Array): void =>
    eachUnit(op, fork, span, ({ no, index, count, done }) => {
      const fresh = span.offset + done - index >= had;
      const unit = (fresh ? op.tx.create(no) : op.tx.edit(no)).bytes;
      if (from === undefined) unit.fill(0, index, index + count);
      else unit.set(from.subarray(done, done + count), index);
    });
  if (offset > data.size) put({ offset: data.size, length: offset - data.size });
  put({ offset, length: bytes.length }, bytes);
  data.size = Math.max(data.size, end);
  fork.save();
}

export interface Span {
  readonly offset: number;
  readonly length: number;
}

interface Part {
  readonly no: number; // block of the cache
  readonly index: number; // bytes into it
  readonly count: number;
  readonly done: number; // bytes of the span before it
}

function eachUnit(op: Op, fork: Fork, span: Span, visit: (part: Part) => void): void {
  const { unit, allocSize } = op.vol;
  for (let done = 0; done < span.length; ) {
    const at = span.offset + done;
    const block = Math.floor(at / allocSize);
    const run = findRun(op, fork, block) ?? fail(EUCLEAN, `file ${fork.cnid}: no block ${block}`);
    const inside = at - block * allocSize;
    const index = inside % unit;
    const count = Math.min(unit - index, span.length - done);
    visit({ no: op.unitOf(run.start) + Math.floor(inside / unit), index, count, done });
    done += count;
  }
}
