// /proc/diskstats: what the drivers counted of each disk, in Linux's columns (Documentation/admin-guide/
// iostats.rst), a line for each disk.

import { controllerNamed, deviceNumber } from '../abi/disk/controllers.ts';
import { diskStatsAt } from '../abi/disk/stats.ts';
import type { Kernel } from '../kernel.ts';

export function diskstats({ ram, disks }: Kernel): string {
  const lines = [...disks.shown.keys()].sort().map((disk) => {
    const { major, minor } = deviceNumber(disk);
    const controller = controllerNamed(disk);
    const area = controller && disks.stats.get(controller);
    if (area === undefined) return '';
    const counts = [...diskStatsAt(ram, area, Math.floor(minor / 256))].map(Math.round);
    return `${String(major).padStart(4)} ${String(minor).padStart(7)} ${disk} ${counts.join(' ')}\n`;
  });
  return lines.join('');
}
