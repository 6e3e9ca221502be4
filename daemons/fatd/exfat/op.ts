// One request on an exFAT volume: its transaction, and what the daemon keeps between requests - caches of
// what is committed, changed by `onCommit` alone.

import { BlockSet } from '../../lib/cache/block-set.ts';
import type { Transaction } from '../../lib/transaction.ts';
import type { DirCache } from '../dir/dir-cache.ts';
import type { ChainCache } from '../file/chain.ts';
import type { MountOptions } from '../options.ts';
import type { FreeMap } from '../volume/free-map.ts';
import type { Held } from '../volume/held.ts';
import type { DirIndex } from './dir/dir-index.ts';
import type { Tree } from './dir/tree.ts';
import type { Bitmap } from './volume/bitmap.ts';
import type { ExFatVolume } from './volume/geometry.ts';
import type { Upcase } from './volume/upcase.ts';

/**
 * Inode numbers, which exFAT does not have: the root's; where those of files and of directories begin,
 * which go by the place of their set's first entry; those of clusters that are being freed.
 */
export const ROOT_INO = 1;
export const FILE_INO = 2 ** 33;
export const DIR_INO = 2 ** 51;
export const TAIL_INO = 2 ** 52;

/** A name that is gone: how, and the set that the disk still has. */
export interface GoneName {
  readonly how: 'unlinked' | 'moved';
  readonly name: string;
  readonly slot: number;
  readonly count: number;
}

/** What was freed and is still named on the disk: not to be used again before it is not. */
export class Freed {
  readonly clusters = new BlockSet();
  /** Slots, by where they lie. */
  readonly places = new Set<number>();
  /** By directory and name. */
  readonly names = new Map<string, GoneName>();
  /** Last clusters of files that the disk still has as longer. */
  readonly ends = new BlockSet();
}

export interface ExFatEnv {
  readonly options: MountOptions;
  readonly upcase: Upcase;
  readonly bitmap: Bitmap;
  readonly free: FreeMap;
  readonly chains: ChainCache;
  readonly dirs: DirCache<DirIndex>;
  readonly tree: Tree;
  readonly held: Held;
  /** Clusters of the root directory, which no entry tells the length of. */
  readonly rootClusters: BlockSet;
  /** Files in a row of clusters that become chains: how many of their links are written. */
  readonly linked: Map<number, number>;
  /** Files and directories that were moved: their MoveCount becomes 0 when the volume is unmounted. */
  readonly moved: Set<number>;
  /** After the commit: a step of `continueWork` is due. */
  unfinished(ino: number): void;
  /** A fault says that the volume has none left of these. */
  refuses(pool: 'blocks' | 'inodes'): boolean;
  readonly freed: { running: Freed; committing: Freed };
  /** The serve loop tries again after a commit when it is told of something freed. */
  noteFreed(cluster: number, count: number): void;
}

export interface Op {
  readonly tx: Transaction;
  readonly vol: ExFatVolume;
  readonly env: ExFatEnv;
}

/** The first byte of a cluster on the volume. */
export const clusterByte = (vol: ExFatVolume, cluster: number): number =>
  vol.dataStart + (cluster - 2) * vol.clusterSize;

export const clustersOf = ({ vol }: Op, bytes: number): number =>
  Math.ceil(bytes / vol.clusterSize);
