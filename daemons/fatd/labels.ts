// What lies where on a volume, for faults that mean a part of it (docs/faults.md, `tag=`).

import type { Label } from '../../kernel/ipc/fault/places.ts';

const SECTOR_SIZE = 512;

/** In sectors: the boot sectors, then the tables and a fixed root directory. */
export function labelsOf({
  fatStart,
  dataStart,
}: {
  fatStart: number;
  dataStart: number;
}): Label[] {
  const first = fatStart / SECTOR_SIZE;
  return [
    { tag: 'super', start: 0, count: first },
    { tag: 'meta', start: first, count: dataStart / SECTOR_SIZE - first },
  ];
}
