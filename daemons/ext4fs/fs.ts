// Ext4Fs: the 9P operations on an ext2, ext3 or ext4 volume. Each is synchronous code over a
// Transaction; it keeps nothing between requests but what the superblock fixed at mount.

import { O_EXCL, O_TRUNC, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../../kernel/abi/constants.ts';
import { EEXIST, EINVAL, EISDIR, ENODATA, ENOTDIR, ESTALE, fail } from '../../kernel/abi/errno.ts';
import { decodeText, encodeText } from '../../kernel/abi/text.ts';
import type { DirSink } from '../../kernel/ninep/file-server.ts';
import {
  AT_REMOVEDIR,
  type Attr,
  type FsStat,
  type Qid,
  type SetAttr,
} from '../../kernel/ninep/types.ts';
import type { Transaction } from '../lib/transaction.ts';
import type { Extent, MapRequest, PackedFiles, VolumeFs } from '../lib/volume.ts';
import { allocate, seek } from './allocate.ts';
import { getattr, qidOf, resize, setattr, statfs, totals, writeDevice } from './attr.ts';
import { mapRead, mapWrite, written } from './data.ts';
import { parentOf } from './dir/dir.ts';
import { listDirectory } from './dir/readdir.ts';
import type { Inode } from './inode/inode.ts';
import { evict, truncateStep } from './inode/lifecycle.ts';
import { drainOrphanFile, orphans } from './inode/orphan.ts';
import { settleOrphanFile } from './inode/orphan-file.ts';
import { readTarget, writeTarget } from './inode/symlink.ts';
import { getXattr, listXattr, setXattr } from './inode/xattr.ts';
import { create, link, lookupName, mkdir, rename, rmdir, unlink } from './namei.ts';
import { EXT4_ROOT_INO } from './ondisk.ts';
import { type Ext4Env, Op } from './op.ts';
import { packedFiles } from './packed.ts';
import { inodeInUse } from './volume/inode-alloc.ts';
import { has, type Volume } from './volume/superblock.ts';

export interface Ext4Options {
  volume: Volume; // of `openVolume`
  env: Ext4Env;
  readOnly: boolean; // besides what the volume's features ask for
}

/** Orphans that one request moves out of the orphan file. */
const DRAIN = 64;

export class Ext4Fs implements VolumeFs {
  readonly blockSize: number;
  /** Becomes true when the volume could not be written. */
  readOnly: boolean;
  readonly volume: Volume;
  readonly packed: PackedFiles | undefined;
  readonly #env: Ext4Env;

  constructor({ volume, env, readOnly }: Ext4Options) {
    this.volume = volume;
    this.blockSize = volume.blockSize;
    this.readOnly = readOnly || volume.readOnlyFeatures.length > 0;
    this.#env = env;
    this.packed = has.inlineData(volume)
      ? packedFiles({
          read: (tx, ino, body) => this.#read(tx, ino, body),
          change: (tx, ino, body) => this.#change(tx, ino, body),
        })
      : undefined;
  }

  #read<R>(tx: Transaction, ino: number, body: (inode: Inode) => R): R {
    return body(this.#inode(new Op(tx, this.volume, this.#env), ino));
  }

  /** Checksums of shared blocks are set once, when the body is done. */
  #change<R>(tx: Transaction, ino: number, body: (inode: Inode) => R): R {
    const op = new Op(tx, this.volume, this.#env);
    const result = body(this.#inode(op, ino));
    op.finish();
    return result;
  }

  /** A handle may have outlived its file. */
  #inode(op: Op, ino: number): Inode {
    const inode = op.inode(ino);
    if (inode.mode === 0 || (inode.links === 0 && !inodeInUse(op, ino))) fail(ESTALE);
    return inode;
  }

  attach(tx: Transaction): number {
    return this.#read(tx, EXT4_ROOT_INO, (root) => {
      if (!root.isDir) fail(ENOTDIR, 'the root inode is no directory');
      return root.ino;
    });
  }

  qid(tx: Transaction, ino: number): Qid {
    return this.#read(tx, ino, qidOf);
  }

  walk(tx: Transaction, dir: number, name: string): number | undefined {
    return this.#read(tx, dir, (inode) => {
      if (!inode.isDir) fail(ENOTDIR);
      if (name === '..') return parentOf(inode);
      return lookupName(inode, name)?.ino;
    });
  }

  open(tx: Transaction, ino: number, flags: number): void {
    if ((flags & O_TRUNC) === 0) return;
    this.#change(tx, ino, (inode) => {
      if (inode.isRegular) resize(inode, 0);
    });
  }

  /** No fid refers to the file any more: without names it is deleted. */
  forget(tx: Transaction, ino: number): void {
    if (this.readOnly) return;
    const op = new Op(tx, this.volume, this.#env);
    const inode = op.inode(ino);
    if (inode.mode === 0 || inode.links > 0) return;
    evict(inode);
    op.finish();
  }

  getattr(tx: Transaction, ino: number): Attr {
    return this.#read(tx, ino, getattr);
  }

  setattr(tx: Transaction, ino: number, attr: SetAttr): void {
    this.#change(tx, ino, (inode) => setattr(inode, attr));
  }

  statfs(tx: Transaction): FsStat {
    return statfs(new Op(tx, this.volume, this.#env));
  }

  read(tx: Transaction, ino: number, offset: number, into: Uint8Array): number {
    return this.#read(tx, ino, (inode) => {
      if (inode.isDir) fail(EISDIR);
      if (!inode.isSymlink) fail(EINVAL);
      const part = readTarget(inode).subarray(offset, offset + into.length);
      into.set(part);
      return part.length;
    });
  }

  readdir(tx: Transaction, dir: number, offset: number, sink: DirSink): void {
    this.#read(tx, dir, (inode) => {
      if (!inode.isDir) fail(ENOTDIR);
      if (inode.links > 0) listDirectory(inode, offset, sink);
    });
  }

  readlink(tx: Transaction, ino: number): string {
    return this.#read(tx, ino, (inode) =>
      inode.isSymlink ? decodeText(readTarget(inode)) : fail(EINVAL),
    );
  }

  create(
    tx: Transaction,
    dir: number,
    request: { name: string; flags: number; mode: number; gid: number },
  ): number {
    return this.#change(tx, dir, (inode) => {
      const old = lookupName(inode, request.name);
      if (old !== undefined) {
        if ((request.flags & O_EXCL) !== 0) fail(EEXIST);
        if (old.isDir) fail(EISDIR);
        if ((request.flags & O_TRUNC) !== 0 && old.isRegular) resize(old, 0);
        return old.ino;
      }
      const mode = S_IFREG | (request.mode & 0o7777);
      return create(inode, { ...request, mode }, () => {}).ino;
    });
  }

  mkdir(
    tx: Transaction,
    dir: number,
    request: { name: string; mode: number; gid: number },
  ): number {
    return this.#change(tx, dir, (inode) => mkdir(inode, request).ino);
  }

  symlink(
    tx: Transaction,
    dir: number,
    { name, target, gid }: { name: string; target: string; gid: number },
  ): number {
    return this.#change(
      tx,
      dir,
      (inode) =>
        create(inode, { name, mode: S_IFLNK | 0o777, gid }, (made) =>
          writeTarget(made, encodeText(target)),
        ).ino,
    );
  }

  mknod(
    tx: Transaction,
    dir: number,
    request: { name: string; mode: number; major: number; minor: number; gid: number },
  ): number {
    const type = request.mode & S_IFMT;
    if (type === S_IFDIR || type === S_IFLNK) fail(EINVAL);
    const mode = type === 0 ? request.mode | S_IFREG : request.mode;
    return this.#change(
      tx,
      dir,
      (inode) =>
        create(inode, { ...request, mode }, (made) =>
          writeDevice(made, request.major, request.minor),
        ).ino,
    );
  }

  link(tx: Transaction, dir: number, ino: number, name: string): void {
    this.#change(tx, dir, (inode) => link(inode, this.#inode(inode.op, ino), name));
  }

  unlink(tx: Transaction, dir: number, name: string, flags: number): void {
    this.#change(tx, dir, (inode) =>
      (flags & AT_REMOVEDIR) !== 0 ? rmdir(inode, name) : unlink(inode, name),
    );
  }

  rename(
    tx: Transaction,
    from: { dir: number; name: string },
    to: { dir: number; name: string },
  ): void {
    this.#change(tx, from.dir, (dir) =>
      rename({ dir, name: from.name }, { dir: this.#inode(dir.op, to.dir), name: to.name }),
    );
  }

  getxattr(tx: Transaction, ino: number, name: string): Uint8Array {
    return this.#read(tx, ino, (inode) =>
      name === '' ? listXattr(inode) : (getXattr(inode, name) ?? fail(ENODATA)),
    );
  }

  setxattr(
    tx: Transaction,
    ino: number,
    name: string,
    value: Uint8Array | undefined,
    flags: number,
  ): void {
    this.#change(tx, ino, (inode) => setXattr(inode, { name, value, flags }));
  }

  allocate(
    tx: Transaction,
    ino: number,
    request: { mode: number; offset: number; length: number },
  ): number {
    return this.#change(tx, ino, (inode) => allocate(inode, request));
  }

  seek(
    tx: Transaction,
    ino: number,
    request: { offset: number; whence: number },
  ): { offset: number; found: boolean } {
    return this.#read(tx, ino, (inode) => seek(inode, request));
  }

  isMapped(tx: Transaction, ino: number): boolean {
    return this.#read(tx, ino, (inode) => inode.isRegular);
  }

  size(tx: Transaction, ino: number): number {
    return this.#read(tx, ino, (inode) => inode.size);
  }

  mapRead(tx: Transaction, request: MapRequest): Extent[] {
    return this.#read(tx, request.ino, (inode) => mapRead(inode, request));
  }

  mapWrite(tx: Transaction, request: MapRequest): Extent[] {
    return this.#change(tx, request.ino, (inode) => mapWrite(inode, request));
  }

  written(tx: Transaction, request: MapRequest): void {
    this.#change(tx, request.ino, (inode) => written(inode, request));
  }

  /** Inodes whose deletion or truncation is not finished, or waits for the last close. */
  orphans(tx: Transaction): number[] {
    return orphans(new Op(tx, this.volume, this.#env));
  }

  /**
   * One bounded step of a deletion or truncation that `env.unfinished` told of, or that `orphans`
   * lists at mount; true when another step is needed. A file in use is not deleted.
   */
  truncateStep(tx: Transaction, ino: number, use = { inUse: this.#env.isOpen(ino) }): boolean {
    const op = new Op(tx, this.volume, this.#env);
    const more = truncateStep(op.inode(ino), use);
    op.finish();
    return more;
  }

  /** Moves orphans out of the orphan file that another system, or a crash, left; true when another step is needed. */
  drainOrphanFile(tx: Transaction): boolean {
    const op = new Op(tx, this.volume, this.#env);
    const empty = drainOrphanFile(op, DRAIN);
    op.finish();
    return !empty;
  }

  /** Something that is no request of a client: a journal's replay. */
  change<R>(tx: Transaction, body: (op: Op) => R): R {
    const op = new Op(tx, this.volume, this.#env);
    const result = body(op);
    op.finish();
    return result;
  }

  /** Brings the superblock's free counts up to date: at sync and unmount. */
  updateSuperblockTotals(tx: Transaction): void {
    const op = new Op(tx, this.volume, this.#env);
    const { freeBlocks, freeInodes } = totals(op);
    const sb = op.editSuperblock();
    const blocks = freeBlocks * this.volume.clusterRatio;
    sb.s_free_blocks_count_lo = blocks >>> 0;
    if (this.volume.descSize >= 64) sb.s_free_blocks_count_hi = Math.floor(blocks / 0x1_0000_0000);
    sb.s_free_inodes_count = freeInodes;
    sb.s_wtime = tx.now.sec >>> 0;
    settleOrphanFile(op);
    op.finish();
  }
}
