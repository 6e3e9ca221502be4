// The terminal's line discipline (POSIX.1-2024 XBD §11): canonical input with echo and editing by
// erase, kill and word-erase; Ctrl-C, Ctrl-\ as signals to the foreground group; Ctrl-D as the end
// of file. Output maps newline to carriage return and newline.

import { LINK_BYTES } from '../abi/board-link.ts';
import { SIGINT, SIGQUIT } from '../abi/constants.ts';
import { EINTR, fail } from '../abi/errno.ts';
import { encodeText } from '../abi/text.ts';
import { sleep, type Task, WaitQueue, wakeAll } from '../ipc/task.ts';
import type { Process } from '../proc/process.ts';
import type { BoardLink } from '../supervisor/board-link.ts';

const CTRL_C = 3;
const CTRL_D = 4;
const CTRL_U = 21;
const CTRL_W = 23;
const CTRL_BACKSLASH = 28;
const BACKSPACE = 8;
const DELETE = 127;
const NEWLINE = 10;
const RETURN = 13;
/** A line that is never ended stops growing here, as Linux's does at 4096. */
const LINE_MAX = 4096;

export class Tty {
  readonly #link: BoardLink;
  readonly #signal: (pgid: number, signal: number) => void;
  readonly #ready = new WaitQueue('tty');
  /** Whole lines, ready to be read. An empty one is an end of file. */
  readonly #lines: Uint8Array[] = [];
  #line: number[] = [];
  /** The process group that gets the signals of the keyboard. 0 = none. */
  foreground = 0;
  columns = 80;
  rows = 24;

  constructor(link: BoardLink, signal: (pgid: number, signal: number) => void) {
    this.#link = link;
    this.#signal = signal;
  }

  /** Keys arrived. */
  input(bytes: Uint8Array): void {
    for (const byte of bytes) this.#key(byte);
  }

  /** Reads at most one line; 0 at end of file. Throws EINTR when `reader` gets a signal. */
  *read(reader: Process | undefined, into: Uint8Array): Task<number> {
    while (this.#lines.length === 0) {
      if (reader?.interrupted) fail(EINTR);
      reader?.sleeping.add(this.#ready);
      yield* sleep(this.#ready);
      reader?.sleeping.delete(this.#ready);
    }
    const line = this.#lines[0] ?? new Uint8Array(0);
    const count = Math.min(line.length, into.length);
    into.set(line.subarray(0, count));
    if (count === line.length) this.#lines.shift();
    else this.#lines[0] = line.subarray(count);
    return count;
  }

  /** Writes to the terminal; waits while the board is behind. */
  *write(from: Uint8Array): Task<number> {
    for (let at = 0; at < from.length; at += LINK_BYTES / 2) {
      this.#send(withReturns(from.subarray(at, at + LINK_BYTES / 2)));
      yield* this.#link.drained();
    }
    return from.length;
  }

  #key(byte: number): void {
    if (byte === CTRL_C) this.#interrupt(SIGINT, '^C');
    else if (byte === CTRL_BACKSLASH) this.#interrupt(SIGQUIT, '^\\');
    else if (byte === CTRL_D) this.#deliver();
    else if (byte === CTRL_U) this.#erase(this.#line.length);
    else if (byte === CTRL_W) this.#erase(this.#wordLength());
    else if (byte === BACKSPACE || byte === DELETE) this.#erase(1);
    else if (byte === RETURN || byte === NEWLINE) this.#endLine();
    else if (this.#line.length < LINE_MAX) {
      this.#line.push(byte);
      this.#echoByte(byte);
    }
  }

  #endLine(): void {
    this.#line.push(NEWLINE);
    this.#echo('\n');
    this.#deliver();
  }

  #interrupt(signal: number, shown: string): void {
    this.#line = [];
    this.#lines.length = 0; // what was typed ahead goes too
    this.#echo(`${shown}\n`);
    if (this.foreground > 0) this.#signal(this.foreground, signal);
  }

  #deliver(): void {
    this.#lines.push(Uint8Array.from(this.#line));
    this.#line = [];
    wakeAll(this.#ready);
  }

  /** Takes back characters, whole UTF-8 sequences at a time, on the screen too. */
  #erase(count: number): void {
    for (let i = 0; i < count && this.#line.length > 0; i++) {
      let byte = this.#line.pop() ?? 0;
      while ((byte & 0xc0) === 0x80 && this.#line.length > 0) byte = this.#line.pop() ?? 0;
      this.#echo(byte < 32 && byte !== 9 ? '\b\b  \b\b' : '\b \b');
    }
  }

  #wordLength(): number {
    let at = this.#line.length;
    while (at > 0 && isBlank(this.#line[at - 1])) at--;
    while (at > 0 && !isBlank(this.#line[at - 1])) at--;
    return this.#line.slice(at).filter((byte) => (byte & 0xc0) !== 0x80).length;
  }

  #echoByte(byte: number): void {
    if (byte < 32 && byte !== 9) this.#echo(`^${String.fromCharCode(byte + 64)}`);
    else this.#send(Uint8Array.of(byte));
  }

  #echo(text: string): void {
    this.#send(withReturns(encodeText(text)));
  }

  #send(bytes: Uint8Array): void {
    this.#link.send({ type: 'console', bytes: bytes.slice() });
  }
}

const isBlank = (byte: number | undefined): boolean => byte === 32 || byte === 9;

/** ONLCR: the host's terminal is in raw mode. */
function withReturns(bytes: Uint8Array): Uint8Array {
  const newlines = bytes.reduce((count, byte) => count + (byte === NEWLINE ? 1 : 0), 0);
  const out = new Uint8Array(bytes.length + newlines);
  let at = 0;
  for (const byte of bytes) {
    if (byte === NEWLINE) out[at++] = RETURN;
    out[at++] = byte;
  }
  return out;
}
