// What stat and readdir of the library give: the fields and questions of node:fs's Stats and Dirent.

import {
  DT_BLK,
  DT_CHR,
  DT_DIR,
  DT_FIFO,
  DT_LNK,
  DT_REG,
  DT_SOCK,
  dtype,
} from '../kernel/abi/constants.ts';
import type { Stat, StatFs, Timespec } from '../kernel/abi/stat.ts';

/** Of a volume: what statfs gives. */
export type StatsFs = StatFs;

/** The questions that both answer. */
export interface FileType {
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
  isFIFO(): boolean;
  isSocket(): boolean;
  isCharacterDevice(): boolean;
  isBlockDevice(): boolean;
}

export interface Stats extends Omit<Stat, 'atime' | 'mtime' | 'ctime'>, FileType {
  readonly atimeMs: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly atime: Date;
  readonly mtime: Date;
  readonly ctime: Date;
}

export interface Dirent extends FileType {
  readonly name: string;
  /** The directory that holds it. */
  readonly parentPath: string;
}

const fileType = (type: number): FileType => ({
  isFile: () => type === DT_REG,
  isDirectory: () => type === DT_DIR,
  isSymbolicLink: () => type === DT_LNK,
  isFIFO: () => type === DT_FIFO,
  isSocket: () => type === DT_SOCK,
  isCharacterDevice: () => type === DT_CHR,
  isBlockDevice: () => type === DT_BLK,
});

const toMs = ({ sec, nsec }: Timespec): number => sec * 1000 + nsec / 1e6;

export function toStats(stat: Stat): Stats {
  const [atimeMs, mtimeMs, ctimeMs] = [toMs(stat.atime), toMs(stat.mtime), toMs(stat.ctime)];
  return {
    ...stat,
    ...{ atimeMs, mtimeMs, ctimeMs },
    atime: new Date(atimeMs),
    mtime: new Date(mtimeMs),
    ctime: new Date(ctimeMs),
    ...fileType(dtype(stat.mode)),
  };
}

export const toDirent = (name: string, parentPath: string, type: number): Dirent => ({
  ...{ name, parentPath },
  ...fileType(type),
});
