// One request on a FAT volume, and what FAT adds to what is kept between requests.

import type { DirCache } from '../dir/dir-cache.ts';
import type { Op as AnyOp, Env } from '../op.ts';
import type { Freed } from '../volume/freed.ts';
import type { DirIndex } from './dir/dir-index.ts';
import type { FatVolume } from './volume/geometry.ts';

/** A name that is gone: how, and the entry that the disk still has. */
export interface GoneName {
  readonly how: 'unlinked' | 'moved';
  readonly name: string;
  readonly slot: number;
  readonly longs: number;
  readonly short: Uint8Array; // 11 bytes
}

export interface FatEnv extends Env {
  readonly dirs: DirCache<DirIndex>;
  /** By directory and name, long and short (`goneKey`). */
  readonly freed: Freed<GoneName>;
  /** Files that were given more clusters than their size says: to be looked at when they are given up. */
  readonly grown: Set<number>;
}

export interface Op extends AnyOp {
  readonly vol: FatVolume;
  readonly env: FatEnv;
}
