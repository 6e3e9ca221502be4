// /dev/sd: one directory for each disk, whichever driver serves it, and sdctl, which tells of them all and
// takes `attach NAME` and `detach NAME` (after sd(3) of Plan 9). A disk's directory is a mount of that part
// of its driver's tree.

import type { ToKernel } from '../../abi/board-link.ts';
import type { ControllerName } from '../../abi/disk/controllers.ts';
import { EINVAL, EIO, fail, PosixError, toErrno } from '../../abi/errno.ts';
import { decodeText } from '../../abi/text.ts';
import type { Caller } from '../../fs/caller.ts';
import { Lock, sleep, type Task, WaitQueue, wakeAll } from '../../ipc/task.ts';
import type { Kernel } from '../../kernel.ts';
import { type TreeNode, TreeServer } from '../../ninep/tree.ts';
import { Dentry } from '../../vfs/dcache.ts';
import type { Path } from '../../vfs/mount.ts';
import { lookup, namei } from '../../vfs/namei.ts';
import { localServer } from '../local.ts';
import { takeDown } from '../mounting.ts';
import { asInit, mountAt } from '../root.ts';
import type { Server } from '../server.ts';

const AT = '/dev/sd';
const LINE_MAX = 80;

/** What the board said of the last disk that it was asked to plug in or pull out. */
type Replugged = Extract<ToKernel, { type: 'replugged' }>;

export class DiskTree {
  /** Disks that are shown, with the names of their controllers. */
  readonly shown = new Map<string, string>();
  /** Where each controller's driver counts what its disks do. */
  readonly stats = new Map<ControllerName, number>();
  /** Held while disks come or go. */
  readonly lock = new Lock('disks');
  readonly #roots = new WeakMap<Server, Dentry>();
  readonly #answered = new WaitQueue('the board');
  #answer: Replugged | undefined;
  /** Does what is written to sdctl; set by hot-plug.ts. */
  control: (line: string) => Task<void> = () => fail(EINVAL);

  /** The root of a driver's tree. */
  rootOf(driver: Server): Dentry {
    const known = this.#roots.get(driver) ?? new Dentry('', undefined, driver.superblock.root);
    this.#roots.set(driver, known);
    return known;
  }

  server(kernel: Kernel): TreeServer<Caller> {
    const directory = (name: string): TreeNode<Caller> => ({ name, mode: 0o755, children: [] });
    const sdctl: TreeNode<Caller> = {
      name: 'sdctl',
      mode: 0o644,
      text: () => this.#describe(),
      write: (_caller, _offset, from) => this.#control(from),
    };
    const children = () => [...[...this.shown.keys()].sort().map(directory), sdctl];
    const root: TreeNode<Caller> = { name: '', mode: 0o755, children };
    return new TreeServer(root, { now: () => kernel.clock.wallclock() });
  }

  /** `detach` written to a disk's own ctl is not for its driver: who pulls it out is the board. */
  *takes(path: Path | undefined, bytes: Uint8Array): Task<boolean> {
    const { name, parent } = path?.dentry ?? {};
    if (path?.mount.superblock.type !== 'sd' || name !== 'ctl' || parent === undefined)
      return false;
    if (bytes.length > LINE_MAX || decodeText(bytes.slice()).trim() !== 'detach') return false;
    yield* this.control(`detach ${parent.name}`);
    return true;
  }

  replugged(answer: Replugged): void {
    this.#answer = answer;
    wakeAll(this.#answered);
  }

  /** Has the board plug a disk in or pull it out; throws why not. One at a time: under `lock`. */
  *replug(kernel: Kernel, how: 'plug' | 'unplug', name: string): Task<void> {
    this.#answer = undefined;
    kernel.link.send({ type: how, text: name });
    while (this.#answer === undefined) yield* sleep(this.#answered);
    const { errno, text } = this.#answer as Replugged;
    if (errno !== 0) throw new PosixError(toErrno(errno), text);
  }

  *#control(from: Uint8Array): Task<number> {
    for (const line of decodeText(from).split('\n')) if (line.trim()) yield* this.control(line);
    return from.length;
  }

  #describe(): string {
    const lines = [...this.shown].sort().map(([disk, controller]) => `${disk} ${controller}\n`);
    return lines.join('');
  }
}

/** Makes /dev/sd. */
export function* mountDiskTree(kernel: Kernel): Task<void> {
  const as = { type: 'sdtree', source: 'sd', volatile: true };
  yield* mountAt(kernel, AT, yield* localServer(kernel, kernel.disks.server(kernel), as));
}

/** Shows a disk that a driver serves at /dev/sd/NAME. */
export function* showDisk(kernel: Kernel, driver: Server, disk: string): Task<void> {
  const { disks } = kernel;
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

/** A disk is gone, and its directory with it; who has files in there keeps them, and gets EIO. */
export function hideDisk(kernel: Kernel, disk: string): void {
  kernel.disks.shown.delete(disk);
  const mount = kernel.mounts.all.find(({ target }) => target === `${AT}/${disk}`);
  if (mount === undefined) return;
  takeDown(kernel, mount);
  kernel.dcache.detach(mount.root);
}
