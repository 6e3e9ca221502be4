// The AHCI controller and its driver, for the cases that all controllers share.

import { createAhciController } from '../../hw/ahci/ahci.ts';
import { createPciBus } from '../../hw/pci.ts';
import type { Socket } from '../../lib/testing/hot-plug-cases.ts';
import type { Subject } from '../../lib/testing/subject.ts';
import { startAhci } from '../driver.ts';

export const ahci: Subject = {
  ...{ name: 'ahci', driver: 'ahci', prefix: 'sdC', trims: true },
  identity: { model: 'ATOLL VIRTUAL DISK', serial: 'ATOLL0000', firmware: '1.0', trim: true },
  power: (hardware) => [createAhciController(hardware)],
  start: startAhci,
  words: {
    badRead: /sdC0: READ FPDMA QUEUED lba \d+ count \d+: uncorrectable data/,
    badWrite: /sdC0: WRITE FPDMA QUEUED lba \d+ count \d+: .*device fault/,
    badAddress: /host bus fatal/,
    short: /command aborted/,
  },
};

export const ahciSocket: Socket = {
  ...{ name: 'ahci', prefix: 'sdC', spare: { least: 1, most: 11 } },
  power: (ram, disks) => {
    const hba = createAhciController({ ram, disks: disks.length ? disks : [undefined], ports: 32 });
    return { pci: createPciBus([hba]), plug: hba.plug, unplug: hba.unplug };
  },
  start: startAhci,
};
