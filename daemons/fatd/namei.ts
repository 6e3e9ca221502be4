// Changing names: create, mkdir, unlink, rmdir, rename. There are no links and no inodes: an entry is the
// file, and moves with its name.

import {
  EEXIST,
  EINVAL,
  EISDIR,
  ENOENT,
  ENOSPC,
  ENOTDIR,
  ENOTEMPTY,
  EUCLEAN,
  fail,
} from '../../kernel/abi/errno.ts';
import { mustBeHoldable } from './dir/name.ts';
import type { Format, Name } from './format.ts';
import { ATTR_ARCHIVE, ATTR_READ_ONLY } from './ondisk.ts';
import { type Op, ROOT_INO } from './op.ts';

export interface Create {
  readonly name: string;
  readonly mode: number;
}

/** A name in a directory, which goes by `ino`. */
export interface Place<Dir> {
  readonly ino: number;
  readonly dir: Dir;
  readonly name: string;
}

/** Directories on the way to the root; no path is longer. */
const DEPTH_MAX = 65_536;

export class Namei<O extends Op, Dir, Found extends Name> {
  readonly #format: Format<O, Dir, Found>;

  constructor(format: Format<O, Dir, Found>) {
    this.#format = format;
  }

  /** A new empty file; returns its number. */
  create(op: O, dir: Dir, { name, mode }: Create): number {
    this.#mustBeNew(op, dir, name);
    const attributes = ATTR_ARCHIVE | ((mode & 0o222) === 0 ? ATTR_READ_ONLY : 0);
    this.#format.touchDirectory(op, dir);
    return this.#format.addFile(op, dir, { name, attributes });
  }

  mkdir(op: O, dir: Dir, name: string): number {
    this.#mustBeNew(op, dir, name);
    this.#format.touchDirectory(op, dir);
    return this.#format.addDirectory(op, dir, name);
  }

  unlink(op: O, dir: Dir, name: string): void {
    const found = this.#format.find(op, dir, name) ?? fail(ENOENT);
    if (this.#format.isDirectory(op, found)) fail(EISDIR);
    this.#remove(op, dir, found);
  }

  rmdir(op: O, dir: Dir, name: string): void {
    const found = this.#format.find(op, dir, name) ?? fail(ENOENT);
    if (!this.#format.isDirectory(op, found)) fail(ENOTDIR);
    this.#mustBeEmpty(op, dir, found);
    this.#remove(op, dir, found);
  }

  rename(op: O, from: Place<Dir>, to: Place<Dir>): void {
    const format = this.#format;
    mustBeHoldable(to.name);
    const found = format.find(op, from.dir, from.name) ?? fail(ENOENT);
    const there = format.find(op, to.dir, to.name);
    const same = there?.place === found.place;
    if (same && format.nameOf(op, from.dir, found) === to.name) return;
    if (same && format.recase(op, from.dir, { found, name: to.name })) {
      format.touchDirectory(op, from.dir);
      return;
    }
    const ino = format.inoOf(op, from.dir, found);
    if (format.isDirectory(op, found)) this.#mustNotContain(op, ino, to.ino);
    const replaced = same ? undefined : there;
    if (replaced !== undefined) {
      this.#mustBeReplaceable(op, found, { dir: to.dir, old: replaced });
      this.#keepNameless(op, to.dir, replaced);
    }
    const { dir, name } = to;
    format.move(op, { ino, from: from.dir, found, to: dir, name, there: replaced });
  }

  #mustBeNew(op: O, dir: Dir, name: string): void {
    mustBeHoldable(name);
    if (this.#format.indexOf(op, dir).find(name) !== undefined) fail(EEXIST);
    if (op.env.refuses('inodes')) fail(ENOSPC);
  }

  #mustBeEmpty(op: O, dir: Dir, found: Found): void {
    const ino = this.#format.inoOf(op, dir, found);
    if (this.#format.indexOf(op, this.#format.dirOf(op, ino)).size > 0) fail(ENOTEMPTY);
  }

  #mustBeReplaceable(op: O, file: Found, { dir, old }: { dir: Dir; old: Found }): void {
    const moving = this.#format.isDirectory(op, file);
    const isDir = this.#format.isDirectory(op, old);
    if (moving && !isDir) fail(ENOTDIR);
    if (!moving && isDir) fail(EISDIR);
    if (isDir) this.#mustBeEmpty(op, dir, old);
  }

  /** A directory cannot move into itself: EINVAL when `inner` lies below `outer`. */
  #mustNotContain(op: O, outer: number, inner: number): void {
    let ino = inner;
    for (let depth = 0; depth < DEPTH_MAX; depth++) {
      if (ino === outer) fail(EINVAL);
      if (ino === ROOT_INO) return;
      ino = this.#format.parentOf(op, ino);
    }
    fail(EUCLEAN, `directory ${inner}: its '..' never lead to the root`);
  }

  #remove(op: O, dir: Dir, found: Found): void {
    this.#keepNameless(op, dir, found);
    this.#format.touchDirectory(op, dir);
    this.#format.remove(op, dir, found);
  }

  /** The file lives on without a name until nobody holds it. */
  #keepNameless(op: O, dir: Dir, found: Found): void {
    const ino = this.#format.inoOf(op, dir, found);
    op.env.held.hold(op.tx, ino, { entry: this.#format.entryOf(op, found) });
    op.tx.onCommit(() => op.env.unfinished(ino));
  }
}
