// The volumes that a storm goes over: how each is made, who serves it, and what its checker says.

import { readFileSync, writeFileSync } from 'node:fs';
import { newVolume, problemsOf } from '../../daemons/hfsd/testing.ts';
import { fsckFatFile, makeFat } from '../testing/dosfstools.ts';
import { fsckExFatFile, makeExFat } from '../testing/exfatprogs.ts';
import { fsck, makeExt4 } from '../testing/machine.ts';

export interface StormVolume {
  /** The server's name in `ps`. */
  readonly server: string;
  /** False, with nothing made, where the tool is missing. */
  make(file: string): Promise<boolean>;
  /** What is wrong with the volume, or ''. */
  check(file: string): string;
}

const HFS_BYTES = 64 << 20;

const checkHfs = (file: string): string =>
  problemsOf(new Uint8Array(readFileSync(file))).join('; ');

async function makeHfs(file: string, kind: 'hfs' | 'hfs+'): Promise<boolean> {
  const journalBytes = kind === 'hfs' ? 0 : 2 << 20;
  writeFileSync(file, newVolume({ kind, sizeBytes: HFS_BYTES, journalBytes }));
  return true;
}

export const VOLUMES: Readonly<Record<string, StormVolume>> = {
  ext4: { server: 'ext4fs', make: (file) => makeExt4(file, 128), check: fsck },
  fat32: { server: 'vfatfs', make: (file) => makeFat(file, 64, ['-F', '32']), check: fsckFatFile },
  exfat: { server: 'exfatfs', make: (file) => makeExFat(file, 64), check: fsckExFatFile },
  hfs: { server: 'hfsfs', make: (file) => makeHfs(file, 'hfs'), check: checkHfs },
  'hfs+': { server: 'hfsplusfs', make: (file) => makeHfs(file, 'hfs+'), check: checkHfs },
};
