// A B-tree: searching it and going through its leaves. Every step down must lose height and every step
// along the leaves is counted, so that a damaged tree ends. TN1150, "B-Trees".

import { EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import type { KeyFormat } from '../names/keys.ts';
import { HEADER_NODE, INDEX_NODE, LEAF_NODE, TreeHeader, type TreeHeaderView } from '../ondisk.ts';
import type { CheckedNodes } from './checked.ts';
import { checkNode, checkOffsets, keySpan, Node } from './node.ts';

/** A copy of bytes, and a number that is another one whenever they are others. */
export interface Content {
  readonly bytes: Uint8Array;
  readonly version: number;
}

/** The file that a tree lies in: bytes that are read and staged, and room that can be asked for. */
export interface TreeFile {
  readonly id: number;
  readonly name: string;
  readonly sizeBytes: number;
  read(offset: number, length: number): Content;
  /** These parts will be read soon. */
  prefetch(offsets: readonly number[], length: number): void;
  write(offset: number, bytes: Uint8Array, origin: 'disk' | 'fresh'): void;
  /** Makes the file larger by at least so many bytes; throws ENOSPC. */
  grow(bytes: number): void;
}

/** A place on each level from the leaf (0) to the root. */
export interface Step {
  node: Node;
  index: number;
}

export interface Found {
  readonly path: Step[];
  readonly exact: boolean;
}

const DEPTH_MAX = 16;
const NODE_SIZE_MAX = 32768;
/** Leaves that a scan asks for at once. */
const LEAVES_AHEAD = 32;

export class BTree {
  readonly file: TreeFile;
  readonly format: KeyFormat;
  readonly #nodes = new Map<number, Node>();
  readonly #checked: CheckedNodes | undefined;
  #nodeSize = 0;

  constructor(file: TreeFile, format: KeyFormat, checked?: CheckedNodes) {
    this.file = file;
    this.format = format;
    this.#checked = checked;
  }

  get name(): string {
    return this.file.name;
  }

  get nodeSize(): number {
    if (this.#nodeSize === 0) this.#nodeSize = this.#checkHeader();
    return this.#nodeSize;
  }

  get header(): TreeHeaderView {
    return new TreeHeader(this.headerNode.view, 14);
  }

  get headerNode(): Node {
    return this.#load(0);
  }

  /** For changing: `Op.finish` writes it. */
  editHeader(): TreeHeaderView {
    this.headerNode.dirty = true;
    return this.header;
  }

  node(no: number, height: number): Node {
    const node = this.#load(no);
    if (
      node.descriptor.height !== height ||
      node.descriptor.kind !== (height === 1 ? LEAF_NODE : 0)
    )
      fail(EUCLEAN, `${this.name} node ${no}: not of height ${height}`);
    return node;
  }

  /** A node of any kind that is not searched: the header, a map. */
  mapNode(no: number): Node {
    const node = this.#load(no);
    if (node.descriptor.kind !== 2) fail(EUCLEAN, `${this.name} node ${no}: no map`);
    return node;
  }

  adopt(node: Node): void {
    this.#nodes.set(node.no, node);
  }

  drop(no: number): void {
    this.#nodes.delete(no);
  }

  /** Where the key is, or the record before the place where it would be (index -1: before all). */
  search(key: Uint8Array): Found | undefined {
    const { rootNode, treeDepth } = this.header;
    if (treeDepth === 0 || rootNode === 0) return undefined;
    if (treeDepth > DEPTH_MAX) fail(EUCLEAN, `${this.name}: a tree of depth ${treeDepth}`);
    const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
    const path: Step[] = [];
    let no = rootNode;
    for (let height = treeDepth; ; height--) {
      const node = this.node(no, height);
      const { index, exact } = this.#find(node, view);
      if (height === 1) {
        path.unshift({ node, index });
        return { path, exact };
      }
      if (node.count === 0) fail(EUCLEAN, `${this.name} node ${no}: an index without records`);
      const at = Math.max(0, index);
      path.unshift({ node, index: at });
      no = this.child(node, at);
    }
  }

  /** The record of a key: a part of its node, to be read only. */
  get(key: Uint8Array): Uint8Array | undefined {
    const found = this.search(key);
    const leaf = found?.path[0];
    if (!found?.exact || leaf === undefined) return undefined;
    return this.data(leaf.node, leaf.index);
  }

  child(node: Node, index: number): number {
    const at = node.offset(index);
    return node.view.getUint32(at + keySpan(this.format, node.view, at));
  }

  data(node: Node, index: number): Uint8Array {
    const at = node.offset(index);
    return node.bytes.subarray(at + keySpan(this.format, node.view, at), node.offset(index + 1));
  }

  /** All records from the first one not below `key` on, until `visit` returns false. */
  scan(key: Uint8Array, visit: (node: Node, index: number) => boolean): void {
    const found = this.search(key);
    const start = found?.path[0];
    if (found === undefined || start === undefined) return;
    let { node } = start;
    let index = found.exact ? start.index : start.index + 1;
    let ahead = this.#prefetch(found.path[1]);
    for (let left = this.header.totalNodes; left > 0; left--) {
      for (; index < node.count; index++) if (!visit(node, index)) return;
      const next = node.descriptor.fLink;
      if (next === 0) return;
      node = this.node(next, 1);
      index = 0;
      if (--ahead < 0 && node.count > 0)
        ahead = this.#prefetch(this.search(node.record(0))?.path[1]);
    }
    fail(EUCLEAN, `${this.name}: the leaves have no end`);
  }

  /** The last record not above the key. */
  floor(key: Uint8Array): Step | undefined {
    const leaf = this.search(key)?.path[0];
    if (leaf === undefined) return undefined;
    if (leaf.index >= 0) return leaf;
    const before = leaf.node.descriptor.bLink;
    if (before === 0) return undefined;
    const node = this.node(before, 1);
    return node.count === 0 ? undefined : { node, index: node.count - 1 };
  }

  /** Stages what changed; how many nodes did. */
  flush(): number {
    let written = 0;
    for (const node of this.#nodes.values()) {
      if (!node.dirty) continue;
      const origin = node.fresh ? 'fresh' : 'disk';
      this.file.write(node.no * this.nodeSize, node.bytes, origin);
      node.dirty = false;
      written++;
    }
    return written;
  }

  /** Asks for the leaves behind the one that `parent` leads to; returns how many. */
  #prefetch(parent: Step | undefined): number {
    if (parent === undefined) return 0;
    const { node, index } = parent;
    const ahead = Math.min(LEAVES_AHEAD, node.count - 1 - index);
    const nodes = Math.floor(this.file.sizeBytes / this.nodeSize);
    const offsets = Array.from({ length: ahead }, (_, i) => this.child(node, index + 1 + i))
      .filter((no) => no < nodes && !this.#nodes.has(no))
      .map((no) => no * this.nodeSize);
    if (offsets.length > 0) this.file.prefetch(offsets, this.nodeSize);
    return ahead;
  }

  #find(node: Node, key: DataView): { index: number; exact: boolean } {
    let low = 0;
    let high = node.count - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const order = this.format.compare(node.view, node.offset(middle), key, 0);
      if (order === 0) return { index: middle, exact: true };
      if (order < 0) low = middle + 1;
      else high = middle - 1;
    }
    return { index: high, exact: false };
  }

  #load(no: number): Node {
    const held = this.#nodes.get(no);
    if (held !== undefined) return held;
    const size = this.nodeSize;
    const nodes = Math.floor(this.file.sizeBytes / size);
    if (no >= nodes) fail(EUCLEAN, `${this.name}: no node ${no} among ${nodes}`);
    const { bytes, version } = this.file.read(no * size, size);
    const node = new Node(no, bytes, 'disk');
    if (!this.#checked?.has(this.file.id, no, version)) {
      this.#check(node);
      this.#checked?.add(this.file.id, no, version);
    }
    this.#nodes.set(no, node);
    return node;
  }

  #check(node: Node): void {
    const where = this.name;
    const { kind } = node.descriptor;
    if (kind === LEAF_NODE || kind === INDEX_NODE) checkNode(node, this.format, where);
    else checkOffsets(node, where);
    if ((kind === HEADER_NODE) !== (node.no === 0))
      fail(EUCLEAN, `${where} node ${node.no}: of kind ${kind}`);
  }

  #checkHeader(): number {
    if (this.file.sizeBytes < 512) fail(EUCLEAN, `${this.name}: too small for a tree`);
    const { bytes: head } = this.file.read(0, 512);
    const header = new TreeHeader(new DataView(head.buffer, head.byteOffset, head.byteLength), 14);
    const { nodeSize, totalNodes, freeNodes, maxKeyLength } = header;
    const sized = (nodeSize & (nodeSize - 1)) === 0 && nodeSize >= 512 && nodeSize <= NODE_SIZE_MAX;
    const counted = totalNodes <= this.file.sizeBytes / nodeSize && freeNodes <= totalNodes;
    const { longest } = this.format;
    const roomy = maxKeyLength >= longest && maxKeyLength < 1024 && nodeSize >= 4 * maxKeyLength;
    if (!sized || !counted || totalNodes === 0 || !roomy)
      fail(EUCLEAN, `${this.name}: its header is damaged`);
    return nodeSize;
  }
}
