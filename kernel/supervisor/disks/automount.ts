// The disks at boot: starts a driver for each controller, shows their disks at /dev/sd/NAME, and mounts
// each volume that can be mounted at /mnt/NAME. One that cannot is told of in one line, and the boot
// goes on.

import { type ControllerName, controllersOf } from '../../abi/disk/controllers.ts';
import { PosixError } from '../../abi/errno.ts';
import type { KernelConfig } from '../../abi/seat-config.ts';
import type { Task } from '../../ipc/task.ts';
import type { Kernel } from '../../kernel.ts';
import type { Mount } from '../../vfs/mount.ts';
import { listNames, volumeName } from '../contents.ts';
import { makeDirectory, mountAt } from '../root.ts';
import type { Server } from '../server.ts';
import { TOLD } from '../volumes.ts';
import { mountDiskTree, showDisk } from './disk-tree.ts';

export function* mountDisks(kernel: Kernel, config: KernelConfig): Task<void> {
  yield* mountDiskTree(kernel);
  for (const controller of controllersOf(config.disks)) {
    const driver = yield* startController(kernel, controller);
    const names = yield* listNames(driver.superblock, []);
    const disks = names.filter((name) => /^sd[A-Z][0-9]+$/.test(name)).sort(byNumber);
    for (const disk of disks) yield* mountDisk(kernel, { driver, disk, before: [] });
  }
}

/** Without its driver the machine goes on with the disks of the others. */
export const startController = (kernel: Kernel, controller: ControllerName): Task<Server> =>
  kernel.volumes.startDriver(kernel, controller);

const byNumber = (a: string, b: string): number => Number(a.slice(3)) - Number(b.slice(3));

interface NewDisk {
  readonly driver: Server;
  readonly disk: string;
  /** Mounts of its volumes as they were when it was pulled out. */
  readonly before: readonly Mount[];
}

/** Mounts each partition of a disk, or the whole disk when it has none. */
export function* mountDisk(kernel: Kernel, { driver, disk, before }: NewDisk): Task<void> {
  yield* showDisk(kernel, driver, disk);
  const numbers = yield* listNames(driver.superblock, [disk, 'part']);
  const partitions = numbers.filter((number) => number !== '0').sort((a, b) => +a - +b);
  for (const number of partitions.length > 0 ? partitions : ['0']) {
    const source = [disk, 'part', number];
    const mine = before.filter(({ superblock }) => superblock.source === volumeName(source));
    yield* mountVolume(kernel, source, mine);
  }
}

/** At /mnt/NAME, or wherever it was mounted before. */
function* mountVolume(
  kernel: Kernel,
  source: readonly string[],
  before: readonly Mount[],
): Task<void> {
  const name = volumeName(source);
  const [first] = before;
  const readOnly = first?.options.split(',').includes('ro') ?? false;
  try {
    const request = { source, name, type: 'auto', readOnly, options: '' };
    const { superblock, instance } = yield* kernel.volumes.startVolume(kernel, request);
    const places = first ? before.map(({ target }) => target) : [`/mnt/${name}`];
    for (const target of places) {
      if (first === undefined) yield* makeDirectory(kernel, target);
      yield* mountAt(kernel, target, superblock, `/dev/sd/${source.join('/')}`);
      const how = superblock.readOnly ? ', read-only' : '';
      kernel.log(`${name}: mounted at ${target} by ${instance}${how}`);
    }
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    if (error.message !== TOLD) kernel.log(`${name}: not mounted: ${error.message}`);
  }
}
