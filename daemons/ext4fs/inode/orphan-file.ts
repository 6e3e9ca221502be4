// The orphan file: a table of inode numbers, so that who deletes and truncates much does not crowd at
// one list. An inode stands in the block that its number chooses. RO_COMPAT_ORPHAN_PRESENT says that
// there may be any. orphan.rst, "Orphan file".

import { EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import type { Block } from '../../lib/transaction.ts';
import { mustMap } from '../map/map.ts';
import { EXT4_ORPHAN_BLOCK_MAGIC, OrphanBlockTail } from '../ondisk.ts';
import type { Op } from '../op.ts';
import { inodeSeed, orphanSealing, type Sealing } from '../volume/checksum.ts';
import { RO_COMPAT } from '../volume/features.ts';
import { has } from '../volume/superblock.ts';
import type { Inode } from './inode.ts';

/** Blocks of the file that are looked at: mke2fs makes 512 at most. */
const BLOCKS_MAX = 4096;

/** May any inode stand in the file? */
function isPresent(op: Op): boolean {
  const { vol } = op;
  if (!has.orphanFile(vol) || vol.orphanFileIno === 0) return false;
  return (op.readSuperblock().s_feature_ro_compat & RO_COMPAT.orphan_present) !== 0;
}

export function inOrphanFile(inode: Inode): boolean {
  if (!isPresent(inode.op)) return false;
  const file = new OrphanFile(inode.op);
  return file.slotOf(file.home(inode.ino), inode.ino) >= 0;
}

/** False when there is no such file, or no room in the block that the inode must stand in. */
export function addToFile({ op, ino }: Inode): boolean {
  const { vol } = op;
  if (!has.orphanFile(vol) || vol.orphanFileIno === 0) return false;
  const file = new OrphanFile(op);
  if (file.blocks === 0) return false;
  const block = file.home(ino);
  const at = file.slotOf(block, 0);
  if (at < 0) return false;
  file.put(block, at, ino);
  if (!isPresent(op)) op.editSuperblock().s_feature_ro_compat |= RO_COMPAT.orphan_present;
  return true;
}

export function removeFromFile({ op, ino }: Inode): void {
  if (!isPresent(op)) return;
  const file = new OrphanFile(op);
  const block = file.home(ino);
  const at = file.slotOf(block, ino);
  if (at >= 0) file.put(block, at, 0);
}

export function orphansInFile(op: Op): number[] {
  if (!isPresent(op)) return [];
  const file = new OrphanFile(op);
  const out: number[] = [];
  for (let lblock = 0; lblock < file.blocks; lblock++)
    for (const { ino } of file.entries(lblock)) out.push(ino);
  return out;
}

/** Takes inodes out, wherever they stand, up to `limit` of them; true when none is left. */
export function takeFromFile(op: Op, limit: number, taken: (inode: Inode) => void): boolean {
  if (!isPresent(op)) return true;
  const file = new OrphanFile(op);
  let left = limit;
  for (let lblock = 0; lblock < file.blocks; lblock++) {
    for (const { ino, at } of file.entries(lblock)) {
      if (left-- <= 0) return false;
      file.put(file.block(lblock), at, 0);
      taken(op.inode(ino));
    }
  }
  markEmpty(op);
  return true;
}

/** At unmount: who mounts the volume next need not look into a file that is empty. */
export function settleOrphanFile(op: Op): void {
  if (isPresent(op) && orphansInFile(op).length === 0) markEmpty(op);
}

function markEmpty(op: Op): void {
  op.editSuperblock().s_feature_ro_compat &= ~RO_COMPAT.orphan_present;
}

class OrphanFile {
  readonly #op: Op;
  readonly #file: Inode;
  readonly #sealing: Sealing;
  readonly #tailAt: number;
  readonly blocks: number;

  constructor(op: Op) {
    const { vol } = op;
    this.#op = op;
    this.#file = op.inode(vol.orphanFileIno);
    this.#sealing = orphanSealing(vol, inodeSeed(vol, this.#file.ino, this.#file.generation));
    this.#tailAt = vol.blockSize - OrphanBlockTail.size;
    this.blocks = Math.min(Math.floor(this.#file.size / vol.blockSize), BLOCKS_MAX);
  }

  home(ino: number): Block {
    return this.block(ino % Math.max(1, this.blocks));
  }

  block(lblock: number): Block {
    const block = this.#op.tx.read(mustMap(this.#file, lblock), this.#sealing.check);
    const { ob_magic } = new OrphanBlockTail(block.view, this.#tailAt);
    if (ob_magic !== EXT4_ORPHAN_BLOCK_MAGIC)
      fail(EUCLEAN, `orphan file block ${block.no}: bad magic`);
    return block;
  }

  /** Where the number stands in the block, or -1. */
  slotOf({ view }: Block, ino: number): number {
    for (let at = 0; at < this.#tailAt; at += 4) if (view.getUint32(at, true) === ino) return at;
    return -1;
  }

  put({ no }: Block, at: number, ino: number): void {
    this.#op.tx.edit(no, this.#sealing.seal).view.setUint32(at, ino, true);
  }

  *entries(lblock: number): Generator<{ ino: number; at: number }> {
    const { vol } = this.#op;
    const { no, view } = this.block(lblock);
    for (let at = 0; at < this.#tailAt; at += 4) {
      const ino = view.getUint32(at, true);
      if (ino === 0) continue;
      if (ino < vol.firstIno || ino > vol.inodesCount)
        fail(EUCLEAN, `orphan file block ${no}: inode ${ino}`);
      yield { ino, at };
    }
  }
}
