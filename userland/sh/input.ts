// Where commands come from: a whole file, or standard input a line at a time, never further than the
// command needs, since what follows belongs to the commands.

import { SEEK_CUR } from '../../kernel/abi/constants.ts';
import { EINTR, PosixError } from '../../kernel/abi/errno.ts';
import { decodeText } from '../../kernel/abi/text.ts';
import type { Sys } from '../libc/sys.ts';

const blockBytes = 64 * 1024;

/** The rest of a descriptor as text; closes it. */
export function readFile(sys: Sys, fd: number): string {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const block = new Uint8Array(blockBytes);
      const count = readSome(sys, fd, block);
      if (count === 0) break;
      parts.push(block.subarray(0, count));
      size += count;
    }
  } finally {
    sys.close(fd);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return decodeText(whole).replaceAll('\0', '');
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

const lineBytes = 4096;

/**
 * The next line of a descriptor with its newline; undefined at the end. Leaves the descriptor behind
 * the newline: a file is sought back, a terminal gives single lines, from a pipe come single bytes.
 */
export function readLine(sys: Sys, fd: number, onSignal: () => void): string | undefined {
  const seekable = canSeek(sys, fd);
  const step = seekable || sys.isatty(fd) ? lineBytes : 1;
  const bytes: number[] = [];
  for (;;) {
    const block = new Uint8Array(step);
    const count = readOrSignal(sys, { fd, into: block, onSignal });
    if (count === 0) break;
    const end = block.subarray(0, count).indexOf(10);
    const used = end < 0 ? count : end + 1;
    for (let i = 0; i < used; i++) bytes.push(block[i] ?? 0);
    if (end < 0) continue;
    if (seekable && used < count) sys.lseek(fd, used - count, SEEK_CUR);
    break;
  }
  if (bytes.length === 0) return undefined;
  return decodeText(Uint8Array.from(bytes)).replaceAll('\0', '');
}

interface SignalledRead {
  readonly fd: number;
  readonly into: Uint8Array;
  readonly onSignal: () => void;
}

function readOrSignal(sys: Sys, { fd, into, onSignal }: SignalledRead): number {
  for (;;) {
    onSignal(); // one that came in with the reply to an earlier call would not interrupt this one
    try {
      return sys.read(fd, into);
    } catch (error) {
      if (!(error instanceof PosixError && error.errno === EINTR)) throw error;
    }
  }
}

function canSeek(sys: Sys, fd: number): boolean {
  try {
    sys.lseek(fd, 0, SEEK_CUR);
    return true;
  } catch (error) {
    if (error instanceof PosixError) return false;
    throw error;
  }
}
