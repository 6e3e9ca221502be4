// First pass, of files and directories that lie in their inodes: the attribute that goes with it, the size,
// no blocks. ifork.rst, "Inline Data".

import { PosixError } from '../../../kernel/abi/errno.ts';
import { inlineParent } from '../dir/inline.ts';
import type { Inode } from '../inode/inode.ts';
import { inlineValue } from '../inode/xattr.ts';
import { EXT4_EXTENTS_FL, EXT4_INLINE_DATA_FL, I_BLOCK_SIZE } from '../ondisk.ts';
import { Op } from '../op.ts';
import { has } from '../volume/superblock.ts';
import { blocksOf, setBlocks } from './rewrite.ts';
import type { Directory, State } from './state.ts';

export const isInline = (state: State, ino: number): boolean =>
  (state.inode(ino).i_flags & EXT4_INLINE_DATA_FL) !== 0;

/** The inode as the daemon's own code sees it. */
export const openInode = (state: State, ino: number): Inode =>
  new Op(state.tx, state.vol, { isOpen: () => false, unfinished: () => {} }).inode(ino);

/** Why the inode cannot be one of these; then nothing of it can be found. */
export function checkInline(state: State, ino: number): string | undefined {
  if (!has.inlineData(state.vol)) return 'data in the inode, on a volume without that';
  const length = valueLength(state, ino);
  if (length === undefined) return 'data in the inode, without its attribute';
  const inode = state.inode(ino);
  if ((inode.i_flags & EXT4_EXTENTS_FL) !== 0) {
    state.bad(`inode ${ino}: data in the inode, and extents`);
    state.change(ino, (i) => {
      i.i_flags &= ~EXT4_EXTENTS_FL;
    });
  }
  const none = { runs: [], meta: [], wrong: [] };
  if (inode.i_blocks_lo !== blocksOf(state, ino, none)) {
    state.bad(`inode ${ino}: i_blocks is ${inode.i_blocks_lo}, its data lies in it`);
    setBlocks(state, ino, none);
  }
  return undefined;
}

/** The size of a directory is that of its parts, that of a file at most. */
export function checkInlineSize(state: State, ino: number, kind: 'directory' | 'file'): void {
  const inode = state.inode(ino);
  const size = inode.i_size_lo + inode.i_size_high * 2 ** 32;
  const most = I_BLOCK_SIZE + (valueLength(state, ino) ?? 0);
  if (kind === 'directory' ? size === most : size <= most) return;
  state.bad(`inode ${ino}: i_size is ${size}, should be ${most}`);
  state.change(ino, (i) => {
    i.i_size_lo = most;
    i.i_size_high = 0;
  });
}

export const inlineDirectory = (state: State, ino: number): Directory => ({
  ...{ ino, blocks: [], parent: 0 },
  dotdot: inlineParent(openInode(state, ino)),
});

function valueLength(state: State, ino: number): number | undefined {
  try {
    return inlineValue(openInode(state, ino), 'read')?.length;
  } catch (error) {
    if (error instanceof PosixError) return undefined;
    throw error;
  }
}
