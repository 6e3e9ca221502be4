// VolumeFs: what ext4fs, FATd, HFSd and mfsd implement. daemons/lib runs it: the serve loop, the
// block cache, and the moving of file data. File-system code is a pure function of (committed
// blocks, request): it keeps no state but caches keyed by block version, and it never waits.

import type { FileServer } from '../../kernel/ninep/file-server.ts';
import type { Transaction } from './transaction.ts';

/** A piece of a file on the disk, as Linux's iomap tells it. */
export interface Extent {
  /** Bytes into the file; a multiple of the block size. */
  readonly offset: number;
  /** Bytes; a multiple of the block size. */
  readonly length: number;
  /** First volume block, or undefined for a hole or an unwritten extent: reads as zeroes. */
  readonly block: number | undefined;
  /** For writing: the blocks are fresh, so parts that the write leaves out must be zeroed. */
  readonly fresh?: boolean;
  /** Of fresh blocks: so many bytes behind the extent lie in them, too, and may become anything. */
  readonly spare?: number;
  /** For reading: only so many bytes of it were ever written, the rest reads as zeroes. */
  readonly valid?: number;
}

export interface MapRequest {
  ino: number;
  offset: number; // bytes, any
  length: number; // bytes, at least 1
}

/** Files that are so small that they lie in their inodes: no blocks to map. */
export interface PackedFiles {
  /** All that the file holds; undefined when it lies in blocks. */
  content(tx: Transaction, ino: number): Uint8Array | undefined;
  /** Could it hold so many bytes and stay where it is? */
  fits(tx: Transaction, request: { ino: number; size: number }): boolean;
  /** False, and nothing has happened, when it lies in blocks or has no room for it. */
  write(tx: Transaction, request: { ino: number; offset: number; bytes: Uint8Array }): boolean;
  /** A free block to move its content to. The transaction is then abandoned. */
  spare(tx: Transaction, ino: number): number;
  /**
   * From now on it lies in blocks: `content`, if there is any, in this one, where it has been written.
   * False, and nothing has happened, when it is not what the file holds.
   */
  move(tx: Transaction, to: { ino: number; content: Uint8Array; block: number }): boolean;
}

/** A mounted volume. Node handles are inode numbers. */
export interface VolumeFs extends FileServer<number, Transaction> {
  readonly blockSize: number;

  /** Is the file's data moved by mapping (a regular file), or by `read` (a directory, a symlink)? */
  isMapped(tx: Transaction, ino: number): boolean;
  /** Only where there are any. `mapRead` tells of them as holes, `mapWrite` refuses them. */
  readonly packed?: PackedFiles | undefined;
  /** i_size, in bytes. */
  size(tx: Transaction, ino: number): number;
  /**
   * Where the range lies, in order and without gaps, from its first block. May tell less than was
   * asked for (a long or fragmented range): the caller asks again for the rest.
   */
  mapRead(tx: Transaction, request: MapRequest): Extent[];
  /**
   * Allocates what the range lacks, then tells where it lies. Throws ENOSPC, EFBIG. Size and times
   * are not touched: `written` does that when the data is on its way to the disk. May allocate
   * less than was asked for, at least one block; an empty answer is a step towards it: to be asked again.
   */
  mapWrite(tx: Transaction, request: MapRequest): Extent[];
  /**
   * Only of a format whose files have no holes: the serve loop writes zeroes from the end of the file
   * to where a write or a new size begins, in pieces. Throws EFBIG or ENOSPC when that cannot be.
   */
  mayGrow?(tx: Transaction, request: { ino: number; size: number }): void;
  /** Only of a format that knows how much of a file was written: the zeroes begin there, not at its end. */
  readonly filled?: ((tx: Transaction, ino: number) => number) | undefined;
  /** Room for a new size, without zeroes: `true` when another step is needed. */
  readonly reserve?:
    | ((tx: Transaction, request: { ino: number; size: number }) => boolean)
    | undefined;
  /** The data arrived: unwritten extents become written, i_size grows to cover it, mtime is now. */
  written(tx: Transaction, request: MapRequest): void;
}
