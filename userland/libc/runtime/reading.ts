// Reading what is not cached, or not a cached file: the part of read(2) and pread(2) that makes system calls.

import { PosixError } from '../../../kernel/abi/errno.ts';
import { SYS } from '../../../kernel/abi/syscall.ts';
import type { CachedFiles } from './cached.ts';
import type { Channel } from './channel.ts';

export interface ReadFrom {
  readonly fd: number;
  /** Bytes that were read already. */
  readonly done: number;
  /** Where the whole read began; undefined: at the offset of the descriptor, which moves. */
  readonly offset?: number;
}

/** Pages brought in that were gone again before they could be read: then the kernel reads. */
const VAIN_LOADS = 2;

/** Goes on where the cache ended; returns the bytes in all. */
export function readOn(channel: Channel, into: Uint8Array, from: ReadFrom): number {
  const { cached } = channel;
  if (cached?.missing === undefined) return readThrough(channel, into, from);
  const done = readLoaded(channel, cached, into, from);
  return cached.complete ? done : readThrough(channel, into, { ...from, done });
}

/** The kernel brings in what is missing, as long as that helps, and this copies it. */
function readLoaded(
  channel: Channel,
  cached: CachedFiles,
  into: Uint8Array,
  { fd, done: before, offset }: ReadFrom,
): number {
  let done = before;
  for (let vain = 0; vain < VAIN_LOADS && cached.missing !== undefined; ) {
    const errno = channel.try(SYS.load, 0, fd, cached.missing, into.length - done);
    const rest = into.subarray(done);
    const count =
      offset === undefined ? cached.read(fd, rest) : cached.pread(fd, rest, offset + done);
    done += count;
    vain = count === 0 ? vain + 1 : 0;
    if (errno !== 0) break; // whatever it is, a read tells it
  }
  return done;
}

/** Reads through the window, again as long as it comes back full: only long files fill it. */
function readThrough(channel: Channel, into: Uint8Array, from: ReadFrom): number {
  const { window } = channel;
  const { fd, offset } = from;
  let { done } = from;
  for (;;) {
    const wanted = Math.min(into.length - done, window.length);
    const errno =
      offset === undefined
        ? channel.try(SYS.read, 0, fd, wanted)
        : channel.try(SYS.pread, 0, fd, wanted, offset + done);
    if (errno !== 0 && done > 0) return done;
    if (errno !== 0) throw new PosixError(errno);
    const count = channel.r0;
    into.set(window.subarray(0, count), done);
    done += count;
    if (count < window.length || done === into.length) return done;
  }
}
