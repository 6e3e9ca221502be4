// The volumes that the bench compares: of each format as its tool makes one of that size unless told otherwise,
// in sparse images.

import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { type NewVolume, newVolume } from '../../../daemons/hfsd/testing.ts';
import { makeFat } from '../../testing/dosfstools.ts';
import { makeExFat } from '../../testing/exfatprogs.ts';
import { makeExt4 } from '../../testing/machine.ts';

/** Makes an image of so many MiB; false, with nothing made, where the tool is missing. */
export type MakeVolume = (file: string, mib: number) => Promise<boolean>;

export const BENCH_VOLUMES: Readonly<Record<string, MakeVolume>> = {
  ext4: makeExt4,
  fat32: (file, mib) => makeFat(file, mib, ['-F', '32']),
  exfat: makeExFat,
  hfs: (file, mib) => makeHfs(file, { kind: 'hfs', sizeBytes: mib << 20 }),
  'hfs+': (file, mib) =>
    makeHfs(file, { kind: 'hfs+', sizeBytes: mib << 20, journalBytes: 8 << 20 }),
};

const PIECE = 64 << 10;

async function makeHfs(file: string, what: NewVolume): Promise<boolean> {
  const image = newVolume(what);
  const fd = openSync(file, 'w');
  try {
    ftruncateSync(fd, image.length);
    for (let at = 0; at < image.length; at += PIECE) {
      const piece = image.subarray(at, at + PIECE);
      if (piece.some((byte) => byte !== 0)) writeSync(fd, piece, 0, piece.length, at);
    }
  } finally {
    closeSync(fd);
  }
  return true;
}
