// The extent tree: finding a file's blocks, and adding extents with splits up to depth 5.
// ifork.rst, "Extent Tree". Keys: an index entry's key is the first key of its child, always.

import { EFBIG, EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import type { Inode } from '../inode/inode.ts';
import {
  EXT_INIT_MAX_LEN,
  EXT_UNWRITTEN_MAX_LEN,
  EXT4_MAX_EXTENT_DEPTH,
  ExtentHeader,
} from '../ondisk.ts';
import { allocBlocks } from '../volume/block-alloc.ts';
import { blockNode, type ExtentNode, type MappedExtent, newNode, rootNode } from './extent-node.ts';

export interface Step {
  node: ExtentNode;
  /** The last entry whose key is at most the block looked for, or -1. */
  index: number;
}

/** From the root to the leaf where `lblock` lies or would lie. */
export function findPath(inode: Inode, lblock: number): Step[] {
  const path: Step[] = [];
  let node = rootNode(inode);
  for (let depth = node.depth; ; depth--) {
    const index = findEntry(node, lblock);
    path.push({ node, index });
    if (depth === 0) return path;
    if (node.entries === 0) fail(EUCLEAN, `${node.name}: no entries at depth ${depth}`);
    node = blockNode(inode, node.child(Math.max(index, 0)), depth - 1);
  }
}

/** Binary search: the last entry with key <= lblock, or -1. */
function findEntry(node: ExtentNode, lblock: number): number {
  let low = 0;
  let high = node.entries;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (node.key(middle) <= lblock) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

export const leafOf = (path: Step[]): Step =>
  path[path.length - 1] ?? fail(EUCLEAN, 'extent tree without a leaf');

/** Where a file block lies; a hole has no `pblock`. `count` blocks from `lblock` are alike. */
export interface Mapping {
  lblock: number;
  count: number;
  pblock: number | undefined;
  unwritten: boolean;
}

export function lookupExtent(inode: Inode, lblock: number): Mapping {
  const path = findPath(inode, lblock);
  const { node, index } = leafOf(path);
  if (index >= 0) {
    const extent = node.extent(index);
    const skip = lblock - extent.lblock;
    if (skip < extent.count)
      return { ...extent, lblock, count: extent.count - skip, pblock: extent.pblock + skip };
  }
  const next = nextKey(path);
  if (next <= lblock) fail(EUCLEAN, `${node.name}: keys out of order near block ${lblock}`);
  return { lblock, count: next - lblock, pblock: undefined, unwritten: false };
}

/** The key behind the place that `path` leads to; 2^32 when it is the last. */
function nextKey(path: Step[]): number {
  for (let level = path.length - 1; level >= 0; level--) {
    const { node, index } = path[level] ?? leafOf(path);
    // Above the leaf, a block before the first key was looked for in the first child.
    const next = level === path.length - 1 ? index + 1 : Math.max(index, 0) + 1;
    if (next < node.entries) return node.key(next);
  }
  return 0x1_0000_0000;
}

/** A block that would suit `lblock`: behind the extent before it. */
export function extentGoal(inode: Inode, lblock: number): number | undefined {
  const { node, index } = leafOf(findPath(inode, lblock));
  if (index < 0) return node.no;
  const before = node.extent(index);
  return before.pblock + (lblock - before.lblock);
}

/** Adds an extent where there is a hole; joins it to its neighbours when all are written. */
export function insertExtent(inode: Inode, extent: MappedExtent): void {
  const path = findPath(inode, extent.lblock);
  const { node, index } = leafOf(path);
  if (!extent.unwritten && index >= 0 && extendRight(node, index, extent)) return;
  insertEntry(inode, extent.lblock, (leaf, at) => leaf.putExtent(at, extent));
  if (!extent.unwritten) mergeAround(inode, extent.lblock);
}

/** The common case of a growing file: the extent before simply gets longer. */
function extendRight(node: ExtentNode, index: number, extent: MappedExtent): boolean {
  const before = node.extent(index);
  if (!canJoin(before, extent)) return false;
  const leaf = node.edit();
  leaf.putExtent(index, { ...before, count: before.count + extent.count });
  mergeAt(leaf, index);
  return true;
}

/**
 * Unwritten extents are never joined: what mapWrite allocated becomes written as a whole, and so
 * needs no room in the tree when the data has arrived.
 */
const canJoin = (a: MappedExtent, b: MappedExtent): boolean =>
  !a.unwritten &&
  !b.unwritten &&
  a.lblock + a.count === b.lblock &&
  a.pblock + a.count === b.pblock &&
  a.count + b.count <= EXT_INIT_MAX_LEN;

function mergeAround(inode: Inode, lblock: number): void {
  const { node, index } = leafOf(findPath(inode, lblock));
  if (index < 0) return;
  const merged = mergeAt(node, index);
  if (index > 0) mergeAt(merged, index - 1);
}

/** Joins entry `index` with the one behind it, if they fit; gives the node, staged if it did. */
function mergeAt(node: ExtentNode, index: number): ExtentNode {
  if (index + 1 >= node.entries) return node;
  const a = node.extent(index);
  const b = node.extent(index + 1);
  if (!canJoin(a, b)) return node;
  const leaf = node.edit();
  leaf.putExtent(index, { ...a, count: a.count + b.count });
  leaf.removeEntry(index + 1);
  return leaf;
}

/** The most blocks one extent may hold. */
export const maxExtent = (unwritten: boolean): number =>
  unwritten ? EXT_UNWRITTEN_MAX_LEN : EXT_INIT_MAX_LEN;

/** Makes the unwritten extents in [from, to) written: their data is on the disk. */
export function markWritten(inode: Inode, from: number, to: number): void {
  for (let at = from; at < to; ) {
    const { node, index } = leafOf(findPath(inode, at));
    const extent = index >= 0 ? node.extent(index) : undefined;
    if (extent === undefined || at >= extent.lblock + extent.count) {
      at += Math.max(1, lookupExtent(inode, at).count);
      continue;
    }
    const end = extent.lblock + extent.count;
    if (extent.unwritten)
      changeWritten(inode, { node, index }, { from: at, to: Math.min(to, end) });
    at = end;
  }
}

/**
 * Cuts [from, to) out of an extent and makes it written, or unwritten if it was written; the entry
 * itself becomes the first of the pieces.
 */
export function changeWritten(
  inode: Inode,
  { node, index }: Step,
  range: { from: number; to: number },
): void {
  const whole = node.extent(index);
  const piece = (from: number, to: number, unwritten: boolean): MappedExtent => ({
    lblock: from,
    count: to - from,
    pblock: whole.pblock + (from - whole.lblock),
    unwritten,
  });
  const end = whole.lblock + whole.count;
  const pieces = [
    piece(whole.lblock, range.from, whole.unwritten),
    piece(range.from, range.to, !whole.unwritten),
    piece(range.to, end, whole.unwritten),
  ].filter((p) => p.count > 0);
  const [first, ...rest] = pieces;
  if (first === undefined) return;
  node.edit().putExtent(index, first);
  for (const p of rest) insertEntry(inode, p.lblock, (leaf, at) => leaf.putExtent(at, p));
  mergeAround(inode, range.from);
}

/** Cuts unwritten extents at `lblock`, so that making one side written needs no new entry. */
export function splitAt(inode: Inode, lblock: number): void {
  const { node, index } = leafOf(findPath(inode, lblock));
  if (index < 0) return;
  const extent = node.extent(index);
  const skip = lblock - extent.lblock;
  if (!extent.unwritten || skip === 0 || skip >= extent.count) return;
  node.edit().putExtent(index, { ...extent, count: skip });
  const rest = { ...extent, lblock, count: extent.count - skip, pblock: extent.pblock + skip };
  insertEntry(inode, lblock, (leaf, at) => leaf.putExtent(at, rest));
}

type Put = (node: ExtentNode, index: number) => void;

/** Makes room for a leaf entry with key `lblock`, splitting what is full on the way down. */
export function insertEntry(inode: Inode, lblock: number, put: Put): void {
  // Each turn splits one node, or makes the tree one level deeper.
  for (let turn = 0; turn < 2 * EXT4_MAX_EXTENT_DEPTH + 4; turn++) {
    const path = findPath(inode, lblock);
    const { node, index } = leafOf(path);
    if (!node.isFull) {
      const leaf = node.edit();
      leaf.openGap(index + 1);
      put(leaf, index + 1);
      if (index < 0) setKeys(path, lblock);
      return;
    }
    makeRoom(inode, path, lblock);
  }
  fail(EUCLEAN, `inode ${inode.ino}: no room for an extent after all splits`);
}

/** The leaf's first key changed to `lblock`: so do the keys above it, as far as it is the first. */
export function setKeys(path: readonly Step[], lblock: number): void {
  for (let level = path.length - 2; level >= 0; level--) {
    const step = path[level];
    if (step === undefined) return;
    const index = Math.max(step.index, 0);
    if (step.node.key(index) !== lblock) {
      const child = step.node.child(index);
      step.node.edit().putIndex(index, { lblock, child });
    }
    if (index > 0) return;
  }
}

/** Splits the lowest node whose parent has room, or deepens the tree when all are full. */
function makeRoom(inode: Inode, path: Step[], lblock: number): void {
  for (let level = path.length - 1; level > 0; level--) {
    const parent = path[level - 1];
    const step = path[level];
    if (parent === undefined || step === undefined) break;
    if (!parent.node.isFull) {
      splitNode(inode, { parent, step, lblock });
      return;
    }
  }
  deepen(inode);
}

interface Split {
  parent: Step;
  step: Step;
  lblock: number;
}

/** Moves the upper half to a new block; a file that grows at its end leaves full nodes behind. */
function splitNode(inode: Inode, { parent, step, lblock }: Split): void {
  const { node } = step;
  const last = node.entries - 1;
  const appending = lblock > node.key(last);
  const leafAppend = appending && node.depth === 0;
  const cut = leafAppend ? node.entries : appending ? last : node.entries >>> 1;
  const block = allocTreeBlock(inode, node.no ?? 0);
  const right = newNode(inode, block, node.depth);
  const left = node.edit();
  const moved = left.entryBytes(cut);
  const key = leafAppend ? lblock : left.key(cut);
  new Uint8Array(right.view.buffer, right.view.byteOffset + ExtentHeader.size).set(moved);
  right.header.eh_entries = left.entries - cut;
  moved.fill(0);
  left.header.eh_entries = cut;
  const above = parent.node.edit();
  const at = Math.max(parent.index, 0) + 1;
  above.openGap(at);
  above.putIndex(at, { lblock: key, child: block });
}

/** Moves the root's entries into a block of their own: one level more, and room in the root. */
function deepen(inode: Inode): void {
  const old = rootNode(inode);
  if (old.depth >= EXT4_MAX_EXTENT_DEPTH) fail(EFBIG, `inode ${inode.ino}: too many extents`);
  const block = allocTreeBlock(inode, 0);
  const child = newNode(inode, block, old.depth);
  const root = rootNode(inode).edit();
  const entries = root.entryBytes(0);
  new Uint8Array(child.view.buffer, child.view.byteOffset + ExtentHeader.size).set(entries);
  child.header.eh_entries = root.entries;
  const key = root.key(0);
  entries.fill(0);
  root.header.eh_entries = 1;
  root.header.eh_depth += 1;
  root.putIndex(0, { lblock: key, child: block });
}

function allocTreeBlock(inode: Inode, near: number): number {
  const { op } = inode;
  const first = rootNode(inode);
  const goal =
    near !== 0 ? near + 1 : first.entries > 0 && first.depth === 0 ? first.extent(0).pblock : 0;
  const { start } = allocBlocks(op, { goal, count: 1 });
  inode.addBlocks(1);
  return start;
}
