// The disks at boot: starts a driver for each controller, shows their disks at /dev/sd/NAME, and mounts
// each volume that can be mounted at /mnt/NAME. One that cannot is told of in one line, and the boot
// goes on.

import { type ControllerName, controllersOf } from '../abi/disk/controllers.ts';
import { PosixError } from '../abi/errno.ts';
import type { KernelConfig } from '../abi/seat-config.ts';
import type { Task } from '../ipc/task.ts';
import type { Kernel } from '../kernel.ts';
import { listNames, volumeName } from './contents.ts';
import { showDisk } from './disk-tree.ts';
import { makeDirectory, mountAt } from './root.ts';
import type { Server } from './server.ts';
import { TOLD } from './volumes.ts';

export function* mountDisks(kernel: Kernel, config: KernelConfig): Task<void> {
  for (const controller of controllersOf(config.disks)) yield* mountController(kernel, controller);
}

/** Without its driver the machine goes on with the disks of the others. */
function* mountController(kernel: Kernel, controller: ControllerName): Task<void> {
  const driver = yield* kernel.volumes.startDriver(kernel, controller);
  const names = yield* listNames(driver.superblock, []);
  for (const disk of names.filter((name) => /^sd[A-Z][0-9]+$/.test(name))) {
    yield* showDisk(kernel, driver, disk);
    yield* mountPartitions(kernel, driver, disk);
  }
}

/** Mounts each partition of a disk, or the whole disk when it has none. */
function* mountPartitions(kernel: Kernel, driver: Server, disk: string): Task<void> {
  const numbers = yield* listNames(driver.superblock, [disk, 'part']);
  const partitions = numbers.filter((number) => number !== '0');
  for (const number of partitions.length > 0 ? partitions : ['0']) {
    yield* mountVolume(kernel, [disk, 'part', number]);
  }
}
function* mountVolume(kernel: Kernel, source: readonly string[]): Task<void> {
  const name = volumeName(source);
  try {
    const request = { source, name, type: 'auto', readOnly: false, options: '' };
    const { superblock } = yield* kernel.volumes.startVolume(kernel, request);
    yield* makeDirectory(kernel, `/mnt/${name}`);
    yield* mountAt(kernel, `/mnt/${name}`, superblock, `/dev/sd/${source.join('/')}`);
    kernel.log(`${name}: mounted at /mnt/${name}${superblock.readOnly ? ', read-only' : ''}`);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    if (error.message !== TOLD) kernel.log(`${name}: not mounted: ${error.message}`);
  }
}
