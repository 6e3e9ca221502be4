// A quota file: a tree of ids, each leading to a block of entries. Found or added, an entry is changed in
// its place; none is ever removed. quotaio_v2.h, quota_tree.h.

import { EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import type { Inode } from '../inode/inode.ts';
import { appendMetadata, lookup } from '../map/map.ts';
import {
  QUOTA_BLOCK_SIZE,
  QUOTA_DEPTH,
  QUOTA_ENTRIES,
  QUOTA_REFS,
  QUOTA_TREE_ROOT,
  QuotaBlockHeader,
  QuotaEntry,
  QuotaInfo,
} from '../ondisk-quota.ts';

/** A week, as everywhere. */
const GRACE_SEC = 7 * 24 * 3600;

export interface Use {
  readonly space: number; // bytes
  readonly inodes: number;
}

/** A block of the file: where it lies in the block of the volume. */
interface Part {
  readonly no: number;
  readonly view: DataView;
  readonly at: number;
}

export class QuotaFile {
  readonly #inode: Inode;

  constructor(inode: Inode, magic: number) {
    this.#inode = inode;
    const { dqh_magic, dqh_version, dqi_blocks } = this.#info('read');
    if (dqh_magic !== magic || dqh_version !== 1)
      fail(EUCLEAN, `quota file ${inode.ino}: magic 0x${dqh_magic.toString(16)}`);
    if (dqi_blocks <= QUOTA_TREE_ROOT || dqi_blocks * QUOTA_BLOCK_SIZE > inode.size)
      fail(EUCLEAN, `quota file ${inode.ino}: ${dqi_blocks} blocks in ${inode.size} bytes`);
  }

  /** Adds to what an id uses; the entry is made when there is none. */
  add(id: number, { space, inodes }: Use): void {
    const block = this.#leafOf(id) ?? this.#newEntry(id);
    const at = this.#entryAt(block, id);
    if (at === undefined) fail(EUCLEAN, `quota file ${this.#inode.ino}: no entry of id ${id}`);
    const part = this.#edit(block);
    const entry = new QuotaEntry(part.view, part.at + at);
    entry.dqb_curspace = Math.max(0, entry.dqb_curspace + space);
    entry.dqb_curinodes = Math.max(0, entry.dqb_curinodes + inodes);
    if (id === 0) entry.dqb_itime = isEmpty(entry) ? 1 : entry.dqb_itime;
  }

  /** All ids that have an entry, in the order of the tree. */
  *entries(): Generator<[number, Use]> {
    for (const block of this.#leaves(QUOTA_TREE_ROOT, 0, new Set())) {
      const { view, at } = this.#read(block);
      for (let i = 0; i < QUOTA_ENTRIES; i++) {
        const from = at + entryOffset(i);
        if (isFree(view, from)) continue;
        const {
          dqb_id: id,
          dqb_curspace: space,
          dqb_curinodes: inodes,
        } = new QuotaEntry(view, from);
        yield [id, { space, inodes }];
      }
    }
  }

  /** Each block comes once, whatever the tree says. */
  *#leaves(block: number, level: number, seen: Set<number>): Generator<number> {
    const { view, at } = this.#read(block);
    for (let i = 0; i < QUOTA_REFS; i++) {
      const below = view.getUint32(at + i * 4, true);
      if (below === 0 || seen.has(below)) continue;
      seen.add(this.#mustBe(below));
      if (level === QUOTA_DEPTH - 1) yield below;
      else yield* this.#leaves(below, level + 1, seen);
    }
  }

  #leafOf(id: number): number | undefined {
    let block = QUOTA_TREE_ROOT;
    for (let level = 0; level < QUOTA_DEPTH; level++) {
      const part = this.#read(block);
      block = part.view.getUint32(part.at + refAt(id, level), true);
      if (block === 0) return undefined;
      this.#mustBe(block);
    }
    return block;
  }

  /** Where the entry of an id stands in its block. */
  #entryAt(block: number, id: number): number | undefined {
    const { view, at } = this.#read(block);
    for (let i = 0; i < QUOTA_ENTRIES; i++) {
      const from = entryOffset(i);
      const entry = new QuotaEntry(view, at + from);
      if (entry.dqb_id === id && (id !== 0 || !isFree(view, at + from))) return from;
    }
    return undefined;
  }

  /** Makes an entry, and the way to it; the block that it stands in. */
  #newEntry(id: number): number {
    const leaf = this.#roomyLeaf();
    this.#fillEntry(leaf, id);
    let block = QUOTA_TREE_ROOT;
    for (let level = 0; level < QUOTA_DEPTH; level++) {
      const part = this.#edit(block);
      const at = part.at + refAt(id, level);
      let next = part.view.getUint32(at, true);
      if (next === 0) {
        next = level === QUOTA_DEPTH - 1 ? leaf : this.#newBlock();
        const again = this.#edit(block);
        again.view.setUint32(at, next, true);
      }
      block = next;
    }
    return leaf;
  }

  /** The first block of the list of those with room, or a new one. */
  #roomyLeaf(): number {
    const { dqi_free_entry: listed } = this.#info('read');
    if (listed !== 0) return this.#mustBe(listed);
    const leaf = this.#newBlock();
    this.#info('edit').dqi_free_entry = leaf;
    return leaf;
  }

  #fillEntry(leaf: number, id: number): void {
    const part = this.#edit(leaf);
    const header = new QuotaBlockHeader(part.view, part.at);
    const free = Array.from({ length: QUOTA_ENTRIES }, (_, i) => part.at + entryOffset(i)).find(
      (at) => isFree(part.view, at),
    );
    if (free === undefined) fail(EUCLEAN, `quota file ${this.#inode.ino}: block ${leaf} is full`);
    if (header.dqdh_entries + 1 >= QUOTA_ENTRIES) this.#unlist(leaf);
    header.dqdh_entries += 1;
    const entry = new QuotaEntry(part.view, free);
    entry.dqb_id = id;
    if (id === 0) entry.dqb_itime = 1;
  }

  /** Takes a full block off the list. */
  #unlist(leaf: number): void {
    const part = this.#edit(leaf);
    const header = new QuotaBlockHeader(part.view, part.at);
    const { dqdh_next_free: next, dqdh_prev_free: before } = header;
    header.dqdh_next_free = 0;
    header.dqdh_prev_free = 0;
    if (next !== 0) {
      const behind = this.#edit(this.#mustBe(next));
      new QuotaBlockHeader(behind.view, behind.at).dqdh_prev_free = before;
    }
    if (before === 0) this.#info('edit').dqi_free_entry = next;
    else {
      const ahead = this.#edit(this.#mustBe(before));
      new QuotaBlockHeader(ahead.view, ahead.at).dqdh_next_free = next;
    }
  }

  /** A block of zeroes: from the list of free ones, or at the end. */
  #newBlock(): number {
    const info = this.#info('edit');
    const listed = info.dqi_free_blk;
    const block = listed === 0 ? info.dqi_blocks : this.#mustBe(listed);
    if (listed === 0) {
      this.#growTo(block + 1);
      this.#info('edit').dqi_blocks = block + 1;
    }
    const part = this.#edit(block);
    if (listed !== 0)
      this.#info('edit').dqi_free_blk = new QuotaBlockHeader(part.view, part.at).dqdh_next_free;
    new Uint8Array(part.view.buffer, part.view.byteOffset + part.at, QUOTA_BLOCK_SIZE).fill(0);
    return block;
  }

  #growTo(blocks: number): void {
    const inode = this.#inode;
    const { blockSize } = inode.op.vol;
    const lblock = Math.floor(((blocks - 1) * QUOTA_BLOCK_SIZE) / blockSize);
    if (lookup(inode, lblock).pblock === undefined) appendMetadata(inode, lblock);
    if (inode.size < blocks * QUOTA_BLOCK_SIZE) inode.size = blocks * QUOTA_BLOCK_SIZE;
  }

  #info(use: 'read' | 'edit'): InstanceType<typeof QuotaInfo> {
    const { view } = use === 'read' ? this.#read(0) : this.#edit(0);
    return new QuotaInfo(view);
  }

  #mustBe(block: number): number {
    const { dqi_blocks } = this.#info('read');
    if (block > QUOTA_TREE_ROOT && block < dqi_blocks) return block;
    return fail(EUCLEAN, `quota file ${this.#inode.ino}: block ${block} of ${dqi_blocks}`);
  }

  #read(block: number): Part {
    const { no, at } = this.#place(block);
    return { no, at, view: this.#inode.op.tx.read(no).view };
  }

  #edit(block: number): Part {
    const { no, at } = this.#place(block);
    return { no, at, view: this.#inode.op.tx.edit(no).view };
  }

  #place(block: number): { no: number; at: number } {
    const inode = this.#inode;
    const { blockSize } = inode.op.vol;
    const offset = block * QUOTA_BLOCK_SIZE;
    const { pblock } = lookup(inode, Math.floor(offset / blockSize));
    if (pblock === undefined) fail(EUCLEAN, `quota file ${inode.ino}: block ${block} is a hole`);
    return { no: pblock, at: offset % blockSize };
  }
}

/** Makes the file an empty one, of as few blocks as there can be. EUCLEAN when it has not even those. */
export function formatQuotaFile(inode: Inode, magic: number): void {
  const { blockSize } = inode.op.vol;
  for (const block of [0, QUOTA_TREE_ROOT]) {
    const offset = block * QUOTA_BLOCK_SIZE;
    const { pblock } = lookup(inode, Math.floor(offset / blockSize));
    if (pblock === undefined) fail(EUCLEAN, `quota file ${inode.ino}: no block ${block}`);
    const { bytes, view } = inode.op.tx.edit(pblock);
    bytes.fill(0, offset % blockSize, (offset % blockSize) + QUOTA_BLOCK_SIZE);
    if (block > 0) continue;
    const info = new QuotaInfo(view);
    info.dqh_magic = magic;
    info.dqh_version = 1;
    info.dqi_bgrace = GRACE_SEC;
    info.dqi_igrace = GRACE_SEC;
    info.dqi_blocks = QUOTA_TREE_ROOT + 1;
  }
  inode.size = Math.max(inode.size, (QUOTA_TREE_ROOT + 1) * QUOTA_BLOCK_SIZE);
}

const refAt = (id: number, level: number): number =>
  (Math.floor(id / QUOTA_REFS ** (QUOTA_DEPTH - 1 - level)) % QUOTA_REFS) * 4;

const entryOffset = (i: number): number => QuotaBlockHeader.size + i * QuotaEntry.size;

function isFree(view: DataView, at: number): boolean {
  for (let i = 0; i < QuotaEntry.size; i += 4) if (view.getUint32(at + i, true) !== 0) return false;
  return true;
}

const isEmpty = (entry: InstanceType<typeof QuotaEntry>): boolean =>
  entry.dqb_curspace === 0 &&
  entry.dqb_curinodes === 0 &&
  entry.dqb_bhardlimit === 0 &&
  entry.dqb_bsoftlimit === 0 &&
  entry.dqb_ihardlimit === 0 &&
  entry.dqb_isoftlimit === 0;
