// The dentry cache: a tree of names for each mounted server, negative entries among them, bounded by
// a least-recently-used list. A dentry that is pinned (a mount point, a working directory, an open
// file, a call under way) or has children stays.

import { foldExFat } from '../abi/names/exfat.ts';
import { decompose, foldHfsPlus } from '../abi/names/hfsplus.ts';
import { foldHfs } from '../abi/names/macroman.ts';
import { foldCase } from '../abi/text.ts';
import { type Inode, type InodeHost, iput } from './inode.ts';

export class Dentry {
  name: string;
  parent: Dentry | undefined; // undefined: the root of its server
  /** undefined: there is no such name. */
  inode: Inode | undefined;
  /** By name; where several spellings are one name, by what they have in common. */
  readonly children = new Map<string, Dentry>();
  /** On a volume where several spellings are one name: what they have in common. */
  readonly fold: Fold | undefined;
  pins = 0;
  /** How many mounts lie on it. */
  mounts = 0;
  /** Unlinked, or replaced: no longer found by name. */
  detached = false;
  /** Neighbours by last use. */
  older: Dentry | undefined;
  newer: Dentry | undefined;

  constructor(name: string, parent: Dentry | undefined, inode: Inode | undefined) {
    this.name = name;
    this.parent = parent;
    this.inode = inode;
    this.fold = parent === undefined ? FOLDS.get(inode?.superblock.type ?? '') : parent.fold;
  }

  /** Under which its children's names are kept. */
  key(name: string): string {
    return this.fold === undefined ? name : this.fold(name);
  }
}

type Fold = (name: string) => string;

/** Case makes no difference, or how a letter with an accent is composed. */
const FOLDS: ReadonlyMap<string, Fold> = new Map([
  ['vfat', foldCase],
  ['exfat', foldExFat],
  ['hfs', foldHfs],
  ['hfsplus', foldHfsPlus],
  ['hfsx', decompose],
]);
/** In names that FAT made of longer ones: two names of one file. What comes of one, the other does not tell. */
const ALIAS = '~';

const hasAlias = (dir: Dentry | undefined, name: string): boolean =>
  dir?.fold === foldCase && name.includes(ALIAS);

/** Dentries that one shrinking looks at. */
const INSPECTED = 64;

export class DentryCache {
  readonly #host: InodeHost;
  readonly #limit: number;
  /** A list through all dentries by their last use: a Set would be rehashed again and again by its own order. */
  #oldest: Dentry | undefined;
  #newest: Dentry | undefined;
  #size = 0;

  constructor(host: InodeHost, limit: number) {
    this.#host = host;
    this.#limit = limit;
  }

  get size(): number {
    return this.#size;
  }

  /** What is known of a name: a dentry, positive or negative, or undefined. Marks it as used. */
  peek(dir: Dentry, name: string): Dentry | undefined {
    const child = dir.children.get(dir.key(name));
    if (child === undefined || hasAlias(dir, name)) return undefined;
    if (child !== this.#newest) this.#touch(child);
    return child;
  }

  /** Records what a name is now; replaces what was known. */
  set(dir: Dentry, name: string, inode: Inode | undefined): Dentry {
    const known = dir.children.get(dir.key(name));
    if (known && known.inode === inode) return known;
    if (known) this.detach(known);
    const dentry = new Dentry(name, dir, inode);
    if (inode) inode.refs++;
    dir.children.set(dir.key(name), dentry);
    this.#shrink(); // first: the new one is not pinned yet
    this.#link(dentry);
    return dentry;
  }

  /** What is known of a name may be wrong. */
  forget(dir: Dentry, name: string): void {
    const known = dir.children.get(dir.key(name));
    if (known) this.detach(known);
  }

  /** Takes a dentry out of the tree; its inode lives on while something else refers to it. */
  detach(dentry: Dentry): void {
    if (dentry.detached) return;
    for (const child of [...dentry.children.values()]) this.detach(child);
    dentry.detached = true;
    dentry.parent?.children.delete(dentry.parent.key(dentry.name));
    if (hasAlias(dentry.parent, dentry.name)) this.#detachTwins(dentry);
    this.#unlink(dentry);
    if (dentry.pins === 0) this.#drop(dentry);
  }

  /** A name moved: the dentry moves with all that is below it. */
  move(dentry: Dentry, dir: Dentry, name: string): void {
    dentry.parent?.children.delete(dentry.parent.key(dentry.name));
    if (hasAlias(dentry.parent, dentry.name)) this.#detachTwins(dentry);
    const target = dir.children.get(dir.key(name));
    if (target) this.detach(target);
    dentry.parent = dir;
    dentry.name = name;
    dir.children.set(dir.key(name), dentry);
  }

  pin(dentry: Dentry): void {
    dentry.pins++;
  }

  unpin(dentry: Dentry): void {
    dentry.pins--;
    if (dentry.pins === 0 && dentry.detached) this.#drop(dentry);
  }

  /** Forgets everything below a dentry that nobody holds; false when something is held. */
  prune(dentry: Dentry): boolean {
    let clean = true;
    for (const child of [...dentry.children.values()]) {
      if (!this.prune(child) || child.pins > 0 || child.mounts > 0) clean = false;
      else this.detach(child);
    }
    return clean;
  }

  /** Forgets the names that were not used for longest, beyond the limit. */
  #shrink(): void {
    let next = this.#oldest;
    for (let i = 0; i < INSPECTED && next && this.#size > this.#limit; i++) {
      const dentry: Dentry = next;
      next = dentry.newer;
      const dirty = (dentry.inode?.dirty.size ?? 0) > 0;
      if (dentry.pins > 0 || dentry.mounts > 0 || dentry.children.size > 0 || dirty) {
        this.#touch(dentry);
      } else this.detach(dentry);
      if (next?.detached) next = this.#oldest; // a twin of what was just forgotten
    }
  }

  #touch(dentry: Dentry): void {
    this.#unlink(dentry);
    this.#link(dentry);
  }

  #link(dentry: Dentry): void {
    dentry.older = this.#newest;
    if (this.#newest) this.#newest.newer = dentry;
    this.#newest = dentry;
    this.#oldest ??= dentry;
    this.#size++;
  }

  #unlink(dentry: Dentry): void {
    if (dentry.older === undefined && this.#oldest !== dentry) return; // it was never in the list
    if (dentry.older) dentry.older.newer = dentry.newer;
    else this.#oldest = dentry.newer;
    if (dentry.newer) dentry.newer.older = dentry.older;
    else this.#newest = dentry.older;
    dentry.older = undefined;
    dentry.newer = undefined;
    this.#size--;
  }

  /** The file's long name, which went with the alias. */
  #detachTwins({ parent, inode }: Dentry): void {
    if (inode === undefined) return;
    for (const twin of [...(parent?.children.values() ?? [])]) {
      if (twin.inode === inode) this.detach(twin);
    }
  }

  #drop(dentry: Dentry): void {
    const { inode } = dentry;
    dentry.inode = undefined;
    if (inode) iput(this.#host, inode);
  }
}
