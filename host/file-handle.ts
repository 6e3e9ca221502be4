// An open file of the running system, in the shape of node:fs/promises' FileHandle.

import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  SEEK_DATA,
  SEEK_HOLE,
} from '../kernel/abi/constants.ts';
import { SYS } from '../kernel/abi/syscall.ts';
import { encodeText } from '../kernel/abi/text.ts';
import type { HostCalls } from './calls.ts';
import { fdCall, PIECE, readFd, statFd, writeFd } from './file-calls.ts';
import { type FsOperation, named } from './fs-error.ts';
import { type Stats, toStats } from './stats.ts';

export interface ReadAt {
  readonly offset?: number; // into the buffer
  readonly length?: number;
  /** Where in the file; null = where the last read or write ended. */
  readonly position?: number | null;
}

/** Node's older form: offset and length in the buffer, then the position in the file. */
type Positional = [offset: number | null, length?: number | null, position?: number | null];

function toReadAt(where: readonly [at?: ReadAt] | Positional): ReadAt {
  const [first, length, position] = where;
  if (typeof first === 'object' && first !== null) return first;
  return {
    ...(typeof first === 'number' && { offset: first }),
    ...(typeof length === 'number' && { length }),
    ...(typeof position === 'number' && { position }),
  };
}

const ALLOCATE_MODES = {
  reserve: 0,
  keep: FALLOC_FL_KEEP_SIZE,
  punch: FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
  zero: FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
} as const;

export class FileHandle {
  readonly fd: number;
  readonly path: string;
  readonly #calls: HostCalls;
  #open = true;

  constructor(calls: HostCalls, fd: number, path: string) {
    this.#calls = calls;
    this.fd = fd;
    this.path = path;
  }

  /** Reads into the buffer; 0 bytes read is the end of the file. */
  async read<T extends Uint8Array>(
    buffer: T,
    ...where: [at?: ReadAt] | Positional
  ): Promise<{ bytesRead: number; buffer: T }> {
    const { offset = 0, length = buffer.length - offset, position = null } = toReadAt(where);
    const from = { length: Math.min(length, buffer.length - offset), position };
    const data = await named(this.#what('read'), readFd(this.#calls, this.fd, from));
    buffer.set(data, offset);
    return { bytesRead: data.length, buffer };
  }

  /** Writes all of it: at `position`, or where the last read or write ended. */
  async write(
    data: string | Uint8Array,
    ...where: [at?: ReadAt] | Positional
  ): Promise<{ bytesWritten: number }> {
    // Node's write(string, position) has no offset.
    const [first] = where;
    const text = typeof data === 'string';
    const at = text && typeof first === 'number' ? { position: first } : toReadAt(where);
    const whole = text ? encodeText(data) : data;
    const { offset = 0, length = whole.length - offset, position = null } = at;
    const bytes = whole.subarray(offset, offset + length);
    const from = { bytes, position };
    await named(this.#what('write'), writeFd(this.#calls, this.fd, from));
    return { bytesWritten: bytes.length };
  }

  /** What is left of the file from where it stands. */
  async readFile(): Promise<Uint8Array>;
  async readFile(encoding: 'utf8'): Promise<string>;
  async readFile(encoding?: 'utf8'): Promise<string | Uint8Array> {
    const pieces: Uint8Array[] = [];
    for (;;) {
      const at = { length: PIECE, position: null };
      const piece = await named(this.#what('read'), readFd(this.#calls, this.fd, at));
      if (piece.length === 0) break;
      pieces.push(piece);
    }
    const bytes = Buffer.concat(pieces);
    return encoding === undefined ? bytes : bytes.toString(encoding);
  }

  async stat(): Promise<Stats> {
    return toStats(await named(this.#what('fstat'), statFd(this.#calls, this.fd)));
  }

  async truncate(size = 0): Promise<void> {
    await named(this.#what('ftruncate'), fdCall(this.#calls, SYS.ftruncate, this.fd, size));
  }

  /**
   * Reserves room for a range, or takes it away (fallocate(2)): `keep` leaves the size as it is, `punch`
   * makes a hole, `zero` makes it read as zeroes and keeps its room. EOPNOTSUPP where that cannot be.
   */
  async allocate(
    { offset, length }: { offset: number; length: number },
    how: keyof typeof ALLOCATE_MODES = 'reserve',
  ): Promise<void> {
    const call = fdCall(this.#calls, SYS.fallocate, this.fd, ALLOCATE_MODES[how], offset, length);
    await named(this.#what('fallocate'), call);
  }

  /** Where data or a hole begins, at `offset` or behind it; ENXIO when there is none. */
  async seek(offset: number, what: 'data' | 'hole'): Promise<number> {
    const whence = what === 'data' ? SEEK_DATA : SEEK_HOLE;
    return (
      await named(this.#what('lseek'), fdCall(this.#calls, SYS.lseek, this.fd, offset, whence))
    ).r0;
  }

  /** Returns when the file is on its disk. */
  async sync(): Promise<void> {
    await named(this.#what('fsync'), fdCall(this.#calls, SYS.fsync, this.fd));
  }

  async datasync(): Promise<void> {
    await named(this.#what('fdatasync'), fdCall(this.#calls, SYS.fsync, this.fd, 1));
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await named(this.#what('close'), fdCall(this.#calls, SYS.close, this.fd));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #what(syscall: string): FsOperation {
    return { syscall, path: this.path };
  }
}
