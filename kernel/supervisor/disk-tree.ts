// /dev/sd: one directory for each disk, whichever driver serves it, and sdctl, which tells of them all
// (the layout of sd(3) of Plan 9). A disk's directory is a mount of that part of its driver's tree.

import { EIO, fail } from '../abi/errno.ts';
import type { Caller } from '../fs/caller.ts';
import type { Task } from '../ipc/task.ts';
import type { Kernel } from '../kernel.ts';
import { type TreeNode, TreeServer } from '../ninep/tree.ts';
import { Dentry } from '../vfs/dcache.ts';
import { lookup, namei } from '../vfs/namei.ts';
import { localServer } from './local.ts';
import { asInit, mountAt } from './root.ts';
import type { Server } from './server.ts';

const AT = '/dev/sd';

export class DiskTree {
  /** Disks that are shown, with the names of their controllers. */
  readonly shown = new Map<string, string>();
  readonly #roots = new WeakMap<Server, Dentry>();
  mounted = false;

  /** The root of a driver's tree. */
  rootOf(driver: Server): Dentry {
    const known = this.#roots.get(driver) ?? new Dentry('', undefined, driver.superblock.root);
    this.#roots.set(driver, known);
    return known;
  }

  server(kernel: Kernel): TreeServer<Caller> {
    const directory = (name: string): TreeNode<Caller> => ({ name, mode: 0o755, children: [] });
    const sdctl: TreeNode<Caller> = { name: 'sdctl', mode: 0o444, text: () => this.#describe() };
    const children = () => [...[...this.shown.keys()].sort().map(directory), sdctl];
    const root: TreeNode<Caller> = { name: '', mode: 0o755, children };
    return new TreeServer(root, { now: () => kernel.clock.wallclock() });
  }

  #describe(): string {
    const lines = [...this.shown].sort().map(([disk, controller]) => `${disk} ${controller}\n`);
    return lines.join('');
  }
}

/** Shows a disk that a driver serves at /dev/sd/NAME. */
export function* showDisk(kernel: Kernel, driver: Server, disk: string): Task<void> {
  const { disks } = kernel;
  if (!disks.mounted) {
    disks.mounted = true;
    const as = { type: 'sdtree', source: 'sd', volatile: true };
    yield* mountAt(kernel, AT, yield* localServer(kernel, disks.server(kernel), as));
  }
  if (disks.shown.has(disk)) return;
  disks.shown.set(disk, driver.superblock.source);
  const target = `${AT}/${disk}`;
  yield* asInit(kernel, function* (call) {
    const on = yield* namei(call, target, { follow: true });
    const root = yield* lookup(call, disks.rootOf(driver), disk);
    if (root.inode === undefined) fail(EIO, `${disk}: its driver does not know it`);
    kernel.mounts.add({
      ...{ superblock: driver.superblock, root, target, source: disk, options: 'rw' },
      on: { mount: on.mount, dentry: on.dentry },
    });
  });
}
