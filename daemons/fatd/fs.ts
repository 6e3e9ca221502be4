// FatFs: the 9P operations on a FAT12, FAT16 or FAT32 volume. Each is synchronous code over a
// Transaction; between requests only caches of what is committed are kept.

import { O_EXCL, O_TRUNC, S_IFMT, S_IFREG } from '../../kernel/abi/constants.ts';
import { EEXIST, EISDIR, EPERM, fail } from '../../kernel/abi/errno.ts';
import type { DirSink } from '../../kernel/ninep/file-server.ts';
import {
  AT_REMOVEDIR,
  type Attr,
  type FsStat,
  type Qid,
  type SetAttr,
} from '../../kernel/ninep/types.ts';
import type { Transaction } from '../lib/transaction.ts';
import type { Extent, MapRequest, VolumeFs } from '../lib/volume.ts';
import { getattr, qidOf, setattr, statfs } from './attr.ts';
import { findEntry, indexOf, parentCluster, rootOf } from './fat/dir/dir.ts';
import { listDirectory } from './fat/dir/readdir.ts';
import { mapRead, mapWrite, mayGrow, trimTail, truncate, written } from './fat/file/data.ts';
import { freeStep } from './fat/file/free.ts';
import { dirOf, fileEntry, inoOf, isFileIno, liveDir, namelessFile } from './fat/inode.ts';
import { type FatEnv, type Op, ROOT_INO, TAIL_INO } from './fat/op.ts';
import { dropFile } from './fat/unnamed.ts';
import type { FatVolume } from './fat/volume/geometry.ts';
import { type Create, create, mkdir, rename, rmdir, unlink } from './namei.ts';

export class FatFs implements VolumeFs {
  readonly blockSize: number;
  readonly volume: FatVolume;
  /** Becomes true when the volume could not be written. */
  readOnly: boolean;
  readonly #env: FatEnv;
  /** Files that were given more clusters than their size says: to be looked at when they are given up. */
  readonly #grown = new Set<number>();

  constructor(options: { volume: FatVolume; env: FatEnv; readOnly: boolean }) {
    this.volume = options.volume;
    this.blockSize = options.volume.blockSize;
    this.readOnly = options.readOnly;
    this.#env = options.env;
  }

  #op(tx: Transaction): Op {
    return { tx, vol: this.volume, env: this.#env };
  }

  attach(tx: Transaction): number {
    indexOf(this.#op(tx), rootOf(this.volume));
    return ROOT_INO;
  }

  qid(_tx: Transaction, ino: number): Qid {
    return qidOf(ino);
  }

  walk(tx: Transaction, ino: number, name: string): number | undefined {
    const op = this.#op(tx);
    const dir = dirOf(op, ino);
    if (name === '..') {
      const parent = parentCluster(op, dir);
      return parent === rootOf(this.volume) ? ROOT_INO : parent;
    }
    const found = findEntry(op, dir, name);
    return found && inoOf(op, found.place);
  }

  open(tx: Transaction, ino: number, flags: number): void {
    if ((flags & O_TRUNC) !== 0 && isFileIno(ino)) truncate(this.#op(tx), ino, 0);
  }

  /** No fid refers to the file any more: without a name it is freed, and its number is the common one. */
  forget(tx: Transaction, ino: number): void {
    if (this.readOnly) return;
    const op = this.#op(tx);
    if (!dropFile(op, ino) && this.#grown.has(ino)) trimTail(op, ino);
    tx.onCommit(() => void this.#grown.delete(ino));
  }

  getattr(tx: Transaction, ino: number): Attr {
    return getattr(this.#op(tx), ino);
  }

  setattr(tx: Transaction, ino: number, attr: SetAttr): void {
    setattr(this.#op(tx), ino, attr);
  }

  statfs(tx: Transaction): FsStat {
    return statfs(this.#op(tx));
  }

  read(): number {
    return fail(EISDIR);
  }

  readdir(tx: Transaction, ino: number, offset: number, sink: DirSink): void {
    const op = this.#op(tx);
    const dir = dirOf(op, ino);
    if (namelessFile(op, ino) === undefined) listDirectory(op, dir, offset, sink);
  }

  create(tx: Transaction, ino: number, request: Create & { flags: number }): number {
    const op = this.#op(tx);
    const dir = liveDir(op, ino);
    const old = findEntry(op, dir, request.name);
    if (old === undefined) return create(op, dir, request);
    if ((request.flags & O_EXCL) !== 0) fail(EEXIST);
    const file = inoOf(op, old.place);
    if (!isFileIno(file)) fail(EISDIR);
    if ((request.flags & O_TRUNC) !== 0) truncate(op, file, 0);
    return file;
  }

  mkdir(tx: Transaction, ino: number, request: Create): number {
    const op = this.#op(tx);
    return mkdir(op, liveDir(op, ino), request);
  }

  /** FAT has no other kinds of files. */
  mknod(tx: Transaction, ino: number, request: Create): number {
    const type = request.mode & S_IFMT;
    if (type !== 0 && type !== S_IFREG) fail(EPERM);
    const op = this.#op(tx);
    return create(op, liveDir(op, ino), request);
  }

  symlink(): number {
    return fail(EPERM);
  }

  link(): void {
    fail(EPERM);
  }

  unlink(tx: Transaction, ino: number, name: string, flags: number): void {
    const op = this.#op(tx);
    const dir = dirOf(op, ino);
    if ((flags & AT_REMOVEDIR) !== 0) rmdir(op, dir, name);
    else unlink(op, dir, name);
  }

  rename(
    tx: Transaction,
    from: { dir: number; name: string },
    to: { dir: number; name: string },
  ): void {
    const op = this.#op(tx);
    rename(
      op,
      { dir: dirOf(op, from.dir), name: from.name },
      { dir: liveDir(op, to.dir), name: to.name },
    );
  }

  isMapped(_tx: Transaction, ino: number): boolean {
    return isFileIno(ino);
  }

  size(tx: Transaction, ino: number): number {
    return isFileIno(ino) ? fileEntry(this.#op(tx), ino).DIR_FileSize : 0;
  }

  mapRead(tx: Transaction, request: MapRequest): Extent[] {
    return mapRead(this.#op(tx), request);
  }

  mapWrite(tx: Transaction, request: MapRequest): Extent[] {
    const extents = mapWrite(this.#op(tx), request);
    tx.onCommit(() => void this.#grown.add(request.ino));
    return extents;
  }

  written(tx: Transaction, request: MapRequest): void {
    written(this.#op(tx), request);
  }

  mayGrow(tx: Transaction, request: { ino: number; size: number }): void {
    mayGrow(this.#op(tx), request);
  }

  /** A step of freeing a long chain, or the end of a file that nobody held when its name went. */
  continueWork(tx: Transaction, { ino, inUse }: { ino: number; inUse: boolean }): boolean {
    const op = this.#op(tx);
    if (ino >= TAIL_INO) return freeStep(op, ino);
    if (!inUse) this.forget(tx, ino);
    return false;
  }

  /** The numbers of what a worker before this one held. */
  held(tx: Transaction): number[] {
    return this.#env.held.all(tx).map(({ ino }) => ino);
  }
}
