// Small regular files that lie in their inodes, as daemons/lib/data moves them: read and written as a
// whole, and moved to a block when they grow.

import { S_IFMT, S_IFREG } from '../../kernel/abi/constants.ts';
import type { Transaction } from '../lib/transaction.ts';
import type { PackedFiles } from '../lib/volume.ts';
import { inlineCapacity, moveToBlock, readInline, writeInline } from './inode/inline.ts';
import type { Inode } from './inode/inode.ts';
import { mustBeKnown } from './inode/refused.ts';
import { homeGoal } from './map/map.ts';
import { allocBlocks } from './volume/block-alloc.ts';

export interface Access {
  read<R>(tx: Transaction, ino: number, body: (inode: Inode) => R): R;
  change<R>(tx: Transaction, ino: number, body: (inode: Inode) => R): R;
}

export const packedFiles = ({ read, change }: Access): PackedFiles => ({
  content: (tx, ino) => read(tx, ino, (inode) => (isPacked(inode) ? readInline(inode) : undefined)),

  fits: (tx, { ino, size }) =>
    read(tx, ino, (inode) => isPacked(inode) && size <= inlineCapacity(inode)),

  write: (tx, { ino, offset, bytes }) =>
    change(tx, ino, (inode) => {
      const end = offset + bytes.length;
      if (!isPacked(inode) || end > inlineCapacity(inode)) return false;
      const content = new Uint8Array(Math.max(inode.size, end));
      content.set(readInline(inode));
      content.set(bytes, offset);
      writeInline(inode, content);
      inode.touch();
      return true;
    }),

  spare: (tx, ino) =>
    read(tx, ino, (inode) => allocBlocks(inode.op, { goal: homeGoal(inode), count: 1 }).start),

  move: (tx, { ino, content, block }) =>
    change(tx, ino, (inode) => {
      if (!isPacked(inode) || !isSame(readInline(inode), content)) return false;
      moveToBlock(inode, block);
      return true;
    }),
});

function isPacked(inode: Inode): boolean {
  if (!inode.isInline || (inode.mode & S_IFMT) !== S_IFREG) return false;
  mustBeKnown(inode);
  return true;
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);
