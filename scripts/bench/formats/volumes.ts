// The volumes that the bench compares: of each format as its tool makes one of that size unless told otherwise.

import { closeSync, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
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

/**
 * Writes the whole image once, as it is: who takes a place for the first time would wait for the host to find
 * room for it (2 ms a MiB), and those who go over the same places again would not.
 */
export function occupy(file: string, mib: number): void {
  const piece = Buffer.alloc(1 << 20);
  const fd = openSync(file, 'r+');
  try {
    for (let i = 0; i < mib; i++) {
      const length = readSync(fd, piece, 0, piece.length, i * piece.length);
      writeSync(fd, piece, 0, length, i * piece.length);
    }
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

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
