// The boot archive as a read-only file system: the entries of a CPIO archive, its data where it lies.

import { dtype, S_IFBLK, S_IFCHR, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../abi/constants.ts';
import { EINVAL, ENOTDIR, EUCLEAN, fail, PosixError } from '../abi/errno.ts';
import { decodeText } from '../abi/text.ts';
import type { DirSink, FileServer } from '../ninep/file-server.ts';
import { type Attr, type FsStat, P9_GETATTR_BASIC, type Qid } from '../ninep/types.ts';
import type { Caller } from './caller.ts';
import { type CpioEntry, readCpio } from './cpio.ts';
import { makeDev, qidType } from './mem-node.ts';
import { RAMFS_MAGIC } from './memfs.ts';

export interface BootNode {
  readonly ino: number;
  /** Undefined: the archive has files in this directory, but no entry for it. */
  entry: CpioEntry | undefined;
  mode: number;
  nlink: number;
  readonly parent: BootNode | undefined;
  readonly children: Map<string, BootNode> | undefined; // of a directory
}

const BLOCK = 4096;
const IMPLIED_MODE = S_IFDIR | 0o755;

export class BootFs implements FileServer<BootNode, Caller> {
  readonly readOnly = true;
  readonly #root: BootNode;
  readonly #size: number; // bytes of the archive
  #nodes = 0;

  /** Reads the archive; it must not change afterwards. EUCLEAN when it is damaged. */
  constructor(archive: Uint8Array) {
    this.#size = archive.length;
    const entries = readCpio(archive);
    const root = entries.find((e) => e.name === '.');
    this.#root = this.#make(undefined, root, root?.mode ?? IMPLIED_MODE);
    if (this.#root.children === undefined) throw new PosixError(EUCLEAN, "cpio: '.' is a file");
    const files = new Map<string, BootNode>();
    for (const entry of entries) if (entry.name !== '.') this.#enter(entry, files);
  }

  #make(parent: BootNode | undefined, entry: CpioEntry | undefined, mode: number): BootNode {
    const isDirectory = (mode & S_IFMT) === S_IFDIR;
    return {
      ino: ++this.#nodes,
      entry,
      mode,
      nlink: isDirectory ? 2 : 1,
      parent,
      children: isDirectory ? new Map() : undefined,
    };
  }

  #enter(entry: CpioEntry, files: Map<string, BootNode>): void {
    const parts = entry.name.split('/');
    const name = parts.pop() ?? '';
    let dir = this.#root;
    for (const part of parts) dir = this.#child(dir, part, entry);
    const siblings = dir.children ?? new Map<string, BootNode>();
    const old = siblings.get(name);
    if (old !== undefined) {
      const completes = old.entry === undefined && (entry.mode & S_IFMT) === S_IFDIR;
      if (!completes) {
        throw new PosixError(EUCLEAN, `cpio: '${entry.name}' is there twice`);
      }
      old.entry = entry;
      old.mode = entry.mode;
      return;
    }
    siblings.set(name, this.#link(entry, files) ?? this.#add(dir, entry, files));
  }

  /** A further name of a file that is there already. */
  #link(entry: CpioEntry, files: Map<string, BootNode>): BootNode | undefined {
    const isLink = entry.nlink > 1 && (entry.mode & S_IFMT) !== S_IFDIR;
    const node = isLink ? files.get(entry.inode) : undefined;
    if (node !== undefined) node.nlink++;
    return node;
  }

  #add(dir: BootNode, entry: CpioEntry, files: Map<string, BootNode>): BootNode {
    const node = this.#make(dir, entry, entry.mode);
    if (node.children === undefined) files.set(entry.inode, node);
    else dir.nlink++;
    return node;
  }

  /** The directory on the way to `entry`, made if the archive does not have it (yet). */
  #child(dir: BootNode, name: string, entry: CpioEntry): BootNode {
    let child = dir.children?.get(name);
    if (child === undefined) {
      child = this.#make(dir, undefined, IMPLIED_MODE);
      dir.children?.set(name, child);
      dir.nlink++;
    }
    if (child.children === undefined) {
      throw new PosixError(EUCLEAN, `cpio: '${entry.name}' lies in a file`);
    }
    return child;
  }

  attach(): BootNode {
    return this.#root;
  }

  qid(_caller: Caller, node: BootNode): Qid {
    return { type: qidType(node.mode), version: 0, path: node.ino };
  }

  walk(_caller: Caller, node: BootNode, name: string): BootNode | undefined {
    const children = node.children ?? fail(ENOTDIR, name);
    return name === '..' ? (node.parent ?? node) : children.get(name);
  }

  open(): void {}

  getattr(caller: Caller, node: BootNode): Attr {
    const { entry, mode } = node;
    const time = { sec: entry?.mtime ?? 0, nsec: 0 };
    const type = mode & S_IFMT;
    const isDevice = type === S_IFCHR || type === S_IFBLK;
    const size = entry?.data.length ?? 0;
    return {
      valid: P9_GETATTR_BASIC,
      qid: this.qid(caller, node),
      mode,
      uid: entry?.uid ?? 0,
      gid: entry?.gid ?? 0,
      nlink: node.nlink,
      rdev: entry && isDevice ? makeDev(entry.rdev.major, entry.rdev.minor) : 0,
      size,
      blksize: BLOCK,
      blocks: Math.ceil(size / 512),
      atime: time,
      mtime: time,
      ctime: time,
      btime: { sec: 0, nsec: 0 },
      gen: 0,
      dataVersion: 0,
    };
  }

  statfs(): FsStat {
    return {
      type: RAMFS_MAGIC,
      bsize: BLOCK,
      blocks: Math.ceil(this.#size / BLOCK),
      bfree: 0,
      bavail: 0,
      files: this.#nodes,
      ffree: 0,
      fsid: 0,
      namelen: 255,
    };
  }

  read(_caller: Caller, node: BootNode, offset: number, into: Uint8Array): number {
    if ((node.mode & S_IFMT) !== S_IFREG) throw new PosixError(EINVAL, 'only a file is read');
    const part = node.entry?.data.subarray(offset, offset + into.length) ?? new Uint8Array(0);
    into.set(part);
    return part.length;
  }

  readdir(caller: Caller, dir: BootNode, offset: number, sink: DirSink): void {
    const dots: [string, BootNode][] = [
      ['.', dir],
      ['..', dir.parent ?? dir],
    ];
    const all = [...dots, ...(dir.children ?? [])];
    for (let i = offset; i < all.length; i++) {
      const [name, node] = all[i] ?? fail(EINVAL);
      const type = dtype(node.mode);
      if (!sink.add({ qid: this.qid(caller, node), offset: i + 1, type, name })) return;
    }
  }

  readlink(_caller: Caller, node: BootNode): string {
    if ((node.mode & S_IFMT) !== S_IFLNK) throw new PosixError(EINVAL, 'no symbolic link');
    return decodeText(node.entry?.data ?? new Uint8Array(0));
  }
}
