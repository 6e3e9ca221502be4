// Moving the bytes of pipes without the kernel (kernel/abi/pipe-words.ts): the end of a pipe that this
// process alone holds. The kernel is entered to sleep, to wake who sleeps, and for all that is not
// plain moving: the end of the data, a pipe without readers, a signal that waits.

import { EINTR, PosixError } from '../../../kernel/abi/errno.ts';
import {
  DESCRIPTOR_INODE,
  DESCRIPTOR_PIPE_READ,
  DESCRIPTOR_PIPE_WRITE,
} from '../../../kernel/abi/file-tables.ts';
import { PAGE_SIZE } from '../../../kernel/abi/memlayout.ts';
import {
  PIPE_DATA,
  PIPE_HEAD,
  PIPE_READERS,
  PIPE_SIZE,
  PIPE_TAIL,
  PIPE_WAITING,
  PIPE_WRITERS,
} from '../../../kernel/abi/pipe-words.ts';
import { SYS } from '../../../kernel/abi/syscall.ts';
import type { Bell } from '../../../kernel/ipc/wait.ts';
import type { CachedFiles } from './cached.ts';
import type { Channel } from './channel.ts';

/** Bytes moved at once: the peer works on the first while the next come. */
const PIECE = 16 * 1024;
/** Every so often the kernel is asked all the same: a time slice ends at a system call. */
const MOST_WITHOUT_CALL = 256;

export class PipedFiles {
  readonly #channel: Channel;
  readonly #cached: CachedFiles;
  readonly #bell: Bell;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  #moves = 0;

  constructor(
    ram: SharedArrayBuffer,
    parts: { channel: Channel; cached: CachedFiles; bell: Bell },
  ) {
    this.#channel = parts.channel;
    this.#cached = parts.cached;
    this.#bell = parts.bell;
    this.#words = new Int32Array(ram);
    this.#bytes = new Uint8Array(ram);
  }

  /** Reads as read(2) does; undefined: that is for the kernel. Throws EINTR. */
  read(fd: number, into: Uint8Array): number | undefined {
    for (;;) {
      const at = this.#pipeOf(fd, DESCRIPTOR_PIPE_READ);
      if (at === undefined || Atomics.load(this.#words, at + PIPE_WRITERS) === 0) return undefined;
      const tail = Atomics.load(this.#words, at + PIPE_TAIL);
      const head = Atomics.load(this.#words, at + PIPE_HEAD);
      const count = Math.min((tail - head) >>> 0, into.length, PIPE_SIZE);
      if (count > 0) {
        this.#copyOut(at, { from: head, count }, into);
        this.#moved(fd, at, { word: PIPE_HEAD, to: head + count });
        return count;
      }
      if (into.length === 0) return 0;
      if (this.#bell.spinFor(this.#words, at + PIPE_TAIL, tail)) continue;
      if (this.#sleep(fd) === EINTR) throw new PosixError(EINTR);
    }
  }

  /** Writes as far as it gets; the rest is for the kernel. */
  write(fd: number, from: Uint8Array): number {
    let done = 0;
    while (done < from.length) {
      const at = this.#pipeOf(fd, DESCRIPTOR_PIPE_WRITE);
      if (at === undefined || Atomics.load(this.#words, at + PIPE_READERS) === 0) break;
      const head = Atomics.load(this.#words, at + PIPE_HEAD);
      const tail = Atomics.load(this.#words, at + PIPE_TAIL);
      const room = PIPE_SIZE - ((tail - head) >>> 0);
      const count = Math.min(room, from.length - done, PIECE);
      if (count > 0) {
        this.#copyIn(at, { to: tail, count }, from, done);
        this.#moved(fd, at, { word: PIPE_TAIL, to: tail + count });
        done += count;
      } else if (!this.#bell.spinFor(this.#words, at + PIPE_HEAD, head)) this.#sleep(fd);
    }
    return done;
  }

  /** The words of a pipe whose end is ours alone. */
  #pipeOf(fd: number, flag: number): number | undefined {
    const at = this.#cached.descriptor(fd, flag);
    if (at === undefined) return undefined;
    if (++this.#moves % MOST_WITHOUT_CALL === 0) return undefined;
    return (this.#cached.word(at + DESCRIPTOR_INODE) * PAGE_SIZE) / 4;
  }

  #sleep(fd: number): number {
    return this.#channel.try(SYS.pipeReady, 0, fd);
  }

  /** The bytes lie where they should: tells the other side, and the kernel if somebody sleeps. */
  #moved(fd: number, at: number, is: { word: number; to: number }): void {
    Atomics.store(this.#words, at + is.word, is.to | 0);
    this.#cached.answered();
    if (Atomics.load(this.#words, at + PIPE_WAITING) === 0) return;
    if (!this.#channel.tell(SYS.pipeMoved, fd)) this.#channel.try(SYS.pipeReady, 0, fd);
  }

  #copyOut(at: number, is: { from: number; count: number }, into: Uint8Array): void {
    const data = this.#words[at + PIPE_DATA] ?? 0;
    const start = is.from & (PIPE_SIZE - 1);
    const first = Math.min(is.count, PIPE_SIZE - start);
    into.set(this.#bytes.subarray(data + start, data + start + first));
    if (first < is.count) into.set(this.#bytes.subarray(data, data + is.count - first), first);
  }

  #copyIn(at: number, is: { to: number; count: number }, from: Uint8Array, done: number): void {
    const data = this.#words[at + PIPE_DATA] ?? 0;
    const start = is.to & (PIPE_SIZE - 1);
    const first = Math.min(is.count, PIPE_SIZE - start);
    this.#bytes.set(from.subarray(done, done + first), data + start);
    if (first < is.count) this.#bytes.set(from.subarray(done + first, done + is.count), data);
  }
}
