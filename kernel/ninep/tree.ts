// A synthetic tree as a file server: /proc, /dev, a driver's /dev/sd. Its files are described by
// TreeNodes, made when the tree is built or each time that somebody looks.

import { dtype, O_ACCMODE, O_RDONLY, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../abi/constants.ts';
import { EACCES, EEXIST, EINVAL, ENOENT, EPERM, fail, PosixError } from '../abi/errno.ts';
import type { Timespec } from '../abi/stat.ts';
import { encodeText, textSize } from '../abi/text.ts';
import type { DirSink, FileServer, Now } from './file-server.ts';
import {
  type Attr,
  type FsStat,
  P9_GETATTR_BASIC,
  P9_SETATTR_GID,
  P9_SETATTR_MODE,
  P9_SETATTR_UID,
  type Qid,
  QTDIR,
  QTFILE,
  QTSYMLINK,
  type SetAttr,
} from './types.ts';

/** A file of the tree. What it has tells what it is: children, a link, a text, or raw bytes. */
export interface TreeNode<C> {
  readonly name: string;
  /** Permission bits, with S_IF* when it is not what it seems (a device). */
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly rdev?: number;
  /** Tells this file from an earlier one of the same path: a process from one that had its pid. */
  readonly incarnation?: number;
  /** A directory: a list that stays, or a look at what there is now. */
  readonly children?: readonly TreeNode<C>[] | ((ctx: C) => readonly TreeNode<C>[]);
  /** One child of a directory whose list is long to make. */
  lookup?(ctx: C, name: string): TreeNode<C> | undefined;
  link?(ctx: C): string;
  /** Taken once, when the file is opened, so that reads at several offsets fit together. */
  text?(ctx: C): string;
  read?(ctx: C, offset: number, into: Uint8Array): Now<number>;
  write?(ctx: C, offset: number, from: Uint8Array): Now<number>;
  fsync?(ctx: C): Now<void>;
  size?(ctx: C): number;
}

/** The server's handle: a node, where it is, and what was taken at its opening. */
export interface TreeFile<C> {
  readonly node: TreeNode<C>;
  readonly parent: TreeFile<C> | undefined;
  readonly path: number; // qid.path
  readonly snapshot?: Uint8Array;
}

export interface TreeOptions {
  readonly now?: () => Timespec;
  /** statfs f_type. */
  readonly magic?: number;
}

const ROOT_PATH = 1;
const FIRST_COOKIE = 3; // 1 and 2 stand behind '.' and '..'
const EPOCH: Timespec = { sec: 0, nsec: 0 };

export class TreeServer<C> implements FileServer<TreeFile<C>, C> {
  readonly readOnly = false;
  readonly #root: TreeFile<C>;
  readonly #made: Timespec;
  readonly #magic: number;

  constructor(root: TreeNode<C>, options: TreeOptions = {}) {
    this.#root = { node: root, parent: undefined, path: ROOT_PATH };
    this.#made = options.now?.() ?? EPOCH;
    this.#magic = options.magic ?? 0;
  }

  attach(): TreeFile<C> {
    return this.#root;
  }

  qid(_ctx: C, file: TreeFile<C>): Qid {
    const type = modeOf(file.node) & S_IFMT;
    const bits = type === S_IFDIR ? QTDIR : type === S_IFLNK ? QTSYMLINK : QTFILE;
    return { type: bits, version: 0, path: file.path };
  }

  walk(ctx: C, dir: TreeFile<C>, name: string): TreeFile<C> | undefined {
    if (name === '..') return dir.parent ?? dir;
    const node = dir.node.lookup
      ? dir.node.lookup(ctx, name)
      : childrenOf(ctx, dir.node).find((child) => child.name === name);
    return node && below(dir, node);
  }

  open(ctx: C, file: TreeFile<C>, flags: number): TreeFile<C> {
    const { node } = file;
    if ((flags & O_ACCMODE) !== O_RDONLY && node.write === undefined) {
      throw new PosixError(EACCES, `${node.name} is not written`);
    }
    return node.text ? { ...file, snapshot: encodeText(node.text(ctx)) } : file;
  }

  getattr(ctx: C, file: TreeFile<C>): Attr {
    const { node } = file;
    const mode = modeOf(node);
    const time = this.#made;
    return {
      valid: P9_GETATTR_BASIC,
      qid: this.qid(ctx, file),
      mode,
      uid: node.uid ?? 0,
      gid: node.gid ?? 0,
      nlink: (mode & S_IFMT) === S_IFDIR ? 2 : 1,
      rdev: node.rdev ?? 0,
      size: node.link ? textSize(node.link(ctx)) : (node.size?.(ctx) ?? 0),
      blksize: 4096,
      blocks: 0,
      atime: time,
      mtime: time,
      ctime: time,
      btime: EPOCH,
      gen: 0,
      dataVersion: 0,
    };
  }

  /** Truncating and touching do nothing, as on a device; owners and modes are the tree's own. */
  setattr(_ctx: C, file: TreeFile<C>, attr: SetAttr): void {
    if ((attr.valid & (P9_SETATTR_MODE | P9_SETATTR_UID | P9_SETATTR_GID)) !== 0) {
      throw new PosixError(EPERM, `${file.node.name} keeps its mode and owner`);
    }
  }

  statfs(): FsStat {
    return {
      type: this.#magic,
      bsize: 4096,
      blocks: 0,
      bfree: 0,
      bavail: 0,
      files: 0,
      ffree: 0,
      fsid: 0,
      namelen: 255,
    };
  }

  read(ctx: C, file: TreeFile<C>, offset: number, into: Uint8Array): Now<number> {
    const { node } = file;
    const text = file.snapshot ?? (node.text && encodeText(node.text(ctx)));
    if (text !== undefined) {
      const part = text.subarray(offset, offset + into.length);
      into.set(part);
      return part.length;
    }
    if (node.read === undefined) throw new PosixError(EINVAL, `${node.name} is not read`);
    return node.read(ctx, offset, into);
  }

  write(ctx: C, file: TreeFile<C>, offset: number, from: Uint8Array): Now<number> {
    const { node } = file;
    if (node.write === undefined) throw new PosixError(EINVAL, `${node.name} is not written`);
    return node.write(ctx, offset, from);
  }

  fsync(ctx: C, file: TreeFile<C>): Now<void> {
    return file.node.fsync?.(ctx);
  }

  create(ctx: C, dir: TreeFile<C>, { name }: { name: string }): TreeFile<C> {
    return this.#refuse(ctx, dir, name);
  }

  mkdir(ctx: C, dir: TreeFile<C>, { name }: { name: string }): TreeFile<C> {
    return this.#refuse(ctx, dir, name);
  }

  symlink(ctx: C, dir: TreeFile<C>, { name }: { name: string }): TreeFile<C> {
    return this.#refuse(ctx, dir, name);
  }

  mknod(ctx: C, dir: TreeFile<C>, { name }: { name: string }): TreeFile<C> {
    return this.#refuse(ctx, dir, name);
  }

  link(ctx: C, dir: TreeFile<C>, _file: TreeFile<C>, name: string): void {
    this.#refuse(ctx, dir, name);
  }

  unlink(ctx: C, dir: TreeFile<C>, name: string): void {
    fail(this.walk(ctx, dir, name) ? EPERM : ENOENT, name);
  }

  rename(ctx: C, from: { dir: TreeFile<C>; name: string }): void {
    this.unlink(ctx, from.dir, from.name);
  }

  /** Names come and go with what the tree shows, not by request. */
  #refuse(ctx: C, dir: TreeFile<C>, name: string): never {
    return fail(this.walk(ctx, dir, name) ? EEXIST : EPERM, name);
  }

  readlink(ctx: C, file: TreeFile<C>): string {
    return file.node.link?.(ctx) ?? '';
  }

  readdir(ctx: C, dir: TreeFile<C>, offset: number, sink: DirSink): void {
    const dots = [
      { name: '.', cookie: 1, file: dir },
      { name: '..', cookie: 2, file: dir.parent ?? dir },
    ];
    for (const { name, cookie, file } of [...dots, ...entries(ctx, dir)]) {
      if (cookie <= offset) continue;
      const type = dtype(modeOf(file.node));
      if (!sink.add({ qid: this.qid(ctx, file), offset: cookie, type, name })) return;
    }
  }
}

/**
 * The children with cookies that grow. In a list that changes a place is no cookie, so there the
 * order is that of the files' own numbers, which stay.
 */
function entries<C>(
  ctx: C,
  dir: TreeFile<C>,
): { name: string; cookie: number; file: TreeFile<C> }[] {
  const files = childrenOf(ctx, dir.node).map((node) => below(dir, node));
  if (typeof dir.node.children === 'function') {
    return files
      .map((file) => ({ name: file.node.name, cookie: file.path, file }))
      .sort((a, b) => a.cookie - b.cookie);
  }
  return files.map((file, i) => ({ name: file.node.name, cookie: FIRST_COOKIE + i, file }));
}

function childrenOf<C>(ctx: C, node: TreeNode<C>): readonly TreeNode<C>[] {
  const { children = [] } = node;
  return typeof children === 'function' ? children(ctx) : children;
}

function below<C>(parent: TreeFile<C>, node: TreeNode<C>): TreeFile<C> {
  const path = childPath(parent.path, `${node.name}\0${node.incarnation ?? ''}`);
  return { node, parent, path };
}

/**
 * A qid.path that depends on nothing but where the file is: the same after a restart of the
 * server. Two FNV-1a hashes make its 53 bits.
 */
function childPath(parent: number, name: string): number {
  let low = (0x811c_9dc5 ^ parent) >>> 0;
  let high = (0x0100_0193 ^ Math.floor(parent / 0x1_0000_0000)) >>> 0;
  for (let i = 0; i < name.length; i++) {
    const c = name.charCodeAt(i);
    low = Math.imul(low ^ c, 0x0100_0193) >>> 0;
    high = Math.imul(high ^ (c + i + 1), 0x0100_01b3) >>> 0;
  }
  return Math.max((high & 0x1f_ffff) * 0x1_0000_0000 + low, FIRST_COOKIE);
}

function modeOf<C>(node: TreeNode<C>): number {
  if ((node.mode & S_IFMT) !== 0) return node.mode;
  const isDirectory = node.children !== undefined || node.lookup !== undefined;
  return node.mode | (isDirectory ? S_IFDIR : node.link ? S_IFLNK : S_IFREG);
}
