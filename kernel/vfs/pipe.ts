// Pipes and FIFOs: a ring of bytes in `ram` with blocking ends (POSIX.1-2024 pipe(), write()). Up to
// PIPE_BUF bytes are written in one piece. Who holds an end alone moves its bytes without the kernel
// (kernel/abi/pipe-words.ts).

import {
  O_NONBLOCK,
  PIPE_BUF,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  SIGPIPE,
} from '../abi/constants.ts';
import { EAGAIN, ENOMEM, EPIPE, fail } from '../abi/errno.ts';
import { DESCRIPTOR_PIPE_READ, DESCRIPTOR_PIPE_WRITE } from '../abi/file-tables.ts';
import { PAGE_SIZE } from '../abi/memlayout.ts';
import {
  PIPE_DATA,
  PIPE_HEAD,
  PIPE_READERS,
  PIPE_SIZE,
  PIPE_TAIL,
  PIPE_WAITING,
  PIPE_WORDS,
  PIPE_WRITERS,
} from '../abi/pipe-words.ts';
import { type Task, WaitQueue, wakeAll } from '../ipc/task.ts';
import type { Kernel } from '../kernel.ts';
import type { Process } from '../proc/process.ts';
import { sendSignal } from '../proc/signal.ts';
import type { Call } from './call.ts';
import type { Stream } from './stream.ts';

const PIPE_FRAMES = PIPE_SIZE / PAGE_SIZE;

/** A FIFO opened for reading and writing is both ends at once. */
type Side = 'read' | 'write' | 'both';

/** Its frames, while an end is open. */
interface Memory {
  readonly frame: number;
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
}

export class Pipe {
  readonly #kernel: Kernel;
  /** A FIFO may be opened by another process at any time: its bytes go through the kernel. */
  readonly named: boolean;
  #memory: Memory | undefined;
  /** All that was ever written, once nobody can write any more: a writer that was killed adds nothing. */
  #sealed: number | undefined;
  /** Processes that may still be about to touch the memory: they were killed while they held an end. */
  readonly #dying: Process[] = [];
  readers = 0;
  writers = 0;
  /** Ends ever opened: how a FIFO's open knows that its peer came, even if it went again. */
  readersEver = 0;
  writersEver = 0;
  readonly changed = new WaitQueue('pipe');

  constructor(kernel: Kernel, kind: 'named' | 'unnamed') {
    this.#kernel = kernel;
    this.named = kind === 'named';
  }

  /** Never more than there is room for, whatever a process wrote into the words. */
  get queued(): number {
    if (this.#memory === undefined) return 0;
    const { words } = this.#memory;
    const tail = this.#sealed ?? Atomics.load(words, PIPE_TAIL);
    return Math.min(PIPE_SIZE, (tail - Atomics.load(words, PIPE_HEAD)) >>> 0);
  }

  get room(): number {
    return PIPE_SIZE - this.queued;
  }

  /** Where its words lie, for a process that moves the bytes by itself. */
  get frame(): number {
    return this.#memory?.frame ?? 0;
  }

  /** Throws ENOMEM when there are no frames for it. */
  end(side: Side): PipeEnd {
    this.#memory ??= this.#allocate();
    if (side !== 'write') {
      this.readers++;
      this.readersEver++;
    }
    if (side !== 'read') {
      this.writers++;
      this.writersEver++;
      this.#sealed = undefined;
    }
    this.#tellEnds();
    this.wake();
    return new PipeEnd(this, side);
  }

  /** Copies up to into.length bytes, which stay. */
  look(into: Uint8Array): number {
    const count = Math.min(into.length, this.queued);
    this.#move(PIPE_HEAD, count, (bytes, at, done) => {
      into.set(bytes.subarray(at.start, at.end), done);
    });
    return count;
  }

  /** Takes up to into.length bytes. */
  take(into: Uint8Array): number {
    const count = this.look(into);
    if (count > 0) this.#advance(PIPE_HEAD, count);
    return count;
  }

  /** Puts as many bytes as there is room for. */
  put(from: Uint8Array): number {
    const count = Math.min(from.length, this.room);
    this.#move(PIPE_TAIL, count, (bytes, at, done) => {
      bytes.set(from.subarray(done, done + at.end - at.start), at.start);
    });
    if (count > 0) this.#advance(PIPE_TAIL, count);
    return count;
  }

  /** Somebody is about to sleep until it changes: look at it once more after this. */
  expectChange(): void {
    if (this.#memory) Atomics.store(this.#memory.words, PIPE_WAITING, 1);
  }

  wake(): void {
    if (this.#memory) Atomics.store(this.#memory.words, PIPE_WAITING, 0);
    wakeAll(this.changed);
  }

  /** `last`: who alone held the end, if anybody did. */
  closed(side: Side, last: Process | undefined): void {
    if (side !== 'write') this.readers--;
    if (side !== 'read') this.writers--;
    if (last?.dead) this.#dying.push(last);
    this.#tellEnds();
    if (this.writers === 0 && this.#memory)
      this.#sealed ??= Atomics.load(this.#memory.words, PIPE_TAIL);
    this.wake();
    if (this.readers === 0 && this.writers === 0) this.#free();
  }

  #tellEnds(): void {
    if (this.#memory === undefined) return;
    Atomics.store(this.#memory.words, PIPE_READERS, this.readers);
    Atomics.store(this.#memory.words, PIPE_WRITERS, this.writers);
  }

  #advance(word: number, count: number): void {
    const words = this.#memory?.words;
    if (words) Atomics.store(words, word, (Atomics.load(words, word) + count) | 0);
    this.wake();
  }

  #move(
    word: number,
    count: number,
    copy: (bytes: Uint8Array, at: { start: number; end: number }, done: number) => void,
  ): void {
    if (this.#memory === undefined) return;
    const { words, bytes } = this.#memory;
    const from = Atomics.load(words, word);
    for (let done = 0; done < count; ) {
      const start = (from + done) & (PIPE_SIZE - 1);
      const end = Math.min(start + count - done, PIPE_SIZE);
      copy(bytes, { start, end }, done);
      done += end - start;
    }
  }

  #allocate(): Memory {
    const { frames, pages, ram, faults } = this.#kernel;
    if (faults.refuses.pipes(PIPE_SIZE)) fail(ENOMEM, 'no memory for a pipe');
    if (frames.free < PIPE_FRAMES * 4) pages.reclaim(PIPE_FRAMES * 4);
    const address = frames.mustTake(PIPE_FRAMES, 'a pipe');
    const at = frames.take(1);
    if (at === undefined) {
      frames.give(address, PIPE_FRAMES);
      return fail(ENOMEM, 'no memory for a pipe');
    }
    const words = new Int32Array(ram, at, PIPE_WORDS);
    words.fill(0);
    words[PIPE_DATA] = address;
    this.#sealed = undefined;
    return { frame: at / PAGE_SIZE, words, bytes: new Uint8Array(ram, address, PIPE_SIZE) };
  }

  /** Once no worker of a process that was killed can touch it any more. */
  #free(): void {
    const memory = this.#memory;
    if (memory === undefined) return;
    this.#memory = undefined;
    const { frames, workers } = this.#kernel;
    const dying = this.#dying.splice(0);
    const next = (): void => {
      const process = dying.pop();
      if (process) workers.whenQuiet(process, next);
      else {
        frames.give(memory.bytes.byteOffset, PIPE_FRAMES);
        frames.give(memory.frame * PAGE_SIZE, 1);
      }
    };
    next();
  }
}

/** One end, as an open file description holds it. */
export class PipeEnd implements Stream {
  readonly pipe: Pipe;
  readonly side: Side;
  readonly changed: readonly WaitQueue[];
  readonly tty = undefined;
  #open = true;
  /** The process that was told to move the bytes by itself. */
  #mover: Process | undefined;

  constructor(pipe: Pipe, side: Side) {
    this.pipe = pipe;
    this.side = side;
    this.changed = [pipe.changed];
  }

  get label(): string {
    return `pipe:[${this.side}]`;
  }

  *read(call: Call, into: Uint8Array, flags: number): Task<number> {
    return into.length > 0 && (yield* this.#filled(call, flags)) ? this.pipe.take(into) : 0;
  }

  /** Whoever holds this end alone needs the kernel only to sleep. */
  readonly direct = (process: Process) => {
    const { pipe, side } = this;
    if (pipe.named || side === 'both') return undefined;
    this.#mover = process;
    const flags = side === 'read' ? DESCRIPTOR_PIPE_READ : DESCRIPTOR_PIPE_WRITE;
    return { inode: pipe.frame, flags };
  };

  /** Waits until bytes can be moved, or never will. */
  *ready(call: Call): Task<void> {
    const { pipe, side } = this;
    pipe.wake();
    const reads = side === 'read';
    const waits = (): boolean =>
      reads ? pipe.queued === 0 && pipe.writers > 0 : pipe.room === 0 && pipe.readers > 0;
    while (waits()) yield* this.#sleep(call, waits);
  }

  /** Sleeps until the pipe changed; a peer that moves bytes by itself sees that somebody waits. */
  *#sleep(call: Call, waits: () => boolean): Task<void> {
    this.pipe.expectChange();
    if (waits()) yield* call.sleep(this.pipe.changed);
  }

  /** As `read`, but the bytes stay: a shell takes its line from a pipe, and not what is behind it. */
  *peek(call: Call, into: Uint8Array, flags: number): Task<number> {
    return into.length > 0 && (yield* this.#filled(call, flags)) ? this.pipe.look(into) : 0;
  }

  /** Waits for bytes; false at the end. */
  *#filled(call: Call, flags: number): Task<boolean> {
    const { pipe } = this;
    while (pipe.queued === 0) {
      if (pipe.writers === 0) return false;
      if (flags & O_NONBLOCK) fail(EAGAIN);
      yield* this.#sleep(call, () => pipe.queued === 0 && pipe.writers > 0);
    }
    return true;
  }

  /** Writes all; less only when a signal or a closed peer interrupts after some bytes. */
  *write(call: Call, from: Uint8Array, flags: number): Task<number> {
    const { pipe } = this;
    const whole = from.length <= PIPE_BUF ? from.length : 1;
    let done = 0;
    while (done < from.length) {
      if (pipe.readers === 0) {
        sendSignal(call.kernel, call.process, SIGPIPE);
        return done > 0 ? done : fail(EPIPE);
      }
      if (pipe.room >= Math.max(1, whole)) {
        done += pipe.put(from.subarray(done));
        continue;
      }
      if (flags & O_NONBLOCK) return done > 0 ? done : fail(EAGAIN);
      if (call.process.interrupted && done > 0) return done;
      const wanted = Math.max(1, whole);
      yield* this.#sleep(call, () => pipe.room < wanted && pipe.readers > 0);
    }
    return done;
  }

  poll(): number {
    const { pipe, side } = this;
    pipe.expectChange(); // who polls may sleep
    const room = pipe.readers === 0 ? POLLOUT | POLLERR : pipe.room >= PIPE_BUF ? POLLOUT : 0;
    if (side === 'write') return room;
    const data = pipe.queued > 0 ? POLLIN : 0;
    return data | (side === 'both' ? room : pipe.writers === 0 ? POLLHUP : 0);
  }

  close(): void {
    if (this.#open) this.pipe.closed(this.side, this.#mover);
    this.#open = false;
  }
}
