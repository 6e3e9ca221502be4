// What stat, chmod, truncate and statfs ask. Classic HFS keeps neither modes nor owners: the mount's
// options say them, and a file that is locked is one that nobody may write.

import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../../kernel/abi/constants.ts';
import { EISDIR, EPERM, fail } from '../../kernel/abi/errno.ts';
import type { Timespec } from '../../kernel/abi/stat.ts';
import {
  type Attr,
  type FsStat,
  P9_GETATTR_ALL,
  P9_SETATTR_ATIME,
  P9_SETATTR_ATIME_SET,
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
import { type Item, isLockedItem } from './catalog/item.ts';
import { isLinked, isNameless } from './catalog/private.ts';
import { resize } from './data.ts';
import { FILE_LOCKED, MAC_EPOCH } from './ondisk.ts';
import type { Op } from './op.ts';

/** Who owns what the volume says nothing of. */
export interface Defaults {
  readonly uid: number;
  readonly gid: number;
  readonly umask: number;
}

export const qidOf = (op: Op, item: Item): Qid => {
  const type = modeOf(op, item, { umask: 0 }) & S_IFMT;
  const qtype = type === S_IFDIR ? QTDIR : type === S_IFLNK ? QTSYMLINK : QTFILE;
  return { type: qtype, version: (item.modified ^ (item.data.size << 3)) >>> 0, path: item.cnid };
};

/** The whole mode; what the record lacks, or has of another kind of file, is the mount's. */
export function modeOf(op: Op, item: Item, { umask }: Pick<Defaults, 'umask'>): number {
  const type = item.mode & S_IFMT;
  if (op.vol.kind === 'hfs+' && item.kind === 'folder' && type === S_IFDIR) return item.mode;
  if (item.kind === 'folder') return S_IFDIR | (0o777 & ~umask);
  if (op.vol.kind === 'hfs+' && type !== 0 && type !== S_IFDIR) return item.mode;
  return S_IFREG | ((isLockedItem(item) ? 0o444 : 0o666) & ~umask);
}

export function getattr(op: Op, item: Item, defaults: Defaults): Attr {
  const { vol } = op;
  const kept = vol.kind === 'hfs+' && (item.mode & S_IFMT) !== 0;
  const mode = modeOf(op, item, defaults);
  const device = (mode & S_IFMT) === S_IFCHR || (mode & S_IFMT) === S_IFBLK;
  return {
    valid: P9_GETATTR_ALL,
    qid: qidOf(op, item),
    mode,
    uid: kept ? item.uid : defaults.uid,
    gid: kept ? item.gid : defaults.gid,
    nlink: isNameless(op, item) ? 0 : isLinked(op, item) ? item.special : 1,
    rdev: device ? item.special : 0,
    size: item.kind === 'folder' ? item.valence : item.data.size,
    blksize: Math.max(4096, vol.allocSize),
    blocks: ((item.data.blocks + item.resources.blocks) * vol.allocSize) / 512,
    atime: timeOf(item.accessed),
    mtime: timeOf(item.modified),
    ctime: timeOf(item.changed),
    btime: timeOf(item.created),
    gen: 0,
    dataVersion: 0,
  };
}

const timeOf = (date: number): Timespec => ({ sec: date - MAC_EPOCH, nsec: 0 });
const dateOf = ({ sec }: Timespec): number => Math.min(Math.max(0, sec + MAC_EPOCH), 0xffff_ffff);

export function setattr(op: Op, item: Item, attr: SetAttr): void {
  const asks = (bit: number): boolean => (attr.valid & bit) !== 0;
  if (op.vol.kind === 'hfs') setClassic(item, attr);
  else {
    if (asks(P9_SETATTR_MODE | P9_SETATTR_UID | P9_SETATTR_GID) && (item.mode & S_IFMT) === 0)
      item.mode = modeOf(op, item, { umask: 0o22 });
    if (asks(P9_SETATTR_MODE)) item.mode = (item.mode & S_IFMT) | (attr.mode & 0o7777);
    if (asks(P9_SETATTR_UID)) item.uid = attr.uid;
    if (asks(P9_SETATTR_GID)) item.gid = attr.gid;
  }
  if (asks(P9_SETATTR_SIZE)) {
    if (item.kind === 'folder') fail(EISDIR);
    resize(op, item, attr.size);
    item.modified = op.now;
  }
  if (asks(P9_SETATTR_ATIME))
    item.accessed = asks(P9_SETATTR_ATIME_SET) ? dateOf(attr.atime) : op.now;
  if (asks(P9_SETATTR_MTIME))
    item.modified = asks(P9_SETATTR_MTIME_SET) ? dateOf(attr.mtime) : op.now;
  item.changed = op.now;
  op.catalog.save(item);
}

/** A file without any write permission is a locked one; nothing else of a mode can be kept. */
function setClassic(item: Item, attr: SetAttr): void {
  if ((attr.valid & (P9_SETATTR_UID | P9_SETATTR_GID)) !== 0) fail(EPERM);
  if ((attr.valid & P9_SETATTR_MODE) === 0 || item.kind === 'folder') return;
  item.flags = (attr.mode & 0o222) === 0 ? item.flags | FILE_LOCKED : item.flags & ~FILE_LOCKED;
}

const HFS_MAGIC = 0x4244;
const HFSPLUS_MAGIC = 0x482b;
const HFSX_MAGIC = 0x4858;

export function statfs(op: Op, reserved: number): FsStat {
  const { vol, head } = op;
  const free = Math.max(0, head.freeBlocks - reserved);
  return {
    type: vol.kind === 'hfs' ? HFS_MAGIC : vol.caseSensitive ? HFSX_MAGIC : HFSPLUS_MAGIC,
    bsize: vol.allocSize,
    blocks: vol.allocCount,
    bfree: free,
    bavail: free,
    files: head.files + head.folders,
    ffree: 0xffff_ffff - head.nextCnid,
    fsid: ((vol.identity[0] ?? 0) ^ (vol.identity[1] ?? 0)) >>> 0,
    namelen: vol.names.longest,
  };
}
