// Attributes: what an entry keeps of them, and what the mount options say of the rest (modes.ts).

import { EISDIR, fail } from '../../kernel/abi/errno.ts';
import type { Timespec } from '../../kernel/abi/stat.ts';
import {
  type Attr,
  type FsStat,
  P9_GETATTR_ALL,
  P9_SETATTR_ATIME,
  P9_SETATTR_ATIME_SET,
  P9_SETATTR_MODE,
  P9_SETATTR_MTIME,
  P9_SETATTR_MTIME_SET,
  P9_SETATTR_SIZE,
  type SetAttr,
} from '../../kernel/ninep/types.ts';
import type { About, Format } from './format.ts';
import { modeOf, mustBeKept, withMode } from './modes.ts';
import { isFileIno, namelessFile, type Op, qidOf, ROOT_INO } from './op.ts';

type Attributes<O extends Op, Dir> = Pick<
  Format<O, Dir, never>,
  'about' | 'change' | 'truncate' | 'dirOf' | 'indexOf'
>;

export function getattr<O extends Op, Dir>(format: Attributes<O, Dir>, op: O, ino: number): Attr {
  const { vol, env } = op;
  const { attributes, size, atime, mtime, btime } = format.about(op, ino);
  return {
    valid: P9_GETATTR_ALL,
    qid: qidOf(ino),
    mode: modeOf(env.options, isFileIno(ino) ? attributes : undefined),
    uid: env.options.uid,
    gid: env.options.gid,
    nlink: linksOf(format, op, ino),
    rdev: 0,
    size,
    blksize: vol.clusterSize,
    blocks: (Math.ceil(size / vol.clusterSize) * vol.clusterSize) / 512,
    ...{ atime, mtime, ctime: mtime, btime },
    gen: 0,
    dataVersion: 0,
  };
}

function linksOf<O extends Op, Dir>(format: Attributes<O, Dir>, op: O, ino: number): number {
  if (namelessFile(op, ino) !== undefined) return 0;
  return isFileIno(ino) ? 1 : 2 + format.indexOf(op, format.dirOf(op, ino)).subdirectories;
}

export function setattr<O extends Op, Dir>(
  format: Attributes<O, Dir>,
  op: O,
  { ino, attr }: { ino: number; attr: SetAttr },
): void {
  const asks = (bit: number): boolean => (attr.valid & bit) !== 0;
  const isFile = isFileIno(ino);
  mustBeKept(op.env.options, attr);
  if (asks(P9_SETATTR_SIZE) && !isFile) fail(EISDIR);
  if (ino === ROOT_INO) return; // it has no entry
  if (asks(P9_SETATTR_SIZE)) format.truncate(op, ino, attr.size);
  const change: { -readonly [K in keyof About]?: About[K] } = {};
  if (asks(P9_SETATTR_MODE) && isFile) {
    const { attributes } = format.about(op, ino);
    const changed = withMode(op.env.options, attributes, attr.mode);
    if (changed !== attributes) change.attributes = changed;
  }
  const timeOf = (time: Timespec, set: number): Timespec => (asks(set) ? time : op.tx.now);
  if (asks(P9_SETATTR_ATIME)) change.atime = timeOf(attr.atime, P9_SETATTR_ATIME_SET);
  if (asks(P9_SETATTR_MTIME)) change.mtime = timeOf(attr.mtime, P9_SETATTR_MTIME_SET);
  if (Object.keys(change).length > 0) format.change(op, ino, change);
}

export const statfs = ({ vol, env }: Op, magic: number): FsStat => ({
  type: magic,
  bsize: vol.clusterSize,
  blocks: vol.clusterEnd - 2,
  bfree: env.free.total,
  bavail: env.free.total,
  files: 0,
  ffree: 0,
  fsid: vol.serial,
  namelen: 255,
});
