// The AHCI controller and its driver, for the cases that all controllers share.

import { createAhciController } from '../../hw/ahci/ahci.ts';
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
