// The fields of an inode, all but its map: that follows from ranges. Of a directory size and links stay,
// too: they are what its names make of them. journal.rst, "Fast Commits".

import { S_IFDIR, S_IFMT, S_IFREG } from '../../../kernel/abi/constants.ts';
import type { Inode } from '../inode/inode.ts';
import { initMap } from '../map/map.ts';
import {
  EXT4_EXTENTS_FL,
  EXT4_INDEX_FL,
  EXT4_INLINE_DATA_FL,
  I_BLOCK_OFFSET,
  I_BLOCK_SIZE,
  Inode128,
} from '../ondisk.ts';
import type { Op } from '../op.ts';
import type { Run } from '../volume/block-alloc.ts';
import { claimInode, inodeInUse } from '../volume/inode-alloc.ts';
import { has } from '../volume/superblock.ts';
import { dropExtents } from './blocks.ts';
import type { Effect } from './replay.ts';
import type { FastFields } from './scan.ts';

/** Flags that say how the inode keeps its data. */
const SHAPE = EXT4_EXTENTS_FL | EXT4_INLINE_DATA_FL | EXT4_INDEX_FL;

export function applyFields(op: Op, { ino, raw }: FastFields): Effect {
  const { vol } = op;
  const logged = new Inode128(new DataView(raw.buffer, raw.byteOffset, raw.length));
  const born = !inodeInUse(op, ino);
  // Deleted before it was ever made durable.
  if (ino < vol.firstIno && ino !== 2) return { released: [] };
  if (logged.i_mode === 0 || (born && logged.i_links_count === 0)) return { released: [] };
  const inode = born ? claimInode(op, ino, (logged.i_mode & S_IFMT) === S_IFDIR) : op.inode(ino);
  const other = !born && inode.generation !== logged.i_generation;
  const released: Run[] = other && inode.usesExtents ? dropExtents(inode) : [];
  const fresh = born || other;
  const { flags, size, links } = inode;
  const length = Math.min(raw.length, vol.inodeSize);
  const inside = (logged.i_flags & EXT4_INLINE_DATA_FL) !== 0 && has.inlineData(vol);
  const bytes = bytesOf(inode);
  const map = bytes.slice(I_BLOCK_OFFSET, I_BLOCK_OFFSET + I_BLOCK_SIZE);
  const stored = storedBlocks(inode);
  bytes.set(raw.subarray(0, length));
  if (inside) return { released, born };
  restoreBlocks(inode, stored);
  const isDir = inode.isDir;
  if (!isDir && (inode.mode & S_IFMT) !== S_IFREG && (logged.i_flags & EXT4_EXTENTS_FL) === 0)
    return { released, born }; // a device, or a target that lies in i_block
  if (fresh) {
    inode.flags &= ~SHAPE;
    bytesOf(inode).fill(0, I_BLOCK_OFFSET, I_BLOCK_OFFSET + I_BLOCK_SIZE);
    initMap(inode);
    if (isDir) inode.size = 0;
    return { released, born };
  }
  inode.flags = (inode.flags & ~SHAPE) | (flags & SHAPE);
  bytesOf(inode).set(map, I_BLOCK_OFFSET);
  if (isDir) {
    inode.size = size;
    inode.links = links;
  }
  return { released, born };
}

function bytesOf(inode: Inode): Uint8Array {
  const { view } = inode.edit();
  return new Uint8Array(view.buffer, view.byteOffset + inode.at, inode.op.vol.inodeSize);
}

interface Stored {
  readonly low: number;
  readonly high: number;
}

const storedBlocks = ({ raw }: Inode): Stored => ({
  low: raw.i_blocks_lo,
  high: raw.i_blocks_high,
});

function restoreBlocks(inode: Inode, { low, high }: Stored): void {
  const raw = inode.edit();
  raw.i_blocks_lo = low;
  raw.i_blocks_high = high;
}
