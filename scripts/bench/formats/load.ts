// What is done to a volume of each format, by Atoll and by those who know the format: the same bytes, the same
// files, and at the end of what is written the image is flushed.

import type { Stage } from '../stage.ts';

export interface Load {
  /** Of the one large file, written and read in order in pieces. */
  readonly bytes: number;
  readonly piece: number;
  /** 4 KiB each, at random places of that file. */
  readonly accesses: number;
  /** Of five bytes each, in one directory: made one by one, or copied there by one command. */
  readonly files: number;
  /** The median of so many counts, the first among them; the first of Atoll is told beside it. */
  readonly rounds: number;
}

/** Undefined where nobody can do it. */
export interface Figures {
  readonly write?: number | undefined; // MB/s
  readonly read?: number | undefined; // MB/s
  readonly cached?: number | undefined; // MB/s
  readonly pread?: number | undefined; // a second
  readonly hit?: number | undefined; // a second
  readonly pwrite?: number | undefined; // a second
  readonly files?: number | undefined; // a second
  readonly copied?: number | undefined; // files a second
}

export type Column = keyof Figures;

export const COLUMNS: Readonly<Record<Column, string>> = {
  write: 'write MB/s',
  read: 'read MB/s',
  cached: 'cached MB/s',
  pread: 'random reads/s',
  hit: 'cached reads/s',
  pwrite: 'random writes/s',
  files: 'files made/s',
  copied: 'files copied/s',
};

export const columns = Object.keys(COLUMNS) as readonly Column[];

const MIB = 1 << 20;

export const loadOf = (stage: Stage): Load => ({
  bytes: stage.size(256, 1) * MIB,
  piece: MIB,
  accesses: stage.size(20_000, 50),
  files: stage.size(5000, 20),
  rounds: stage.rounds,
});

export const PAGE = 4096;

/** What is in each of the many files. */
export const FIVE = 'five\n';

/** Bytes in milliseconds, as MB/s. */
export const mbPerSecond = (bytes: number, ms: number): number => bytes / ms / 1000;

export const perSecond = (count: number, ms: number): number => (count * 1000) / ms;
