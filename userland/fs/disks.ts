// The disks of the machine and their partitions, from /dev/sd/sdctl and each disk's ctl and geometry.

import { PosixError } from '../../kernel/abi/errno.ts';
import { listDirectory } from '../libc/files/path.ts';
import { contents } from '../libc/processes.ts';
import type { Sys } from '../libc/sys.ts';

export interface Disk {
  /** `sdC0` */
  readonly name: string;
  /** What a volume on all of it is mounted from. */
  readonly path: string;
  readonly controller: string;
  readonly model: string;
  readonly serial: string;
  readonly state: string;
  readonly table: string;
  readonly sectorSize: number;
  readonly sizeBytes: number;
  readonly partitions: readonly Partition[];
}

export interface Partition {
  /** `sdC0p1` */
  readonly name: string;
  readonly path: string;
  readonly number: number;
  readonly startSector: number;
  readonly sizeBytes: number;
  /** As the table has it: a byte, a GUID or a name. */
  readonly type: string;
}

export function readDisks(sys: Sys): Disk[] {
  return names(sys)
    .sort()
    .flatMap((name) => {
      const ctl = contents(sys, `/dev/sd/${name}/ctl`);
      return ctl === undefined ? [] : [toDisk(name, ctl, controllerOf(sys, name))];
    });
}

function names(sys: Sys): string[] {
  try {
    return listDirectory(sys, '/dev/sd').flatMap(({ name }) =>
      /^sd[A-Z]/.test(name) ? [name] : [],
    );
  } catch (error) {
    if (error instanceof PosixError) return []; // a machine without disks
    throw error;
  }
}

function controllerOf(sys: Sys, name: string): string {
  const line = (contents(sys, '/dev/sd/sdctl') ?? '')
    .split('\n')
    .find((text) => text.startsWith(`${name} `));
  return line?.split(' ')[1] ?? '';
}

function toDisk(name: string, ctl: string, controller: string): Disk {
  const lines = ctl.split('\n');
  const value = (key: string): string =>
    lines.find((line) => line.startsWith(`${key} `))?.slice(key.length + 1) ?? '';
  const [sectors = 0, sectorSize = 512] = value('geometry').split(' ').map(Number);
  const partitions = lines.flatMap((line): Partition[] => {
    const match = /^part (\d+) (\d+) (\d+) ?(.*)$/.exec(line);
    if (match === null) return [];
    const [number = 0, start = 0, end = 0] = match.slice(1, 4).map(Number);
    const path = `/dev/sd/${name}/part/${number}`;
    const sizeBytes = (end - start) * sectorSize;
    return [
      {
        name: `${name}p${number}`,
        path,
        number,
        startSector: start,
        sizeBytes,
        type: match[4] ?? '',
      },
    ];
  });
  return {
    ...{ name, path: `/dev/sd/${name}/part/0`, controller, sectorSize, partitions },
    ...{ model: value('inquiry'), serial: value('serial'), state: value('state') },
    ...{ table: value('table'), sizeBytes: sectors * sectorSize },
  };
}
