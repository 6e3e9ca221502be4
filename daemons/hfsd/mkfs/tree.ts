// The header node of a tree without records, for mkfs and for a tree that is made anew.
// TN1150, "B-Trees", "Header Record"; what the trees of a volume are like.

import {
  ATTRIBUTES_ID,
  BINARY_COMPARE,
  CASE_FOLDING,
  type CATALOG_ID,
  EXTENTS_ID,
  HEADER_NODE,
  NodeDescriptor,
  TREE_BIG_KEYS,
  TREE_VARIABLE_INDEX_KEYS,
  TreeHeader,
} from '../ondisk.ts';

export interface TreeKind {
  readonly maxKeyLength: number;
  readonly attributes: number;
  readonly compare: number;
}

export type TreeId = typeof EXTENTS_ID | typeof CATALOG_ID | typeof ATTRIBUTES_ID;

export function treeKind(
  id: TreeId,
  of: { kind: 'hfs' | 'hfs+'; caseSensitive: boolean },
): TreeKind {
  const plus = of.kind === 'hfs+';
  if (id === EXTENTS_ID)
    return { maxKeyLength: plus ? 10 : 7, attributes: plus ? TREE_BIG_KEYS : 0, compare: 0 };
  const attributes = plus ? TREE_BIG_KEYS | TREE_VARIABLE_INDEX_KEYS : 0;
  if (id === ATTRIBUTES_ID) return { maxKeyLength: 266, attributes, compare: 0 };
  // On plain HFS Plus the field is reserved; HFSX says how names compare.
  const compare = of.caseSensitive ? BINARY_COMPARE : plus ? CASE_FOLDING : 0;
  return { maxKeyLength: plus ? 516 : 37, attributes, compare };
}

/** Its map covers the first nodes only: `coverNodes` adds what larger trees need. */
export function treeHeaderNode(
  tree: TreeKind & { readonly nodeSize: number; readonly sizeBytes: number },
): Uint8Array {
  const { nodeSize, sizeBytes } = tree;
  const node = new Uint8Array(nodeSize);
  const view = new DataView(node.buffer);
  const descriptor = new NodeDescriptor(view);
  descriptor.kind = HEADER_NODE;
  descriptor.numRecords = 3;
  const header = new TreeHeader(view, NodeDescriptor.size);
  header.nodeSize = nodeSize;
  header.maxKeyLength = tree.maxKeyLength;
  header.totalNodes = Math.floor(sizeBytes / nodeSize);
  header.freeNodes = header.totalNodes - 1;
  header.attributes = tree.attributes;
  header.keyCompareType = tree.compare;
  if (tree.attributes !== 0) header.clumpSize = sizeBytes;
  for (const [i, offset] of [14, 120, 248, nodeSize - 8].entries())
    view.setUint16(nodeSize - 2 * (i + 1), offset);
  node[248] = 0x80;
  return node;
}

/** Nodes that the header node's own map has bits for. */
export const mappedByHeader = (nodeSize: number): number => (nodeSize - 256) * 8;
