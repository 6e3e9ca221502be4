// Where the structures of one ext4 image lie, as tables of fields, and how each gets its checksum
// again after it was damaged: so that a damaged volume is not refused at the first look.

import {
  DirEntry2,
  DxCountLimit,
  DxEntry,
  DxRoot,
  EXT4_EXTENTS_FL,
  EXT4_INDEX_FL,
  EXT4_JOURNAL_INO,
  ExtentHeader,
  ExtentLeaf,
  GroupDesc32,
  GroupDesc64,
  I_BLOCK_OFFSET,
  Inode128,
  InodeExtra,
  SUPERBLOCK_OFFSET,
  Superblock,
  XattrEntry,
  XattrHeader,
} from '../../daemons/ext4fs/ondisk.ts';
import {
  JBD2_MAGIC,
  JournalCommit,
  JournalHeader,
  JournalSuperblock,
  JournalTag3,
} from '../../daemons/ext4fs/ondisk-journal.ts';
import { type InodeInfo, rawInode, readInode } from '../crash/ext4/check/inode.ts';
import { bit, Volume } from '../crash/ext4/check/volume.ts';
import * as reseal from './reseal.ts';

/** A field that can be damaged. */
export interface Target {
  readonly name: string;
  readonly offset: number; // in the image
  readonly size: number; // bytes, up to the next field
  /** Puts right every checksum that covers it. */
  readonly reseal: (image: Uint8Array) => void;
  /** Of its bytes; little-endian unless said. */
  readonly order?: 'big';
}

interface Table {
  readonly structName: string;
  readonly size: number;
  readonly offsets: Readonly<Record<string, number>>;
}

export interface Place {
  readonly table: Table;
  readonly at: number;
  readonly what: string;
  readonly reseal: (image: Uint8Array) => void;
}

/** Structures by kind, each kind damaged as often as the others, however many there are of it. */
export function catalogOf(image: Uint8Array): Target[][] {
  const vol = new Volume(image);
  const kinds: Place[][] = [[], [], [], [], [], [], []];
  const [fixed = [], descs = [], inodes = [], maps = [], dirs = [], xattrs = [], log = []] = kinds;
  fixed.push({
    ...{ table: Superblock, at: SUPERBLOCK_OFFSET, what: 'superblock' },
    reseal: reseal.superblock,
  });
  addGroups(vol, descs);
  for (const ino of usedInodes(vol)) {
    const inode = readInode(vol, ino, () => undefined);
    const seal = (bytes: Uint8Array): void => reseal.inode(bytes, { ino, at: inode.raw.at });
    const what = `inode ${ino}`;
    inodes.push({ table: Inode128, at: inode.raw.at, what, reseal: seal });
    inodes.push({ table: InodeExtra, at: inode.raw.at, what, reseal: seal });
    addMap(inode, maps, seal);
    if (inode.kind === 'dir') addDirectory(vol, inode, dirs);
    if (inode.raw.i_file_acl_lo !== 0) addXattrs(vol, inode, xattrs);
  }
  addJournal(vol, log);
  return kinds.filter((kind) => kind.length > 0).map((kind) => kind.flatMap(targetsOf));
}

export function targetsOf({ table, at, what, reseal: seal }: Place): Target[] {
  const fields = Object.entries(table.offsets);
  return fields.map(([name, from], i) => {
    const next = fields.slice(i + 1).find(([, later]) => later > from)?.[1] ?? table.size;
    return { name: `${what}: ${name}`, offset: at + from, size: next - from, reseal: seal };
  });
}

function* usedInodes(vol: Volume): Generator<number> {
  for (const group of vol.groups) {
    const bits = vol.bitmap(group, 'inode');
    for (let i = 0; bits && i < vol.sb.s_inodes_per_group; i++) {
      const ino = group.index * vol.sb.s_inodes_per_group + i + 1;
      if (bit(bits, i) && rawInode(vol, ino).i_mode !== 0) yield ino;
    }
  }
}

function addGroups(vol: Volume, into: Place[]): void {
  for (const group of vol.groups) {
    const at = (vol.sb.s_first_data_block + 1) * vol.blockSize + group.index * vol.descSize;
    const seal = (bytes: Uint8Array): void => reseal.group(bytes, group.index);
    const what = `group ${group.index}`;
    into.push({ table: GroupDesc32, at, what, reseal: seal });
    if (vol.descSize >= 64) into.push({ table: GroupDesc64, at, what, reseal: seal });
    for (const block of [group.blockBitmap, group.inodeBitmap]) {
      for (let i = 0; i < 8; i++) {
        const word = { structName: 'bitmap', size: 4, offsets: { [`word ${i}`]: 0 } };
        into.push({ table: word, at: block * vol.blockSize + i * 4, what, reseal: seal });
      }
    }
  }
}

function addMap({ raw, ino }: InodeInfo, into: Place[], seal: (image: Uint8Array) => void): void {
  if ((raw.i_flags & EXT4_EXTENTS_FL) === 0) return;
  const at = raw.at + I_BLOCK_OFFSET;
  const what = `inode ${ino}: map`;
  into.push({ table: ExtentHeader, at, what, reseal: seal });
  for (let i = 1; i <= 4; i++) {
    into.push({ table: ExtentLeaf, at: at + 12 * i, what, reseal: seal });
  }
  const { eh_depth, eh_entries } = new ExtentHeader(raw.view, at);
  for (let i = 1; eh_depth > 0 && i <= eh_entries; i++) {
    const child = raw.view.getUint32(at + 12 * i + 4, true);
    const start = child * 1024;
    const below = (image: Uint8Array): void =>
      reseal.extentBlock(image, { ino, at: raw.at }, child);
    into.push({ table: ExtentHeader, at: start, what, reseal: below });
    for (let k = 1; k <= 8; k++) {
      into.push({ table: ExtentLeaf, at: start + 12 * k, what, reseal: below });
    }
  }
}

function addDirectory(vol: Volume, dir: InodeInfo, into: Place[]): void {
  const indexed = (dir.raw.i_flags & EXT4_INDEX_FL) !== 0;
  const place = { ino: dir.ino, at: dir.raw.at };
  for (const { lblock, block } of dir.mapped) {
    const at = block * vol.blockSize;
    const what = `directory ${dir.ino}, block ${lblock}`;
    if (indexed && lblock === 0) {
      const seal = (image: Uint8Array): void => reseal.indexBlock(image, place, block);
      into.push({ table: DxRoot, at, what, reseal: seal });
      into.push({ table: DxCountLimit, at: at + 0x20, what, reseal: seal });
      for (let i = 1; i < 4; i++) {
        into.push({ table: DxEntry, at: at + 0x20 + i * 8, what, reseal: seal });
      }
      continue;
    }
    const seal = (image: Uint8Array): void => reseal.leafBlock(image, place, block);
    for (let from = 0, count = 0; from + 12 < vol.blockSize && count < 6; count++) {
      into.push({ table: DirEntry2, at: at + from, what, reseal: seal });
      from += Math.max(12, new DirEntry2(vol.block(block), from).rec_len);
    }
  }
}

function addXattrs(vol: Volume, { raw, ino }: InodeInfo, into: Place[]): void {
  const block = raw.i_file_acl_lo;
  const seal = (image: Uint8Array): void => reseal.xattrBlock(image, block);
  const at = block * vol.blockSize;
  into.push({ table: XattrHeader, at, what: `attributes of ${ino}`, reseal: seal });
  into.push({ table: XattrEntry, at: at + 32, what: `attributes of ${ino}`, reseal: seal });
}

function addJournal(vol: Volume, into: Place[]): void {
  const blocks = readInode(vol, EXT4_JOURNAL_INO, () => undefined).mapped;
  for (const [n, { block }] of blocks.entries()) {
    const header = new JournalHeader(vol.block(block));
    if (header.h_magic !== JBD2_MAGIC) continue;
    const at = block * vol.blockSize;
    const what = `journal, block ${n}`;
    const seal = (image: Uint8Array): void => reseal.journalBlock(image, block);
    if (n === 0) into.push({ table: JournalSuperblock, at, what, reseal: seal });
    else into.push({ table: JournalHeader, at, what, reseal: seal });
    if (header.h_blocktype === 1) {
      into.push({ table: JournalTag3, at: at + 12, what, reseal: seal });
      into.push({ table: JournalTag3, at: at + 44, what, reseal: seal });
    }
    if (header.h_blocktype === 2) into.push({ table: JournalCommit, at, what, reseal: seal });
  }
}
