// What lies where on a volume, for faults that mean a part of it (docs/faults.md, `tag=`).

import type { Label } from '../../kernel/ipc/fault/places.ts';
import type { FatVolume } from './fat/volume/geometry.ts';

const SECTOR_SIZE = 512;

/** In sectors: the boot sectors, then the tables and a fixed root directory. */
export function labelsOf({ fatStart, dataStart }: FatVolume): Label[] {
  const first = fatStart / SECTOR_SIZE;
  return [
    { tag: 'super', start: 0, count: first },
    { tag: 'meta', start: first, count: dataStart / SECTOR_SIZE - first },
  ];
}
