// fsck.fat, fsck.vfat: checks a FAT volume that nobody has mounted, and repairs it.

import { checkFat } from '../../../daemons/fatd/fat/fsck/check.ts';
import { checkVolume } from './check-volume.ts';

const usage = `[-afnpvy] DEVICE

  -n  only look: change nothing               -a, -p, -y  repair what is wrong
  -f  lost chains become files FSCK0000.REC   -v  list what there is

Exit status: 0 all is well, 1 repaired, 4 something is wrong, 8 it could not be checked.`;

export const main = checkVolume({
  ...{ usage, short: 'afnpvy' },
  check: (medium, options) => checkFat(medium, { lost: options.has('f') ? 'save' : 'free' }),
});
