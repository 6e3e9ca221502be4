// One request on an exFAT volume, and what exFAT adds to what is kept between requests.

import type { BlockSet } from '../../lib/cache/block-set.ts';
import type { DirCache } from '../dir/dir-cache.ts';
import type { Op as AnyOp, Env } from '../op.ts';
import type { Freed } from '../volume/freed.ts';
import type { DirIndex } from './dir/dir-index.ts';
import type { Tree } from './dir/tree.ts';
import type { Bitmap } from './volume/bitmap.ts';
import type { ExFatVolume } from './volume/geometry.ts';
import type { Upcase } from './volume/upcase.ts';

/** A name that is gone: how, and the set that the disk still has. */
export interface GoneName {
  readonly how: 'unlinked' | 'moved';
  readonly name: string;
  readonly slot: number;
  readonly count: number;
}

export interface ExFatEnv extends Env {
  readonly upcase: Upcase;
  readonly bitmap: Bitmap;
  readonly dirs: DirCache<DirIndex>;
  readonly tree: Tree;
  readonly freed: Freed<GoneName>;
  /** Clusters of the root directory, which no entry tells the length of. */
  readonly rootClusters: BlockSet;
  /** Files in a row of clusters that become chains: how many of their links are written. */
  readonly linked: Map<number, number>;
  /** Files and directories that were moved: their MoveCount becomes 0 when the volume is unmounted. */
  readonly moved: Set<number>;
}

export interface Op extends AnyOp {
  readonly vol: ExFatVolume;
  readonly env: ExFatEnv;
}
