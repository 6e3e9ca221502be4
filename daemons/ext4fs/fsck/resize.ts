// The resize inode: its one pointer leads over a block to the blocks kept for more descriptors, and each of
// them to its copies in the groups that have any. One that is not so is taken away, with the feature.
// blockgroup.rst, "Meta Block Groups"; special_inodes.rst.

import { S_IFMT, S_IFREG } from '../../../kernel/abi/constants.ts';
import { EXT4_DIND_BLOCK, EXT4_RESIZE_INO, I_BLOCK_OFFSET } from '../ondisk.ts';
import { COMPAT } from '../volume/features.ts';
import { firstBlockOf, hasSuper, isDataBlock } from '../volume/group.ts';
import { clearInode } from './inodes.ts';
import { sealSuperblock, superblock } from './open.ts';
import type { State } from './state.ts';

const POINTERS = 15;

export function checkResize(state: State): void {
  const { vol } = state;
  if ((vol.compat & COMPAT.resize_inode) === 0) return;
  if (isSound(state)) return;
  state.bad('the resize inode is wrong; the volume is without one now');
  const sb = superblock(state);
  sb.s_feature_compat &= ~COMPAT.resize_inode;
  sb.s_reserved_gdt_blocks = 0;
  sealSuperblock(state);
  state.vol = { ...vol, compat: vol.compat & ~COMPAT.resize_inode, reservedGdtBlocks: 0 };
  clearInode(state, EXT4_RESIZE_INO);
}

function isSound(state: State): boolean {
  const { vol, tx } = state;
  const inode = state.inode(EXT4_RESIZE_INO);
  const pointer = (slot: number): number =>
    inode.view.getUint32(inode.at + I_BLOCK_OFFSET + slot * 4, true);
  const regular = (inode.i_mode & S_IFMT) === S_IFREG && inode.i_links_count !== 0;
  const others = Array.from({ length: POINTERS }, (_, slot) => slot).filter(
    (slot) => slot !== EXT4_DIND_BLOCK && pointer(slot) !== 0,
  );
  const dind = pointer(EXT4_DIND_BLOCK);
  if (!regular || others.length > 0 || !isDataBlock(vol, dind)) return false;
  const per = vol.blockSize / 4;
  const descBlocks = Math.ceil((vol.groupCount * vol.descSize) / vol.blockSize);
  const backups = state.groups.map(({ index }) => index).filter((i) => i > 0 && hasSuper(vol, i));
  const first = vol.firstDataBlock + 1 + descBlocks;
  const table = tx.read(dind).view;
  if (pointers(table).length !== vol.reservedGdtBlocks) return false;
  for (let i = 0; i < vol.reservedGdtBlocks; i++) {
    const block = first + i;
    if (table.getUint32(((descBlocks + i) % per) * 4, true) !== block) return false;
    const copies = tx.read(block).view;
    if (pointers(copies).length !== backups.length) return false;
    for (const [at, group] of backups.entries()) {
      const copy = firstBlockOf(vol, group) + block - vol.firstDataBlock;
      if (copies.getUint32(at * 4, true) !== copy) return false;
    }
  }
  return true;
}

const pointers = (view: DataView): number[] =>
  Array.from({ length: view.byteLength / 4 }, (_, i) => view.getUint32(i * 4, true)).filter(
    (block) => block !== 0,
  );
