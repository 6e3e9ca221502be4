// A process's line to the kernel: one system call at a time over its pair of rings, with a window of
// shared memory for strings and data (layouts: kernel/abi/syscall.ts). What the last call answered
// stays in the channel until the next one; nothing is allocated for a call.

import type { Board } from '../../../kernel/abi/board.ts';
import {
  assert,
  E2BIG,
  EINTR,
  ENAMETOOLONG,
  type Errno,
  PosixError,
  toErrno,
} from '../../../kernel/abi/errno.ts';
import type { ProcessConfig } from '../../../kernel/abi/seat-config.ts';
import { DIED, SYS, syscallName } from '../../../kernel/abi/syscall.ts';
import { decodeText, encodeText } from '../../../kernel/abi/text.ts';
import { Baton } from '../../../kernel/ipc/baton/baton.ts';
import { Ring } from '../../../kernel/ipc/ring.ts';
import { type Tracer, tracerOf } from '../../../kernel/ipc/trace.ts';
import { EVENTS } from '../../../kernel/ipc/trace-events.ts';
import { Bell } from '../../../kernel/ipc/wait.ts';
import { CachedFiles } from './cached.ts';
import { PipedFiles } from './pipes.ts';

/** The process is no more: unwinds the program up to entry.ts. Programs do not catch it. */
export class ProcessDied extends Error {}

/** Bytes of a request: number, tag, data, length, five arguments. */
const REQUEST_SIZE = 56;

export class Channel {
  /** The window: data of requests and replies, at offset 0. */
  readonly window: Uint8Array;
  readonly view: DataView;
  /** What can be read without a call. */
  readonly cached: CachedFiles | undefined;
  /** What can be moved through pipes without a call. */
  readonly pipes: PipedFiles | undefined;
  /** Of the last reply. */
  r0 = 0;
  r1 = 0;
  length = 0;
  /** Runs the handlers of the signals whose bits are set. */
  onSignals: (bits: number) => void = () => {};
  readonly #bell: Bell;
  readonly #requests: Ring;
  readonly #replies: Ring;
  readonly #trace: Tracer;
  #tag = 0;
  #number: number = SYS.ready; // of the call under way
  #died: ProcessDied | undefined;

  constructor(board: Board, config: ProcessConfig) {
    this.window = new Uint8Array(board.ram, config.window, config.windowSize);
    this.view = new DataView(board.ram, config.window, config.windowSize);
    this.#trace = tracerOf(board.ram);
    const { tables } = config;
    const ring = (fd: number): void => void this.tell(SYS.readAhead, fd);
    this.cached = tables && new CachedFiles(board.ram, tables, ring);
    this.#bell = new Bell(board.ram, board.seat);
    this.#bell.setRunning(true);
    const { cached } = this;
    this.pipes = cached && new PipedFiles(board.ram, { channel: this, cached, bell: this.#bell });
    this.#requests = new Ring(board.ram, config.requests);
    this.#replies = new Ring(board.ram, config.replies);
    const baton = Baton.of(board.ram);
    if (baton) baton.describe = () => this.#describe();
  }

  /** Makes the call and waits for its end: the errno, 0 when it was done. Runs signal handlers. */
  try(number: number, dataLength: number, a0 = 0, a1 = 0, a2 = 0, a3 = 0): 0 | Errno {
    if (this.#died !== undefined) throw this.#died; // whatever a `finally` still wants to do
    this.#trace.newFlow();
    this.#trace.begin(EVENTS.call, number);
    this.#put(number, dataLength, [a0, a1, a2, a3]);
    try {
      return this.#await();
    } finally {
      this.#trace.end(EVENTS.call);
    }
  }

  /** As `try`, but throws what is no success; returns r0. */
  call(number: number, dataLength: number, a0 = 0, a1 = 0, a2 = 0, a3 = 0): number {
    const errno = this.try(number, dataLength, a0, a1, a2, a3);
    if (errno !== 0) throw new PosixError(errno);
    return this.r0;
  }

  /** As `call`, again and again while signal handlers interrupt it. */
  callThrough(number: number, dataLength: number, a0 = 0, a1 = 0, a2 = 0): number {
    for (;;) {
      const errno = this.try(number, dataLength, a0, a1, a2);
      if (errno === 0) return this.r0;
      if (errno !== EINTR) throw new PosixError(errno);
    }
  }

  /** Tells the kernel something that it never answers; false when the ring is full. */
  tell(number: number, a0: number): boolean {
    const fits = !this.#requestsFull;
    if (fits) this.#put(number, 0, [a0]);
    return fits;
  }

  /** Puts strings into the window, NUL between them; the length. NUL within one cannot be meant. */
  strings(...strings: readonly string[]): number {
    let at = 0;
    for (const string of strings) {
      const bytes = encodeText(string);
      if (at + bytes.length + 1 > this.window.length) throw new PosixError(ENAMETOOLONG);
      this.window.set(bytes, at);
      at += bytes.length;
      this.window[at++] = 0;
    }
    return at - 1;
  }

  json(value: unknown): number {
    const bytes = encodeText(JSON.stringify(value));
    if (bytes.length > this.window.length) throw new PosixError(E2BIG);
    this.window.set(bytes);
    return bytes.length;
  }

  /** The data of the last reply as text. */
  text(): string {
    return decodeText(this.window.slice(0, this.length));
  }

  /** Forgets the process that was; the worker is about to ask for the next. */
  revive(): void {
    this.#died = undefined;
    this.onSignals = () => {};
  }

  /** The program is replaced: from here on the old one only unwinds. */
  unwind(): ProcessDied {
    this.#died = new ProcessDied('the program was replaced');
    return this.#died;
  }

  /** What this worker waits for: nothing worth telling while it is nobody's. */
  #describe(): string {
    return this.#number === SYS.ready ? '' : `waits for its call ${syscallName(this.#number)}`;
  }

  get #requestsFull(): boolean {
    return this.#requests.queued >= this.#requests.slots - 1; // the last one is for a call
  }

  #put(number: number, dataLength: number, [a0 = 0, a1 = 0, a2 = 0, a3 = 0]: number[]): void {
    const slot = this.#requests.reserve();
    assert(slot !== undefined, 'one call at a time cannot fill the ring');
    const { view } = slot;
    this.#tag = (this.#tag + 1) >>> 0;
    this.#number = number;
    view.setUint32(0, number, true);
    view.setUint32(4, this.#tag, true);
    view.setUint32(8, 0, true);
    view.setUint32(12, dataLength, true);
    view.setFloat64(16, a0, true);
    view.setFloat64(24, a1, true);
    view.setFloat64(32, a2, true);
    view.setFloat64(40, a3, true);
    view.setFloat64(48, 0, true);
    slot.length = REQUEST_SIZE;
    this.#requests.publish();
    this.#requests.flush();
  }

  #await(): 0 | Errno {
    for (;;) {
      const seen = this.#bell.read();
      const slot = this.#replies.peek();
      if (slot === undefined) {
        this.#bell.wait(seen, Number.POSITIVE_INFINITY);
        continue;
      }
      const { view } = slot;
      const mine = view.getUint32(0, true) === this.#tag;
      const errno = view.getUint32(4, true);
      this.length = Math.min(view.getUint32(8, true), this.window.length);
      const signals = view.getUint32(12, true);
      this.r0 = view.getFloat64(16, true);
      this.r1 = view.getFloat64(24, true);
      this.#replies.release();
      if (!mine && errno !== DIED) continue;
      if (errno === DIED) throw this.#die();
      if (signals !== 0) this.#deliver();
      return errno === 0 ? 0 : toErrno(errno);
    }
  }

  #die(): ProcessDied {
    this.#died = new ProcessDied('the process is dead');
    return this.#died;
  }

  /** Handlers make calls of their own: the answer that the program waits for is kept for it. */
  #deliver(): void {
    const { r0, r1, length } = this;
    const data = this.window.slice(0, length);
    this.onSignals(this.call(SYS.takeSignals, 0));
    this.window.set(data);
    this.r0 = r0;
    this.r1 = r1;
    this.length = length;
  }
}
