// What the explorer of power cuts must know of a file system: everything that is of one format alone.

import type { MountFormat } from '../../daemons/lib/mounted.ts';
import type { Window } from './disk/history.ts';
import type { Observed } from './oracle/observed.ts';
import type { Allowed } from './oracle/ordered.ts';
import type { Op } from './workload/language.ts';
import type { Story } from './workload/record.ts';

/** A range of an image, in bytes. */
export interface Range {
  readonly offset: number;
  readonly size: number;
}

/** What a check of an unmounted image found. */
export interface Checked {
  /** Empty when the volume is consistent. */
  readonly problems: readonly string[];
  /** The tree as the checker sees it, in the form of `Observed.shape`. */
  readonly shape: string;
  /** What of the volume is free, for a comparison of two volumes with the same files. */
  readonly free: string;
}

/** From what is seen after a cut to what is wrong with it. */
export type Judge = (seen: Observed, may: Allowed) => string | undefined;

export interface CrashFormat {
  readonly name: string;
  readonly blockSize: number;
  readonly mount: MountFormat;
  /** An empty volume, as the format's own mkfs makes it; the same bytes every time. */
  make(): Uint8Array;
  /** Can it do this at all? Workloads with other operations are left out. */
  suits(op: Op): boolean;
  /** Names in the root directory that it brings along. */
  readonly ignored: ReadonlySet<string>;
  /** A consistency check of our own, which shares no code with the daemon but tables and checksums. */
  check(image: Uint8Array): Checked;
  /** Blocks that belong to nobody: painted, so that it shows when somebody gets to see them. */
  free(image: Uint8Array): Range[];
  /** Parts of an unmounted image whose content means nothing: the log. */
  void(image: Uint8Array): Range[];
  /** Parts that a mount and an unmount may change when nothing was done between them. */
  stamps(image: Uint8Array): Range[];
  /** What it promises: which states a cut may leave, and whether one of them is seen. */
  promised(story: Story, window: Window): Allowed;
  judge(story: Story): Judge;
  /** The real checker's complaint; undefined when it has none, or is not installed. */
  realCheck(image: Uint8Array): string | undefined;
}
