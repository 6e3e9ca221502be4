// Symbolic links: short targets in i_block, longer ones in a block of their own.
// ifork.rst, "Symbolic Links".

import { ENAMETOOLONG, EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import { appendMetadata, initMap, mustMap } from '../map/map.ts';
import { I_BLOCK_SIZE } from '../ondisk.ts';
import { readInline } from './inline.ts';
import type { Inode } from './inode.ts';
import { mustBeKnown } from './refused.ts';

/** Is the target in the inode itself? Then i_block holds no block map. */
export const isFastSymlink = (inode: Inode): boolean => {
  const attributes = inode.fileAcl === 0 ? 0 : inode.op.vol.blockSize / 512;
  return inode.isSymlink && inode.sectors === attributes;
};

export function writeTarget(inode: Inode, target: Uint8Array): void {
  if (target.length < I_BLOCK_SIZE) {
    const raw = inode.edit();
    new Uint8Array(raw.view.buffer, raw.view.byteOffset + inode.blockAt).set(target);
  } else {
    if (target.length >= inode.op.vol.blockSize) fail(ENAMETOOLONG);
    initMap(inode);
    appendMetadata(inode, 0).bytes.set(target);
  }
  inode.size = target.length;
}

export function readTarget(inode: Inode): Uint8Array {
  const { size } = inode;
  mustBeKnown(inode);
  if (inode.isInline) return readInline(inode);
  if (isFastSymlink(inode)) {
    if (size >= I_BLOCK_SIZE) fail(EUCLEAN, `symlink ${inode.ino}: ${size} bytes in the inode`);
    const { view } = inode.raw;
    return new Uint8Array(view.buffer, view.byteOffset + inode.blockAt, size).slice();
  }
  if (size >= inode.op.vol.blockSize) fail(EUCLEAN, `symlink ${inode.ino}: size ${size}`);
  return inode.op.tx.read(mustMap(inode, 0)).bytes.slice(0, size);
}
