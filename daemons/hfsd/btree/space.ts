// The nodes of a tree that are in use: a bitmap that begins in the header node and goes on in map
// nodes; and the tree's growth. TN1150, "Header Node", "Map Nodes".

import { ENOSPC, EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import { MAP_NODE } from '../ondisk.ts';
import { Node } from './node.ts';
import type { BTree } from './tree.ts';

const MAP_RECORD = 2; // of the header node

/** A node that was free; its old content is void. */
export function allocNode(tree: BTree, like: { kind: number; height: number }): Node {
  for (let tries = 0; tries < 2; tries++) {
    const no = takeBit(tree);
    if (no !== undefined) {
      tree.editHeader().freeNodes -= 1;
      const node = Node.empty(no, tree.nodeSize, like);
      tree.adopt(node);
      return node;
    }
    growTree(tree);
  }
  return fail(ENOSPC, `${tree.name}: no node left`);
}

export function freeNode(tree: BTree, node: Node): void {
  const { part, bit } = mapPart(tree, node.no);
  const at = part.at + (bit >>> 3);
  const mask = 0x80 >>> (bit & 7);
  if (((part.node.bytes[at] ?? 0) & mask) === 0)
    fail(EUCLEAN, `${tree.name} node ${node.no}: in use, but free in the map`);
  part.node.bytes[at] = (part.node.bytes[at] ?? 0) & ~mask;
  part.node.dirty = true;
  tree.editHeader().freeNodes += 1;
  // Zeroed, as it lies on the disk: nobody is to take it for a node.
  node.bytes.fill(0);
  node.dirty = true;
}

interface MapPart {
  readonly node: Node;
  readonly at: number; // where its bits begin
  readonly length: number; // bytes
}

/** The parts of the map, from the header node's on. */
function* mapParts(tree: BTree): Generator<MapPart> {
  const head = tree.headerNode;
  if (head.count <= MAP_RECORD) fail(EUCLEAN, `${tree.name}: the header node has no map`);
  const at = head.offset(MAP_RECORD);
  yield { node: head, at, length: head.offset(MAP_RECORD + 1) - at };
  let next = head.descriptor.fLink;
  for (let left = tree.header.totalNodes; next !== 0; left--) {
    if (left === 0) fail(EUCLEAN, `${tree.name}: the map has no end`);
    const node = tree.mapNode(next);
    if (node.count < 1) fail(EUCLEAN, `${tree.name} node ${next}: a map without bits`);
    yield { node, at: node.offset(0), length: node.offset(1) - node.offset(0) };
    next = node.descriptor.fLink;
  }
}

function mapPart(tree: BTree, no: number): { part: MapPart; bit: number } {
  let first = 0;
  for (const part of mapParts(tree)) {
    if (no < first + 8 * part.length) return { part, bit: no - first };
    first += 8 * part.length;
  }
  return fail(EUCLEAN, `${tree.name}: the map ends before node ${no}`);
}

/** Takes the first free node, or undefined. */
function takeBit(tree: BTree): number | undefined {
  const { totalNodes, freeNodes } = tree.header;
  if (freeNodes === 0) return undefined;
  let first = 0;
  for (const { node, at, length } of mapParts(tree)) {
    for (let i = 0; i < length && first + 8 * i < totalNodes; i++) {
      const byte = node.bytes[at + i] ?? 0xff;
      if (byte === 0xff) continue;
      const bit = Math.clz32(~byte & 0xff) - 24;
      const no = first + 8 * i + bit;
      if (no >= totalNodes) return undefined;
      node.bytes[at + i] = byte | (0x80 >>> bit);
      node.dirty = true;
      return no;
    }
    first += 8 * length;
  }
  return undefined;
}

/** More room for nodes, with as many map nodes as they need. */
function growTree(tree: BTree): void {
  const { nodeSize } = tree;
  const old = tree.header.totalNodes;
  const wanted = Math.max(nodeSize, Math.min(tree.header.clumpSize, tree.file.sizeBytes));
  tree.file.grow(wanted);
  const header = tree.editHeader();
  header.totalNodes = Math.floor(tree.file.sizeBytes / nodeSize);
  header.freeNodes += header.totalNodes - old;
  coverNodes(tree, old);
}

/** Adds map nodes from node `from` on, until all nodes have their bit. */
export function coverNodes(tree: BTree, from: number): void {
  const { header } = tree;
  let capacity = 0;
  let last: Node | undefined;
  for (const { node, length } of mapParts(tree)) {
    capacity += 8 * length;
    last = node;
  }
  for (let no = from; capacity < header.totalNodes && last !== undefined; no++) {
    last = addMapNode(tree, { no, last, first: capacity });
    capacity += 8 * (last.offset(1) - last.offset(0));
  }
}

/** New nodes begin where the old map ended or before, so a map node is marked in the map or in itself. */
function addMapNode(
  tree: BTree,
  { no, last, first }: { no: number; last: Node; first: number },
): Node {
  const { nodeSize } = tree;
  const node = Node.empty(no, nodeSize, { kind: MAP_NODE, height: 0 });
  // Apple's map records leave two bytes before the offsets.
  node.insertRecord(0, new Uint8Array((nodeSize - 14 - 4 - 2) & ~3));
  tree.adopt(node);
  last.descriptor.fLink = no;
  last.dirty = true;
  node.descriptor.bLink = 0;
  const { part, bit } = no >= first ? { part: ownPart(node), bit: no - first } : mapPart(tree, no);
  const at = part.at + (bit >>> 3);
  part.node.bytes[at] = (part.node.bytes[at] ?? 0) | (0x80 >>> (bit & 7));
  part.node.dirty = true;
  tree.editHeader().freeNodes -= 1;
  return node;
}

const ownPart = (node: Node): MapPart => ({
  node,
  at: node.offset(0),
  length: node.offset(1) - node.offset(0),
});
