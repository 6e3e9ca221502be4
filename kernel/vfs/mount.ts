// The mount table, and paths: a path is a dentry seen through a mount, so that '..' finds its way
// back out. A bind mount is a second mount of a dentry that is already known.

import { EBUSY, EINVAL, fail } from '../abi/errno.ts';
import type { Dentry } from './dcache.ts';
import type { Superblock } from './inode.ts';

export interface Path {
  readonly mount: Mount;
  readonly dentry: Dentry;
}

export interface Mount {
  readonly superblock: Superblock;
  readonly root: Dentry;
  /** Where it lies; undefined: the root of everything. */
  readonly on: Path | undefined;
  /** The mount point's path, as it was when mounted. */
  readonly target: string;
  readonly source: string;
  options: string;
}

export class MountTable {
  /** In the order of mounting: a later mount covers an earlier one at the same place. */
  readonly all: Mount[] = [];

  add(mount: Mount): Mount {
    if (mount.on) {
      mount.on.dentry.mounts++;
      mount.on.dentry.pins++;
    }
    mount.root.pins++;
    this.all.push(mount);
    return mount;
  }

  /** Takes a mount away; the caller unpins its two dentries. Throws EBUSY when a mount lies on it. */
  remove(mount: Mount): void {
    if (mount.on === undefined) fail(EINVAL);
    if (this.all.some((other) => other.on?.mount === mount)) fail(EBUSY);
    this.all.splice(this.all.indexOf(mount), 1);
    mount.on.dentry.mounts--;
  }

  get root(): Path {
    const [mount] = this.all;
    if (mount === undefined) fail(EINVAL, 'nothing is mounted');
    return { mount, dentry: mount.root };
  }

  /** Follows the mounts that lie on a path, to the topmost root. */
  enter(path: Path): Path {
    let at = path;
    while (at.dentry.mounts > 0) {
      const over = this.all.findLast(({ on }) => on?.dentry === at.dentry && on.mount === at.mount);
      if (over === undefined) break;
      at = { mount: over, dentry: over.root };
    }
    return at;
  }

  /** The parent directory of a path, through mount points; the root's parent is the root. */
  parent(path: Path): Path {
    let at = path;
    while (at.dentry === at.mount.root && at.mount.on) at = at.mount.on;
    const { parent } = at.dentry;
    return at.dentry === at.mount.root || parent === undefined
      ? at
      : this.enter({ mount: at.mount, dentry: parent });
  }

  /** The name of a path from the root; undefined when it was unlinked. */
  name(path: Path): string | undefined {
    const names: string[] = [];
    let at = path;
    for (let depth = 0; depth < 10_000; depth++) {
      if (at.dentry === at.mount.root) {
        if (at.mount.on === undefined) return `/${names.reverse().join('/')}`;
        at = at.mount.on;
        continue;
      }
      if (at.dentry.detached || at.dentry.parent === undefined) return undefined;
      names.push(at.dentry.name);
      at = { mount: at.mount, dentry: at.dentry.parent };
    }
    return undefined;
  }
}
