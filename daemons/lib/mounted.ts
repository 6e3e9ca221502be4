// A mounted volume, and how a format mounts one: what serve.ts and main.ts know of ext4, FAT and HFS.

import type { Clock } from '../../kernel/abi/board.ts';
import type { Executor } from '../../kernel/ipc/executor.ts';
import type { Label } from '../../kernel/ipc/fault/places.ts';
import type { Task } from '../../kernel/ipc/task.ts';
import type { Area } from './cache/layout.ts';
import type { Mover } from './data/mover.ts';
import type { BlockDevice } from './device.ts';
import type { Engine } from './engine.ts';
import type { Transaction } from './transaction.ts';
import type { VolumeFs } from './volume.ts';

export interface MountedVolume {
  /** The format's name: the volume's server is called by it (`ext4fs`). */
  readonly format: string;
  readonly fs: VolumeFs;
  readonly engine: Engine;
  readonly mover: Mover;
  readonly readOnly: boolean;
  /** Everything published so far is durable when this is over: fsync, sync. */
  commit(): Task<void>;
  /** Everything published so far is at home on the disk. */
  checkpoint(): Task<void>;
  /** The last thing: commits, checkpoints and marks the volume clean. */
  unmount(): Task<void>;
  /**
   * A step of a long operation that `hooks.unfinished` told of; returns whether more is left.
   * `inUse`: a fid refers to the file, so that it must not be deleted.
   */
  continueWork(tx: Transaction, work: { readonly ino: number; readonly inUse: boolean }): boolean;
}

/** What a file system asks of the serve loop above it. */
export interface VolumeHooks {
  /** A long operation on the inode was begun: `continueWork` until it is done. */
  unfinished(ino: number): void;
  /** A fault says that the volume has none left of these. */
  refuses?(pool: 'blocks' | 'inodes'): boolean;
  /** What lies where on the volume, in sectors: for faults that mean a part of it. */
  label?(labels: readonly Label[]): void;
}

export interface MountRequest {
  readonly executor: Executor;
  readonly ram: SharedArrayBuffer;
  readonly area: Area;
  readonly device: BlockDevice;
  readonly clock: Clock;
  readonly random: (into: Uint8Array) => void;
  readonly readOnly: boolean;
  /** Words as given to mount -o. */
  readonly options: readonly string[];
  readonly hooks: VolumeHooks;
  /** A worker before this one served the volume and died: its cache is in the area. */
  readonly resume: boolean;
  readonly log: (line: string) => void;
}

/** Mounts a volume of one format. Throws PosixError saying what is wrong with it. */
export type MountFormat = (request: MountRequest) => Task<MountedVolume>;

/** The formats that a volume's worker knows, by the name that mount -t takes. */
export type FormatRegistry = Readonly<Record<string, MountFormat>>;
