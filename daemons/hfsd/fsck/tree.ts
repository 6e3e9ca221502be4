// One B-tree checked from its bytes, level by level: nodes, keys and their order, links, the map and the
// counts; and its records, of a damaged tree as far as they can be saved. TN1150, "B-Trees". It shares
// with the daemon the tables of ondisk.ts and the order of keys, and nothing else.

import type { KeyFormat } from '../names/keys.ts';
import {
  HEADER_NODE,
  INDEX_NODE,
  LEAF_NODE,
  MAP_NODE,
  NodeDescriptor,
  TreeHeader,
  type TreeHeaderView,
} from '../ondisk.ts';
import type { Report } from './report.ts';

/** The bytes of the file that a tree lies in. */
export interface TreeBytes {
  readonly name: string;
  readonly sizeBytes: number;
  read(offset: number, length: number): Uint8Array;
}

export interface TreeRecord {
  /** With its length field and what makes it even. */
  readonly key: Uint8Array;
  readonly data: Uint8Array;
}

export interface CheckedTree {
  /** In the order of their keys, each once. */
  readonly records: readonly TreeRecord[];
  /** Its structure is to be made anew. */
  readonly damaged: boolean;
  /** 0 when it cannot be told. */
  readonly nodeSize: number;
}

const HEAD = NodeDescriptor.size;
const DEPTH_MAX = 16;
const SIZES = [4096, 8192, 512, 1024, 2048, 16_384, 32_768] as const;

export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export function checkTree(file: TreeBytes, format: KeyFormat, report: Report): CheckedTree {
  const before = report.count;
  const walk = new TreeWalk(file, format, report);
  const records = walk.records();
  return { records, damaged: report.count > before, nodeSize: walk.nodeSize };
}

interface RawNode {
  readonly no: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly descriptor: InstanceType<typeof NodeDescriptor>;
}

class TreeWalk {
  readonly #file: TreeBytes;
  readonly #format: KeyFormat;
  readonly #report: Report;
  #nodeSize = 0;
  #nodeCount = 0;
  readonly #reached = new Set<number>();
  #records: TreeRecord[] = [];
  /** A part of the tree could not be read: other nodes may hold what belongs to it. */
  #lost = false;

  constructor(file: TreeBytes, format: KeyFormat, report: Report) {
    this.#file = file;
    this.#format = format;
    this.#report = report;
  }

  get nodeSize(): number {
    return this.#nodeSize;
  }

  records(): readonly TreeRecord[] {
    const header = this.#header();
    if (this.#nodeSize === 0) return [];
    if (header !== undefined) {
      this.#levels(header);
      this.#map(header);
    } else this.#lost = true;
    if (this.#lost) this.#salvage();
    return this.#sorted();
  }

  #bad(what: string): void {
    this.#report.bad(`${this.#file.name}: ${what}`);
  }

  #header(): TreeHeaderView | undefined {
    const { sizeBytes } = this.#file;
    if (sizeBytes < 512) {
      this.#bad('too small for a tree');
      return undefined;
    }
    const head = new TreeHeader(viewOf(this.#file.read(0, 512)), HEAD);
    const told = head.nodeSize;
    const fits = (size: number): boolean => SIZES.some((one) => one === size) && size <= sizeBytes;
    this.#nodeSize = fits(told) ? told : this.#guessSize();
    if (this.#nodeSize === 0 || this.#nodeSize !== told) this.#bad(`nodes of ${told} bytes`);
    if (this.#nodeSize === 0) return undefined;
    this.#nodeCount = Math.floor(sizeBytes / this.#nodeSize);
    const node = this.#node(0);
    if (node.descriptor.kind !== HEADER_NODE || this.#offsets(node) < 3) {
      this.#bad('no header node');
      return undefined;
    }
    this.#reached.add(0);
    const header = new TreeHeader(node.view, HEAD);
    if (header.totalNodes !== this.#nodeCount)
      this.#bad(`${header.totalNodes} nodes, there is room for ${this.#nodeCount}`);
    const { maxKeyLength } = header;
    if (maxKeyLength < this.#format.longest || 4 * maxKeyLength > this.#nodeSize)
      this.#bad(`keys of up to ${maxKeyLength} bytes`);
    return header;
  }

  /** The size for which node 0 ends as a header node does. */
  #guessSize(): number {
    const looksRight = (size: number): boolean => {
      if (size > this.#file.sizeBytes) return false;
      const end = viewOf(this.#file.read(size - 6, 6));
      return end.getUint16(4) === HEAD && end.getUint16(2) === 120 && end.getUint16(0) === 248;
    };
    return SIZES.find(looksRight) ?? 0;
  }

  #node(no: number): RawNode {
    const size = this.#nodeSize;
    const bytes = this.#file.read(no * size, size);
    const view = viewOf(bytes);
    return { no, bytes, view, descriptor: new NodeDescriptor(view) };
  }

  #offset({ view }: RawNode, index: number): number {
    return view.getUint16(this.#nodeSize - 2 * (index + 1));
  }

  /** How many of the node's records lie where they may: all, or those before a bad offset; -1: none can. */
  #offsets(node: RawNode): number {
    const { numRecords } = node.descriptor;
    const end = this.#nodeSize - 2 * (numRecords + 1);
    if (end < HEAD || this.#offset(node, 0) !== HEAD) return -1;
    for (let i = 0, before = HEAD - 1; i <= numRecords; i++) {
      const offset = this.#offset(node, i);
      if (offset <= before || offset > end || (offset & 1) !== 0) return i - 1;
      before = offset;
    }
    return numRecords;
  }

  /** Record `index`, or undefined when its key is none. */
  #record(node: RawNode, index: number): TreeRecord | undefined {
    const at = this.#offset(node, index);
    const room = this.#offset(node, index + 1) - at;
    const { lengthSize } = this.#format;
    if (room < 8) return undefined;
    const length = lengthSize === 1 ? node.view.getUint8(at) : node.view.getUint16(at);
    const span = (lengthSize + length + 1) & ~1;
    const least = node.descriptor.kind === INDEX_NODE ? 4 : 2;
    if (span + least > room || !this.#format.valid(node.view, at, length)) return undefined;
    const bytes = node.bytes.subarray(at, at + room);
    return { key: bytes.subarray(0, span), data: bytes.subarray(span) };
  }

  #compare(a: Uint8Array, b: Uint8Array): number {
    return this.#format.compare(viewOf(a), 0, viewOf(b), 0);
  }

  /** From the root down, one level after the other. */
  #levels(header: TreeHeaderView): void {
    const { rootNode, treeDepth } = header;
    if (treeDepth > DEPTH_MAX || (treeDepth === 0) !== (rootNode === 0)) {
      this.#lose(`a root ${rootNode} in a tree of depth ${treeDepth}`);
      return;
    }
    let level: { no: number; key: Uint8Array | undefined }[] =
      rootNode === 0 ? [] : [{ no: rootNode, key: undefined }];
    for (let height = treeDepth; height >= 1; height--) {
      const next: typeof level = [];
      const nodes = level.flatMap(({ no, key }) => {
        const node = this.#enter(no, height);
        if (node === undefined) return [];
        const records = this.#contents(node, key);
        if (height === 1) this.#records.push(...records);
        else
          for (const { key: of, data } of records)
            next.push({ no: viewOf(data).getUint32(0), key: of });
        return [node];
      });
      this.#links(nodes);
      if (height === 1) this.#ends(header, nodes);
      level = next;
    }
    if (treeDepth === 0) this.#ends(header, []);
    if (header.leafRecords !== this.#records.length && !this.#lost)
      this.#bad(`${header.leafRecords} records, there are ${this.#records.length}`);
  }

  #lose(what: string): void {
    this.#lost = true;
    this.#bad(what);
  }

  #enter(no: number, height: number): RawNode | undefined {
    if (no === 0 || no >= this.#nodeCount || this.#reached.has(no)) {
      this.#lose(`node ${no} is ${this.#reached.has(no) ? 'in it twice' : 'outside'}`);
      return undefined;
    }
    const node = this.#node(no);
    const { kind, height: has } = node.descriptor;
    if (kind !== (height === 1 ? LEAF_NODE : INDEX_NODE) || has !== height) {
      this.#lose(`node ${no} is not of height ${height}`);
      return undefined;
    }
    this.#reached.add(no);
    return node;
  }

  #contents(node: RawNode, parentKey: Uint8Array | undefined): TreeRecord[] {
    const { no, descriptor } = node;
    const count = this.#offsets(node);
    if (count < descriptor.numRecords) this.#lose(`node ${no}: bad offsets`);
    const out: TreeRecord[] = [];
    for (let i = 0; i < count; i++) {
      const record = this.#record(node, i);
      const last = out.at(-1);
      if (record === undefined) {
        this.#lose(`node ${no}: the key of record ${i}`);
        continue;
      }
      if (last !== undefined && this.#compare(last.key, record.key) >= 0)
        this.#lose(`node ${no}: record ${i} is out of order`);
      out.push(record); // all of them are sorted when something was lost
    }
    const first = out[0];
    if (first === undefined) this.#lose(`node ${no}: no records`);
    else if (parentKey !== undefined && this.#compare(first.key, parentKey) !== 0)
      this.#bad(`node ${no}: begins otherwise than its index says`);
    return out;
  }

  #links(nodes: readonly RawNode[]): void {
    for (const [i, { no, descriptor }] of nodes.entries()) {
      const [before, after] = [nodes[i - 1]?.no ?? 0, nodes[i + 1]?.no ?? 0];
      if (descriptor.bLink !== before || descriptor.fLink !== after)
        this.#bad(`node ${no}: its links are ${descriptor.bLink} and ${descriptor.fLink}`);
    }
  }

  #ends({ firstLeafNode, lastLeafNode }: TreeHeaderView, leaves: readonly RawNode[]): void {
    if (firstLeafNode !== (leaves[0]?.no ?? 0) || lastLeafNode !== (leaves.at(-1)?.no ?? 0))
      this.#bad(`leaves from ${firstLeafNode} to ${lastLeafNode}`);
    for (let i = 1; i < this.#records.length; i++) {
      const [a, b] = [this.#records[i - 1], this.#records[i]];
      if (a && b && this.#compare(a.key, b.key) >= 0) {
        this.#lose(`record ${i} is out of order`);
        return;
      }
    }
  }

  /** The bits of the nodes in use, from the header node and the map nodes. */
  #bits(): Uint8Array[] {
    const head = this.#node(0);
    const parts = [head.bytes.subarray(this.#offset(head, 2), this.#offset(head, 3))];
    for (let no = head.descriptor.fLink; no !== 0; ) {
      if (no >= this.#nodeCount || this.#reached.has(no)) {
        this.#bad(`map node ${no}`);
        break;
      }
      const node = this.#node(no);
      if (node.descriptor.kind !== MAP_NODE || this.#offsets(node) < 1) {
        this.#bad(`node ${no} is no map`);
        break;
      }
      this.#reached.add(no);
      parts.push(node.bytes.subarray(HEAD, this.#offset(node, 1)));
      no = node.descriptor.fLink;
    }
    return parts;
  }

  #map(header: TreeHeaderView): void {
    const bits = this.#bits();
    let no = 0;
    let wrong = 0;
    for (const part of bits) {
      for (let i = 0; i < 8 * part.length && no < this.#nodeCount; i++, no++) {
        const used = ((part[i >> 3] ?? 0) & (0x80 >> (i & 7))) !== 0;
        if (used !== this.#reached.has(no)) wrong++;
      }
    }
    if (no < this.#nodeCount) this.#bad(`a map of ${no} nodes for ${this.#nodeCount}`);
    if (this.#lost) return;
    if (wrong > 0) this.#bad(`the map is wrong about ${wrong} nodes`);
    const free = this.#nodeCount - this.#reached.size;
    if (header.freeNodes !== free) this.#bad(`${header.freeNodes} free nodes, there are ${free}`);
  }

  /** Records of leaves that the damaged tree does not lead to. */
  #salvage(): void {
    for (let no = 1; no < this.#nodeCount; no++) {
      if (this.#reached.has(no)) continue;
      const node = this.#node(no);
      const { kind, height } = node.descriptor;
      if (kind !== LEAF_NODE || height !== 1) continue;
      const count = this.#offsets(node);
      for (let i = 0; i < count; i++) {
        const record = this.#record(node, i);
        if (record !== undefined) this.#records.push(record);
      }
    }
  }

  /** In order; of two with one key the one that was reached first. */
  #sorted(): readonly TreeRecord[] {
    if (!this.#lost) return this.#records;
    const sorted = [...this.#records].sort((a, b) => this.#compare(a.key, b.key));
    return sorted.filter(({ key }, i) => {
      const before = sorted[i - 1];
      return before === undefined || this.#compare(before.key, key) !== 0;
    });
  }
}
