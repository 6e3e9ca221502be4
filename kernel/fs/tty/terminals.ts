// All terminals: the console and the PTYs; which one belongs to which session; opening them. Device
// numbers are Linux's (Documentation/admin-guide/devices.txt): 5:0 tty, 5:1 console, 5:2 ptmx, 136:N.

import { O_NOCTTY, SIGCONT, SIGHUP, SIGTTIN, SIGTTOU } from '../../abi/constants.ts';
import { EIO, ENOSPC, ENXIO, EPERM, fail } from '../../abi/errno.ts';
import { TOSTOP } from '../../abi/termios.ts';
import { type Task, type WaitQueue, wakeAll } from '../../ipc/task.ts';
import type { Process } from '../../proc/process.ts';
import type { Call } from '../../vfs/call.ts';
import type { Stream } from '../../vfs/stream.ts';
import { holdBackground } from './access.ts';
import { PtyMaster } from './pty.ts';
import { Tty, type TtyPort } from './tty.ts';

const PTYS = 256;
const TTY_MAJOR = 5;
const PTS_MAJOR = 136;
const MINOR = { tty: 0, console: 1, ptmx: 2 } as const;

export const ttyDevice = (name: keyof typeof MINOR): number => TTY_MAJOR * 256 + MINOR[name];
export const ptsDevice = (number: number): number => PTS_MAJOR * 256 + number;

/** Whether a character device of this number is a terminal or a master. */
export function isTerminalDevice(rdev: number): boolean {
  const major = Math.floor(rdev / 256);
  return major === PTS_MAJOR || (major === TTY_MAJOR && rdev % 256 <= MINOR.ptmx);
}

export class Terminals {
  readonly console: Tty;
  readonly #masters = new Map<number, PtyMaster>();
  #made = 0;
  readonly #signal: (pgid: number, signal: number) => void;

  constructor(console: TtyPort, signal: (pgid: number, signal: number) => void) {
    this.#signal = signal;
    this.console = new Tty('/dev/console', console, signal);
  }

  get masters(): PtyMaster[] {
    return [...this.#masters.values()];
  }

  /** The controlling terminal of a session. */
  ofSession(sid: number): Tty | undefined {
    return this.#all.find((tty) => tty.session === sid);
  }

  /** Opens the device; ENXIO when there is no such terminal. */
  open(rdev: number, who: Process): Stream {
    if (rdev === ttyDevice('ptmx')) return this.#newMaster(who);
    if (rdev === ttyDevice('tty')) return this.#end(this.ofSession(who.sid) ?? fail(ENXIO));
    if (rdev === ttyDevice('console')) return this.#end(this.console);
    return this.#end(this.#masters.get(rdev - ptsDevice(0))?.tty ?? fail(ENXIO));
  }

  /** A session leader without a terminal gets the one that it opens, unless it said O_NOCTTY. */
  opened(process: Process, stream: Stream, flags: number): void {
    const { tty } = stream;
    if (tty === undefined || stream instanceof PtyMaster || flags & O_NOCTTY) return;
    if (mayAcquire(this, process, tty)) attach(process, tty);
  }

  /** TIOCSCTTY. */
  acquire(process: Process, tty: Tty): void {
    if (tty.session === process.sid && process.pid === process.sid) return;
    if (!mayAcquire(this, process, tty)) fail(EPERM);
    attach(process, tty);
  }

  /** A session's leader has ended: its terminal is free for the next, and hung up for the others. */
  leaderEnded(sid: number): void {
    const tty = this.ofSession(sid);
    if (tty === undefined) return;
    const { foreground } = tty;
    this.#hangUp(tty);
    if (foreground !== 0) for (const one of [SIGHUP, SIGCONT]) this.#signal(foreground, one);
  }

  get #all(): Tty[] {
    return [this.console, ...this.masters.map((master) => master.tty)];
  }

  #newMaster(who: Process): PtyMaster {
    let number = 0;
    while (this.#masters.has(number)) number++;
    if (number >= PTYS) fail(ENOSPC);
    const master = new PtyMaster({
      number,
      incarnation: ++this.#made,
      owner: who,
      signal: this.#signal,
      gone: () => this.#masterClosed(master),
    });
    this.#masters.set(number, master);
    return master;
  }

  /** The line is dead: as if the modem had hung up. */
  #masterClosed(master: PtyMaster): void {
    const { tty } = master;
    this.#masters.delete(master.number);
    const told = new Set([tty.session, tty.foreground]); // the leader leads its own group
    this.#hangUp(tty);
    for (const pgid of told) {
      if (pgid !== 0) for (const one of [SIGHUP, SIGCONT]) this.#signal(pgid, one);
    }
  }

  #hangUp(tty: Tty): void {
    tty.hangUp();
    this.#masterOf(tty)?.noteOpens();
    wakeAll(tty.port.room);
  }

  #masterOf(tty: Tty): PtyMaster | undefined {
    return this.masters.find((master) => master.tty === tty);
  }

  #end(tty: Tty): Stream {
    const noteOpens = (): void => this.#masterOf(tty)?.noteOpens();
    return new TtyEnd(tty, noteOpens);
  }
}

const mayAcquire = (terminals: Terminals, process: Process, tty: Tty): boolean =>
  process.pid !== 1 &&
  process.pid === process.sid &&
  tty.session === 0 &&
  terminals.ofSession(process.sid) === undefined;

function attach(process: Process, tty: Tty): void {
  tty.session = process.sid;
  tty.foreground = process.pgid;
}

/** A terminal as an open file description holds it. */
class TtyEnd implements Stream {
  readonly tty: Tty;
  readonly label: string;
  readonly changed: readonly WaitQueue[];
  readonly #generation: number;
  readonly #noteOpens: () => void;

  constructor(tty: Tty, noteOpens: () => void) {
    this.tty = tty;
    this.label = tty.name;
    this.changed = [tty.arrived, tty.port.room];
    this.#generation = tty.generation;
    this.#noteOpens = noteOpens;
    tty.opens++;
    noteOpens();
  }

  *read(call: Call, into: Uint8Array, flags: number): Task<number> {
    const hold = (): Task<void> => holdBackground(call, this.tty, SIGTTIN);
    return yield* this.tty.read(call, into, { flags, generation: this.#generation, hold });
  }

  *write(call: Call, from: Uint8Array, flags: number): Task<number> {
    if (!this.#isOpen) fail(EIO);
    if (this.tty.termios.lflag & TOSTOP) yield* holdBackground(call, this.tty, SIGTTOU);
    return yield* this.tty.write(call, from, { flags, generation: this.#generation });
  }

  poll(): number {
    return this.tty.poll(this.#generation);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.tty.opens--;
    this.#noteOpens();
  }

  get #isOpen(): boolean {
    return this.tty.generation === this.#generation;
  }
}
