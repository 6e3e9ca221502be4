// One request on a volume: its transaction, and the inodes and groups it holds in its hands. What
// shares a block with others (inodes, descriptors, bitmap checksums) is sealed once, by `finish`.

import type { Transaction } from '../lib/transaction.ts';
import { Inode } from './inode/inode.ts';
import { Superblock, type SuperblockView } from './ondisk.ts';
import { account } from './quota/account.ts';
import { sealBitmaps } from './volume/bitmap.ts';
import { Group } from './volume/group.ts';
import { has, superblockAt, type Volume } from './volume/superblock.ts';
import { sealSuperblock } from './volume/superblock-seal.ts';

/** What the file system asks of whoever runs it. */
export interface Ext4Env {
  /** Does a fid refer to the inode, apart from a fid that is just being clunked? */
  isOpen(ino: number): boolean;
  /** After the commit: the inode is on the orphan list and needs `truncateStep` until it is done. */
  unfinished(ino: number): void;
  /** A file is asked for whose content this daemon cannot read: for the log, once. */
  refused?(what: string): void;
  /** A fault says that the volume has none left of these. */
  refuses?(pool: 'blocks' | 'inodes'): boolean;
  /**
   * After the commit: blocks that became free. They may be handed out again at once, so an owner
   * of a journal answers `busyUntil` for them until the transaction that freed them is on disk.
   */
  freed?(start: number, count: number): void;
  /** 0, or the first block behind the run of blocks around `block` that must not be used yet. */
  busyUntil?(block: number): number;
}

export class Op {
  readonly tx: Transaction;
  readonly vol: Volume;
  readonly env: Ext4Env;
  readonly #inodes = new Map<number, Inode>();
  readonly #groups = new Map<number, Group>();

  constructor(tx: Transaction, vol: Volume, env: Ext4Env) {
    this.tx = tx;
    this.vol = vol;
    this.env = env;
  }

  /** The one handle of this inode in this request. */
  inode(ino: number): Inode {
    const held = this.#inodes.get(ino);
    if (held !== undefined) return held;
    const inode = new Inode(this, ino);
    this.#inodes.set(ino, inode);
    return inode;
  }

  group(index: number): Group {
    const held = this.#groups.get(index);
    if (held !== undefined) return held;
    const group = new Group(this.tx, this.vol, index);
    this.#groups.set(index, group);
    return group;
  }

  readSuperblock(): SuperblockView {
    const { block, offset } = superblockAt(this.vol.blockSize);
    return new Superblock(this.tx.read(block).view, offset);
  }

  editSuperblock(): SuperblockView {
    const { block, offset } = superblockAt(this.vol.blockSize);
    const staged = this.tx.edit(block, (b) => {
      if (has.metadataCsum(this.vol)) sealSuperblock(b.bytes.subarray(offset));
    });
    return new Superblock(staged.view, offset);
  }

  /** Sets the checksums of all that changed. A request that changes anything ends with this. */
  finish(): void {
    const changed = [...this.#inodes.values()].filter(({ edited }) => edited);
    if (has.quota(this.vol) && changed.length > 0) account(this, changed);
    for (const inode of this.#inodes.values()) if (inode.edited) inode.seal();
    for (const group of this.#groups.values()) {
      if (!group.edited && !group.blockBitmapDirty && !group.inodeBitmapDirty) continue;
      sealBitmaps(this.tx, this.vol, group);
      group.seal();
    }
  }
}
