// One request on a volume: its transaction, the header and the trees it works on. Nodes are copies
// until `finish` stages those that changed.

import { ENOSPC, EUCLEAN, fail } from '../../kernel/abi/errno.ts';
import type { Transaction } from '../lib/transaction.ts';
import type { CheckedNodes } from './btree/checked.ts';
import { room } from './btree/room.ts';
import { BTree, type Content, type TreeFile } from './btree/tree.ts';
import { Catalog, type Places } from './catalog/catalog.ts';
import { type Fork, findRun, growFork } from './fork/fork.ts';
import type { Run } from './fork/fork-data.ts';
import { attributeFormat } from './names/keys.ts';
import {
  ALLOCATION_ID,
  ATTRIBUTES_ID,
  CATALOG_ID,
  DATA_FORK,
  EXTENTS_ID,
  HEADER_OFFSET,
  MAC_EPOCH,
} from './ondisk.ts';
import type { Head, SpecialFile } from './volume/head.ts';
import type { Volume } from './volume/volume.ts';

/** What the file system asks of whoever runs it. */
export interface HfsEnv {
  /** After the commit: the file needs `truncateStep` until it is done. */
  unfinished(ino: number): void;
  /** A fault says that the volume has none left of these. */
  refuses?(pool: 'blocks' | 'inodes'): boolean;
  /** After the commit: allocation blocks became free; not to be used before that is on the disk. */
  freed?(run: Run): void;
  isBusy?(block: number): boolean;
  /** Where files were seen: a hint, which spares the search for a thread that classic HFS may not even have. */
  readonly places: Places;
  /** What a daemon that lives on has looked through. */
  readonly checked?: CheckedNodes;
}

export class Op {
  readonly tx: Transaction;
  readonly vol: Volume;
  readonly env: HfsEnv;
  readonly extents: BTree;
  readonly catalog: Catalog;
  #attributes: BTree | undefined;
  readonly #specials = new Map<SpecialFile, Fork>();
  #head: Head | undefined;
  #edited: Head | undefined;

  constructor(tx: Transaction, vol: Volume, env: HfsEnv) {
    this.tx = tx;
    this.vol = vol;
    this.env = env;
    this.extents = new BTree(
      new SpecialTree(this, EXTENTS_ID, 'extents file'),
      vol.keys.extents,
      env.checked,
    );
    const tree = new BTree(
      new SpecialTree(this, CATALOG_ID, 'catalog'),
      vol.keys.catalog,
      env.checked,
    );
    this.catalog = new Catalog(this, tree);
  }

  /** Undefined when the volume has no attributes file. */
  get attributes(): BTree | undefined {
    if (this.vol.kind === 'hfs' || this.special(ATTRIBUTES_ID).data.blocks === 0) return undefined;
    this.#attributes ??= new BTree(
      new SpecialTree(this, ATTRIBUTES_ID, 'attributes file'),
      attributeFormat,
      this.env.checked,
    );
    return this.#attributes;
  }

  /** Seconds since 1904. */
  get now(): number {
    return (this.tx.now.sec + MAC_EPOCH) >>> 0;
  }

  get head(): Head {
    if (this.#edited !== undefined) return this.#edited;
    this.#head ??= this.#headOf(this.tx.read(Math.floor(HEADER_OFFSET / this.vol.unit)));
    return this.#head;
  }

  editHead(): Head {
    if (this.#edited !== undefined) return this.#edited;
    this.#edited = this.#headOf(this.tx.edit(Math.floor(HEADER_OFFSET / this.vol.unit)));
    this.#edited.writeCount = (this.#edited.writeCount + 1) >>> 0;
    this.#edited.modifyDate = this.now;
    return this.#edited;
  }

  /** One of the files that the header tells of. */
  special(id: SpecialFile): Fork {
    const held = this.#specials.get(id);
    if (held !== undefined) return held;
    const data = this.head.special(id);
    const save = (): void => {
      data.size = data.blocks * this.vol.allocSize;
      this.editHead().setSpecial(id, data);
    };
    const fork: Fork = { cnid: id, type: DATA_FORK, data, contained: id === EXTENTS_ID, save };
    this.#specials.set(id, fork);
    return fork;
  }

  /** The cache's block of a byte of the bitmap, and where it is in there. */
  bitmapUnit(byte: number): { unit: number; index: number } {
    const { unit, bitmapAt, kind } = this.vol;
    const at = kind === 'hfs' ? bitmapAt + byte : this.#place(this.special(ALLOCATION_ID), byte).at;
    return { unit: Math.floor(at / unit), index: at % unit };
  }

  /** The cache's block where an allocation block begins. */
  unitOf(block: number): number {
    const { allocAt, allocSize, unit } = this.vol;
    return (allocAt + block * allocSize) / unit;
  }

  /** A new number for a file or a folder. */
  takeCnid(): number {
    if (this.env.refuses?.('inodes')) fail(ENOSPC);
    const head = this.editHead();
    const cnid = head.nextCnid;
    if (cnid < 16 || cnid >= 0xffff_ffff) fail(ENOSPC, 'the numbers of files are used up');
    head.nextCnid = cnid + 1;
    return cnid;
  }

  /** Stages all nodes that changed. A request that changes anything ends with this. */
  finish(): void {
    const trees = [this.catalog.tree, this.#attributes, this.extents];
    const written = trees.reduce((sum, tree) => sum + (tree?.flush() ?? 0), 0);
    // Every change leaves its mark in the header: by it a log knows what it belongs to.
    if (written > 0) this.editHead();
  }

  #headOf({ view }: { view: DataView }): Head {
    return this.vol.head(view, HEADER_OFFSET % this.vol.unit);
  }

  /** Where a byte of a fork lies on the volume, and how many follow it there. */
  #place(fork: Fork, offset: number): { at: number; length: number } {
    const { allocSize, allocAt } = this.vol;
    const index = Math.floor(offset / allocSize);
    const run = findRun(this, fork, index);
    if (run === undefined) return fail(EUCLEAN, `file ${fork.cnid}: nothing at ${offset}`);
    const inside = offset - index * allocSize;
    return {
      at: allocAt + run.start * allocSize + inside,
      length: run.count * allocSize - inside,
    };
  }

  prefetch(fork: Fork, offsets: readonly number[], length: number): void {
    const { unit } = this.vol;
    const blocks = offsets.flatMap((offset) => {
      const { at } = this.#place(fork, offset);
      const first = Math.floor(at / unit);
      const last = Math.floor((at + length - 1) / unit);
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    });
    this.tx.need(blocks);
  }

  /** A copy of bytes of a special file. A block's version is higher than all before it: so is the highest. */
  readBytes(fork: Fork, offset: number, length: number): Content {
    const { unit } = this.vol;
    const out = room(length);
    let newest = 0;
    for (let done = 0; done < length; ) {
      const { at, length: run } = this.#place(fork, offset + done);
      const index = at % unit;
      const count = Math.min(length - done, unit - index, run);
      const { bytes, version } = this.tx.read((at - index) / unit);
      out.set(bytes.subarray(index, index + count), done);
      newest = Math.max(newest, version);
      done += count;
    }
    return { bytes: out, version: newest };
  }

  writeBytes(
    fork: Fork,
    { offset, bytes, origin }: { offset: number; bytes: Uint8Array; origin: 'disk' | 'fresh' },
  ): void {
    const { unit } = this.vol;
    for (let done = 0; done < bytes.length; ) {
      const { at, length } = this.#place(fork, offset + done);
      const index = at % unit;
      const count = Math.min(bytes.length - done, unit - index, length);
      const no = (at - index) / unit;
      const whole = origin === 'fresh' && count === unit;
      (whole ? this.tx.create(no) : this.tx.edit(no)).bytes.set(
        bytes.subarray(done, done + count),
        index,
      );
      done += count;
    }
  }
}

/** One of the volume's trees, in the file that the header tells of. */
class SpecialTree implements TreeFile {
  readonly id: SpecialFile;
  readonly name: string;
  readonly #op: Op;

  constructor(op: Op, id: SpecialFile, name: string) {
    this.#op = op;
    this.id = id;
    this.name = name;
  }

  get sizeBytes(): number {
    return this.#fork.data.blocks * this.#op.vol.allocSize;
  }

  read(offset: number, length: number): Content {
    return this.#op.readBytes(this.#fork, offset, length);
  }

  prefetch(offsets: readonly number[], length: number): void {
    this.#op.prefetch(this.#fork, offsets, length);
  }

  write(offset: number, bytes: Uint8Array, origin: 'disk' | 'fresh'): void {
    this.#op.writeBytes(this.#fork, { offset, bytes, origin });
  }

  grow(bytes: number): void {
    for (let left = Math.ceil(bytes / this.#op.vol.allocSize); left > 0; )
      left -= growFork(this.#op, this.#fork, left).count;
  }

  get #fork(): Fork {
    return this.#op.special(this.id);
  }
}
