// What FAT and exFAT each have of their own: entries and how they are found, clusters and how they are kept.
// Everything else - numbers, rules of names, attributes, order of writes - is written once, over this.

import type { Timespec } from '../../kernel/abi/stat.ts';
import type { Extent, MapRequest } from '../lib/volume.ts';
import type { KnownDirectory } from './dir/dir-cache.ts';
import type { Op } from './op.ts';
import type { HeldFile } from './volume/held.ts';

/** A name in a directory: where the entry lies that is the file, in slots from the volume's start. */
export interface Name {
  readonly place: number;
}

export interface Listed {
  readonly name: string;
  readonly ino: number;
  /** The slot behind its entry. */
  readonly next: number;
}

/** What an entry says of a file or directory; the root has none. */
export interface About {
  readonly attributes: number;
  /** Of a directory: of its clusters. */
  readonly size: number;
  readonly atime: Timespec;
  readonly mtime: Timespec;
  readonly btime: Timespec;
}

/** A name that becomes that of `ino`, in place of `there` if it is taken. */
export interface Move<Dir, Found> {
  readonly ino: number;
  readonly from: Dir;
  readonly found: Found;
  readonly to: Dir;
  readonly name: string;
  readonly there: Found | undefined;
}

/** `Dir`: a directory and where its clusters are. `Found`: a name in one. */
export interface Format<O extends Op, Dir, Found extends Name> {
  /** f_type of statfs(2). */
  readonly magic: number;

  /** ENOTDIR; ESTALE: it is gone. */
  dirOf(op: O, ino: number): Dir;
  /** The number of the directory in which a directory lies. */
  parentOf(op: O, ino: number): number;
  /** The number of what a name is. */
  inoOf(op: O, dir: Dir, found: Found): number;
  isDirectory(op: O, found: Found): boolean;

  /** All there is in a directory. To be asked before the request changes any of it. */
  indexOf(op: O, dir: Dir): KnownDirectory;
  find(op: O, dir: Dir, name: string): Found | undefined;
  /** The names from a slot on, until `visit` returns false. */
  eachName(op: O, from: { dir: Dir; slot: number }, visit: (name: Listed) => boolean): void;
  /** The name as the disk has it, which need not be the one it was found by. */
  nameOf(op: O, dir: Dir, found: Found): string | undefined;

  /** A new empty file, a new empty directory; returns its number. */
  addFile(op: O, dir: Dir, file: { name: string; attributes: number }): number;
  addDirectory(op: O, dir: Dir, name: string): number;
  remove(op: O, dir: Dir, found: Found): void;
  /** The same name in other letters, where it lies; false: that cannot be. */
  recase(op: O, dir: Dir, recase: { found: Found; name: string }): boolean;
  move(op: O, move: Move<Dir, Found>): void;
  /** The directory's mtime is now. */
  touchDirectory(op: O, dir: Dir): void;
  /** What is kept of a file that loses its name. */
  entryOf(op: O, found: Found): Uint8Array;

  about(op: O, ino: number): About;
  /** Not of the root. */
  change(op: O, ino: number, change: Partial<About>): void;

  /** Of a file, in bytes. */
  sizeOf(op: O, ino: number): number;
  /** How much of it was written, where the format knows that. */
  filled?(op: O, ino: number): number;
  mapRead(op: O, request: MapRequest): Extent[];
  mapWrite(op: O, request: MapRequest): Extent[];
  written(op: O, request: MapRequest): void;
  mayGrow(op: O, request: { ino: number; size: number }): void;
  reserve?(op: O, request: { ino: number; size: number }): boolean;
  truncate(op: O, ino: number, size: number): void;
  /** Clusters behind the size: a write was given up, and nobody holds the file any more. */
  trimTail(op: O, ino: number): void;
  freeNameless(op: O, file: HeldFile): void;
  /** One more step of freeing many clusters; true when another one is needed. */
  freeStep(op: O, ino: number): boolean;
  /** The number that a place gives to what lies there. */
  commonIno(op: O, place: number): number;
  /** A file or directory goes by its common number again. */
  renumbered?(op: O, numbers: { from: number; to: number }): void;
}
