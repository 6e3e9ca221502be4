// One request on a volume of either format: its transaction, and what the daemon keeps between requests -
// caches of what is committed, changed by `onCommit` alone. Each format adds its own (fat/op.ts, exfat/op.ts).

import { type Qid, QTDIR, QTFILE } from '../../kernel/ninep/types.ts';
import type { Engine } from '../lib/engine.ts';
import type { MountRequest } from '../lib/mounted.ts';
import type { Transaction } from '../lib/transaction.ts';
import type { ChainCache } from './file/chain.ts';
import type { MountOptions } from './options.ts';
import { FreeMap, type FreeSource } from './volume/free-map.ts';
import { Freed } from './volume/freed.ts';
import { Held, type HeldFile } from './volume/held.ts';

/**
 * Inode numbers, which neither format has: the root's; those of files, by where the entry lies; of exFAT's
 * directories, the same way (FAT's go by their first cluster); of clusters that are being freed.
 */
export const ROOT_INO = 1;
export const FILE_INO = 2 ** 33;
export const DIR_INO = 2 ** 51;
export const TAIL_INO = 2 ** 52;

export const isFileIno = (ino: number): boolean => ino >= FILE_INO && ino < DIR_INO;

export const qidOf = (ino: number): Qid => ({
  type: isFileIno(ino) ? QTFILE : QTDIR,
  version: 0,
  path: ino,
});

export interface Volume {
  /** The unit of the block cache. */
  readonly blockSize: number;
  readonly clusterSize: number; // bytes
  /** Numbers of the clusters are 2 .. clusterEnd - 1. */
  readonly clusterEnd: number;
  readonly dataStart: number; // bytes, of cluster 2
  readonly serial: number;
}

export interface Env {
  readonly options: MountOptions;
  readonly free: FreeMap;
  readonly chains: ChainCache;
  readonly held: Held;
  readonly freed: Freed<unknown>;
  /** After the commit: a step of `continueWork` is due. */
  unfinished(ino: number): void;
  /** A fault says that the volume has none left of these. */
  refuses(pool: 'blocks' | 'inodes'): boolean;
  /** The serve loop tries again after a commit when it is told of something freed. */
  noteFreed(cluster: number, count: number): void;
}

export interface Op {
  readonly tx: Transaction;
  readonly vol: Volume;
  readonly env: Env;
}

/** What a mount begins with, in either format. `entrySize`: of what names a file, in bytes. */
export function envOf<Gone>(
  request: MountRequest,
  engine: Engine,
  own: { options: MountOptions; chains: ChainCache; source: FreeSource; entrySize: number },
): Env & { readonly freed: Freed<Gone> } {
  const { hooks } = request;
  const { cache } = engine;
  const { blockSize, shape } = cache;
  return {
    options: own.options,
    chains: own.chains,
    free: new FreeMap(own.source),
    held: new Held({ blockSize, frames: shape.frames, entrySize: own.entrySize }),
    freed: new Freed<Gone>(),
    unfinished: (ino) => hooks.unfinished(ino),
    refuses: (pool) => hooks.refuses?.(pool) ?? false,
    noteFreed: (cluster, count) => cache.running.freed.add(cluster, count),
  };
}

/** The first byte of a cluster on the volume. */
export const clusterByte = (vol: Volume, cluster: number): number =>
  vol.dataStart + (cluster - 2) * vol.clusterSize;

export const clustersOf = ({ vol }: Op, bytes: number): number =>
  Math.ceil(bytes / vol.clusterSize);

export function namelessFile({ tx, env }: Op, ino: number): HeldFile | undefined {
  const held = env.held.byIno(tx, ino);
  return held !== undefined && env.held.isNameless(held) ? held : undefined;
}
