// Names in a directory: finding, adding, removing, '..', emptiness; linear or hashed, as it is.
// directory.rst.

import { NAME_MAX } from '../../../kernel/abi/constants.ts';
import { ENAMETOOLONG, EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import type { Block } from '../../lib/transaction.ts';
import type { Inode } from '../inode/inode.ts';
import { mustBeKnown } from '../inode/refused.ts';
import { lookup } from '../map/map.ts';
import { EXT4_INDEX_FL } from '../ondisk.ts';
import { has } from '../volume/superblock.ts';
import {
  addToBlock,
  dirBlockCount,
  type Entry,
  eachEntry,
  editLeaf,
  entryAt,
  findInBlock,
  initLeaf,
  initTail,
  type NewEntry,
  nameOf,
  readLeaf,
  removeFromBlock,
  tailSize,
  writeEntry,
} from './block.ts';
import { hashName } from './hash.ts';
import { advance, leafBlock, nextHash, probe } from './htree.ts';
import { addToTree, canIndex, growDir, makeIndexed } from './htree-insert.ts';
import {
  addInline,
  eachInlinePart,
  hasInlineEntries,
  initInlineDir,
  inlineParent,
  moveDirToBlock,
  setInlineParent,
} from './inline.ts';

export const FT_DIR = 2;

export interface Found {
  block: Block;
  entry: Entry;
}

export function findEntry(dir: Inode, name: Uint8Array): Found | undefined {
  mustBeKnown(dir);
  if (dir.isInline) return findInline(dir, name);
  return dir.isIndexed ? findInTree(dir, name) : findLinear(dir, name);
}

function findInline(dir: Inode, name: Uint8Array): Found | undefined {
  return eachInlinePart(dir, (block) => {
    const entry = findInBlock(dir, block, name);
    return entry === undefined ? undefined : { block, entry };
  });
}

function findInTree(dir: Inode, name: Uint8Array): Found | undefined {
  let hash = 0;
  const path = probe(dir, (version) => {
    hash = hashName(dir.op.vol, version, name).major;
    return hash;
  });
  // A run of equal hashes may go on over several leaves.
  for (let leaves = dirBlockCount(dir); leaves > 0; leaves--) {
    const block = readLeaf(dir, leafBlock(path));
    const entry = findInBlock(dir, block, name);
    if (entry !== undefined) return { block, entry };
    const next = nextHash(path);
    if (next !== hash + 1 || !advance(dir, path)) return undefined;
  }
  return undefined;
}

function findLinear(dir: Inode, name: Uint8Array): Found | undefined {
  return eachLinearBlock(dir, (block) => {
    const entry = findInBlock(dir, block, name);
    return entry === undefined ? undefined : { block, entry };
  });
}

const BATCH = 32;

/** Calls `visit` with each block of a linear directory, asking for them in batches. */
export function eachLinearBlock<T>(
  dir: Inode,
  visit: (block: Block, lblock: number) => T | undefined,
  first = 0,
): T | undefined {
  const count = dirBlockCount(dir);
  for (let lblock = first; lblock < count; lblock++) {
    if ((lblock - first) % BATCH === 0) needBlocks(dir, lblock, Math.min(BATCH, count - lblock));
    const result = visit(readLeaf(dir, lblock), lblock);
    if (result !== undefined) return result;
  }
  return undefined;
}

/** Asks for some of a directory's blocks at once, so that they are fetched together. */
export function needBlocks(dir: Inode, first: number, count: number): void {
  const blocks: number[] = [];
  for (let lblock = first; lblock < first + count; ) {
    const mapping = lookup(dir, lblock);
    const length = Math.min(mapping.count, first + count - lblock);
    if (mapping.pblock !== undefined)
      for (let i = 0; i < length; i++) blocks.push(mapping.pblock + i);
    lblock += length;
  }
  if (blocks.length > 1) dir.op.tx.need(blocks);
}

/** Adds a name that is not there yet. */
export function addEntry(dir: Inode, added: NewEntry): void {
  if (added.name.length === 0 || added.name.length > NAME_MAX) fail(ENAMETOOLONG);
  if (dir.isIndexed) addToTree(dir, added);
  else if (!dir.isInline) addLinear(dir, added);
  else if (!addInline(dir, added)) {
    moveDirToBlock(dir);
    addLinear(dir, added);
  }
  dir.touch();
}

function addLinear(dir: Inode, added: NewEntry): void {
  // Without the feature nobody keeps an index up: the flag must not outlive a change.
  if ((dir.flags & EXT4_INDEX_FL) !== 0) dir.flags &= ~EXT4_INDEX_FL;
  const done = eachLinearBlock(dir, (block) => addToBlock(dir, block, added) || undefined);
  if (done) return;
  if (has.dirIndex(dir.op.vol) && canIndex(dir)) {
    makeIndexed(dir);
    addToTree(dir, added);
    return;
  }
  const { block } = growDir(dir, dir.leafSealing.seal);
  initLeaf(dir, block);
  addToBlock(dir, block, added);
}

export function removeEntry(dir: Inode, { block, entry }: Found): void {
  removeFromBlock(dir, block, entry);
  dir.touch();
}

/** Makes a name that is there mean another inode. */
export function replaceEntry(
  dir: Inode,
  { block, entry }: Found,
  to: { ino: number; type: number },
): void {
  const staged = editLeaf(dir, block);
  staged.view.setUint32(entry.at, to.ino, true);
  if (has.fileType(dir.op.vol)) staged.view.setUint8(entry.at + 7, to.type);
  dir.touch();
}

/** A new directory: without names, or with '.' and '..' in its first block. */
export function initDirectory(dir: Inode, parent: number): void {
  if (initInlineDir(dir, parent)) return;
  const { block } = growDir(dir, dir.leafSealing.seal);
  const end = block.view.byteLength - tailSize(dir);
  const dot = { name: Uint8Array.of(0x2e), ino: dir.ino, type: FT_DIR };
  const dotdot = { name: Uint8Array.of(0x2e, 0x2e), ino: parent, type: FT_DIR };
  writeEntry(dir, block, { at: 0, recLen: 12, added: dot });
  writeEntry(dir, block, { at: 12, recLen: end - 12, added: dotdot });
  initTail(dir, block);
}

/** The inode that '..' names. */
export function parentOf(dir: Inode): number {
  if (dir.isInline) return inlineParent(dir);
  const { block, entry } = dotdot(dir);
  return entry.ino === 0 || !isDotDot(nameOf(block, entry))
    ? fail(EUCLEAN, `directory ${dir.ino}: no '..'`)
    : entry.ino;
}

export function setParent(dir: Inode, parent: number): void {
  if (dir.isInline) {
    setInlineParent(dir, parent);
    return;
  }
  const { block, entry } = dotdot(dir);
  const { seal } = dir.isIndexed ? dir.dxSealing : dir.leafSealing;
  dir.op.tx.edit(block.no, seal).view.setUint32(entry.at, parent, true);
}

function dotdot(dir: Inode): Found {
  const block = firstBlock(dir);
  return { block, entry: entryAt(dir, block, entryAt(dir, block, 0).recLen) };
}

const firstBlock = (dir: Inode): Block => {
  if (!dir.isIndexed) return readLeaf(dir, 0);
  const { frames } = probe(dir, 0);
  return frames[0]?.dx.block ?? fail(EUCLEAN);
};

const isDot = (name: Uint8Array): boolean => name.length === 1 && name[0] === 0x2e;
const isDotDot = (name: Uint8Array): boolean =>
  name.length === 2 && name[0] === 0x2e && name[1] === 0x2e;

/** Has the directory no names but '.' and '..'? */
export function isEmptyDir(dir: Inode): boolean {
  if (dir.isInline) return !hasInlineEntries(dir);
  const named = (block: Block): true | undefined =>
    eachEntry(dir, block, (entry) => {
      const name = nameOf(block, entry);
      return isDot(name) || isDotDot(name) ? undefined : true;
    });
  if (!dir.isIndexed) return eachLinearBlock(dir, named) === undefined;
  const blocks = dirBlockCount(dir);
  const path = probe(dir, 0);
  for (let leaves = 0; leaves < blocks; leaves++) {
    if (leaves % BATCH === 0) needBlocks(dir, leaves, Math.min(BATCH, blocks - leaves));
    if (named(readLeaf(dir, leafBlock(path))) !== undefined) return false;
    if (!advance(dir, path)) return true;
  }
  return fail(EUCLEAN, `directory ${dir.ino}: more leaves than blocks`);
}
