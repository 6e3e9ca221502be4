// Growing a hashed directory: a full leaf is split by hash, a full index block in its middle, a
// full root gets a level below it; a full one-block directory becomes a hashed one.
// directory.rst, "Hash Tree Directories".

import { ENOSPC, fail } from '../../../kernel/abi/errno.ts';
import type { Block } from '../../lib/transaction.ts';
import type { Inode } from '../inode/inode.ts';
import { appendMetadata } from '../map/map.ts';
import { DX_NODE_COUNT_OFFSET, DX_ROOT_COUNT_OFFSET, DxRoot, EXT4_INDEX_FL } from '../ondisk.ts';
import {
  addToBlock,
  dirBlockCount,
  eachEntry,
  editLeaf,
  entrySize,
  initTail,
  type NewEntry,
  nameOf,
  readLeaf,
  setRecLen,
  tailSize,
  writeEntry,
} from './block.ts';
import { hashName } from './hash.ts';
import {
  DxBlock,
  type DxPath,
  dxLimit,
  type Frame,
  leafBlock,
  lowest,
  maxIndirectLevels,
  probe,
} from './htree.ts';

/** An entry lifted out of a block. */
interface Lifted extends NewEntry {
  hash: number;
}

/** Adds a name to a hashed directory. */
export function addToTree(dir: Inode, added: NewEntry): void {
  let hash = 0;
  // Each turn splits one index block or adds a level; then the leaf is split and has room.
  for (let turn = 0; turn < 8; turn++) {
    const path = probe(dir, (version) => {
      hash = hashName(dir.op.vol, version, added.name).major;
      return hash;
    });
    const leaf = readLeaf(dir, leafBlock(path));
    if (addToBlock(dir, leaf, added)) return;
    if (!lowest(path).dx.isFull) {
      const half = splitLeaf(dir, path, leaf);
      const target = hash >= half.hash ? half.right : half.left;
      if (!addToBlock(dir, target, added)) fail(ENOSPC, `directory ${dir.ino}: no room in a leaf`);
      return;
    }
    splitIndex(dir, path);
  }
  fail(ENOSPC, `directory ${dir.ino}: no room in its index`);
}

/** Appends a block of zeroes to the directory. */
export function growDir(
  dir: Inode,
  seal: (block: Block) => void,
): { lblock: number; block: Block } {
  const { blockSize } = dir.op.vol;
  const lblock = dir.size / blockSize;
  const block = appendMetadata(dir, lblock, seal);
  dir.size += blockSize;
  return { lblock, block };
}

/** Moves the entries with the greater hashes to a new leaf, about half of the bytes. */
function splitLeaf(
  dir: Inode,
  path: DxPath,
  leaf: Block,
): { left: Block; right: Block; hash: number } {
  const { lblock, block: right } = growDir(dir, dir.leafSealing.seal);
  const left = editLeaf(dir, leaf);
  const entries = liftAll(dir, left, path.hashVersion).sort((a, b) => a.hash - b.hash);
  const cut = middleOf(dir, entries);
  const hash = entries[cut]?.hash ?? 0;
  const continued = entries[cut - 1]?.hash === hash ? 1 : 0;
  packLeaf(dir, left, entries.slice(0, cut));
  packLeaf(dir, right, entries.slice(cut));
  const { dx, index } = lowest(path);
  dx.edit().insert(index + 1, { hash: hash + continued, lblock });
  return { left, right, hash };
}

function liftAll(dir: Inode, block: Block, version: number): Lifted[] {
  const out: Lifted[] = [];
  eachEntry(dir, block, (entry) => {
    const name = nameOf(block, entry).slice();
    const hash = hashName(dir.op.vol, version, name).major;
    out.push({ name, ino: entry.ino, type: entry.type, hash });
    return undefined;
  });
  return out;
}

/** Where the upper half of the bytes begins; both halves have at least one entry. */
function middleOf(dir: Inode, entries: Lifted[]): number {
  const half = dir.op.vol.blockSize / 2;
  let bytes = 0;
  let cut = entries.length;
  while (cut > 1) {
    const size = entrySize(entries[cut - 1]?.name.length ?? 0);
    if (bytes + size / 2 > half) break;
    bytes += size;
    cut--;
  }
  return Math.min(cut, entries.length - 1);
}

/** Fills a staged leaf with these entries, the last one reaching to the end. */
function packLeaf(dir: Inode, block: Block, entries: NewEntry[]): void {
  const end = block.view.byteLength - tailSize(dir);
  block.bytes.fill(0, 0, end);
  setRecLen(block, 0, end);
  let at = 0;
  for (const [i, added] of entries.entries()) {
    const size = entrySize(added.name.length);
    const recLen = i === entries.length - 1 ? end - at : size;
    writeEntry(dir, block, { at, recLen, added });
    at += size;
  }
  initTail(dir, block);
}

/** Splits the lowest index block whose parent has room; with a full root adds a level. */
function splitIndex(dir: Inode, { frames }: DxPath): void {
  for (let level = frames.length - 1; level > 0; level--) {
    const parent = frames[level - 1];
    const frame = frames[level];
    if (parent === undefined || frame === undefined) break;
    if (!parent.dx.isFull) {
      splitNode(dir, parent, frame);
      return;
    }
  }
  if (frames.length - 1 >= maxIndirectLevels(dir))
    fail(ENOSPC, `directory ${dir.ino}: index of ${frames.length} levels is full`);
  deepen(dir, frames[0] ?? fail(ENOSPC));
}

function splitNode(dir: Inode, parent: Frame, frame: Frame): void {
  const { lblock, dx: right } = newNode(dir);
  const left = frame.dx.edit();
  const cut = left.count >>> 1;
  const hash = left.hash(cut);
  moveEntries(left, cut, right);
  left.count = cut;
  parent.dx.edit().insert(parent.index + 1, { hash, lblock });
}

/** All of the root's entries go to a node of their own. */
function deepen(dir: Inode, root: Frame): void {
  const { lblock, dx: node } = newNode(dir);
  const dx = root.dx.edit();
  moveEntries(dx, 0, node);
  dx.count = 1;
  dx.put(0, { hash: 0, lblock });
  new DxRoot(dx.block.view).indirect_levels += 1;
}

function moveEntries(from: DxBlock, cut: number, to: DxBlock): void {
  to.count = from.count - cut;
  for (let i = cut; i < from.count; i++)
    to.put(i - cut, { hash: from.hash(i), lblock: from.child(i) });
}

/** An index block begins with an unused entry that reaches over all of it. */
function newNode(dir: Inode): { lblock: number; dx: DxBlock } {
  const { lblock, block } = growDir(dir, dir.dxSealing.seal);
  setRecLen(block, 0, dir.op.vol.blockSize);
  const dx = new DxBlock(dir, block, DX_NODE_COUNT_OFFSET);
  dx.limit = dxLimit(dir, DX_NODE_COUNT_OFFSET);
  return { lblock, dx };
}

/** The entries of a full one-block directory move to a leaf; block 0 becomes the root. */
export function makeIndexed(dir: Inode): void {
  const { vol, tx } = dir.op;
  const old = readLeaf(dir, 0);
  const entries = liftAll(dir, old, vol.defHashVersion).slice(2); // without '.' and '..'
  const { lblock, block: leaf } = growDir(dir, dir.leafSealing.seal);
  packLeaf(dir, leaf, entries);
  const root = tx.edit(old.no, dir.dxSealing.seal);
  root.bytes.fill(0, 0x18);
  setRecLen(root, 12, vol.blockSize - 12);
  const info = new DxRoot(root.view);
  info.hash_version = vol.defHashVersion;
  info.info_length = 8;
  const dx = new DxBlock(dir, root, DX_ROOT_COUNT_OFFSET);
  dx.limit = dxLimit(dir, DX_ROOT_COUNT_OFFSET);
  dx.count = 1;
  dx.put(0, { hash: 0, lblock });
  dir.flags |= EXT4_INDEX_FL;
}

/** Can the directory's only block become a root: does it begin with '.' and '..'? */
export function canIndex(dir: Inode): boolean {
  if (dirBlockCount(dir) !== 1) return false;
  const { view } = readLeaf(dir, 0);
  return (
    view.getUint16(4, true) === 12 &&
    view.getUint8(6) === 1 &&
    view.getUint8(8) === 0x2e &&
    view.getUint8(12 + 6) === 2 &&
    view.getUint16(12 + 8, true) === 0x2e2e &&
    view.getUint32(12, true) !== 0
  );
}
