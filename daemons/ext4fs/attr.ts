// What stat, chmod, truncate and statfs ask: attributes of an inode and of the volume.

import { S_IFBLK, S_IFCHR, S_IFMT } from '../../kernel/abi/constants.ts';
import { EFBIG, EINVAL, EISDIR, fail } from '../../kernel/abi/errno.ts';
import {
  type Attr,
  type FsStat,
  P9_GETATTR_ALL,
  P9_SETATTR_ATIME,
  P9_SETATTR_ATIME_SET,
  P9_SETATTR_CTIME,
  P9_SETATTR_GID,
  P9_SETATTR_MODE,
  P9_SETATTR_MTIME,
  P9_SETATTR_MTIME_SET,
  P9_SETATTR_SIZE,
  P9_SETATTR_UID,
  type Qid,
  QTDIR,
  QTFILE,
  QTSYMLINK,
  type SetAttr,
} from '../../kernel/ninep/types.ts';
import { resizeInline } from './inode/inline.ts';
import type { Inode } from './inode/inode.ts';
import { truncateToSize } from './inode/lifecycle.ts';
import { mustBeKnown } from './inode/refused.ts';
import { maxFileSize } from './map/map.ts';
import { EXT4_SUPER_MAGIC } from './ondisk.ts';
import type { Op } from './op.ts';
import { descriptorBlocks } from './volume/group.ts';

export const qidOf = (inode: Inode): Qid => ({
  type: inode.isDir ? QTDIR : inode.isSymlink ? QTSYMLINK : QTFILE,
  version: inode.raw.i_version,
  path: inode.ino,
});

export const getattr = (inode: Inode): Attr => ({
  valid: P9_GETATTR_ALL,
  qid: qidOf(inode),
  mode: inode.mode,
  uid: inode.uid,
  gid: inode.gid,
  nlink: inode.links,
  rdev: readDevice(inode),
  size: inode.size,
  blksize: inode.op.vol.blockSize,
  blocks: inode.sectors,
  atime: inode.atime,
  mtime: inode.mtime,
  ctime: inode.ctime,
  btime: inode.btime,
  gen: inode.generation,
  dataVersion: inode.raw.i_version,
});

export function setattr(inode: Inode, attr: SetAttr): void {
  const { now } = inode.op.tx;
  const asks = (bit: number): boolean => (attr.valid & bit) !== 0;
  if (asks(P9_SETATTR_MODE)) inode.mode = (inode.mode & S_IFMT) | (attr.mode & 0o7777);
  if (asks(P9_SETATTR_UID)) inode.uid = attr.uid;
  if (asks(P9_SETATTR_GID)) inode.gid = attr.gid;
  if (asks(P9_SETATTR_SIZE)) resize(inode, attr.size);
  if (asks(P9_SETATTR_ATIME)) inode.atime = asks(P9_SETATTR_ATIME_SET) ? attr.atime : now;
  if (asks(P9_SETATTR_MTIME)) inode.mtime = asks(P9_SETATTR_MTIME_SET) ? attr.mtime : now;
  if (asks(P9_SETATTR_CTIME) || attr.valid !== 0) inode.ctime = now;
}

export function resize(inode: Inode, size: number): void {
  if (inode.isDir) fail(EISDIR);
  if (!inode.isRegular) fail(EINVAL);
  mustBeKnown(inode);
  if (size > maxFileSize(inode)) fail(EFBIG);
  if (inode.isInline) {
    resizeInline(inode, size);
    inode.touch();
    return;
  }
  const old = inode.size;
  inode.size = size;
  // Also when it does not change: a repeated request goes on with what the first one left.
  if (size <= old) truncateToSize(inode);
  inode.touch();
}

// Linux keeps small device numbers as 8:8 bits in the first word, others as 12:20 in the second.
const WORD0 = 0;
const WORD1 = 4;

const isDevice = (inode: Inode): boolean => {
  const type = inode.mode & S_IFMT;
  return type === S_IFCHR || type === S_IFBLK;
};

function readDevice(inode: Inode): number {
  if (!isDevice(inode)) return 0;
  const { view } = inode.raw;
  const old = view.getUint32(inode.blockAt + WORD0, true);
  return old !== 0 ? old & 0xffff : view.getUint32(inode.blockAt + WORD1, true);
}

export function writeDevice(inode: Inode, major: number, minor: number): void {
  if (!isDevice(inode)) return;
  const { view } = inode.edit();
  if (major < 256 && minor < 256) {
    view.setUint32(inode.blockAt + WORD0, (major << 8) | minor, true);
    return;
  }
  const packed = (minor & 0xff) | ((major & 0xfff) << 8) | ((minor & ~0xff) << 12);
  view.setUint32(inode.blockAt + WORD1, packed >>> 0, true);
}

export interface Totals {
  freeBlocks: number;
  freeInodes: number;
}

/** The sums over all groups; the superblock's own counts are brought up to date only at times. */
export function totals(op: Op): Totals {
  op.tx.need(descriptorBlocks(op.vol));
  let freeBlocks = 0;
  let freeInodes = 0;
  for (let g = 0; g < op.vol.groupCount; g++) {
    const group = op.group(g);
    freeBlocks += group.freeBlocks;
    freeInodes += group.freeInodes;
  }
  return { freeBlocks, freeInodes };
}

export function statfs(op: Op): FsStat {
  const { vol } = op;
  const { freeBlocks, freeInodes } = totals(op);
  const overhead = op.readSuperblock().s_overhead_blocks;
  const bfree = freeBlocks * vol.clusterRatio;
  const uuid = new DataView(vol.uuid.buffer, vol.uuid.byteOffset);
  return {
    type: EXT4_SUPER_MAGIC,
    bsize: vol.blockSize,
    blocks: vol.blocksCount - (overhead < vol.blocksCount ? overhead : 0),
    bfree,
    bavail: Math.max(0, bfree - vol.reservedBlocks),
    files: vol.inodesCount,
    ffree: freeInodes,
    fsid: (uuid.getUint32(0, true) ^ uuid.getUint32(8, true)) >>> 0,
    namelen: 255,
  };
}
