// A node of a B-tree: a copy of its bytes, of which a request changes what it likes; `Op.finish` stages
// what changed. TN1150, "B-Trees", "Nodes".
//
//   descriptor | record 0 | record 1 | … | free space | offset of free space | … | offset 1 | offset 0

import { EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import type { KeyFormat } from '../names/keys.ts';
import { INDEX_NODE, LEAF_NODE, NodeDescriptor } from '../ondisk.ts';

const HEAD = NodeDescriptor.size;

export class Node {
  readonly no: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly descriptor: InstanceType<typeof NodeDescriptor>;
  dirty = false;
  /** Nothing on the disk at its place means anything. */
  readonly fresh: boolean;

  constructor(no: number, bytes: Uint8Array, origin: 'disk' | 'fresh') {
    this.no = no;
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.descriptor = new NodeDescriptor(this.view);
    this.fresh = origin === 'fresh';
    if (this.fresh) this.dirty = true;
  }

  /** A node without records. */
  static empty(no: number, size: number, { kind, height }: { kind: number; height: number }): Node {
    const node = new Node(no, new Uint8Array(size), 'fresh');
    node.descriptor.kind = kind;
    node.descriptor.height = height;
    node.#setOffset(0, HEAD);
    return node;
  }

  get count(): number {
    return this.descriptor.numRecords;
  }

  get isLeaf(): boolean {
    return this.descriptor.kind === LEAF_NODE;
  }

  /** Where record `index` begins; that of `count` is where the free space does. */
  offset(index: number): number {
    return this.view.getUint16(this.bytes.length - 2 * (index + 1));
  }

  get freeBytes(): number {
    return this.bytes.length - this.offset(this.count) - 2 * (this.count + 1);
  }

  get usedBytes(): number {
    return this.offset(this.count) - HEAD + 2 * this.count;
  }

  record(index: number): Uint8Array {
    return this.bytes.subarray(this.offset(index), this.offset(index + 1));
  }

  fits(length: number): boolean {
    return length + 2 <= this.freeBytes;
  }

  insertRecord(index: number, record: Uint8Array): void {
    const at = this.offset(index);
    const end = this.offset(this.count);
    this.bytes.copyWithin(at + record.length, at, end);
    this.bytes.set(record, at);
    for (let i = this.count; i >= index; i--)
      this.#setOffset(i + 1, this.offset(i) + record.length);
    this.descriptor.numRecords += 1;
    this.dirty = true;
  }

  removeRecord(index: number): void {
    const at = this.offset(index);
    const next = this.offset(index + 1);
    const end = this.offset(this.count);
    this.bytes.copyWithin(at, next, end);
    this.bytes.fill(0, end - (next - at), end);
    for (let i = index + 1; i <= this.count; i++)
      this.#setOffset(i - 1, this.offset(i) - (next - at));
    // The offset of the free space moved down by one place: what is left of it above is free space, too.
    this.view.setUint16(this.bytes.length - 2 * (this.count + 1), 0);
    this.descriptor.numRecords -= 1;
    this.dirty = true;
  }

  /** Puts these records in place of all. */
  setRecords(records: readonly Uint8Array[]): void {
    const copies = records.map((record) => record.slice());
    this.bytes.fill(0, HEAD);
    this.descriptor.numRecords = 0;
    this.#setOffset(0, HEAD);
    this.dirty = true;
    for (const copy of copies) this.insertRecord(this.count, copy);
  }

  records(): Uint8Array[] {
    return Array.from({ length: this.count }, (_, i) => this.record(i));
  }

  #setOffset(index: number, offset: number): void {
    this.view.setUint16(this.bytes.length - 2 * (index + 1), offset);
  }
}

/** Bytes of a key with its length field and what makes its end even. */
export function keySpan(format: KeyFormat, view: DataView, at: number): number {
  const length = format.lengthSize === 1 ? view.getUint8(at) : view.getUint16(at);
  return (format.lengthSize + length + 1) & ~1;
}

/** Throws EUCLEAN unless all offsets and keys of the node lie where they may. */
export function checkNode(node: Node, format: KeyFormat, where: string): void {
  const { kind, height } = node.descriptor;
  const size = node.bytes.length;
  const least = kind === LEAF_NODE ? 1 : kind === INDEX_NODE ? 2 : 256;
  if (height < least || (kind === LEAF_NODE && height !== 1)) damaged(node, where, 'its kind');
  checkOffsets(node, where);
  for (let i = 0; i < node.count; i++) {
    const at = node.offset(i);
    const room = node.offset(i + 1) - at;
    const length =
      room < 2 ? 0 : format.lengthSize === 1 ? node.view.getUint8(at) : node.view.getUint16(at);
    const span = (format.lengthSize + length + 1) & ~1;
    const data = kind === INDEX_NODE ? 4 : 2;
    if (room < 8 || span + data > room || span > size || !format.valid(node.view, at, length))
      damaged(node, where, `the key of record ${i}`);
  }
}

/** Record offsets grow from behind the descriptor to before the offsets themselves. */
export function checkOffsets(node: Node, where: string): void {
  const { count } = node;
  const end = node.bytes.length - 2 * (count + 1);
  if (end < HEAD) damaged(node, where, 'its number of records');
  let before = HEAD;
  for (let i = 0; i <= count; i++) {
    const offset = node.offset(i);
    if (offset < before || offset > end || (offset & 1) !== 0) damaged(node, where, `offset ${i}`);
    before = offset + 1;
  }
  if (node.offset(0) !== HEAD) damaged(node, where, 'offset 0');
}

const damaged = (node: Node, where: string, what: string): never =>
  fail(EUCLEAN, `${where} node ${node.no}: damaged, see ${what}`);
