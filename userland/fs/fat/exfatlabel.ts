// exfatlabel: shows or changes the name or the number of an exFAT volume, as exfatlabel(8) of exfatprogs.

import { readName, writeLabel, writeSerial } from '../../../daemons/fatd/exfat/mkfs/label.ts';
import { labelVolume } from './label-volume.ts';

const usage = `[-i] DEVICE [NEW]

  -i  the volume's number, not its name`;

export const main = labelVolume({
  ...{ usage, short: 'i', readName, writeLabel, writeSerial },
  shown: (what) => ('label' in what ? `label: ${what.label}` : `volume serial : 0x${what.serial}`),
});
