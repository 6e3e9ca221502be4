// Names that came and went. journal.rst, "Fast Commits".

import { dtype } from '../../../kernel/abi/constants.ts';
import { EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import {
  addEntry,
  FT_DIR,
  findEntry,
  initDirectory,
  removeEntry,
  replaceEntry,
} from '../dir/dir.ts';
import { fileTypeOf } from '../dir/readdir.ts';
import type { Inode } from '../inode/inode.ts';
import { addOrphan } from '../inode/orphan.ts';
import { dropBlock } from '../inode/xattr.ts';
import { addSubdirectory, removeSubdirectory } from '../namei.ts';
import type { Op } from '../op.ts';
import type { Run } from '../volume/block-alloc.ts';
import { freeInode, inodeInUse } from '../volume/inode-alloc.ts';
import { dropExtents } from './blocks.ts';
import type { FastName } from './scan.ts';

/** Gives back the blocks of an inode that lost its last name. */
export function applyName(op: Op, entry: FastName): Run[] {
  const dir = usable(op, entry.parent);
  if (!dir.isDir) fail(EUCLEAN, `inode ${entry.parent} is no directory`);
  if (entry.kind === 'unlink') return takeName(dir, entry);
  const inode = usable(op, entry.ino);
  if (entry.kind === 'create' && inode.isDir && inode.size === 0) {
    initDirectory(inode, dir.ino);
    inode.links = 2;
  }
  const isNew = giveName(dir, inode, entry.name);
  if (isNew && inode.isDir) addSubdirectory(dir);
  if (entry.kind === 'create' && !inode.isDir) inode.links = 1;
  else if (entry.kind === 'link' && isNew) inode.links += 1;
  return [];
}

function usable(op: Op, ino: number): Inode {
  if (!inodeInUse(op, ino)) fail(EUCLEAN, `inode ${ino} is free, but named`);
  const inode = op.inode(ino);
  return inode.mode === 0 ? fail(EUCLEAN, `inode ${ino} is free, but named`) : inode;
}

/** False when it had this name. */
function giveName(dir: Inode, inode: Inode, name: Uint8Array): boolean {
  const type = inode.isDir ? FT_DIR : fileTypeOf(dtype(inode.mode));
  const there = findEntry(dir, name);
  if (there?.entry.ino === inode.ino) return false;
  if (there !== undefined) replaceEntry(dir, there, { ino: inode.ino, type });
  else addEntry(dir, { name, ino: inode.ino, type });
  return true;
}

function takeName(dir: Inode, { ino, name }: FastName): Run[] {
  const found = findEntry(dir, name);
  if (found === undefined || found.entry.ino !== ino) return [];
  const inode = usable(dir.op, ino);
  removeEntry(dir, found);
  if (inode.isDir) removeSubdirectory(dir);
  inode.links = inode.isDir ? 0 : Math.max(0, inode.links - 1);
  if (inode.links > 0) return [];
  if (!inode.usesExtents && inode.sectors > 0) {
    addOrphan(inode); // a block map goes in steps, when all is done
    return [];
  }
  const released = inode.usesExtents ? dropExtents(inode) : [];
  dropBlock(inode);
  inode.size = 0;
  inode.edit().i_dtime = Math.max(1, dir.op.tx.now.sec >>> 0);
  freeInode(dir.op, ino, inode.mode);
  return released;
}
