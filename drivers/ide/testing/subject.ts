// The IDE controller and its driver, for the cases that all controllers share.

import { createIdeController } from '../../hw/ide/ide.ts';
import type { Subject } from '../../lib/testing/subject.ts';
import { startIde } from '../driver.ts';

/** `pio`: a controller without a bus master. */
export const ide = (protocol: 'dma' | 'pio'): Subject => ({
  ...{ name: `ide ${protocol}`, driver: 'ide', prefix: 'sdD', trims: protocol === 'dma' },
  identity: { model: 'ATOLL VIRTUAL DISK', serial: 'ATOLL-sdD0', trim: protocol === 'dma' },
  power: (hardware) => [createIdeController({ ...hardware, busMaster: protocol === 'dma' })],
  start: startIde,
  words: {
    badRead: /sdD0: READ \w+ lba \d+ count \d+: uncorrectable data/,
    badWrite: /sdD0: WRITE \w+ lba \d+ count \d+: .*device fault/,
    badAddress: /bus master error|command aborted/,
    short: /moved/,
  },
});
