// An open file of the running system, in the shape of node:fs/promises' FileHandle.

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
    at: ReadAt = {},
  ): Promise<{ bytesRead: number; buffer: T }> {
    const { offset = 0, length = buffer.length - offset, position = null } = at;
    const from = { length: Math.min(length, buffer.length - offset), position };
    const data = await named(this.#what('read'), readFd(this.#calls, this.fd, from));
    buffer.set(data, offset);
    return { bytesRead: data.length, buffer };
  }

  /** Writes all of it: at `position`, or where the last read or write ended. */
  async write(
    data: string | Uint8Array,
    at: { position?: number | null } = {},
  ): Promise<{ bytesWritten: number }> {
    const bytes = typeof data === 'string' ? encodeText(data) : data;
    const from = { bytes, position: at.position ?? null };
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
