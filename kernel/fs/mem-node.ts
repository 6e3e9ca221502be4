// The files of a file system in memory, and its directories: names with cookies that stay valid
// while names come and go.

import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../abi/constants.ts';
import type { Timespec } from '../abi/stat.ts';
import { QTDIR, QTFILE, QTSYMLINK } from '../ninep/types.ts';
import type { FileData } from './mem-data.ts';

export interface MemNode {
  readonly ino: number; // never used again
  mode: number; // S_IF* and permission bits
  uid: number;
  gid: number;
  nlink: number;
  readonly rdev: number;
  atime: Timespec;
  mtime: Timespec;
  ctime: Timespec;
  readonly btime: Timespec;
  version: number; // grows with each change of content
  readonly data: FileData | undefined; // of a regular file
  readonly dir: MemDir | undefined;
  readonly target: string; // of a symbolic link
  xattrs: Map<string, Uint8Array> | undefined;
}

export interface MemEntry {
  readonly name: string;
  readonly cookie: number;
  /** Undefined: the name was removed. */
  node: MemNode | undefined;
}

const FIRST_COOKIE = 3; // 1 and 2 stand behind '.' and '..'

/** Names in the order in which they came; a cookie is a name's number and is never given twice. */
export class MemDir {
  /** Undefined for the root, which is its own parent. */
  parent: MemNode | undefined;
  readonly #names = new Map<string, MemEntry>();
  #order: MemEntry[] = []; // by cookie, removed ones among them for a while
  #next = FIRST_COOKIE;

  constructor(parent: MemNode | undefined) {
    this.parent = parent;
  }

  get size(): number {
    return this.#names.size;
  }

  get(name: string): MemNode | undefined {
    return this.#names.get(name)?.node;
  }

  /** Makes the name, or lets it mean another file: then it keeps its cookie. */
  set(name: string, node: MemNode): void {
    const old = this.#names.get(name);
    if (old !== undefined) {
      old.node = node;
      return;
    }
    const entry = { name, cookie: this.#next++, node };
    this.#names.set(name, entry);
    this.#order.push(entry);
  }

  delete(name: string): void {
    const entry = this.#names.get(name);
    if (entry === undefined) return;
    this.#names.delete(name);
    entry.node = undefined;
    if (this.#order.length > 2 * this.#names.size + 32) {
      this.#order = this.#order.filter((e) => e.node !== undefined);
    }
  }

  /** The entries with cookies above `cookie`, in order. */
  *after(cookie: number): Generator<{ name: string; cookie: number; node: MemNode }> {
    const order = this.#order;
    let low = 0;
    for (let high = order.length; low < high; ) {
      const middle = (low + high) >> 1;
      if ((order[middle]?.cookie ?? 0) <= cookie) low = middle + 1;
      else high = middle;
    }
    for (let i = low; i < order.length; i++) {
      const entry = order[i];
      if (entry?.node) yield { name: entry.name, cookie: entry.cookie, node: entry.node };
    }
  }
}

export const isType = (node: MemNode, type: number): boolean => (node.mode & S_IFMT) === type;

export function qidType(mode: number): number {
  const type = mode & S_IFMT;
  return type === S_IFDIR ? QTDIR : type === S_IFLNK ? QTSYMLINK : QTFILE;
}

export const isRegular = (node: MemNode): boolean => isType(node, S_IFREG);

/** dev_t as Linux's user space encodes it: glibc's makedev(3). */
export const makeDev = (major: number, minor: number): number =>
  (minor & 0xff) + (major & 0xfff) * 0x100 + (minor >>> 8) * 0x10_0000;
