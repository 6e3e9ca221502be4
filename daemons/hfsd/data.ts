// Mapping of file data. HFS has no holes and no unwritten extents: a file's size grows only when what it
// covers was written, so blocks beyond it may hold anything and are never seen.

import { S_IFMT, S_IFREG } from '../../kernel/abi/constants.ts';
import { EFBIG, EINVAL, EISDIR, EUCLEAN, fail } from '../../kernel/abi/errno.ts';
import type { Extent, MapRequest } from '../lib/volume.ts';
import type { Item } from './catalog/item.ts';
import { cutFork, type Fork, findRun, growFork } from './fork/fork.ts';
import { DATA_FORK, RESOURCE_FORK } from './ondisk.ts';
import type { Op } from './op.ts';

/** Pieces that one answer tells at most. */
const PIECES = 64;
/** Extents that one request frees. */
const STEPS = 32;

const HFS_FILE_MAX = 0x7fff_ffff;
const PLUS_FILE_MAX = 2 ** 53 - 1;

export const maxFileSize = ({ vol }: Op): number =>
  vol.kind === 'hfs' ? HFS_FILE_MAX : Math.min(PLUS_FILE_MAX, 0xffff_ffff * vol.allocSize);

export const isRegular = (op: Op, item: Item): boolean => {
  if (item.kind === 'folder') return false;
  const type = item.mode & S_IFMT;
  return op.vol.kind === 'hfs' || type === 0 || type === S_IFREG || type === 0o40000;
};

export const dataFork = (op: Op, item: Item): Fork => ({
  cnid: item.cnid,
  type: DATA_FORK,
  data: item.data,
  save: () => op.catalog.save(item),
});

export const resourceFork = (op: Op, item: Item): Fork => ({
  cnid: item.cnid,
  type: RESOURCE_FORK,
  data: item.resources,
  save: () => op.catalog.save(item),
});

export function mapRead(op: Op, item: Item, { offset, length }: MapRequest): Extent[] {
  mustBeFile(op, item);
  const { allocSize } = op.vol;
  const fork = dataFork(op, item);
  const out: Extent[] = [];
  for (let at = Math.floor(offset / allocSize); at * allocSize < offset + length; ) {
    const run = findRun(op, fork, at);
    if (run === undefined) {
      if (at * allocSize < item.data.size)
        fail(EUCLEAN, `file ${item.cnid}: ${item.data.size} bytes, blocks for ${at * allocSize}`);
      const rest = Math.ceil((offset + length) / allocSize) - at;
      out.push({ offset: at * allocSize, length: rest * allocSize, block: undefined });
      return trim(op, out, { offset, length });
    }
    out.push(extent(op, { at, ...run }));
    if (out.length === PIECES) break;
    at += run.count;
  }
  return trim(op, out, { offset, length });
}

export function mapWrite(op: Op, item: Item, { offset, length }: MapRequest): Extent[] {
  mustBeFile(op, item);
  const { allocSize } = op.vol;
  const end = Math.min(offset + length, maxFileSize(op));
  if (offset >= end) fail(EFBIG);
  const fork = dataFork(op, item);
  const last = Math.ceil(end / allocSize);
  const had = fork.data.blocks;
  for (let i = 0; fork.data.blocks < last && i < PIECES; i++) {
    if (fork.data.blocks * allocSize > offset && i > 0) break;
    growFork(op, fork, last - fork.data.blocks);
  }
  const out: Extent[] = [];
  for (let at = Math.floor(offset / allocSize); at < last && out.length < PIECES; ) {
    const run = findRun(op, fork, at);
    if (run === undefined) break;
    const count = at < had ? Math.min(run.count, had - at) : run.count;
    const piece = extent(op, { at, start: run.start, count });
    out.push(at >= had ? { ...piece, fresh: true } : piece);
    at += count;
  }
  return trim(op, out, { offset, length: end - offset });
}

export function written(op: Op, item: Item, { offset, length }: MapRequest): void {
  mustBeFile(op, item);
  const size = offset + length;
  if (size > maxFileSize(op)) fail(EFBIG);
  if (size > item.data.blocks * op.vol.allocSize)
    fail(EUCLEAN, `file ${item.cnid}: written beyond its blocks`);
  if (size > item.data.size) item.data.size = size;
  item.modified = op.now;
  item.changed = op.now;
  op.catalog.save(item);
}

/** A new size; growing, its blocks were written before. */
export function resize(op: Op, item: Item, size: number): void {
  if (item.kind === 'folder') fail(EISDIR);
  if (!isRegular(op, item)) fail(EINVAL);
  if (size > maxFileSize(op)) fail(EFBIG);
  const { allocSize } = op.vol;
  if (size > item.data.blocks * allocSize) {
    const fork = dataFork(op, item);
    const last = Math.ceil(size / allocSize);
    for (let i = 0; i < PIECES && fork.data.blocks < last; i++)
      growFork(op, fork, last - fork.data.blocks);
    if (fork.data.blocks < last) fail(EFBIG);
  }
  item.data.size = size;
  if (!cutToSize(op, item)) unfinished(op, item);
}

/** Frees what lies beyond the size, as far as one request goes. */
export function cutToSize(op: Op, item: Item): boolean {
  const keep = Math.ceil(item.data.size / op.vol.allocSize);
  if (item.data.blocks <= keep) return true;
  return cutFork(op, dataFork(op, item), { keep, steps: STEPS });
}

export const unfinished = (op: Op, { cnid }: Item): void =>
  op.tx.onCommit(() => op.env.unfinished(cnid));

interface Piece {
  readonly at: number; // allocation block of the file
  readonly start: number; // of the volume
  readonly count: number;
}

const extent = (op: Op, { at, start, count }: Piece): Extent => ({
  offset: at * op.vol.allocSize,
  length: count * op.vol.allocSize,
  block: op.unitOf(start),
});

/**
 * Only what was asked for, in the cache's blocks: the rest of an allocation block is not zeroed for it,
 * as what lies beyond the size is never seen.
 */
function trim(op: Op, extents: Extent[], { offset, length }: Omit<MapRequest, 'ino'>): Extent[] {
  const { unit } = op.vol;
  const from = Math.floor(offset / unit) * unit;
  const to = Math.ceil((offset + length) / unit) * unit;
  return extents.flatMap((each) => {
    const start = Math.max(from, each.offset);
    const end = Math.min(to, each.offset + each.length);
    if (start >= end) return [];
    const skipped = (start - each.offset) / unit;
    const block = each.block === undefined ? undefined : each.block + skipped;
    const spare = each.fresh ? each.offset + each.length - end : 0;
    return [{ ...each, offset: start, length: end - start, block, spare }];
  });
}

function mustBeFile(op: Op, item: Item): void {
  if (!isRegular(op, item)) fail(item.kind === 'folder' ? EISDIR : EINVAL);
}
