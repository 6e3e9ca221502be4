// What a check knows and does: blocks in an overlay of changes, inodes as they lie in their tables, which
// blocks are taken, what was found. Nothing reaches the medium before the end.

import { ENOSPC, fail } from '../../../kernel/abi/errno.ts';
import type { Medium, MediumTransaction } from '../../lib/medium.ts';
import type { Block } from '../../lib/transaction.ts';
import { Inode128, type Inode128View, InodeExtra } from '../ondisk.ts';
import { inodeSeed, setInodeChecksum } from '../volume/checksum.ts';
import { type Group, groupOfInode } from '../volume/group.ts';
import { has, type Volume } from '../volume/superblock.ts';

/** A set of small numbers, a bit for each. */
class Bits {
  readonly bytes: Uint8Array;

  constructor(count: number) {
    this.bytes = new Uint8Array(Math.ceil(count / 8));
  }

  has(at: number): boolean {
    return ((this.bytes[at >>> 3] ?? 0) & (1 << (at & 7))) !== 0;
  }

  add(at: number): void {
    this.bytes[at >>> 3] = (this.bytes[at >>> 3] ?? 0) | (1 << (at & 7));
  }

  delete(at: number): void {
    this.bytes[at >>> 3] = (this.bytes[at >>> 3] ?? 0) & ~(1 << (at & 7));
  }
}

/** Problems are told one by one up to this many, and counted beyond. */
const TOLD_MAX = 500;

export interface World {
  readonly nowSec: number;
  readonly random: () => number;
}

export class Report {
  readonly problems: string[] = [];
  count = 0;
  /** Those that are not mended without a person (or -y) agreeing: more than counts and left-overs. */
  grave = 0;

  tell(what: string, weight: 'grave' | 'slight' = 'grave'): void {
    this.count++;
    if (weight === 'grave') this.grave++;
    if (this.problems.length < TOLD_MAX) this.problems.push(what);
  }
}

/** A directory that is in use: its blocks in their order, and the one whose entry names it. */
export interface Directory {
  readonly ino: number;
  blocks: number[];
  parent: number; // 0 = nobody's entry
  dotdot: number;
}

export interface Homeless {
  readonly group: number;
  readonly kind: 'block' | 'inode';
}

export class State {
  readonly medium: Medium;
  readonly world: World;
  /** What the superblock says, or what is left of it under repair. */
  vol: Volume;
  readonly tx: MediumTransaction;
  readonly report: Report;
  readonly groups: readonly Group[];
  /** Blocks that somebody owns. */
  readonly used: Bits;
  /** Blocks of the volume itself. */
  readonly own: Bits;
  /** EXT4_FT_* of each inode in use; 0 = free. */
  readonly kinds: Uint8Array;
  /** Entries found for each inode. */
  readonly names: Uint32Array;
  readonly directories = new Map<number, Directory>();
  /** Inodes that share an attribute block. */
  readonly attributeBlocks = new Map<number, number>();
  /** Files that are to be cut at this block: a truncation that was not finished. */
  readonly truncated = new Map<number, number>();
  /** Bitmaps whose place was lost: each gets another when it is known what is free. */
  readonly homeless: readonly Homeless[];
  #nextFree = 0;

  constructor(from: {
    medium: Medium;
    world: World;
    vol: Volume;
    tx: MediumTransaction;
    report: Report;
    groups: readonly Group[];
    homeless: readonly Homeless[];
  }) {
    const { vol } = from;
    this.medium = from.medium;
    this.world = from.world;
    this.vol = vol;
    this.tx = from.tx;
    this.report = from.report;
    this.groups = from.groups;
    this.homeless = from.homeless;
    this.used = new Bits(vol.blocksCount);
    this.own = new Bits(vol.blocksCount);
    this.kinds = new Uint8Array(vol.inodesCount + 1);
    this.names = new Uint32Array(vol.inodesCount + 1);
  }

  bad(what: string): void {
    this.report.tell(what);
  }

  /** The inode as it lies in its table; changes go through `change`. */
  inode(ino: number): Inode128View {
    const { block, at } = this.#place(ino);
    return new Inode128(this.tx.read(block).view, at);
  }

  extra(ino: number): InstanceType<typeof InodeExtra> | undefined {
    const { view, at } = this.inode(ino);
    return this.vol.inodeSize > 128 ? new InodeExtra(view, at) : undefined;
  }

  /** Changes an inode and makes its checksum right. */
  change(ino: number, how: (inode: Inode128View) => void): void {
    const { block, at } = this.#place(ino);
    const { view } = this.tx.edit(block);
    how(new Inode128(view, at));
    if (has.metadataCsum(this.vol)) setInodeChecksum(this.vol, ino, view, at);
  }

  seed(ino: number): number {
    return inodeSeed(this.vol, ino, this.inode(ino).i_generation);
  }

  group(index: number): Group {
    return this.groups[index] ?? fail(ENOSPC, `no group ${index}`);
  }

  /** Takes a free block; its bytes are zero. */
  allocate(): Block {
    const { blocksCount, firstDataBlock } = this.vol;
    for (let no = Math.max(this.#nextFree, firstDataBlock + 1); no < blocksCount; no++) {
      if (this.used.has(no)) continue;
      this.#nextFree = no + 1;
      this.used.add(no);
      return this.tx.create(no);
    }
    return fail(ENOSPC, 'no block is left for repairs');
  }

  isHomeless(group: number, kind: Homeless['kind']): boolean {
    return this.homeless.some((lost) => lost.group === group && lost.kind === kind);
  }

  free(block: number): void {
    this.used.delete(block);
    this.#nextFree = Math.min(this.#nextFree, block);
  }

  #place(ino: number): { block: number; at: number } {
    const { inodesPerGroup, inodeSize, blockSize } = this.vol;
    const table = this.group(groupOfInode(this.vol, ino)).inodeTable;
    const offset = ((ino - 1) % inodesPerGroup) * inodeSize;
    return { block: table + Math.floor(offset / blockSize), at: offset % blockSize };
  }
}
