// The host's descriptors, errors, times and directory entries in Atoll's shapes, for host-sys.ts.

import type fs from 'node:fs';
import { PosixError, toErrno } from '../../../kernel/abi/errno.ts';
import type { Stat, Timespec } from '../../../kernel/abi/stat.ts';

/** What a descriptor leads to; shared by its duplicates. */
export interface OpenFile {
  readonly fd: number; // the host's; -1 = `sink`
  readonly sink: Uint8Array[] | undefined;
  readonly path: string;
  listed: boolean;
  position: number;
  readonly append: boolean;
}

/** At its beginning; without a descriptor of the host it is a sink. */
export const openFile = (file: Partial<OpenFile>): OpenFile => ({
  fd: -1,
  sink: undefined,
  path: '',
  append: false,
  ...file,
  listed: false,
  position: 0,
});

/** Turns the host's errors into ours. */
export function guarded<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    const errno = (error as { errno?: number }).errno;
    if (error instanceof PosixError || errno === undefined) throw error;
    throw new PosixError(toErrno(-errno));
  }
}

const spec = (ns: bigint): Timespec => {
  const sec = ns / 1_000_000_000n - (ns % 1_000_000_000n < 0n ? 1n : 0n);
  return { sec: Number(sec), nsec: Number(ns - sec * 1_000_000_000n) };
};

export function statOf(s: fs.BigIntStats): Stat {
  return {
    dev: Number(s.dev),
    ino: Number(s.ino),
    mode: Number(s.mode),
    nlink: Number(s.nlink),
    uid: Number(s.uid),
    gid: Number(s.gid),
    rdev: Number(s.rdev),
    size: Number(s.size),
    blksize: Number(s.blksize),
    blocks: Number(s.blocks),
    atime: spec(s.atimeNs),
    mtime: spec(s.mtimeNs),
    ctime: spec(s.ctimeNs),
  };
}

export const direntType = (entry: fs.Dirent<Buffer>): number =>
  entry.isDirectory()
    ? 4
    : entry.isSymbolicLink()
      ? 10
      : entry.isFile()
        ? 8
        : entry.isFIFO()
          ? 1
          : 0;
