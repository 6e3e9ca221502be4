// Virtio block devices and their driver, for the cases that all controllers share.

import type { Disk } from '../../hw/disk/disk.ts';
import { createPciBus } from '../../hw/pci.ts';
import { createVirtioBlk, type VirtioBlk } from '../../hw/virtio/virtio-blk.ts';
import type { Socket } from '../../lib/testing/hot-plug-cases.ts';
import type { Hardware, Subject } from '../../lib/testing/subject.ts';
import { startVirtioBlk } from '../driver.ts';

/** `without`: features that the devices do not offer. */
export const virtio = (without: readonly number[] = []): Subject => ({
  ...{
    name: `virtio${without.map((bit) => `-${bit}`).join('')}`,
    driver: 'virtio',
    prefix: 'sdF',
    trims: true,
  },
  identity: { model: 'VIRTIO BLOCK DEVICE', serial: 'ATOLL-sdF0', firmware: '1.2', trim: true },
  power: ({ disks, ...rest }: Hardware) =>
    disks.map((disk, device) =>
      createVirtioBlk({ ...rest, disk, device, name: `sdF${device}`, without }),
    ),
  start: startVirtioBlk,
  words: {
    badRead: /sdF0: IN lba \d+ count \d+: the device failed/,
    badWrite: /sdF0: OUT lba \d+ count \d+: the device failed/,
    badAddress: /the device failed/,
    short: /moved 0 of 512 bytes/,
  },
});

export const virtioSocket: Socket = {
  ...{ name: 'virtio', prefix: 'sdF', spare: { least: 7, most: 7 } },
  power: (ram, disks) => {
    const functions: VirtioBlk[] = [];
    const plug = (device: number, disk: Disk): void => {
      functions.push(createVirtioBlk({ ram, disk, device, name: `sdF${device}` }));
    };
    const unplug = (device: number): void => {
      const at = functions.findIndex((one) => one.device === device);
      functions.splice(at, 1)[0]?.unplug();
    };
    for (const [device, disk] of disks.entries()) plug(device, disk);
    return { pci: createPciBus(functions), plug, unplug };
  },
  start: startVirtioBlk,
};
