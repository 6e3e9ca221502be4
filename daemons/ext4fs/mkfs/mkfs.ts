// mkfs: an empty ext2, ext3 or ext4 volume on a medium. The file system's own code makes the root
// directory, lost+found and the journal's file; backups of the superblock are written last.
// blockgroup.rst, special_inodes.rst; docs/disks.md tells what is left out.

import { S_IFDIR, S_IFREG } from '../../../kernel/abi/constants.ts';
import { ENOSPC, fail } from '../../../kernel/abi/errno.ts';
import { type Medium, MediumTransaction } from '../../lib/medium.ts';
import { initLeaf } from '../dir/block.ts';
import { addEntry, FT_DIR, initDirectory } from '../dir/dir.ts';
import { growDir } from '../dir/htree-insert.ts';
import { moveDirToBlock } from '../dir/inline.ts';
import type { Inode } from '../inode/inode.ts';
import { newInode } from '../inode/lifecycle.ts';
import { fill, initMap, lookup } from '../map/map.ts';
import {
  EXT4_BG_INODE_ZEROED,
  EXT4_JOURNAL_INO,
  EXT4_ROOT_INO,
  GroupDesc32,
  GroupDesc64,
  SUPERBLOCK_OFFSET,
  Superblock,
} from '../ondisk.ts';
import { JBD2_MAGIC, JBD2_SUPERBLOCK_V2, JournalSuperblock } from '../ondisk-journal.ts';
import { Op } from '../op.ts';
import { editInodeBitmap, initBitmaps, nextClear, nextSet, setBits } from '../volume/bitmap.ts';
import {
  baseMetaBlocks,
  blocksIn,
  descriptorBlock,
  descriptorBlocks,
  firstBlockOf,
  hasSuper,
} from '../volume/group.ts';
import {
  has,
  openVolume,
  superblockAt,
  superblockChecksum,
  type Volume,
} from '../volume/superblock.ts';
import { defaultJournalBlocks, type MkfsRequest, newSuperblock } from './geometry.ts';

const LOST_AND_FOUND_BYTES = 16 * 1024;
const ZERO_BYTES = 1 << 20;
const DIRECT_BLOCKS = 12;

/** Told while it goes: `Writing inode tables: 3/8`. */
export type Progress = (what: string, done: number, of: number) => void;

/** Makes the volume and returns what it is. The request's random numbers are the caller's. */
export function mkfs(
  medium: Medium,
  request: MkfsRequest,
  { random, progress }: { random: () => number; progress: Progress },
): Volume {
  const superblock = newSuperblock(request);
  seal(superblock);
  const vol = openVolume(superblock, medium.sizeBytes);
  const tx = new MediumTransaction({ medium, blockSize: vol.blockSize, now: request.now, random });
  const { block, offset } = superblockAt(vol.blockSize);
  if (vol.firstDataBlock > 0) tx.create(0); // whatever a boot loader or another file system left
  tx.create(block, (b) => seal(b.bytes.subarray(offset))).bytes.set(superblock, offset);
  layOut(tx, vol);
  tx.commit();
  zeroTables(medium, new Op(tx, vol, NOBODY), progress);
  populate(medium, new Op(tx, vol, NOBODY), { request, progress });
  tx.commit();
  writeBackups(medium, vol, progress);
  medium.flush();
  return vol;
}

const NOBODY = { isOpen: () => false, unfinished: () => {} };

/** The checksum of a whole superblock, at its place; where there is none the field stays zero. */
function seal(superblock: Uint8Array): void {
  const sb = new Superblock(
    new DataView(superblock.buffer, superblock.byteOffset, Superblock.size),
  );
  if (sb.s_checksum_type !== 0) sb.s_checksum = superblockChecksum(superblock);
}

const tableBlocks = (vol: Volume): number =>
  Math.ceil((vol.inodesPerGroup * vol.inodeSize) / vol.blockSize);

/** Where each group has its bitmaps and inode table: behind its superblock and descriptors. */
function layOut(tx: MediumTransaction, vol: Volume): void {
  for (const block of descriptorBlocks(vol)) tx.create(block);
  const perBlock = vol.blockSize / vol.descSize;
  for (let index = 0; index < vol.groupCount; index++) {
    const { view } = tx.edit(descriptorBlock(vol, index));
    const at = (index % perBlock) * vol.descSize;
    const low = new GroupDesc32(view, at);
    const blockBitmap = firstBlockOf(vol, index) + baseMetaBlocks(vol, index);
    low.bg_block_bitmap_lo = blockBitmap >>> 0;
    low.bg_inode_bitmap_lo = (blockBitmap + 1) >>> 0;
    low.bg_inode_table_lo = (blockBitmap + 2) >>> 0;
    if (has.metadataCsum(vol) || has.gdtCsum(vol)) low.bg_flags = EXT4_BG_INODE_ZEROED;
    if (vol.descSize < 64) continue;
    const high = new GroupDesc64(view, at);
    high.bg_block_bitmap_hi = Math.floor(blockBitmap / 0x1_0000_0000);
    high.bg_inode_bitmap_hi = Math.floor((blockBitmap + 1) / 0x1_0000_0000);
    high.bg_inode_table_hi = Math.floor((blockBitmap + 2) / 0x1_0000_0000);
  }
  const op = new Op(tx, vol, NOBODY);
  for (let index = 0; index < vol.groupCount; index++) {
    const group = op.group(index);
    const { blocks } = initBitmaps(tx, vol, group);
    group.freeBlocks = clearBitsIn(blocks, blocksIn(vol, index));
    group.freeInodes = vol.inodesPerGroup;
    if (has.metadataCsum(vol) || has.gdtCsum(vol)) group.itableUnused = vol.inodesPerGroup;
  }
  op.finish();
}

function clearBitsIn(bits: Uint8Array, end: number): number {
  let count = 0;
  for (let at = nextClear(bits, 0, end); at < end; ) {
    const stop = nextSet(bits, at, end);
    count += stop - at;
    at = nextClear(bits, stop, end);
  }
  return count;
}

function zeroTables(medium: Medium, op: Op, progress: Progress): void {
  const { vol } = op;
  for (let index = 0; index < vol.groupCount; index++) {
    progress('Writing inode tables', index, vol.groupCount);
    zero(medium, vol, { start: op.group(index).inodeTable, count: tableBlocks(vol) });
  }
  progress('Writing inode tables', vol.groupCount, vol.groupCount);
}

function zero(medium: Medium, vol: Volume, run: { start: number; count: number }): void {
  const zeroes = new Uint8Array(Math.min(ZERO_BYTES, run.count * vol.blockSize));
  const end = (run.start + run.count) * vol.blockSize;
  for (let at = run.start * vol.blockSize; at < end; at += zeroes.length)
    medium.write(at, zeroes.subarray(0, end - at));
}

interface Populate {
  readonly request: MkfsRequest;
  readonly progress: Progress;
}

/** The reserved inodes, the root with lost+found, the journal, and the superblock's counts. */
function populate(medium: Medium, op: Op, { request, progress }: Populate): void {
  const { vol } = op;
  const first = op.group(0);
  const reserved = vol.firstIno - 1;
  setBits(editInodeBitmap(op.tx, vol, first), 0, reserved);
  first.freeInodes -= reserved;
  if (has.metadataCsum(vol) || has.gdtCsum(vol)) first.itableUnused -= reserved;
  first.usedDirs = 1;
  const root = bornAs(op.inode(EXT4_ROOT_INO), S_IFDIR | 0o755);
  const { uid = 0, gid = 0 } = request.extras?.rootOwner ?? {};
  root.uid = uid;
  root.gid = gid;
  initDirectory(root, EXT4_ROOT_INO);
  root.links = 2;
  lostAndFound(op, root);
  if (has.journal(vol)) {
    progress('Creating journal', 0, 1);
    makeJournal(medium, op, request);
    progress('Creating journal', 1, 1);
  }
  const sb = op.editSuperblock();
  let blocks = 0;
  let inodesFree = 0;
  for (let index = 0; index < vol.groupCount; index++) {
    blocks += op.group(index).freeBlocks;
    inodesFree += op.group(index).freeInodes;
  }
  sb.s_free_blocks_count_lo = blocks >>> 0;
  sb.s_free_blocks_count_hi = Math.floor(blocks / 0x1_0000_0000);
  sb.s_free_inodes_count = inodesFree;
  op.finish();
  const { block, offset } = superblockAt(vol.blockSize);
  op.tx.edit(block, (b) => seal(b.bytes.subarray(offset)));
}

/** A reserved inode as it begins. */
function bornAs(inode: Inode, mode: number): Inode {
  const { tx, vol } = inode.op;
  inode.mode = mode;
  inode.links = 1;
  if (vol.inodeSize > 128) inode.extraIsize = vol.wantExtraIsize;
  inode.btime = tx.now;
  inode.atime = tx.now;
  inode.touch();
  initMap(inode);
  return inode;
}

/** Room for what fsck finds, so that it need not allocate any. special_inodes.rst. */
function lostAndFound(op: Op, root: Inode): void {
  // Born as a file: those are put beside their directory, and so it gets the first free inode.
  const inode = newInode(op, root, { mode: S_IFREG | 0o700, gid: 0 });
  inode.mode = S_IFDIR | 0o700;
  op.group(0).usedDirs += 1;
  inode.links = 2;
  initDirectory(inode, EXT4_ROOT_INO);
  if (inode.isInline) moveDirToBlock(inode);
  const blocks = Math.min(DIRECT_BLOCKS, Math.ceil(LOST_AND_FOUND_BYTES / op.vol.blockSize));
  while (inode.size < blocks * op.vol.blockSize)
    initLeaf(inode, growDir(inode, inode.leafSealing.seal).block);
  addEntry(root, { name: new TextEncoder().encode('lost+found'), ino: inode.ino, type: FT_DIR });
  root.links += 1;
}

/** An empty journal in inode 8, and the copy of its map in the superblock. journal.rst. */
function makeJournal(medium: Medium, op: Op, request: MkfsRequest): void {
  const { vol } = op;
  const wanted = request.journalBlocks ?? defaultJournalBlocks(vol.blocksCount);
  const inode = bornAs(op.inode(EXT4_JOURNAL_INO), S_IFREG | 0o600);
  for (let at = 0; at < wanted; ) {
    const run = fill(inode, { lblock: at, count: wanted - at, unwritten: false });
    zero(medium, vol, run);
    at += run.count;
  }
  inode.size = wanted * vol.blockSize;
  const head = op.tx.create(lookup(inode, 0).pblock ?? fail(ENOSPC));
  const journal = new JournalSuperblock(head.view);
  journal.h_magic = JBD2_MAGIC;
  journal.h_blocktype = JBD2_SUPERBLOCK_V2;
  journal.s_blocksize = vol.blockSize;
  journal.s_maxlen = wanted;
  journal.s_first = 1;
  journal.s_sequence = 1;
  journal.s_nr_users = 1;
  journal.s_uuid = vol.uuid;
  const sb = op.editSuperblock();
  const backup = new Uint8Array(68);
  backup.set(new Uint8Array(inode.raw.view.buffer, inode.raw.view.byteOffset + inode.blockAt, 60));
  const view = new DataView(backup.buffer);
  view.setUint32(60, Math.floor(inode.size / 0x1_0000_0000), true);
  view.setUint32(64, inode.size >>> 0, true);
  sb.s_jnl_blocks = backup;
  sb.s_jnl_backup_type = 1;
}

/** Copies of superblock and descriptors, in the groups that sparse_super names. */
function writeBackups(medium: Medium, vol: Volume, progress: Progress): void {
  const primary = medium.read(SUPERBLOCK_OFFSET, Superblock.size);
  const descriptors = descriptorBlocks(vol).map((no) =>
    medium.read(no * vol.blockSize, vol.blockSize),
  );
  progress('Writing superblocks and filesystem accounting information', 0, vol.groupCount);
  for (let index = 1; index < vol.groupCount; index++) {
    if (!hasSuper(vol, index)) continue;
    const copy = new Uint8Array(vol.blockSize);
    copy.set(primary);
    new Superblock(new DataView(copy.buffer)).s_block_group_nr = index;
    seal(copy.subarray(0, Superblock.size));
    const at = firstBlockOf(vol, index) * vol.blockSize;
    medium.write(at, copy);
    for (const [i, block] of descriptors.entries())
      medium.write(at + (i + 1) * vol.blockSize, block);
  }
  const done = vol.groupCount;
  progress('Writing superblocks and filesystem accounting information', done, done);
}
