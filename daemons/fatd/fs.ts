// FatFs: the 9P operations on a volume of either format. Each is synchronous code over a Transaction; between
// requests only caches of what is committed are kept.

import { O_EXCL, O_TRUNC, S_IFMT, S_IFREG } from '../../kernel/abi/constants.ts';
import { EEXIST, EISDIR, ENOENT, EPERM, fail } from '../../kernel/abi/errno.ts';
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
import { getattr, setattr, statfs } from './attr.ts';
import { listDirectory } from './dir/readdir.ts';
import type { Format, Name } from './format.ts';
import { type Create, Namei } from './namei.ts';
import { isFileIno, namelessFile, type Op, qidOf, ROOT_INO, TAIL_INO } from './op.ts';
import { dropFile } from './unnamed.ts';

export interface FatOptions<O extends Op, Dir, Found extends Name> {
  readonly format: Format<O, Dir, Found>;
  readonly blockSize: number;
  readonly readOnly: boolean;
  /** What one request works on. */
  readonly op: (tx: Transaction) => O;
}

export class FatFs<O extends Op, Dir, Found extends Name> implements VolumeFs {
  readonly blockSize: number;
  /** Becomes true when the volume could not be written. */
  readOnly: boolean;
  readonly filled: VolumeFs['filled'];
  readonly reserve: VolumeFs['reserve'];
  readonly #op: (tx: Transaction) => O;
  readonly #format: Format<O, Dir, Found>;
  readonly #names: Namei<O, Dir, Found>;

  constructor({ format, blockSize, readOnly, op }: FatOptions<O, Dir, Found>) {
    this.blockSize = blockSize;
    this.readOnly = readOnly;
    this.#op = op;
    this.#format = format;
    this.#names = new Namei(format);
    const { filled, reserve } = format;
    this.filled = filled && ((tx, ino) => (isFileIno(ino) ? filled(op(tx), ino) : 0));
    this.reserve = reserve && ((tx, request) => reserve(op(tx), request));
  }

  attach(tx: Transaction): number {
    const op = this.#op(tx);
    this.#format.indexOf(op, this.#format.dirOf(op, ROOT_INO));
    return ROOT_INO;
  }

  qid(_tx: Transaction, ino: number): Qid {
    return qidOf(ino);
  }

  walk(tx: Transaction, ino: number, name: string): number | undefined {
    const op = this.#op(tx);
    const dir = this.#format.dirOf(op, ino);
    if (name === '..') return this.#format.parentOf(op, ino);
    const found = this.#format.find(op, dir, name);
    return found && this.#format.inoOf(op, dir, found);
  }

  open(tx: Transaction, ino: number, flags: number): void {
    if ((flags & O_TRUNC) !== 0 && isFileIno(ino)) this.#format.truncate(this.#op(tx), ino, 0);
  }

  /** No fid refers to the file any more: without a name it is freed, and its number is the common one. */
  forget(tx: Transaction, ino: number): void {
    if (!this.readOnly) dropFile(this.#format, this.#op(tx), ino);
  }

  getattr(tx: Transaction, ino: number): Attr {
    return getattr(this.#format, this.#op(tx), ino);
  }

  setattr(tx: Transaction, ino: number, attr: SetAttr): void {
    setattr(this.#format, this.#op(tx), { ino, attr });
  }

  statfs(tx: Transaction): FsStat {
    return statfs(this.#op(tx), this.#format.magic);
  }

  read(): number {
    return fail(EISDIR);
  }

  readdir(tx: Transaction, ino: number, offset: number, sink: DirSink): void {
    const op = this.#op(tx);
    const dir = this.#format.dirOf(op, ino);
    if (namelessFile(op, ino) === undefined)
      listDirectory(this.#format, op, { ino, dir, offset, sink });
  }

  create(tx: Transaction, ino: number, request: Create & { flags: number }): number {
    const op = this.#op(tx);
    const dir = this.#liveDir(op, ino);
    const old = this.#format.find(op, dir, request.name);
    if (old === undefined) return this.#names.create(op, dir, request);
    if ((request.flags & O_EXCL) !== 0) fail(EEXIST);
    const file = this.#format.inoOf(op, dir, old);
    if (!isFileIno(file)) fail(EISDIR);
    if ((request.flags & O_TRUNC) !== 0) this.#format.truncate(op, file, 0);
    return file;
  }

  mkdir(tx: Transaction, ino: number, request: Create): number {
    const op = this.#op(tx);
    return this.#names.mkdir(op, this.#liveDir(op, ino), request.name);
  }

  /** There are no other kinds of files. */
  mknod(tx: Transaction, ino: number, request: Create): number {
    const type = request.mode & S_IFMT;
    if (type !== 0 && type !== S_IFREG) fail(EPERM);
    const op = this.#op(tx);
    return this.#names.create(op, this.#liveDir(op, ino), request);
  }

  symlink(): number {
    return fail(EPERM);
  }

  link(): void {
    fail(EPERM);
  }

  unlink(tx: Transaction, ino: number, name: string, flags: number): void {
    const op = this.#op(tx);
    const dir = this.#format.dirOf(op, ino);
    if ((flags & AT_REMOVEDIR) !== 0) this.#names.rmdir(op, dir, name);
    else this.#names.unlink(op, dir, name);
  }

  rename(
    tx: Transaction,
    from: { dir: number; name: string },
    to: { dir: number; name: string },
  ): void {
    const op = this.#op(tx);
    this.#names.rename(
      op,
      { ino: from.dir, dir: this.#format.dirOf(op, from.dir), name: from.name },
      { ino: to.dir, dir: this.#liveDir(op, to.dir), name: to.name },
    );
  }

  isMapped(_tx: Transaction, ino: number): boolean {
    return isFileIno(ino);
  }

  size(tx: Transaction, ino: number): number {
    return isFileIno(ino) ? this.#format.sizeOf(this.#op(tx), ino) : 0;
  }

  mapRead(tx: Transaction, request: MapRequest): Extent[] {
    return this.#format.mapRead(this.#op(tx), request);
  }

  mapWrite(tx: Transaction, request: MapRequest): Extent[] {
    return this.#format.mapWrite(this.#op(tx), request);
  }

  written(tx: Transaction, request: MapRequest): void {
    this.#format.written(this.#op(tx), request);
  }

  mayGrow(tx: Transaction, request: { ino: number; size: number }): void {
    this.#format.mayGrow(this.#op(tx), request);
  }

  /** A step of freeing many clusters, or the end of a file that nobody held when its name went. */
  continueWork(tx: Transaction, { ino, inUse }: { ino: number; inUse: boolean }): boolean {
    if (ino >= TAIL_INO) return this.#format.freeStep(this.#op(tx), ino);
    if (!inUse) this.forget(tx, ino);
    return false;
  }

  /** The numbers of what a worker before this one held. */
  held(tx: Transaction): number[] {
    return this.#op(tx)
      .env.held.all(tx)
      .map(({ ino }) => ino);
  }

  /** For adding a name: a removed directory takes none. */
  #liveDir(op: O, ino: number): Dir {
    const dir = this.#format.dirOf(op, ino);
    if (namelessFile(op, ino) !== undefined) fail(ENOENT);
    return dir;
  }
}
