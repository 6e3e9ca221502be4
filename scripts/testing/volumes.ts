// A volume of each format that conformance, storms and the matrix of controllers go over: how it is made,
// who serves it, and what others say of it. By the real tools where there are some.

import { readFileSync, writeFileSync } from 'node:fs';
import { newVolume, problemsOf } from '../../daemons/hfsd/testing.ts';
import type { FormatName } from '../../daemons/lib/conformance/abilities.ts';
import { fsckFatFile, makeFat } from './dosfstools.ts';
import { fsckExFatFile, makeExFat } from './exfatprogs.ts';
import { fsck, host, makeExt4 } from './machine.ts';

export interface TestVolume {
  /** In `ps`, when it is the first of its kind. */
  readonly server: string;
  /** MiB: not much more than a volume of this format must have. */
  readonly leastMib: number;
  /** False, with nothing made, where the tool is missing. */
  make(file: string, mib: number): Promise<boolean>;
  /** What is wrong with the volume, or ''. */
  check(file: string): string;
  /** Has somebody else copy the folder /t into a folder of the host; false where nobody can. */
  extract(file: string, into: string): boolean;
}

const ext = (leastMib: number, ...args: string[]): TestVolume => ({
  ...{ server: 'ext4fs_0', leastMib },
  make: (file, mib) => makeExt4(file, mib, args),
  check: fsck,
  extract: (file, into) => host('debugfs', ['-R', `rdump t ${into}`, file]) !== undefined,
});

const fat = (leastMib: number, ...args: string[]): TestVolume => ({
  ...{ server: 'FATd_0', leastMib },
  make: (file, mib) => makeFat(file, mib, args),
  check: fsckFatFile,
  extract: (file, into) => host('mcopy', ['-s', '-n', '-i', file, '::t', into]) !== undefined,
});

type Hfs = Pick<Parameters<typeof newVolume>[0], 'kind' | 'journalBytes' | 'caseSensitive'>;

const hfs = (what: Hfs): TestVolume => ({
  ...{ server: 'HFSd_0', leastMib: 6 },
  make: async (file, mib) => {
    writeFileSync(file, newVolume({ ...what, sizeBytes: mib << 20 }));
    return true;
  },
  check: (file) => problemsOf(new Uint8Array(readFileSync(file))).join('; '),
  extract: what.kind === 'hfs' ? byHfsutils : bySevenZip,
});

/** It copies no folders, but all files of one. */
const HCOPY = `export HOME=$2; hmount "$1" > /dev/null || exit
copy() {
  mkdir "$2"; hls -1F "$1" > "$HOME/list" 2> /dev/null
  grep -q '[^:]$' "$HOME/list" && hcopy -r "$1:*" "$2" 2> /dev/null
  for folder in $(grep ':$' "$HOME/list"); do copy "$1:\${folder%:}" "$2/\${folder%:}"; done
}
copy :t "$2/t"; humount`;

function byHfsutils(file: string, into: string): boolean {
  if (host('hls', ['--version']) === undefined) return false;
  return host('sh', ['-c', HCOPY, 'sh', file, into])?.status === 0;
}

function bySevenZip(file: string, into: string): boolean {
  if (host('7z', ['x', `-o${into}`, file, 'Test/t']) === undefined) return false;
  return host('mv', [`${into}/Test/t`, `${into}/t`])?.status === 0;
}

export const VOLUMES: Readonly<Record<FormatName, TestVolume>> = {
  ext4: ext(12, '-b', '4096', '-J', 'size=4'),
  'ext4-1k': ext(8, '-b', '1024', '-O', 'inline_data,quota,orphan_file'),
  ext3: ext(8, '-t', 'ext3', '-I', '128'),
  ext2: ext(8, '-t', 'ext2', '-I', '128'),
  // As many clusters as FAT12 has, but for a few.
  fat12: fat(4, '-F', '12', '-s', '2', '-R', '1', '-r', '112'),
  fat16: fat(6, '-F', '16', '-s', '2'),
  fat32: fat(34, '-F', '32', '-s', '1'),
  exfat: {
    ...{ server: 'FATd_0', leastMib: 6, make: makeExFat, check: fsckExFatFile },
    extract: () => false,
  },
  hfs: hfs({ kind: 'hfs' }),
  'hfs+': hfs({ kind: 'hfs+', journalBytes: 1 << 20 }),
  'hfs+-nojournal': hfs({ kind: 'hfs+' }),
  hfsx: hfs({ kind: 'hfs+', caseSensitive: true }),
};
