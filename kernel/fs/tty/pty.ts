// A pseudo-terminal (pty(7)): a terminal whose keyboard and screen are a file, the master. What is
// written to the master is typed; what the terminal shows is read from it.

import { O_NONBLOCK, POLLHUP, POLLIN, POLLOUT } from '../../abi/constants.ts';
import { EAGAIN, EIO, fail } from '../../abi/errno.ts';
import { type Task, WaitQueue, wakeAll } from '../../ipc/task.ts';
import type { Call } from '../../vfs/call.ts';
import type { Stream } from '../../vfs/stream.ts';
import { InputQueue } from './queue.ts';
import { Tty, type TtyPort } from './tty.ts';

/** A program that writes waits while the master has this much to read. */
const SCREEN_FULL = 64 * 1024;
/** Echo waits for nobody: beyond this it is lost. */
const ECHO_MAX = 2 * SCREEN_FULL;
/** Keys typed in one piece. */
const TYPED = 4096;

export class PtyMaster implements Stream {
  readonly number: number;
  readonly tty: Tty;
  readonly label = '/dev/ptmx';
  /** Who opened the master owns the terminal. */
  readonly owner: { readonly uid: number };
  /** Tells this one from an earlier one of the same number. */
  readonly incarnation: number;
  readonly changed: readonly WaitQueue[];
  readonly #screen = new Screen();
  readonly #gone: (master: PtyMaster) => void;
  #everOpened = false;
  #isClosed = false;

  constructor(from: {
    number: number;
    incarnation: number;
    owner: { readonly uid: number };
    signal: (pgid: number, signal: number) => void;
    gone: (master: PtyMaster) => void;
  }) {
    this.number = from.number;
    this.incarnation = from.incarnation;
    this.owner = { uid: from.owner.uid };
    this.#gone = from.gone;
    this.tty = new Tty(`/dev/pts/${from.number}`, this.#screen, from.signal);
    this.changed = [this.#screen.shown, this.tty.arrived];
  }

  /** The terminal was opened, or the last who had it open is gone. */
  noteOpens(): void {
    if (this.tty.opens > 0) this.#everOpened = true;
    wakeAll(this.#screen.shown);
  }

  *read(call: Call, into: Uint8Array, flags: number): Task<number> {
    const { queue } = this.#screen;
    while (queue.bytes === 0) {
      if (this.#isAlone) fail(EIO);
      if (flags & O_NONBLOCK) fail(EAGAIN);
      yield* call.sleep(this.#screen.shown);
    }
    const count = queue.takeBytes(into);
    wakeAll(this.#screen.room);
    return count;
  }

  *write(call: Call, from: Uint8Array, flags: number): Task<number> {
    let done = 0;
    while (done < from.length) {
      if (this.#isAlone) return done > 0 ? done : fail(EIO);
      if (!this.tty.inputFull) {
        const piece = from.slice(done, done + TYPED);
        this.tty.input(piece);
        done += piece.length;
        continue;
      }
      if (flags & O_NONBLOCK) return done > 0 ? done : fail(EAGAIN);
      if (call.process.interrupted && done > 0) return done;
      yield* call.sleep(this.tty.arrived);
    }
    return done;
  }

  poll(): number {
    const readable = this.#screen.queue.bytes > 0 ? POLLIN : 0;
    if (this.#isAlone) return readable | POLLHUP;
    return readable | (this.tty.inputFull ? 0 : POLLOUT);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#gone(this);
    wakeAll(this.#screen.shown);
  }

  /** A read that waits must not keep the line from being hung up. */
  abandoned(): void {
    this.close();
  }

  /** Nobody has the terminal open any more, or the line is hung up. */
  get #isAlone(): boolean {
    return this.#isClosed || (this.#everOpened && this.tty.opens === 0);
  }
}

/** What the terminal shows until the master reads it. */
class Screen implements TtyPort {
  readonly queue = new InputQueue();
  readonly room = new WaitQueue('pty output');
  readonly shown = new WaitQueue('pty master');

  get full(): boolean {
    return this.queue.bytes >= SCREEN_FULL;
  }

  send(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.queue.bytes + bytes.length > ECHO_MAX) return;
    this.queue.push(bytes);
    wakeAll(this.shown);
  }
}
