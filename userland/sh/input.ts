// Where commands and lines come from. A descriptor is never left further on than what was used of it,
// since what follows belongs to the commands: a file is sought back, a pipe is looked at first, a
// terminal gives single lines anyway.

import { SEEK_CUR } from '../../kernel/abi/constants.ts';
import { EINTR, ESPIPE, PosixError } from '../../kernel/abi/errno.ts';
import { decodeText } from '../../kernel/abi/text.ts';
import type { Sys } from '../libc/sys.ts';
import { raise } from './errors.ts';

const blockBytes = 64 * 1024;
/** A line longer than this is an error: it has to fit into memory several times. */
const longestLine = 128 * 1024 * 1024;

const NEWLINE = 10;

/** The rest of a descriptor as text; closes it. */
export function readFile(sys: Sys, fd: number): string {
  const whole = new Bytes();
  try {
    for (;;) {
      const block = new Uint8Array(blockBytes);
      const count = readSome(sys, fd, block);
      if (count === 0) break;
      whole.push(block.subarray(0, count));
    }
  } finally {
    sys.close(fd);
  }
  return withoutNul(decodeText(whole.all()));
}

function readSome(sys: Sys, fd: number, into: Uint8Array): number {
  for (;;) {
    try {
      return sys.read(fd, into);
    } catch (error) {
      if (!(error instanceof PosixError && error.errno === EINTR)) throw error;
    }
  }
}

const withoutNul = (text: string): string =>
  text.includes('\0') ? text.replaceAll('\0', '') : text;

/** Bytes that grow piece by piece. */
export class Bytes {
  private readonly pieces: Uint8Array[] = [];
  length = 0;

  push(piece: Uint8Array): void {
    this.length += piece.length;
    if (this.length > longestLine) raise('line too long');
    this.pieces.push(piece);
  }

  all(): Uint8Array {
    const [first] = this.pieces;
    if (this.pieces.length === 1 && first !== undefined) return first;
    const all = new Uint8Array(this.length);
    let at = 0;
    for (const piece of this.pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }
}

type Kind = 'file' | 'pipe' | 'lines' | 'bytes';

export interface SourceOptions {
  readonly fd: number;
  /** Signals came: may run traps, may throw. */
  readonly onSignal: () => void;
}

/** A descriptor read up to a delimiter at a time. */
export class LineSource {
  private readonly sys: Sys;
  private readonly fd: number;
  private readonly onSignal: () => void;
  private kind: Kind = 'bytes';
  private block: Uint8Array = new Uint8Array(0);
  private at = 0;

  constructor(sys: Sys, { fd, onSignal }: SourceOptions) {
    this.sys = sys;
    this.fd = fd;
    this.onSignal = onSignal;
  }

  /** The next line as text, with its newline; undefined at the end. */
  line(): string | undefined {
    const { bytes } = this.take(NEWLINE);
    return bytes.length === 0 ? undefined : withoutNul(decodeText(bytes));
  }

  /** Bytes up to the delimiter, and with it if it was there. */
  take(delimiter: number): { bytes: Uint8Array; found: boolean } {
    const taken = new Bytes();
    for (;;) {
      if (this.at === this.block.length && !this.fill())
        return { bytes: taken.all(), found: false };
      const end = this.block.indexOf(delimiter, this.at);
      const stop = end < 0 ? this.block.length : end + 1;
      taken.push(this.block.slice(this.at, stop));
      this.at = stop;
      if (end >= 0) return { bytes: taken.all(), found: true };
    }
  }

  /** Leaves the descriptor behind what has been taken: others are about to read from it. */
  sync(): void {
    const { block, at } = this;
    this.block = new Uint8Array(0);
    this.at = 0;
    if (this.kind === 'file' && at < block.length) {
      this.sys.lseek(this.fd, at - block.length, SEEK_CUR);
    } else if (this.kind === 'pipe') this.drop(at);
  }

  /** Takes what was only looked at: it is there, unless others read from the pipe, too. */
  private drop(count: number): void {
    let left = count;
    while (left > 0) {
      const got = readSome(this.sys, this.fd, new Uint8Array(left));
      if (got === 0) return;
      left -= got;
    }
  }

  private fill(): boolean {
    this.sync();
    this.kind = kindOf(this.sys, this.fd);
    const block = new Uint8Array(this.kind === 'bytes' ? 1 : blockBytes);
    const count = this.read(block);
    this.block = block.subarray(0, count);
    return count > 0;
  }

  private read(into: Uint8Array): number {
    for (;;) {
      this.onSignal(); // one that came in with the reply to an earlier call would not interrupt this one
      try {
        if (this.kind !== 'pipe') return this.sys.read(this.fd, into);
        return this.sys.peek(this.fd, into);
      } catch (error) {
        if (!(error instanceof PosixError)) throw error;
        if (error.errno === ESPIPE && this.kind === 'pipe') this.kind = 'bytes';
        else if (error.errno !== EINTR) throw error;
        if (this.kind === 'bytes') return this.sys.read(this.fd, into.subarray(0, 1));
      }
    }
  }
}

function kindOf(sys: Sys, fd: number): Kind {
  try {
    sys.lseek(fd, 0, SEEK_CUR);
    return 'file';
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return sys.isatty(fd) ? 'lines' : 'pipe';
  }
}
