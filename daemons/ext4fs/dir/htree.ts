// The hash tree of a directory: from a name's hash to the one leaf block it can be in, and back up
// when leaves run of equal hashes. directory.rst, "Hash Tree Directories".

import { EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import type { Block } from '../../lib/transaction.ts';
import type { Inode } from '../inode/inode.ts';
import { mustMap } from '../map/map.ts';
import {
  DX_NODE_COUNT_OFFSET,
  DX_ROOT_COUNT_OFFSET,
  DxCountLimit,
  DxRoot,
  DxTail,
} from '../ondisk.ts';
import { has } from '../volume/superblock.ts';
import { dirBlockCount } from './block.ts';
import { hashVersion } from './hash.ts';

const DX_ENTRY = 8;

/** A root or node: its entries, of which number 0 has no hash (it stands for 0). */
export class DxBlock {
  readonly dir: Inode;
  readonly block: Block;
  readonly countAt: number;
  readonly #head: InstanceType<typeof DxCountLimit>;

  constructor(dir: Inode, block: Block, countAt: number) {
    this.dir = dir;
    this.block = block;
    this.countAt = countAt;
    this.#head = new DxCountLimit(block.view, countAt);
  }

  get count(): number {
    return this.#head.count;
  }
  set count(value: number) {
    this.#head.count = value;
  }
  get limit(): number {
    return this.#head.limit;
  }
  set limit(value: number) {
    this.#head.limit = value;
  }
  get isFull(): boolean {
    return this.count >= this.limit;
  }

  hash(index: number): number {
    return index === 0 ? 0 : this.block.view.getUint32(this.countAt + index * DX_ENTRY, true);
  }

  /** File block that an entry points to; the upper bits are kept for other uses. */
  child(index: number): number {
    const raw = this.block.view.getUint32(this.countAt + index * DX_ENTRY + 4, true);
    const lblock = raw & 0x0fff_ffff;
    if (lblock === 0 || lblock >= dirBlockCount(this.dir))
      fail(EUCLEAN, `directory ${this.dir.ino}: index block ${this.block.no}: child ${lblock}`);
    return lblock;
  }

  /** Of a staged block. */
  put(index: number, entry: { hash: number; lblock: number }): void {
    const at = this.countAt + index * DX_ENTRY;
    if (index > 0) this.block.view.setUint32(at, entry.hash, true);
    this.block.view.setUint32(at + 4, entry.lblock, true);
  }

  insert(index: number, entry: { hash: number; lblock: number }): void {
    const from = this.countAt + index * DX_ENTRY;
    this.block.bytes.copyWithin(from + DX_ENTRY, from, this.countAt + this.count * DX_ENTRY);
    this.count += 1;
    this.put(index, entry);
  }

  /** The last entry whose hash is at most this one. */
  find(hash: number): number {
    let low = 1;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.hash(middle) <= hash) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Staged for change. */
  edit(): DxBlock {
    const { dir } = this;
    const staged = dir.op.tx.edit(this.block.no, dir.dxSealing.seal);
    return new DxBlock(dir, staged, this.countAt);
  }
}

export interface Frame {
  dx: DxBlock;
  index: number;
}

export interface DxPath {
  frames: Frame[]; // from the root to the lowest index block
  hashVersion: number;
}

/** Entries that fit in a root or node of this directory. */
export function dxLimit(dir: Inode, countAt: number): number {
  const tail = has.metadataCsum(dir.op.vol) ? DxTail.size : 0;
  return Math.floor((dir.op.vol.blockSize - countAt - tail) / DX_ENTRY);
}

/** Levels below the root: 1, or 2 with large_dir. */
export const maxIndirectLevels = (dir: Inode): number => (has.largeDir(dir.op.vol) ? 2 : 1);

function readRoot(dir: Inode): { dx: DxBlock; info: InstanceType<typeof DxRoot> } {
  const block = dir.op.tx.read(mustMap(dir, 0), dir.dxSealing.check);
  const info = new DxRoot(block.view);
  if (info.unused_flags & 1 || info.info_length !== 8 || info.reserved_zero !== 0)
    fail(EUCLEAN, `directory ${dir.ino}: bad index root`);
  if (info.indirect_levels > maxIndirectLevels(dir))
    fail(EUCLEAN, `directory ${dir.ino}: ${info.indirect_levels} index levels`);
  return { dx: checkedDx(dir, block, DX_ROOT_COUNT_OFFSET), info };
}

const readNode = (dir: Inode, lblock: number): DxBlock =>
  checkedDx(dir, dir.op.tx.read(mustMap(dir, lblock), dir.dxSealing.check), DX_NODE_COUNT_OFFSET);

function checkedDx(dir: Inode, block: Block, countAt: number): DxBlock {
  const dx = new DxBlock(dir, block, countAt);
  if (dx.limit !== dxLimit(dir, countAt) || dx.count === 0 || dx.count > dx.limit)
    fail(EUCLEAN, `directory ${dir.ino}: index block ${block.no}: ${dx.count} of ${dx.limit}`);
  return dx;
}

/** The index blocks on the way to the leaf for a hash. */
export function probe(dir: Inode, hash: number | ((version: number) => number)): DxPath {
  const { dx: root, info } = readRoot(dir);
  const version = hashVersion(dir.op.vol, info.hash_version);
  const wanted = typeof hash === 'number' ? hash : hash(version);
  const frames: Frame[] = [{ dx: root, index: root.find(wanted) }];
  let at: Frame = { dx: root, index: root.find(wanted) };
  for (let level = 0; level < info.indirect_levels; level++) {
    const dx = readNode(dir, at.dx.child(at.index));
    at = { dx, index: dx.find(wanted) };
    frames.push(at);
  }
  return { frames, hashVersion: version };
}

export function lowest({ frames }: DxPath): Frame {
  return frames[frames.length - 1] ?? fail(EUCLEAN, 'hash tree without a root');
}

/** File block of the leaf that the path leads to. */
export const leafBlock = (path: DxPath): number => {
  const { dx, index } = lowest(path);
  return dx.child(index);
};

/** The hash from which the leaf behind this path goes on; undefined when it is the last. */
export function nextHash({ frames }: DxPath): number | undefined {
  for (let level = frames.length - 1; level >= 0; level--) {
    const frame = frames[level];
    if (frame !== undefined && frame.index + 1 < frame.dx.count)
      return frame.dx.hash(frame.index + 1);
  }
  return undefined;
}

/** Moves the path one leaf on; false at the end. */
export function advance(dir: Inode, { frames }: DxPath): boolean {
  let level = frames.length - 1;
  for (; level >= 0; level--) {
    const frame = frames[level];
    if (frame !== undefined && frame.index + 1 < frame.dx.count) {
      frame.index++;
      break;
    }
  }
  if (level < 0) return false;
  for (; level + 1 < frames.length; level++) {
    const above = frames[level];
    if (above === undefined) return false;
    frames[level + 1] = { dx: readNode(dir, above.dx.child(above.index)), index: 0 };
  }
  return true;
}
