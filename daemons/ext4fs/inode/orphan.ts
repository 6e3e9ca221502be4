// The orphan list: inodes that a crash must not leave half-way, being deleted or truncated. Linked
// from s_last_orphan through i_dtime. orphan.rst; super.rst, "s_last_orphan".

import { EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import { mustMap } from '../map/map.ts';
import { EXT4_ORPHAN_BLOCK_MAGIC, OrphanBlockTail } from '../ondisk.ts';
import type { Op } from '../op.ts';
import { inodeSeed, orphanSealing } from '../volume/checksum.ts';
import { RO_COMPAT } from '../volume/features.ts';
import { has } from '../volume/superblock.ts';
import type { Inode } from './inode.ts';

/** The inodes on the list, the one added last first. */
export function orphanList(op: Op): number[] {
  const seen = new Set<number>();
  let ino = op.readSuperblock().s_last_orphan;
  while (ino !== 0) {
    if (ino < op.vol.firstIno || ino > op.vol.inodesCount || seen.has(ino))
      fail(EUCLEAN, `orphan list: inode ${ino} out of place`);
    seen.add(ino);
    ino = op.inode(ino).raw.i_dtime;
  }
  return [...seen];
}

/** The last one on the list has no successor in i_dtime: only the list itself can tell. */
export const isOrphan = (inode: Inode): boolean =>
  inode.op.readSuperblock().s_last_orphan !== 0 && orphanList(inode.op).includes(inode.ino);

export function addOrphan(inode: Inode): void {
  if (isOrphan(inode)) return;
  const sb = inode.op.editSuperblock();
  inode.edit().i_dtime = sb.s_last_orphan;
  sb.s_last_orphan = inode.ino;
}

export function removeOrphan(inode: Inode): void {
  const { op, ino } = inode;
  if (!isOrphan(inode)) return;
  const list = orphanList(op);
  const before = list[list.indexOf(ino) - 1];
  const next = inode.raw.i_dtime;
  if (before === undefined) op.editSuperblock().s_last_orphan = next;
  else op.inode(before).edit().i_dtime = next;
  inode.edit().i_dtime = 0;
}

/**
 * Takes over what another system left in the orphan file: up to `limit` of its inodes move to the
 * list, where this daemon finds them. True when the file is empty.
 */
export function drainOrphanFile(op: Op, limit: number): boolean {
  const { vol } = op;
  if (!has.orphanFile(vol) || vol.orphanFileIno === 0) return true;
  if ((op.readSuperblock().s_feature_ro_compat & RO_COMPAT.orphan_present) === 0) return true;
  const file = op.inode(vol.orphanFileIno);
  const sealing = orphanSealing(vol, inodeSeed(vol, file.ino, file.generation));
  const tailAt = vol.blockSize - OrphanBlockTail.size;
  let left = limit;
  for (let lblock = 0; lblock < Math.min(file.size / vol.blockSize, 4096); lblock++) {
    const block = op.tx.read(mustMap(file, lblock), sealing.check);
    if (new OrphanBlockTail(block.view, tailAt).ob_magic !== EXT4_ORPHAN_BLOCK_MAGIC)
      fail(EUCLEAN, `orphan file block ${block.no}: bad magic`);
    for (let at = 0; at < tailAt; at += 4) {
      const ino = block.view.getUint32(at, true);
      if (ino === 0) continue;
      if (ino < vol.firstIno || ino > vol.inodesCount)
        fail(EUCLEAN, `orphan file block ${block.no}: inode ${ino}`);
      if (left-- <= 0) return false;
      op.tx.edit(block.no, sealing.seal).view.setUint32(at, 0, true);
      addOrphan(op.inode(ino));
    }
  }
  op.editSuperblock().s_feature_ro_compat &= ~RO_COMPAT.orphan_present;
  return true;
}
