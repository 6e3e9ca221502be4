// Pipes and FIFOs: a ring of bytes in `ram` with blocking ends (POSIX.1-2024 pipe(), write()). Up to
// PIPE_BUF bytes are written in one piece.

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
import { PAGE_SIZE } from '../abi/memlayout.ts';
import { type Task, WaitQueue, wakeAll } from '../ipc/task.ts';
import type { Kernel } from '../kernel.ts';
import { sendSignal } from '../proc/signal.ts';
import type { Call } from './call.ts';
import type { Stream } from './stream.ts';

const PIPE_FRAMES = 16;
const PIPE_SIZE = PIPE_FRAMES * PAGE_SIZE;

/** A FIFO opened for reading and writing is both ends at once. */
type Side = 'read' | 'write' | 'both';

export class Pipe {
  readonly #kernel: Kernel;
  #address: number | undefined;
  #bytes: Uint8Array | undefined;
  #head = 0; // bytes ever read
  #tail = 0; // bytes ever written
  readers = 0;
  writers = 0;
  /** Ends ever opened: how a FIFO's open knows that its peer came, even if it went again. */
  readersEver = 0;
  writersEver = 0;
  readonly changed = new WaitQueue('pipe');

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  get queued(): number {
    return this.#tail - this.#head;
  }

  get room(): number {
    return PIPE_SIZE - this.queued;
  }

  end(side: Side): PipeEnd {
    if (side !== 'write') {
      this.readers++;
      this.readersEver++;
    }
    if (side !== 'read') {
      this.writers++;
      this.writersEver++;
    }
    wakeAll(this.changed);
    return new PipeEnd(this, side);
  }

  /** Copies up to into.length bytes, which stay. */
  look(into: Uint8Array): number {
    const count = Math.min(into.length, this.queued);
    this.#move(this.#head, count, (at, piece, done) => {
      into.set(this.#buffer().subarray(at, at + piece), done);
    });
    return count;
  }

  /** Takes up to into.length bytes. */
  take(into: Uint8Array): number {
    const count = this.look(into);
    this.#head += count;
    if (count > 0) wakeAll(this.changed);
    return count;
  }

  /** Puts as many bytes as there is room for. */
  put(from: Uint8Array): number {
    const count = Math.min(from.length, this.room);
    this.#move(this.#tail, count, (at, piece, done) => {
      this.#buffer().set(from.subarray(done, done + piece), at);
    });
    this.#tail += count;
    if (count > 0) wakeAll(this.changed);
    return count;
  }

  closed(side: Side): void {
    if (side !== 'write') this.readers--;
    if (side !== 'read') this.writers--;
    wakeAll(this.changed);
    if (this.readers > 0 || this.writers > 0 || this.#address === undefined) return;
    this.#kernel.frames.give(this.#address, PIPE_FRAMES);
    this.#address = undefined;
    this.#bytes = undefined;
    this.#head = this.#tail;
  }

  #move(
    from: number,
    count: number,
    copy: (at: number, piece: number, done: number) => void,
  ): void {
    for (let done = 0; done < count; ) {
      const at = (from + done) % PIPE_SIZE;
      const piece = Math.min(count - done, PIPE_SIZE - at);
      copy(at, piece, done);
      done += piece;
    }
  }

  #buffer(): Uint8Array {
    if (this.#bytes === undefined) {
      const { frames, pages, ram, faults } = this.#kernel;
      if (faults.refuses.pipes(PIPE_SIZE)) fail(ENOMEM, 'no memory for a pipe');
      if (frames.free < PIPE_FRAMES * 4) pages.reclaim(PIPE_FRAMES * 4);
      this.#address = frames.mustTake(PIPE_FRAMES, 'a pipe');
      this.#bytes = new Uint8Array(ram, this.#address, PIPE_SIZE);
    }
    return this.#bytes;
  }
}

/** One end, as an open file description holds it. */
export class PipeEnd implements Stream {
  readonly pipe: Pipe;
  readonly side: Side;
  readonly changed: readonly WaitQueue[];
  readonly tty = undefined;
  #open = true;

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
      yield* call.sleep(pipe.changed);
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
      yield* call.sleep(pipe.changed);
    }
    return done;
  }

  poll(): number {
    const { pipe, side } = this;
    const room = pipe.readers === 0 ? POLLOUT | POLLERR : pipe.room >= PIPE_BUF ? POLLOUT : 0;
    if (side === 'write') return room;
    const data = pipe.queued > 0 ? POLLIN : 0;
    return data | (side === 'both' ? room : pipe.writers === 0 ? POLLHUP : 0);
  }

  close(): void {
    if (this.#open) this.pipe.closed(this.side);
    this.#open = false;
  }
}
