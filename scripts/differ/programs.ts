// Which programs are compared with the host's own, and why some are not.

import type { Table } from './maker.ts';
import { fileTable } from './tables/files.ts';
import { lineTable } from './tables/lines.ts';
import { packingTable } from './tables/packing.ts';
import { patternTable } from './tables/patterns.ts';
import { shellTable } from './tables/shell.ts';
import { systemTable } from './tables/system.ts';
import { wordTable } from './tables/words.ts';

export const table: Table = {
  ...lineTable,
  ...patternTable,
  ...wordTable,
  ...fileTable,
  ...systemTable,
  ...packingTable,
  ...shellTable,
};

/** Programs with tests of their own elsewhere, since the host's show another machine, or ask a person. */
export const WITHOUT: Readonly<Record<string, string>> = {
  ...reason('own the screen of a terminal: scripts/system/terminal', [
    'vi',
    'view',
    'clear',
    'stty',
    'reset',
    'top',
    'tset',
    'watch',
  ]),
  ...reason('show or change this machine', [
    ...[
      'df',
      'dmesg',
      'free',
      'fsync',
      'groups',
      'hostname',
      'mount',
      'umount',
      'ps',
      'pgrep',
      'pkill',
      'uptime',
    ],
    ...['renice', 'su', 'login', 'lsof', 'strace', 'time', 'fallocate', 'getfattr', 'setfattr'],
    ...['blkid', 'lsblk', 'disk', 'swapon', 'swapoff', 'pidof', 'killall', 'logname', 'setsid'],
  ]),
  ...reason('file systems are judged by the tools of their makers', [
    ...[
      'mkfs',
      'mkfs.ext2',
      'mkfs.ext3',
      'mkfs.ext4',
      'mkfs.hfs',
      'mkfs.hfsplus',
      'mkfs.exfat',
      'mkfs.fat',
      'mkfs.vfat',
    ],
    ...[
      'fsck',
      'fsck.ext2',
      'fsck.ext3',
      'fsck.ext4',
      'fsck.hfs',
      'fsck.hfsplus',
      'fsck.exfat',
      'fsck.fat',
      'fsck.vfat',
    ],
    ...['exfatlabel', 'fatlabel', 'e2fsck', 'resize2fs', 'tune2fs', 'dumpe2fs', 'debugfs'],
  ]),
  ...reason('are only here', ['bench', 'fault', 'tree']),
};

function reason(why: string, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, why]));
}

/** Programs that still differ in some options or words: the campaign tries them, the test does not. */
export const OPEN: Readonly<Record<string, string>> = {};
