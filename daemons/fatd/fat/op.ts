// One request on a FAT volume: its transaction, and what the daemon keeps between requests - caches of
// what is committed, changed by `onCommit` alone.

import { BlockSet } from '../../lib/cache/block-set.ts';
import type { Transaction } from '../../lib/transaction.ts';
import type { DirCache } from '../dir/dir-cache.ts';
import type { ChainCache } from '../file/chain.ts';
import type { MountOptions } from '../options.ts';
import type { FreeMap } from '../volume/free-map.ts';
import type { Held } from '../volume/held.ts';
import type { DirIndex } from './dir/dir-index.ts';
import type { FatVolume } from './volume/geometry.ts';

/** Inode numbers (inode.ts): the root's, where those of files begin, and those of what is being freed. */
export const ROOT_INO = 1;
export const FILE_INO = 2 ** 33;
export const TAIL_INO = 2 ** 50;

/** A name that is gone: how, and the entry that the disk still has. */
export interface GoneName {
  readonly how: 'unlinked' | 'moved';
  readonly name: string;
  readonly slot: number;
  readonly longs: number;
  readonly short: Uint8Array; // 11 bytes
}

/** What was freed and is still named on the disk: not to be used again before it is not. */
export class Freed {
  readonly clusters = new BlockSet();
  readonly slots = new Set<number>();
  /** By directory and name, long and short (`goneKey`). */
  readonly names = new Map<string, GoneName>();
  /** Clusters that end a chain which the disk still has as longer. */
  readonly ends = new BlockSet();
}

export interface FatEnv {
  readonly options: MountOptions;
  readonly free: FreeMap;
  readonly chains: ChainCache;
  readonly dirs: DirCache<DirIndex>;
  readonly held: Held;
  /** After the commit: a step of `continueWork` is due. */
  unfinished(ino: number): void;
  /** A fault says that the volume has none left of these. */
  refuses(pool: 'blocks' | 'inodes'): boolean;
  /** Clusters and slots that became free since the disk was brought up to date. */
  readonly freed: { running: Freed; committing: Freed };
  /** The serve loop tries again after a commit when it is told of something freed. */
  noteFreed(cluster: number, count: number): void;
}

export interface Op {
  readonly tx: Transaction;
  readonly vol: FatVolume;
  readonly env: FatEnv;
}

/** The first byte of a cluster on the volume. */
export const clusterByte = (vol: FatVolume, cluster: number): number =>
  vol.dataStart + (cluster - 2) * vol.clusterSize;
