// A file system in memory: ramfs at '/', tmpfs at /tmp. Files live until their last name and their
// last fid are gone. POSIX.1-2017 has the rules; the errors are Linux's where POSIX gives a choice.

import {
  dtype,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  O_TRUNC,
  PATH_MAX,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  S_ISGID,
  SEEK_DATA,
} from '../abi/constants.ts';
import {
  EEXIST,
  EINVAL,
  EISDIR,
  EMLINK,
  ENAMETOOLONG,
  ENODEV,
  ENOENT,
  ENOSPC,
  ENOTDIR,
  ENOTEMPTY,
  ENXIO,
  EOPNOTSUPP,
  EPERM,
  fail,
  PosixError,
} from '../abi/errno.ts';
import { compareTimespec, type Timespec } from '../abi/stat.ts';
import { textSize } from '../abi/text.ts';
import type { DirSink, FileServer } from '../ninep/file-server.ts';
import {
  AT_REMOVEDIR,
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
  type SetAttr,
} from '../ninep/types.ts';
import type { Caller } from './caller.ts';
import { type ChunkStore, FileData, Quota } from './mem-data.ts';
import { MemDir, type MemNode, makeDev, qidType } from './mem-node.ts';
import { getXattr, setXattr } from './mem-xattr.ts';

export interface MemFsOptions {
  readonly now: () => Timespec;
  readonly chunks: ChunkStore;
  readonly maxFileBytes?: number; // EFBIG beyond
  readonly maxTotalBytes?: number; // ENOSPC beyond
  readonly maxFiles?: number; // ENOSPC beyond
  readonly rootMode?: number; // permission bits
  /** statfs f_type: TMPFS_MAGIC unless told. */
  readonly magic?: number;
}

const MIB = 1024 * 1024;
const TMPFS_MAGIC = 0x0102_1994;
export const RAMFS_MAGIC = 0x8584_58f6;
const BLOCK = 4096; // what statfs and stat count in
const DIRENT_SIZE = 20; // bytes that a name adds to the size of its directory, as Linux's tmpfs has it
const LINK_MAX = 65000;

export class MemFs implements FileServer<MemNode, Caller> {
  readonly readOnly = false;
  readonly root: MemNode;
  readonly #now: () => Timespec;
  readonly #chunks: ChunkStore;
  readonly #quota: Quota;
  readonly #maxFileBytes: number;
  readonly #maxFiles: number;
  readonly #magic: number;
  #files = 0;
  #nextIno = 1;

  constructor(options: MemFsOptions) {
    this.#now = options.now;
    this.#chunks = options.chunks;
    this.#quota = new Quota(options.maxTotalBytes ?? 64 * MIB);
    this.#maxFileBytes = options.maxFileBytes ?? 16 * MIB;
    this.#maxFiles = options.maxFiles ?? 1 << 18;
    this.#magic = options.magic ?? TMPFS_MAGIC;
    const mode = S_IFDIR | (options.rootMode ?? 0o755);
    this.root = this.#make({ mode, uid: 0, gid: 0, dir: new MemDir(undefined) });
  }

  attach(): MemNode {
    return this.root;
  }

  qid(_caller: Caller, node: MemNode): Qid {
    return { type: qidType(node.mode), version: node.version >>> 0, path: node.ino };
  }

  walk(_caller: Caller, node: MemNode, name: string): MemNode | undefined {
    const dir = directory(node);
    return name === '..' ? (dir.parent ?? node) : dir.get(name);
  }

  open(_caller: Caller, node: MemNode, flags: number): void {
    if ((flags & O_TRUNC) !== 0 && node.data !== undefined) this.#truncate(node, 0);
  }

  /** The last fid is gone: so is the file, when it has no name. */
  forget(_caller: Caller, node: MemNode): void {
    if (node.nlink > 0) return;
    node.data?.truncate(0);
    for (const [name] of node.xattrs ?? []) setXattr(this.#quota, node, { name, flags: 0 });
  }

  getattr(_caller: Caller, node: MemNode): Attr {
    const allocated = node.data?.allocated ?? 0;
    return {
      valid: P9_GETATTR_ALL,
      qid: this.qid(_caller, node),
      mode: node.mode,
      uid: node.uid,
      gid: node.gid,
      nlink: node.nlink,
      rdev: node.rdev,
      size: sizeOf(node),
      blksize: BLOCK,
      blocks: Math.ceil(allocated / BLOCK) * (BLOCK / 512),
      atime: node.atime,
      mtime: node.mtime,
      ctime: node.ctime,
      btime: node.btime,
      gen: 0,
      dataVersion: node.version,
    };
  }

  setattr(_caller: Caller, node: MemNode, attr: SetAttr): void {
    const { valid } = attr;
    const has = (bit: number): boolean => (valid & bit) !== 0;
    const now = this.#now();
    if (has(P9_SETATTR_SIZE)) this.#truncate(node, attr.size);
    if (has(P9_SETATTR_MODE)) node.mode = (node.mode & S_IFMT) | (attr.mode & 0o7777);
    if (has(P9_SETATTR_UID)) node.uid = attr.uid;
    if (has(P9_SETATTR_GID)) node.gid = attr.gid;
    if (has(P9_SETATTR_ATIME)) node.atime = has(P9_SETATTR_ATIME_SET) ? attr.atime : now;
    if (has(P9_SETATTR_MTIME)) node.mtime = has(P9_SETATTR_MTIME_SET) ? attr.mtime : now;
    node.ctime = now;
  }

  #truncate(node: MemNode, size: number): void {
    if (node.data === undefined) throw new PosixError(EINVAL, 'only a regular file has a size');
    node.data.truncate(size);
    this.#changed(node);
  }

  statfs(): FsStat {
    const free = Math.floor((this.#quota.max - this.#quota.used) / BLOCK);
    return {
      type: this.#magic,
      bsize: BLOCK,
      blocks: Math.floor(this.#quota.max / BLOCK),
      bfree: free,
      bavail: free,
      files: this.#maxFiles,
      ffree: this.#maxFiles - this.#files,
      fsid: 0,
      namelen: 255,
    };
  }

  read(_caller: Caller, node: MemNode, offset: number, into: Uint8Array): number {
    if (node.data === undefined) throw new PosixError(EINVAL, 'only a regular file is read');
    if (compareTimespec(node.atime, node.mtime) <= 0) node.atime = this.#now(); // as relatime does
    return node.data.read(offset, into);
  }

  write(_caller: Caller, node: MemNode, offset: number, from: Uint8Array): number {
    if (node.data === undefined) throw new PosixError(EINVAL, 'only a regular file is written');
    const count = node.data.write(offset, from);
    this.#changed(node);
    return count;
  }

  allocate(
    _caller: Caller,
    node: MemNode,
    { mode, offset, length }: { mode: number; offset: number; length: number },
  ): number {
    const { data } = node;
    if (data === undefined) throw new PosixError(ENODEV, 'only a regular file has room reserved');
    const kind = mode & ~FALLOC_FL_KEEP_SIZE;
    const known = [0, FALLOC_FL_PUNCH_HOLE, FALLOC_FL_ZERO_RANGE];
    if (!known.includes(kind)) throw new PosixError(EOPNOTSUPP, `fallocate mode ${mode}`);
    if (kind !== 0) data.punch(offset, length);
    if (kind !== FALLOC_FL_PUNCH_HOLE) data.reserve(offset, length);
    const end = offset + length;
    if (mode === kind && kind !== FALLOC_FL_PUNCH_HOLE && end > data.size) data.truncate(end);
    this.#changed(node);
    return length;
  }

  seek(
    _caller: Caller,
    { data }: MemNode,
    { offset, whence }: { offset: number; whence: number },
  ): { offset: number; found: boolean } {
    if (data === undefined || offset >= data.size) throw new PosixError(ENXIO);
    const at = data.seek(offset, whence === SEEK_DATA ? 'data' : 'hole');
    if (whence === SEEK_DATA && at >= data.size) throw new PosixError(ENXIO);
    return { offset: at, found: true };
  }

  readdir(caller: Caller, node: MemNode, offset: number, sink: DirSink): void {
    const dir = directory(node);
    const dots = [
      { name: '.', cookie: 1, node },
      { name: '..', cookie: 2, node: dir.parent ?? node },
    ];
    for (const dot of dots) if (offset < dot.cookie && !this.#add(caller, sink, dot)) return;
    for (const entry of dir.after(offset)) if (!this.#add(caller, sink, entry)) return;
  }

  #add(
    caller: Caller,
    sink: DirSink,
    { name, cookie, node }: { name: string; cookie: number; node: MemNode },
  ): boolean {
    const type = dtype(node.mode);
    return sink.add({ qid: this.qid(caller, node), offset: cookie, type, name });
  }

  readlink(_caller: Caller, node: MemNode): string {
    return node.target;
  }

  create(
    caller: Caller,
    dir: MemNode,
    { name, mode, gid }: { name: string; mode: number; gid: number },
  ): MemNode {
    return this.mknod(caller, dir, {
      name,
      mode: S_IFREG | (mode & 0o7777),
      major: 0,
      minor: 0,
      gid,
    });
  }

  mkdir(
    caller: Caller,
    dir: MemNode,
    { name, mode, gid }: { name: string; mode: number; gid: number },
  ): MemNode {
    this.#checkNew(dir, name);
    if (dir.nlink >= LINK_MAX) throw new PosixError(EMLINK, name);
    const inherited = dir.mode & S_ISGID;
    const node = this.#make({
      mode: S_IFDIR | (mode & 0o7777) | inherited,
      uid: caller.uid,
      gid: inherited ? dir.gid : gid,
      dir: new MemDir(dir),
    });
    dir.nlink++;
    this.#enter(dir, name, node);
    return node;
  }

  symlink(
    caller: Caller,
    dir: MemNode,
    { name, target, gid }: { name: string; target: string; gid: number },
  ): MemNode {
    this.#checkNew(dir, name);
    if (target === '') throw new PosixError(ENOENT, `${name}: empty target`);
    if (textSize(target) >= PATH_MAX) throw new PosixError(ENAMETOOLONG, name);
    const node = this.#make({
      mode: S_IFLNK | 0o777,
      uid: caller.uid,
      gid: (dir.mode & S_ISGID) !== 0 ? dir.gid : gid,
      target,
    });
    this.#enter(dir, name, node);
    return node;
  }

  mknod(
    caller: Caller,
    dir: MemNode,
    request: { name: string; mode: number; major: number; minor: number; gid: number },
  ): MemNode {
    const { name, mode, major, minor, gid } = request;
    this.#checkNew(dir, name);
    const type = mode & S_IFMT || S_IFREG;
    if (!nodeTypes.has(type)) throw new PosixError(EINVAL, `${name}: type of mode ${mode}`);
    const isDevice = type === S_IFCHR || type === S_IFBLK;
    const node = this.#make({
      mode: type | (mode & 0o7777),
      uid: caller.uid,
      gid: (dir.mode & S_ISGID) !== 0 ? dir.gid : gid,
      rdev: isDevice ? makeDev(major, minor) : 0,
    });
    this.#enter(dir, name, node);
    return node;
  }

  link(_caller: Caller, dir: MemNode, node: MemNode, name: string): void {
    this.#checkNew(dir, name);
    if (node.dir !== undefined) throw new PosixError(EPERM, name);
    if (node.nlink === 0) throw new PosixError(ENOENT, `${name}: the file was removed`);
    if (node.nlink >= LINK_MAX) throw new PosixError(EMLINK, name);
    node.nlink++;
    node.ctime = this.#now();
    this.#enter(dir, name, node);
  }

  unlink(_caller: Caller, dir: MemNode, name: string, flags: number): void {
    const node = directory(dir).get(name) ?? fail(ENOENT, name);
    if ((flags & AT_REMOVEDIR) !== 0) {
      if (node.dir === undefined) throw new PosixError(ENOTDIR, name);
      if (node.dir.size > 0) throw new PosixError(ENOTEMPTY, name);
    } else if (node.dir !== undefined) throw new PosixError(EISDIR, name);
    directory(dir).delete(name);
    this.#changed(dir);
    this.#loseName(dir, node);
  }

  rename(
    _caller: Caller,
    from: { dir: MemNode; name: string },
    to: { dir: MemNode; name: string },
  ): void {
    const node = directory(from.dir).get(from.name) ?? fail(ENOENT, from.name);
    const old = directory(to.dir).get(to.name);
    if (old === node) return; // two names of one file: both stay
    if (to.dir.nlink === 0) throw new PosixError(ENOENT, to.name);
    if (node.dir !== undefined && isInside(to.dir, node)) {
      throw new PosixError(EINVAL, 'a directory cannot move into itself');
    }
    if (old !== undefined && isInside(from.dir, old)) throw new PosixError(ENOTEMPTY, to.name);
    if (old !== undefined) checkReplace(node, old, to.name);
    directory(from.dir).delete(from.name);
    directory(to.dir).set(to.name, node);
    if (node.dir !== undefined) {
      node.dir.parent = to.dir;
      from.dir.nlink--;
      to.dir.nlink++;
    }
    node.ctime = this.#now();
    if (old !== undefined) this.#loseName(to.dir, old);
    this.#changed(from.dir);
    this.#changed(to.dir);
  }

  getxattr(_caller: Caller, node: MemNode, name: string): Uint8Array {
    return getXattr(node, name);
  }

  setxattr(
    _caller: Caller,
    node: MemNode,
    name: string,
    value: Uint8Array | undefined,
    flags: number,
  ): void {
    setXattr(this.#quota, node, { name, value, flags });
    node.ctime = this.#now();
  }

  /** Bytes that the file system takes; for /proc/meminfo and tests. */
  get usedBytes(): number {
    return this.#quota.used;
  }

  #make(
    wanted: Pick<MemNode, 'mode' | 'uid' | 'gid'> &
      Partial<Pick<MemNode, 'dir' | 'rdev' | 'target'>>,
  ): MemNode {
    const { mode, uid, gid, dir, rdev = 0, target = '' } = wanted;
    if (this.#files >= this.#maxFiles) throw new PosixError(ENOSPC, 'no more files');
    this.#files++;
    const now = this.#now();
    const limits = { quota: this.#quota, chunks: this.#chunks, maxFileBytes: this.#maxFileBytes };
    return {
      ino: this.#nextIno++,
      mode,
      uid,
      gid,
      nlink: dir ? 2 : 1,
      rdev,
      atime: now,
      mtime: now,
      ctime: now,
      btime: now,
      version: 0,
      data: (mode & S_IFMT) === S_IFREG ? new FileData(limits) : undefined,
      dir,
      target,
      xattrs: undefined,
    };
  }

  #checkNew(dir: MemNode, name: string): void {
    if (directory(dir).get(name) !== undefined) throw new PosixError(EEXIST, name);
    if (dir.nlink === 0) throw new PosixError(ENOENT, `${name}: its directory was removed`);
  }

  #enter(dir: MemNode, name: string, node: MemNode): void {
    directory(dir).set(name, node);
    this.#changed(dir);
  }

  #loseName(dir: MemNode, node: MemNode): void {
    node.ctime = this.#now();
    if (node.dir !== undefined) {
      node.nlink = 0;
      dir.nlink--;
    } else node.nlink--;
    if (node.nlink === 0) this.#files--;
  }

  #changed(node: MemNode): void {
    node.version++;
    node.mtime = this.#now();
    node.ctime = node.mtime;
  }
}

const nodeTypes: ReadonlySet<number> = new Set([S_IFREG, S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK]);

function directory(node: MemNode): MemDir {
  return node.dir ?? fail(ENOTDIR, `file ${node.ino}`);
}

function sizeOf(node: MemNode): number {
  if (node.dir !== undefined) return (node.dir.size + 2) * DIRENT_SIZE;
  return node.data?.size ?? textSize(node.target);
}

/** Is `dir` this node, or somewhere below it? */
function isInside(dir: MemNode, node: MemNode): boolean {
  for (let at: MemNode | undefined = dir; at !== undefined; at = at.dir?.parent) {
    if (at === node) return true;
  }
  return false;
}

function checkReplace(node: MemNode, old: MemNode, name: string): void {
  if (node.dir === undefined && old.dir !== undefined) throw new PosixError(EISDIR, name);
  if (node.dir !== undefined && old.dir === undefined) throw new PosixError(ENOTDIR, name);
  if (old.dir !== undefined && old.dir.size > 0) throw new PosixError(ENOTEMPTY, name);
}
