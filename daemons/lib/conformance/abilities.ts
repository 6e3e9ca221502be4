// What each format can hold and what it cannot, in one table: a case that needs more than a format has
// is run against its refusal instead.

export interface Abilities {
  /** As mount -t takes it. */
  readonly type: string;
  readonly hardLinks: boolean;
  readonly symlinks: boolean;
  /** FIFOs, devices. */
  readonly specialFiles: boolean;
  /** All bits of a mode, and owners; otherwise a file is writable or it is not, and that is all. */
  readonly modes: boolean;
  /** Any extended attribute; those of the Finder alone; none. */
  readonly xattrs: 'any' | 'finder' | 'none';
  /** Files have holes, and room that is reserved. */
  readonly holes: boolean;
  /** fallocate(2). */
  readonly reserves: boolean;
  /** A directory's link count tells its subdirectories. */
  readonly countsSubdirectories: boolean;
  /** Letters that differ in case are different names. */
  readonly caseSensitive: boolean;
  /** A letter with an accent is the same name as the letter and the accent. */
  readonly composes: boolean;
  /** Bytes of the longest name of ASCII letters; one more is ENAMETOOLONG. */
  readonly longestName: number;
  /** Names it has no way to write down: EINVAL. */
  readonly badNames: readonly string[];
  /** What a file's size cannot be, and the error of that. */
  readonly tooLarge: { readonly size: number; readonly code: string };
  /** Seconds that times are multiples of; and the first and last time there is. */
  readonly timeStep: number;
  readonly times: { readonly first: number; readonly last: number };
  /** When a file was read last is written down by itself. */
  readonly accessTimes: boolean;
}

const EXT4: Abilities = {
  ...{ type: 'ext4', hardLinks: true, symlinks: true, specialFiles: true, modes: true },
  ...{ xattrs: 'any', holes: true, reserves: true, countsSubdirectories: true },
  ...{ caseSensitive: true, composes: false, longestName: 255, badNames: [] },
  ...{ tooLarge: { size: 2 ** 50, code: 'EFBIG' }, accessTimes: true },
  ...{ timeStep: 1e-6, times: { first: -(2 ** 31), last: 15_032_385_535 } },
};

/** Blocks are mapped one by one, and inodes of 128 bytes have seconds of 32 bits. */
const EXT2: Abilities = {
  ...EXT4,
  ...{
    type: 'ext2',
    reserves: false,
    timeStep: 1,
    times: { first: -(2 ** 31), last: 2 ** 31 - 1 },
  },
};

const FAT: Abilities = {
  ...{ type: 'vfat', hardLinks: false, symlinks: false, specialFiles: false, modes: false },
  ...{ xattrs: 'none', holes: false, reserves: false, countsSubdirectories: true },
  ...{ caseSensitive: false, composes: false, longestName: 255 },
  badNames: [
    'a:b',
    'what?',
    'a*',
    'tail.',
    'tail ',
    'a|b',
    'a"b',
    'a\\b',
    'a<b',
    'a\nb',
    'a\u0001',
  ],
  ...{ tooLarge: { size: 2 ** 32, code: 'EFBIG' }, accessTimes: false },
  ...{ timeStep: 2, times: { first: 315_532_800, last: 4_354_819_198 } }, // 1980 to 2107
};

/** Times have tenths of a second's tenths, and a zone; sizes 64 bits. */
const EXFAT: Abilities = {
  ...FAT,
  ...{ type: 'exfat', timeStep: 0.01, times: { first: 315_532_800, last: 4_354_819_198 } },
  tooLarge: { size: 2 ** 50, code: 'ENOSPC' },
};

const HFS: Abilities = {
  ...{ type: 'hfs', hardLinks: false, symlinks: false, specialFiles: false, modes: false },
  ...{ xattrs: 'finder', holes: false, reserves: false, countsSubdirectories: false },
  ...{ caseSensitive: false, composes: true, longestName: 31, badNames: ['\u4e2d\u6587'] },
  ...{ tooLarge: { size: 2 ** 31, code: 'EFBIG' }, accessTimes: false },
  ...{ timeStep: 1, times: { first: -2_082_844_800, last: 2_212_122_495 } }, // 1904 to 2040
};

const HFS_PLUS: Abilities = {
  ...HFS,
  ...{ type: 'hfsplus', hardLinks: true, symlinks: true, specialFiles: true, modes: true },
  ...{ xattrs: 'any', longestName: 255, badNames: [], accessTimes: true },
  tooLarge: { size: 2 ** 50, code: 'EFBIG' },
};

export const FORMATS = {
  ext4: EXT4,
  'ext4-1k': EXT4,
  ext3: { ...EXT2, type: 'ext3' },
  ext2: EXT2,
  fat12: FAT,
  fat16: FAT,
  fat32: FAT,
  exfat: EXFAT,
  hfs: HFS,
  'hfs+': HFS_PLUS,
  'hfs+-nojournal': HFS_PLUS,
  hfsx: { ...HFS_PLUS, caseSensitive: true },
} as const satisfies Readonly<Record<string, Abilities>>;

export type FormatName = keyof typeof FORMATS;
