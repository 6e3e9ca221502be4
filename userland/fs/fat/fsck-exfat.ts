// fsck.exfat: checks an exFAT volume that nobody has mounted, and repairs it.

import { checkExFat } from '../../../daemons/fatd/exfat/fsck/check.ts';
import { checkVolume } from './check-volume.ts';

const usage = `[-anpvy] DEVICE

  -n  only look: change nothing    -a, -p, -y  repair what is wrong    -v  list what there is

Exit status: 0 all is well, 1 repaired, 4 something is wrong, 8 it could not be checked.`;

export const main = checkVolume({ usage, short: 'anpvy', check: (medium) => checkExFat(medium) });
