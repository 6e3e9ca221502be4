// Disks that come and go while the machine runs, by lines written to /dev/sd/sdctl: `attach NAME` and
// `detach NAME`. What was mounted from a disk that is pulled out fails with EIO; when the disk is plugged
// in again its volumes are mounted anew where they were.

import { type ControllerName, controllerNamed, HOT_PLUG } from '../../abi/disk/controllers.ts';
import { EINVAL, ENXIO, fail, PosixError } from '../../abi/errno.ts';
import { decodeText } from '../../abi/text.ts';
import type { Task } from '../../ipc/task.ts';
import type { Kernel } from '../../kernel.ts';
import { clunk } from '../../vfs/inode.ts';
import type { Mount } from '../../vfs/mount.ts';
import { takeDown } from '../mounting.ts';
import { nameOf, type Server } from '../server.ts';
import { mountDisk, startController } from './automount.ts';
import { hideDisk } from './disk-tree.ts';

/** Lets sdctl do what is written to it. */
export function serveHotPlug(kernel: Kernel): void {
  kernel.disks.control = (line) => control(kernel, line);
}

function* control(kernel: Kernel, line: string): Task<void> {
  const [verb, name = '', ...more] = line.trim().split(/[ \t]+/);
  const known = (verb === 'attach' || verb === 'detach') && more.length === 0;
  const controller = controllerNamed(name);
  if (!known || controller === undefined) fail(EINVAL, `sdctl: ${line}`);
  yield* kernel.disks.lock.acquire();
  try {
    if (verb === 'attach') yield* attachDisk(kernel, controller, name);
    else yield* detachDisk(kernel, controller, name);
  } catch (error) {
    if (error instanceof PosixError) kernel.log(`${name}: ${verb}: ${error.message}`);
    throw error;
  } finally {
    kernel.disks.lock.release();
  }
}

function* attachDisk(kernel: Kernel, controller: ControllerName, name: string): Task<void> {
  yield* kernel.disks.replug(kernel, 'plug', name);
  const running = kernel.volumes.driverOf(name);
  const driver = running ?? (yield* startController(kernel, controller));
  const present = yield* presentDisks(driver);
  if (!present.includes(name)) fail(ENXIO, `${name}: does not come up`);
  const before = kernel.mounts.all.filter((mount) => wasOf(mount, name));
  for (const mount of before) takeDown(kernel, mount);
  kernel.log(`${name}: plugged in`);
  yield* mountDisk(kernel, { driver, disk: name, before });
}

/** The power of the disk goes, too: what was not flushed is lost. */
function* detachDisk(kernel: Kernel, controller: ControllerName, name: string): Task<void> {
  const driver = kernel.volumes.driverOf(name);
  if (driver === undefined || !kernel.disks.shown.has(name)) fail(ENXIO, `${name}: no such disk`);
  const releases: (() => void)[] = [];
  // First of all: nobody is to complain of a disk that he is about to lose.
  for (const volume of kernel.volumes.volumesOf(driver)) {
    if (!HOT_PLUG[controller] || diskOf(volume.superblock.source) !== name) continue;
    kernel.log(`${nameOf(volume)}: its disk is pulled out, what it served fails with EIO`);
    releases.push(kernel.volumes.pullOut(kernel, volume));
  }
  yield* kernel.disks.replug(kernel, 'unplug', name);
  hideDisk(kernel, name);
  yield* presentDisks(driver); // it has dropped everything then
  for (const release of releases) release();
}

/** A mount that was left when its disk was pulled out. */
const wasOf = ({ superblock }: Mount, disk: string): boolean =>
  superblock.gone && diskOf(superblock.source) === disk;

const diskOf = (volume: string): string => volume.replace(/p\d+$/, '');

/** What the driver has when it knows of all that the board has done. */
function* presentDisks({ superblock }: Server): Task<string[]> {
  const { client, root } = superblock;
  const fid = client.takeFid();
  try {
    yield* client.rpc({ name: 'Twalk', fid: root.fid, newfid: fid, wname: ['present'] });
    yield* client.rpc({ name: 'Tlopen', fid, flags: 0 });
    const { data } = yield* client.rpc({ name: 'Tread', fid, offset: 0, count: 900 });
    return decodeText(data).split('\n');
  } finally {
    yield* clunk(superblock, fid);
  }
}
