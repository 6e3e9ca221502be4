// Changing a B-tree: insertion with splits, removal with merges. The key of each node's first record is
// the key that its parent knows it by, and is kept so. TN1150, "B-Trees".

import { EEXIST, EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import { INDEX_NODE, LEAF_NODE, TREE_VARIABLE_INDEX_KEYS } from '../ondisk.ts';
import { keySpan, type Node } from './node.ts';
import { allocNode, freeNode } from './space.ts';
import type { BTree, Step } from './tree.ts';

/** A record that was not there; EEXIST when it is. */
export function insert(tree: BTree, key: Uint8Array, data: Uint8Array): void {
  const found = tree.search(key);
  if (found?.exact) fail(EEXIST);
  const record = new Uint8Array(key.length + data.length);
  record.set(key);
  record.set(data, key.length);
  if (found === undefined) plant(tree, record);
  else {
    const leaf = stepAt(found.path, 0);
    leaf.index += 1;
    place(tree, found.path, { level: 0, record });
  }
  tree.editHeader().leafRecords += 1;
}

/** The new data of a key that is there. */
export function replace(tree: BTree, key: Uint8Array, data: Uint8Array): void {
  const found = tree.search(key);
  if (!found?.exact) fail(EUCLEAN, `${tree.name}: a record to be changed is gone`);
  const { node, index } = stepAt(found?.path ?? [], 0);
  const there = tree.data(node, index);
  if (there.length === data.length) {
    there.set(data);
    node.dirty = true;
    return;
  }
  remove(tree, key);
  insert(tree, key, data);
}

/** False when there was no such record. */
export function remove(tree: BTree, key: Uint8Array): boolean {
  const found = tree.search(key);
  if (!found?.exact) return false;
  tree.editHeader().leafRecords -= 1;
  removeAt(tree, found.path, 0);
  lowerRoot(tree);
  return true;
}

const stepAt = (path: readonly Step[], level: number): Step =>
  path[level] ?? fail(EUCLEAN, `a path without level ${level}`);

/** The first record of an empty tree. */
function plant(tree: BTree, record: Uint8Array): void {
  const node = allocNode(tree, { kind: LEAF_NODE, height: 1 });
  node.insertRecord(0, record);
  const header = tree.editHeader();
  header.rootNode = node.no;
  header.treeDepth = 1;
  header.firstLeafNode = node.no;
  header.lastLeafNode = node.no;
}

/** Puts a record where `path` says, on one level; the node splits if it must. */
function place(tree: BTree, path: Step[], at: { level: number; record: Uint8Array }): void {
  const { level, record } = at;
  const step = stepAt(path, level);
  if (step.node.fits(record.length)) {
    step.node.insertRecord(step.index, record);
    if (step.index === 0) renameInParent(tree, path, level);
    return;
  }
  const left = step.node;
  const right = split(tree, step, record);
  const moved = step.index >= left.count;
  const first = step.index === 0;
  if (moved) path[level] = { node: right, index: step.index - left.count };
  if (path[level + 1] === undefined) raiseRoot(tree, path, { left, right, moved });
  else {
    if (first) renameInParent(tree, path, level);
    const parent = stepAt(path, level + 1);
    parent.index += 1;
    place(tree, path, { level: level + 1, record: indexRecord(tree, right) });
    if (!moved) backToLeft(tree, path, level + 1);
  }
}

/** The path leads to the right half's entry; it is to lead to the one before. */
function backToLeft(tree: BTree, path: Step[], level: number): void {
  const step = stepAt(path, level);
  if (step.index > 0) {
    step.index -= 1;
    return;
  }
  const before = tree.node(step.node.descriptor.bLink, level + 1);
  path[level] = { node: before, index: before.count - 1 };
  if (path[level + 1] !== undefined) backToLeft(tree, path, level + 1);
}

/** Divides the records, the new one among them; returns the right half. */
function split(tree: BTree, { node, index }: Step, record: Uint8Array): Node {
  const right = allocNode(tree, node.descriptor);
  linkBehind(tree, node, right);
  const records = node.records();
  const appends = index === records.length && right.descriptor.fLink === 0;
  records.splice(index, 0, record);
  const at = appends ? records.length - 1 : middle(records);
  const halves = [records.slice(0, at), records.slice(at)] as const;
  for (const half of halves) {
    if (half.length === 0 || sizeOf(half) > node.bytes.length - 16)
      fail(EUCLEAN, `${tree.name} node ${node.no}: its records cannot be divided`);
  }
  const rest = halves[1].map((each) => each.slice());
  node.setRecords(halves[0]);
  right.setRecords(rest);
  return right;
}

/** Bytes in a node, with the offsets. */
const sizeOf = (records: readonly Uint8Array[]): number =>
  records.reduce((sum, { length }) => sum + length + 2, 0);

/** Where both halves are about as large. */
function middle(records: readonly Uint8Array[]): number {
  const total = sizeOf(records);
  let left = 0;
  for (const [i, { length }] of records.entries()) {
    if (left + length + 2 > total / 2) return Math.max(1, i);
    left += length + 2;
  }
  return records.length - 1;
}

function linkBehind(tree: BTree, node: Node, right: Node): void {
  const { height, fLink } = node.descriptor;
  right.descriptor.fLink = fLink;
  right.descriptor.bLink = node.no;
  node.descriptor.fLink = right.no;
  node.dirty = true;
  if (fLink !== 0) {
    const after = tree.node(fLink, height);
    after.descriptor.bLink = right.no;
    after.dirty = true;
  } else if (height === 1) tree.editHeader().lastLeafNode = right.no;
}

function raiseRoot(
  tree: BTree,
  path: Step[],
  { left, right, moved }: { left: Node; right: Node; moved: boolean },
): void {
  const root = allocNode(tree, { kind: INDEX_NODE, height: left.descriptor.height + 1 });
  root.insertRecord(0, indexRecord(tree, left));
  root.insertRecord(1, indexRecord(tree, right));
  path.push({ node: root, index: moved ? 1 : 0 });
  const header = tree.editHeader();
  header.rootNode = root.no;
  header.treeDepth += 1;
}

/** The first key of a node, and its number. On HFS, and in trees of fixed keys, padded to the longest. */
function indexRecord(tree: BTree, node: Node): Uint8Array {
  const { format } = tree;
  const at = node.offset(0);
  const span = keySpan(format, node.view, at);
  const fixed = (tree.header.attributes & TREE_VARIABLE_INDEX_KEYS) === 0;
  const longest = (format.lengthSize + tree.header.maxKeyLength + 1) & ~1;
  const length = fixed ? Math.max(longest, span) : span;
  const record = new Uint8Array(length + 4);
  record.set(node.bytes.subarray(at, at + span));
  const view = new DataView(record.buffer);
  if (fixed && format.lengthSize === 1) view.setUint8(0, tree.header.maxKeyLength);
  else if (fixed) view.setUint16(0, tree.header.maxKeyLength);
  view.setUint32(length, node.no);
  return record;
}

/** The node's first record changed: so does the key that its parent knows it by. */
function renameInParent(tree: BTree, path: Step[], level: number): void {
  const parent = path[level + 1];
  if (parent === undefined) return;
  const record = indexRecord(tree, stepAt(path, level).node);
  parent.node.removeRecord(parent.index);
  place(tree, path, { level: level + 1, record });
}

function removeAt(tree: BTree, path: Step[], level: number): void {
  const { node, index } = stepAt(path, level);
  node.removeRecord(index);
  const parent = path[level + 1];
  if (node.count === 0) {
    unlink(tree, node);
    if (parent !== undefined) removeAt(tree, path, level + 1);
    else clear(tree);
    return;
  }
  if (parent === undefined) return;
  if (index === 0) renameInParent(tree, path, level);
  if (node.usedBytes < (node.bytes.length - 16) / 2) merge(tree, path, level);
}

/** Joins a half-empty node with a neighbour that has the same parent, if both fit in one. */
function merge(tree: BTree, path: Step[], level: number): void {
  const { node: parent, index } = stepAt(path, level + 1);
  const { height } = stepAt(path, level).node.descriptor;
  const pairs = [index - 1, index].filter((i) => i >= 0 && i + 1 < parent.count);
  for (const i of pairs) {
    const left = tree.node(tree.child(parent, i), height);
    const right = tree.node(tree.child(parent, i + 1), height);
    if (left.freeBytes < right.usedBytes) continue;
    for (const record of right.records()) left.insertRecord(left.count, record);
    unlink(tree, right);
    path[level + 1] = { node: parent, index: i + 1 };
    removeAt(tree, path, level + 1);
    return;
  }
}

/** Takes a node out of its level and frees it. */
function unlink(tree: BTree, node: Node): void {
  const { fLink, bLink, height } = node.descriptor;
  const header = tree.editHeader();
  if (bLink !== 0) {
    const before = tree.node(bLink, height);
    before.descriptor.fLink = fLink;
    before.dirty = true;
  } else if (height === 1) header.firstLeafNode = fLink;
  if (fLink !== 0) {
    const after = tree.node(fLink, height);
    after.descriptor.bLink = bLink;
    after.dirty = true;
  } else if (height === 1) header.lastLeafNode = bLink;
  freeNode(tree, node);
}

/** A root with one child is one level too many. */
function lowerRoot(tree: BTree): void {
  for (;;) {
    const { rootNode, treeDepth } = tree.header;
    if (treeDepth < 2) return;
    const root = tree.node(rootNode, treeDepth);
    if (root.count !== 1) return;
    const header = tree.editHeader();
    header.rootNode = tree.child(root, 0);
    header.treeDepth -= 1;
    freeNode(tree, root);
  }
}

function clear(tree: BTree): void {
  const header = tree.editHeader();
  header.rootNode = 0;
  header.treeDepth = 0;
  header.firstLeafNode = 0;
  header.lastLeafNode = 0;
}
