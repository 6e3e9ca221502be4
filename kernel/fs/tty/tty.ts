// A terminal: keys go through its line discipline to those who read, output goes to its port, the
// board's console or a PTY's master. It belongs to at most one session (POSIX.1-2024 XBD §11.1).

import { O_NONBLOCK, POLLHUP, POLLIN, POLLOUT, SIGWINCH } from '../../abi/constants.ts';
import { EAGAIN, EIO, fail } from '../../abi/errno.ts';
import { ICANON, SANE, type Termios, VMIN, VTIME, type Winsize } from '../../abi/termios.ts';
import { type Task, WaitQueue, wakeAll } from '../../ipc/task.ts';
import type { Call } from '../../vfs/call.ts';
import { Discipline } from './discipline.ts';
import { Output } from './output.ts';

/** Where a terminal's output goes. */
export interface TtyPort {
  send(bytes: Uint8Array): void;
  /** Whether a writer has to wait. */
  readonly full: boolean;
  /** Woken when it is full no more. */
  readonly room: WaitQueue;
}

/** What a read comes from: the flags of its description, how it is held while in the background. */
interface Reader {
  readonly flags: number;
  readonly generation: number;
  hold(): Task<void>;
}

/** Bytes of output between two looks at the port; with returns added they are twice as many. */
const PIECE = 2048;
/** Who types faster than anybody reads waits beyond this, where he can be made to. */
const INPUT_FULL = 64 * 1024;
/** VTIME counts tenths of a second. */
const TENTH_MS = 100;

export class Tty {
  readonly name: string;
  readonly port: TtyPort;
  /** Something was typed, or the line was hung up. */
  readonly arrived = new WaitQueue('tty');
  /** The session whose controlling terminal it is; 0 = none. */
  session = 0;
  /** The process group that gets the signals of the keyboard; 0 = none. */
  foreground = 0;
  /** Grows when the line is hung up: what was opened before reaches it no more. */
  generation = 0;
  /** Descriptions that reach it. */
  opens = 0;
  size: Winsize = { columns: 80, rows: 24 };
  readonly #discipline: Discipline;
  readonly #output = new Output();
  readonly #signal: (pgid: number, signal: number) => void;
  /** Ctrl-S. */
  #held = false;

  constructor(name: string, port: TtyPort, signal: (pgid: number, signal: number) => void) {
    this.name = name;
    this.port = port;
    this.#signal = signal;
    const tty = this;
    this.#discipline = new Discipline({
      echo: (bytes) => port.send(this.#output.process(bytes, this.termios.oflag)),
      signal: (number) => this.signal(number),
      holdOutput: (held) => this.#hold(held),
      arrived: () => wakeAll(this.arrived),
      get column() {
        return tty.#output.column;
      },
      get outputHeld() {
        return tty.#held;
      },
    });
  }

  get termios(): Termios {
    return this.#discipline.termios;
  }

  set termios(to: Termios) {
    this.#discipline.termios = to;
    this.#hold('free');
    wakeAll(this.arrived);
  }

  /** Keys arrived. */
  input(bytes: Uint8Array): void {
    this.#discipline.receive(bytes);
  }

  /** Whoever can wait with more input should. */
  get inputFull(): boolean {
    return this.#discipline.queue.bytes >= INPUT_FULL;
  }

  /** Reads a line, or bytes as VMIN and VTIME say; 0 at end of file. */
  *read(call: Call, into: Uint8Array, from: Reader): Task<number> {
    const { executor, clock } = call.kernel;
    let deadline = Number.POSITIVE_INFINITY;
    let cancel = (): void => undefined;
    try {
      for (;;) {
        if (from.generation !== this.generation) return 0;
        yield* from.hold();
        const done = this.#take(into);
        if (done !== undefined) return done;
        const wait = this.#timeout;
        const timed = wait > 0 && (this.#minimum === 0 || this.#discipline.queue.bytes > 0);
        if (timed && clock.monotonicMs() >= deadline) return this.#takeBytes(into);
        if (from.flags & O_NONBLOCK) return fail(EAGAIN);
        const had = this.#discipline.queue.bytes;
        if (timed && deadline === Number.POSITIVE_INFINITY) {
          deadline = clock.monotonicMs() + wait;
          cancel = executor.after(wait, () => wakeAll(this.arrived));
        }
        yield* call.sleep(this.arrived);
        if (this.#minimum > 0 && this.#discipline.queue.bytes !== had) {
          cancel(); // the time between two bytes begins anew
          deadline = Number.POSITIVE_INFINITY;
        }
      }
    } finally {
      cancel();
    }
  }

  /** Writes all; less only when a signal interrupts after some bytes. */
  *write(call: Call, bytes: Uint8Array, from: { flags: number; generation: number }): Task<number> {
    let done = 0;
    while (done < bytes.length) {
      if (from.generation !== this.generation) return done > 0 ? done : fail(EIO);
      if (!this.port.full && !this.#held) {
        const piece = bytes.subarray(done, done + PIECE);
        this.port.send(this.#output.process(piece, this.termios.oflag));
        done += piece.length;
        continue;
      }
      if (from.flags & O_NONBLOCK) return done > 0 ? done : fail(EAGAIN);
      if (call.process.interrupted && done > 0) return done;
      yield* call.sleep(this.port.room);
    }
    return done;
  }

  /** POLL* bits for a description of this generation. */
  poll(generation: number): number {
    if (generation !== this.generation) return POLLIN | POLLOUT | POLLHUP;
    const { queue } = this.#discipline;
    const least = this.#timeout > 0 ? 1 : Math.max(1, this.#minimum);
    const readable = this.#isCanonical ? queue.hasLine : queue.bytes >= least;
    return (readable ? POLLIN : 0) | (this.port.full || this.#held ? 0 : POLLOUT);
  }

  /** Forgets what was typed and not read. */
  flushInput(): void {
    this.#discipline.flush();
  }

  resize(size: Winsize): void {
    const { columns, rows } = this.size;
    this.size = size;
    if (columns !== size.columns || rows !== size.rows) this.signal(SIGWINCH);
  }

  /** A signal for the foreground group. */
  signal(number: number): void {
    if (this.foreground > 0) this.#signal(this.foreground, number);
  }

  /** What is open reaches the terminal no more; it is nobody's, and as it was when new. */
  hangUp(): void {
    this.generation++;
    this.opens = 0;
    this.session = 0;
    this.foreground = 0;
    this.#discipline.flush();
    this.termios = SANE;
  }

  get #isCanonical(): boolean {
    return (this.termios.lflag & ICANON) !== 0;
  }

  /** VMIN; lines have none. */
  get #minimum(): number {
    return this.#isCanonical ? 0 : (this.termios.cc[VMIN] ?? 0);
  }

  get #timeout(): number {
    return this.#isCanonical ? 0 : (this.termios.cc[VTIME] ?? 0) * TENTH_MS;
  }

  /** What a reader gets at once; undefined when it has to wait. */
  #take(into: Uint8Array): number | undefined {
    const { queue } = this.#discipline;
    if (into.length === 0) return 0;
    if (this.#isCanonical) return queue.hasLine ? queue.takeLine(into) : undefined;
    const least = Math.min(this.#minimum, into.length);
    if (least === 0 && queue.bytes === 0 && this.#timeout > 0) return undefined;
    return queue.bytes >= least ? this.#takeBytes(into) : undefined;
  }

  #takeBytes(into: Uint8Array): number {
    const count = this.#discipline.queue.takeBytes(into);
    wakeAll(this.arrived); // who types may go on
    return count;
  }

  #hold(held: 'held' | 'free'): void {
    this.#held = held === 'held';
    if (!this.#held) wakeAll(this.port.room);
  }
}
