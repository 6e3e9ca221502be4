// The formats that `npm run crash` knows, by the name that --fs takes.

import { EXT4_FORMATS, ext4Format } from './ext4/format.ts';
import { EXFAT_FORMATS, exFatFormat } from './fat/exfat.ts';
import { FAT_FORMATS, fatFormat } from './fat/format.ts';
import type { CrashFormat } from './format.ts';
import { HFS_FORMATS, hfsFormat } from './hfs/format.ts';

export const FORMATS: readonly string[] = [
  ...[...EXT4_FORMATS, ...FAT_FORMATS, ...EXFAT_FORMATS, ...HFS_FORMATS],
];

export const formatNamed = (name: string): CrashFormat | undefined =>
  ext4Format(name) ?? fatFormat(name) ?? exFatFormat(name) ?? hfsFormat(name);
