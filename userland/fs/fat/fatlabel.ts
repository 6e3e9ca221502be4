// fatlabel: shows or changes the name or the number of a FAT volume, as fatlabel(8) of dosfstools.

import { readName, writeLabel, writeSerial } from '../../../daemons/fatd/fat/mkfs/label.ts';
import { labelVolume } from './label-volume.ts';

const usage = `[-ir] DEVICE [NEW]

  -i  the volume's number, not its name       -r  no name, or a number by chance`;

export const main = labelVolume({
  ...{ usage, short: 'ir', readName, writeLabel, writeSerial },
  shown: (what) => ('label' in what ? what.label : what.serial),
});
