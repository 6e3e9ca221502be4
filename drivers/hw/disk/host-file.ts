// An image file on the host: positioned scatter reads and writes that are whole or throw, with the
// host's errors as PosixErrors that name the file.

import * as fs from 'node:fs';
import {
  EACCES,
  EBUSY,
  EINVAL,
  EIO,
  EISDIR,
  type Errno,
  PosixError,
  toErrno,
} from '../../../kernel/abi/errno.ts';
import { type Segments, sliceSegments, totalSize, zeroSegments } from './segments.ts';

/** IOV_MAX: most pieces the host takes in one call. */
const MAX_PIECES = 1024;

export class HostFile {
  readonly file: string;
  readonly sizeBytes: number;
  readonly #fd: number;

  constructor(file: string, access: 'r' | 'r+') {
    this.file = file;
    this.sizeBytes = checkedSize(file, access);
    this.#fd = hostCall(file, () => fs.openSync(file, access));
  }

  /** Fills the pieces; what lies beyond the end of the file reads as zeroes. */
  readv(offset: number, segments: Segments): void {
    const size = totalSize(segments);
    let done = 0;
    while (done < size) {
      const pieces = done === 0 ? segments : sliceSegments(segments, done, size - done);
      const count = hostCall(this.file, () => readPieces(this.#fd, pieces, offset + done));
      if (count === 0) {
        zeroSegments(pieces);
        return;
      }
      done += count;
    }
  }

  writev(offset: number, segments: Segments): void {
    const size = totalSize(segments);
    let done = 0;
    while (done < size) {
      const pieces = done === 0 ? segments : sliceSegments(segments, done, size - done);
      const count = hostCall(this.file, () => writePieces(this.#fd, pieces, offset + done));
      if (count === 0) throw new PosixError(EIO, `${this.file}: the host wrote nothing`);
      done += count;
    }
  }

  /** Returns when the host says that the data is on its own medium. */
  sync(): void {
    hostCall(this.file, () => fs.fdatasyncSync(this.#fd));
  }

  close(): void {
    hostCall(this.file, () => fs.closeSync(this.#fd));
  }
}

function readPieces(fd: number, pieces: Segments, position: number): number {
  const [only] = pieces;
  if (pieces.length === 1 && only) return fs.readSync(fd, only, 0, only.length, position);
  return fs.readvSync(fd, pieces.slice(0, MAX_PIECES), position);
}

function writePieces(fd: number, pieces: Segments, position: number): number {
  const [only] = pieces;
  if (pieces.length === 1 && only) return fs.writeSync(fd, only, 0, only.length, position);
  return fs.writevSync(fd, pieces.slice(0, MAX_PIECES), position);
}

/** Refuses what is no image before it is opened: opening a FIFO would wait for its writer. */
function checkedSize(file: string, access: 'r' | 'r+'): number {
  const stat = hostCall(file, () => fs.statSync(file));
  if (stat.isDirectory()) throw new PosixError(EISDIR, `${file}: is a directory, not an image`);
  if (!stat.isFile()) throw new PosixError(EINVAL, `${file}: is not a regular file`);
  if (access === 'r+' && (stat.mode & 0o222) === 0) {
    // Also for root, whom the host would let write: the owner marked the file as not to be changed.
    const reason = `is write-protected (mode 0${(stat.mode & 0o777).toString(8)})`;
    throw new PosixError(EACCES, `${file}: ${reason}; attach it ro or as an overlay`);
  }
  return stat.size;
}

/** Runs a call of the host; its error becomes a PosixError that names the file. */
export function hostCall<T>(file: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw toPosixError(file, error);
  }
}

function toPosixError(file: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('errno' in error) || typeof error.errno !== 'number')
    return error;
  const errno: Errno = toErrno(-error.errno);
  const words = error.message.replace(/^[A-Z0-9]+: /, '').replace(/, .*$/, '');
  return new PosixError(errno, `${file}: ${words}`);
}

const claimed = new Set<string>();

/**
 * Claims an image for the one who writes it; the result gives the claim back. Two machines that
 * write one image would destroy it. Claims are known to the thread that made them.
 */
export function claimImage(file: string): () => void {
  const stat = hostCall(file, () => fs.statSync(file));
  const key = `${stat.dev}:${stat.ino}`;
  if (claimed.has(key)) throw new PosixError(EBUSY, `${file}: is attached read-write already`);
  claimed.add(key);
  return () => {
    claimed.delete(key);
  };
}
