// A node of an extent tree: the root in the inode's i_block, or a block. Reading one checks it.
// ifork.rst, "Extent Tree".

import { EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import type { Inode } from '../inode/inode.ts';
import {
  EXT_INIT_MAX_LEN,
  EXT4_EXT_MAGIC,
  EXT4_MAX_EXTENT_DEPTH,
  ExtentHeader,
  ExtentIdx,
  ExtentLeaf,
  ExtentTail,
  I_BLOCK_SIZE,
} from '../ondisk.ts';
import { isDataBlock } from '../volume/group.ts';
import { has } from '../volume/superblock.ts';

const ENTRY_SIZE = 12;

export interface MappedExtent {
  lblock: number; // first block in the file
  count: number;
  pblock: number; // first block on the volume
  unwritten: boolean;
}

export class ExtentNode {
  readonly inode: Inode;
  /** The block it lies in, or undefined for the root. */
  readonly no: number | undefined;
  readonly view: DataView;
  readonly at: number;
  readonly header: InstanceType<typeof ExtentHeader>;

  constructor(inode: Inode, no: number | undefined, where: { view: DataView; at: number }) {
    this.inode = inode;
    this.no = no;
    this.view = where.view;
    this.at = where.at;
    this.header = new ExtentHeader(this.view, this.at);
  }

  get entries(): number {
    return this.header.eh_entries;
  }
  get depth(): number {
    return this.header.eh_depth;
  }
  get isFull(): boolean {
    return this.header.eh_entries >= this.header.eh_max;
  }

  entryAt(index: number): number {
    return this.at + ExtentHeader.size + index * ENTRY_SIZE;
  }

  /** First file block of an entry; it stands at the same place in an index and in an extent. */
  key(index: number): number {
    return this.view.getUint32(this.entryAt(index), true);
  }

  child(index: number): number {
    const idx = new ExtentIdx(this.view, this.entryAt(index));
    const block = idx.ei_leaf_hi * 0x1_0000_0000 + idx.ei_leaf_lo;
    if (!isDataBlock(this.inode.op.vol, block))
      fail(EUCLEAN, `${this.name}: child ${index} at block ${block}`);
    return block;
  }

  extent(index: number): MappedExtent {
    const raw = new ExtentLeaf(this.view, this.entryAt(index));
    const unwritten = raw.ee_len > EXT_INIT_MAX_LEN;
    const count = unwritten ? raw.ee_len - EXT_INIT_MAX_LEN : raw.ee_len;
    const pblock = raw.ee_start_hi * 0x1_0000_0000 + raw.ee_start_lo;
    if (count === 0 || !isDataBlock(this.inode.op.vol, pblock, count))
      fail(EUCLEAN, `${this.name}: extent ${index} at blocks ${pblock}+${count}`);
    return { lblock: raw.ee_block, count, pblock, unwritten };
  }

  /** Of a staged node. */
  putExtent(index: number, extent: MappedExtent): void {
    const raw = new ExtentLeaf(this.view, this.entryAt(index));
    raw.ee_block = extent.lblock;
    raw.ee_len = extent.unwritten ? extent.count + EXT_INIT_MAX_LEN : extent.count;
    raw.ee_start_lo = extent.pblock >>> 0;
    raw.ee_start_hi = Math.floor(extent.pblock / 0x1_0000_0000);
  }

  putIndex(index: number, entry: { lblock: number; child: number }): void {
    const raw = new ExtentIdx(this.view, this.entryAt(index));
    raw.ei_block = entry.lblock;
    raw.ei_leaf_lo = entry.child >>> 0;
    raw.ei_leaf_hi = Math.floor(entry.child / 0x1_0000_0000);
    raw.ei_unused = 0;
  }

  /** Opens a gap before `index`. */
  openGap(index: number): void {
    const bytes = this.#bytes();
    const end = ExtentHeader.size + this.entries * ENTRY_SIZE;
    const from = ExtentHeader.size + index * ENTRY_SIZE;
    bytes.copyWithin(from + ENTRY_SIZE, from, end);
    this.header.eh_entries += 1;
  }

  removeEntry(index: number): void {
    const bytes = this.#bytes();
    const end = ExtentHeader.size + this.entries * ENTRY_SIZE;
    const from = ExtentHeader.size + index * ENTRY_SIZE;
    bytes.copyWithin(from, from + ENTRY_SIZE, end);
    bytes.fill(0, end - ENTRY_SIZE, end);
    this.header.eh_entries -= 1;
  }

  /** Entries [from, entries) as raw bytes. */
  entryBytes(from: number): Uint8Array {
    return this.#bytes().subarray(
      ExtentHeader.size + from * ENTRY_SIZE,
      ExtentHeader.size + this.entries * ENTRY_SIZE,
    );
  }

  #bytes(): Uint8Array {
    const size = this.no === undefined ? I_BLOCK_SIZE : this.view.byteLength;
    return new Uint8Array(this.view.buffer, this.view.byteOffset + this.at, size);
  }

  get name(): string {
    const where = this.no === undefined ? 'extent root' : `extent block ${this.no}`;
    return `inode ${this.inode.ino}: ${where}`;
  }

  /** Staged for change. */
  edit(): ExtentNode {
    const { inode } = this;
    if (this.no === undefined) {
      const raw = inode.edit();
      return new ExtentNode(inode, undefined, { view: raw.view, at: inode.blockAt });
    }
    const { view } = inode.op.tx.edit(this.no, inode.extentSealing.seal);
    return new ExtentNode(inode, this.no, { view, at: 0 });
  }
}

/** The root of the tree. */
export function rootNode(inode: Inode): ExtentNode {
  const node = new ExtentNode(inode, undefined, { view: inode.raw.view, at: inode.blockAt });
  const { depth } = node;
  checkNode(node, depth, I_BLOCK_SIZE);
  if (depth > EXT4_MAX_EXTENT_DEPTH) fail(EUCLEAN, `${node.name}: depth ${depth}`);
  return node;
}

/** The node in block `no`, which must have this depth. */
export function blockNode(inode: Inode, no: number, depth: number): ExtentNode {
  const { tx, vol } = inode.op;
  const { view } = tx.read(no, inode.extentSealing.check);
  const node = new ExtentNode(inode, no, { view, at: 0 });
  checkNode(node, depth, vol.blockSize);
  return node;
}

/** A new, empty node in a block just allocated. */
export function newNode(inode: Inode, no: number, depth: number): ExtentNode {
  const { tx, vol } = inode.op;
  const { view } = tx.create(no, inode.extentSealing.seal);
  const node = new ExtentNode(inode, no, { view, at: 0 });
  const room = vol.blockSize - ExtentHeader.size;
  node.header.eh_magic = EXT4_EXT_MAGIC;
  node.header.eh_max = Math.floor(room / ENTRY_SIZE);
  // Without checksums the last bytes may be an entry's; with them they are the tail's.
  if (has.metadataCsum(vol)) node.header.eh_max = Math.floor((room - ExtentTail.size) / ENTRY_SIZE);
  node.header.eh_depth = depth;
  return node;
}

export function initRoot(inode: Inode): void {
  const raw = inode.edit();
  const header = new ExtentHeader(raw.view, inode.blockAt);
  header.eh_magic = EXT4_EXT_MAGIC;
  header.eh_entries = 0;
  header.eh_max = (I_BLOCK_SIZE - ExtentHeader.size) / ENTRY_SIZE;
  header.eh_depth = 0;
  header.eh_generation = 0;
}

function checkNode(node: ExtentNode, depth: number, room: number): void {
  const { eh_magic, eh_max, eh_entries, eh_depth } = node.header;
  if (eh_magic !== EXT4_EXT_MAGIC)
    fail(EUCLEAN, `${node.name}: bad magic 0x${eh_magic.toString(16)}`);
  if (eh_depth !== depth) fail(EUCLEAN, `${node.name}: depth ${eh_depth}, not ${depth}`);
  if (eh_max === 0 || ExtentHeader.size + eh_max * ENTRY_SIZE > room || eh_entries > eh_max)
    fail(EUCLEAN, `${node.name}: ${eh_entries} of ${eh_max} entries`);
}
