// HfsFs: the 9P operations on a volume of HFS, HFS Plus or HFSX. Each is synchronous code over a
// Transaction; between requests it keeps hints alone: where files were seen, lists being read.

import { O_EXCL, O_TRUNC, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../../kernel/abi/constants.ts';
import {
  EEXIST,
  EFBIG,
  EINVAL,
  EISDIR,
  ENAMETOOLONG,
  ENODATA,
  ENOSPC,
  ENOTDIR,
  EPERM,
  ESTALE,
  EUCLEAN,
  fail,
} from '../../kernel/abi/errno.ts';
import { decodeText, encodeText } from '../../kernel/abi/text.ts';
import type { DirSink } from '../../kernel/ninep/file-server.ts';
import {
  AT_REMOVEDIR,
  type Attr,
  type FsStat,
  P9_SETATTR_SIZE,
  type Qid,
  type SetAttr,
} from '../../kernel/ninep/types.ts';
import type { Transaction } from '../lib/transaction.ts';
import type { Extent, MapRequest, VolumeFs } from '../lib/volume.ts';
import { type Defaults, getattr, modeOf, qidOf, setattr, statfs } from './attr.ts';
import { CheckedNodes } from './btree/checked.ts';
import { Places } from './catalog/catalog.ts';
import type { Item } from './catalog/item.ts';
import { namelessFiles } from './catalog/private.ts';
import { dataFork, isRegular, mapRead, mapWrite, maxFileSize, resize, written } from './data.ts';
import { readBytes, writeBytes } from './fork/bytes.ts';
import {
  cnidOf,
  forkAttr,
  forkQid,
  listForks,
  partOf,
  readResources,
  setForkAttr,
  walkFork,
  writeResources,
} from './forks.ts';
import { evict, truncateStep } from './lifecycle.ts';
import { create, link, lookupName, rename, rmdir, unlink } from './namei.ts';
import { ROOT_ID, SYMBOLIC_LINK } from './ondisk.ts';
import { type HfsEnv, Op } from './op.ts';
import { Listings, listFolder } from './readdir.ts';
import type { Volume } from './volume/volume.ts';
import { getXattr, listXattr, setXattr } from './xattr.ts';

export interface HfsOptions {
  readonly volume: Volume;
  readonly env: Omit<HfsEnv, 'places' | 'checked'>;
  readonly readOnly: boolean;
  readonly defaults: Defaults;
  /** Allocation blocks that nobody is to have. */
  readonly reserved: () => number;
}

const TARGET_MAX = 4095; // bytes of a symbolic link's target
const NEVER = { sec: 0, nsec: 0 };
/** What O_TRUNC asks for. */
const EMPTY: SetAttr = {
  ...{ valid: P9_SETATTR_SIZE, mode: 0, uid: 0, gid: 0, size: 0, atime: NEVER, mtime: NEVER },
};

export class HfsFs implements VolumeFs {
  readonly blockSize: number;
  readonly volume: Volume;
  /** Becomes true when the volume could not be written. */
  readOnly: boolean;
  readonly #env: HfsEnv;
  readonly #options: HfsOptions;
  readonly #listings = new Listings();
  #latest: Op | undefined;
  readonly hasForks = true;
  /** Bytes of resource forks that a request wrote so far. */
  readonly #moved = new WeakMap<Transaction, number>();

  constructor(options: HfsOptions) {
    this.#options = options;
    this.volume = options.volume;
    this.blockSize = options.volume.unit;
    this.readOnly = options.readOnly;
    this.#env = { ...options.env, places: new Places(), checked: new CheckedNodes() };
  }

  /** One for each run of a request, however many operations that does: it has the nodes in hand. */
  op(tx: Transaction): Op {
    if (this.#latest?.tx !== tx) this.#latest = new Op(tx, this.volume, this.#env);
    return this.#latest;
  }

  #read<R>(tx: Transaction, ino: number, body: (op: Op, item: Item) => R): R {
    const op = this.op(tx);
    return body(op, this.#item(op, ino));
  }

  #change<R>(tx: Transaction, ino: number, body: (op: Op, item: Item) => R): R {
    return this.#apply(tx, (op) => body(op, this.#item(op, ino)));
  }

  #apply<R>(tx: Transaction, body: (op: Op) => R): R {
    const op = this.op(tx);
    try {
      const result = body(op);
      op.finish();
      return result;
    } catch (error) {
      this.#latest = undefined; // what it had changed and not staged never was
      throw error;
    }
  }

  /** A handle may have outlived its file. */
  #item(op: Op, ino: number): Item {
    return op.catalog.find(cnidOf(ino)) ?? fail(ESTALE);
  }

  #folder(op: Op, ino: number): Item {
    const item = this.#item(op, ino);
    if (partOf(ino) === 'forks') fail(EPERM, 'a file has two forks, no more and no less');
    return item.kind === 'folder' ? item : fail(ENOTDIR);
  }

  attach(tx: Transaction): number {
    const root = this.op(tx).catalog.find(ROOT_ID);
    if (root?.kind !== 'folder') fail(EUCLEAN, 'the catalog has no root folder');
    return ROOT_ID;
  }

  qid(tx: Transaction, ino: number): Qid {
    return this.#read(tx, ino, (op, item) =>
      partOf(ino) === 'file' ? qidOf(op, item) : forkQid(op, ino, item),
    );
  }

  walk(tx: Transaction, dir: number, name: string): number | undefined {
    const op = this.op(tx);
    const item = this.#item(op, dir);
    if (item.kind === 'file') return walkFork(op, dir, { item, name });
    const folder = this.#folder(op, dir);
    if (name === '..') return dir === ROOT_ID ? ROOT_ID : folder.key.parent;
    return lookupName(op, folder, name)?.cnid;
  }

  open(tx: Transaction, ino: number, flags: number): void {
    if ((flags & O_TRUNC) === 0) return;
    this.#change(tx, ino, (op, item) => this.#empty(op, ino, item));
  }

  #empty(op: Op, ino: number, item: Item): void {
    if (partOf(ino) === 'resources') setForkAttr(op, item, EMPTY);
    if (partOf(ino) === 'resources' || !isRegular(op, item)) return;
    resize(op, item, 0);
    item.modified = op.now;
    item.changed = op.now;
    op.catalog.save(item);
  }

  forget(tx: Transaction, ino: number): void {
    if (this.readOnly || partOf(ino) !== 'file') return;
    this.#apply(tx, (op) => {
      const item = op.catalog.find(ino);
      if (item !== undefined) evict(op, item);
    });
  }

  getattr(tx: Transaction, ino: number): Attr {
    return this.#read(tx, ino, (op, item) => {
      const attr = getattr(op, item, this.#options.defaults);
      return partOf(ino) === 'file' ? attr : forkAttr(op, ino, { item, attr });
    });
  }

  setattr(tx: Transaction, ino: number, attr: SetAttr): void {
    if (partOf(ino) === 'forks') fail(EPERM);
    this.#change(tx, ino, (op, item) => {
      const own = partOf(ino) === 'file' ? attr : setForkAttr(op, item, attr);
      setattr(op, item, own);
    });
  }

  statfs(tx: Transaction): FsStat {
    return statfs(this.op(tx), this.#options.reserved());
  }

  read(tx: Transaction, ino: number, offset: number, into: Uint8Array): number {
    return this.#read(tx, ino, (op, item) => {
      if (item.kind === 'folder' || partOf(ino) === 'forks') fail(EISDIR);
      if (partOf(ino) === 'resources') return readResources(op, item, offset, into);
      const part = this.#target(op, item).subarray(offset, offset + into.length);
      into.set(part);
      return part.length;
    });
  }

  /** Of resource forks: other data is mapped. */
  write(tx: Transaction, ino: number, offset: number, from: Uint8Array): number {
    if (partOf(ino) !== 'resources') fail(EINVAL);
    const before = this.#moved.get(tx) ?? 0;
    const count = this.#change(tx, ino, (op, item) =>
      writeResources(op, item, { offset, from, before }),
    );
    this.#moved.set(tx, before + count);
    return count;
  }

  readdir(tx: Transaction, dir: number, offset: number, sink: DirSink): void {
    const op = this.op(tx);
    if (partOf(dir) === 'forks') listForks(op, this.#item(op, dir), offset, sink);
    else listFolder(op, this.#folder(op, dir), { offset, sink, listings: this.#listings });
  }

  readlink(tx: Transaction, ino: number): string {
    return this.#read(tx, ino, (op, item) => decodeText(this.#target(op, item)));
  }

  #target(op: Op, item: Item): Uint8Array {
    if ((modeOf(op, item, { umask: 0 }) & S_IFMT) !== S_IFLNK) fail(EINVAL);
    const { size } = item.data;
    if (size > TARGET_MAX) fail(EUCLEAN, `symbolic link ${item.cnid}: ${size} bytes`);
    return readBytes(op, dataFork(op, item), { offset: 0, length: size });
  }

  create(
    tx: Transaction,
    dir: number,
    request: { name: string; flags: number; mode: number; gid: number },
  ): number {
    return this.#change(tx, dir, (op, item) => {
      const fork = partOf(dir) === 'forks' ? walkFork(op, dir, { item, ...request }) : undefined;
      if (fork !== undefined) return this.#createFork(op, { item, fork, ...request });
      const folder = this.#folder(op, dir);
      const old = lookupName(op, folder, request.name);
      if (old === undefined) {
        const mode = S_IFREG | (request.mode & 0o7777);
        return create(op, folder, { ...request, mode }, () => {}).cnid;
      }
      if ((request.flags & O_EXCL) !== 0) fail(EEXIST);
      if (old.kind === 'folder') fail(EISDIR);
      if ((request.flags & O_TRUNC) !== 0) this.#empty(op, old.cnid, old);
      return old.cnid;
    });
  }

  /** A file has both forks from its beginning. */
  #createFork(op: Op, { item, fork, flags }: { item: Item; fork: number; flags: number }): number {
    if ((flags & O_EXCL) !== 0) fail(EEXIST);
    if ((flags & O_TRUNC) !== 0) this.#empty(op, fork, item);
    return fork;
  }

  mkdir(
    tx: Transaction,
    dir: number,
    request: { name: string; mode: number; gid: number },
  ): number {
    const mode = S_IFDIR | (request.mode & 0o7777);
    return this.#change(
      tx,
      dir,
      (op) => create(op, this.#folder(op, dir), { ...request, mode }, () => {}).cnid,
    );
  }

  symlink(
    tx: Transaction,
    dir: number,
    { name, target, gid }: { name: string; target: string; gid: number },
  ): number {
    if (this.volume.kind === 'hfs') fail(EPERM, 'classic HFS has no symbolic links');
    const bytes = encodeText(target);
    if (bytes.length > TARGET_MAX) fail(ENAMETOOLONG);
    return this.#change(tx, dir, (op) => {
      const mode = S_IFLNK | 0o777;
      const item = create(op, this.#folder(op, dir), { name, mode, gid }, (made) => {
        const finder = new DataView(made.finderInfo.buffer);
        finder.setUint32(0, SYMBOLIC_LINK[0]);
        finder.setUint32(4, SYMBOLIC_LINK[1]);
      });
      writeBytes(op, dataFork(op, item), bytes);
      return item.cnid;
    });
  }

  mknod(
    tx: Transaction,
    dir: number,
    request: { name: string; mode: number; major: number; minor: number; gid: number },
  ): number {
    const type = request.mode & S_IFMT;
    if (type === S_IFDIR || type === S_IFLNK) fail(EINVAL);
    const regular = type === 0 || type === S_IFREG;
    if (this.volume.kind === 'hfs' && !regular) fail(EPERM, 'classic HFS has no special files');
    const mode = type === 0 ? request.mode | S_IFREG : request.mode;
    const { major, minor } = request;
    return this.#change(
      tx,
      dir,
      (op) =>
        create(op, this.#folder(op, dir), { ...request, mode }, (made) => {
          if (!regular)
            made.special = ((major << 8) | (minor & 0xff) | ((minor & ~0xff) << 12)) >>> 0;
        }).cnid,
    );
  }

  link(tx: Transaction, dir: number, ino: number, name: string): void {
    if (this.volume.kind === 'hfs') fail(EPERM, 'classic HFS has no hard links');
    this.#change(tx, ino, (op, target) => link(op, this.#folder(op, dir), target, name));
  }

  unlink(tx: Transaction, dir: number, name: string, flags: number): void {
    this.#change(tx, dir, (op) => {
      const folder = this.#folder(op, dir);
      if ((flags & AT_REMOVEDIR) !== 0) rmdir(op, folder, name);
      else unlink(op, folder, name);
    });
  }

  rename(
    tx: Transaction,
    from: { dir: number; name: string },
    to: { dir: number; name: string },
  ): void {
    this.#change(tx, from.dir, (op) =>
      rename(
        op,
        { dir: this.#folder(op, from.dir), name: from.name },
        { dir: this.#folder(op, to.dir), name: to.name },
      ),
    );
  }

  getxattr(tx: Transaction, ino: number, name: string): Uint8Array {
    return this.#read(tx, ino, (op, item) =>
      name === '' ? listXattr(op, item) : (getXattr(op, item, name) ?? fail(ENODATA)),
    );
  }

  setxattr(
    tx: Transaction,
    ino: number,
    name: string,
    value: Uint8Array | undefined,
    flags: number,
  ): void {
    this.#change(tx, ino, (op, item) => setXattr(op, item, { name, value, flags }));
  }

  isMapped(tx: Transaction, ino: number): boolean {
    return partOf(ino) === 'file' && this.#read(tx, ino, isRegular);
  }

  size(tx: Transaction, ino: number): number {
    const fork = partOf(ino) === 'resources' ? 'resources' : 'data';
    return this.#read(tx, ino, (_, item) => item[fork].size);
  }

  /** Files have no holes: the serve loop fills what a write or a new size leaves out. */
  mayGrow(tx: Transaction, { ino, size }: { ino: number; size: number }): void {
    this.#read(tx, ino, (op, item) => {
      if (size > maxFileSize(op)) fail(EFBIG);
      const { allocSize } = this.volume;
      const more = Math.ceil(size / allocSize) - item.data.blocks;
      if (more > op.head.freeBlocks) fail(ENOSPC);
    });
  }

  mapRead(tx: Transaction, request: MapRequest): Extent[] {
    return this.#read(tx, request.ino, (op, item) => mapRead(op, item, request));
  }

  mapWrite(tx: Transaction, request: MapRequest): Extent[] {
    return this.#change(tx, request.ino, (op, item) => mapWrite(op, item, request));
  }

  written(tx: Transaction, request: MapRequest): void {
    this.#change(tx, request.ino, (op, item) => written(op, item, request));
  }

  /** Files that a crash left without a name, or some of them. */
  nameless(tx: Transaction, which: { except: ReadonlySet<number>; most: number }): number[] {
    return namelessFiles(this.op(tx), which);
  }

  /** One bounded step of a deletion or truncation; true when another one is needed. */
  truncateStep(tx: Transaction, ino: number, use: { readonly inUse: boolean }): boolean {
    return this.#apply(tx, (op) => {
      const item = op.catalog.find(ino);
      return item !== undefined && truncateStep(op, item, use);
    });
  }
}
