// The terminal's line discipline (POSIX.1-2024 XBD §11.1.5–11.1.9, §11.2): keys become lines or
// bytes to read, echo, signals, and flow control, as the termios say.

import { SIGINT, SIGQUIT, SIGTSTP } from '../../abi/constants.ts';
import {
  ECHO,
  ECHOCTL,
  ECHOE,
  ECHOK,
  ECHOKE,
  ECHONL,
  ICANON,
  ICRNL,
  IEXTEN,
  IGNCR,
  IMAXBEL,
  INLCR,
  ISIG,
  ISTRIP,
  IXANY,
  IXON,
  NOFLSH,
  SANE,
  type Termios,
  VEOF,
  VEOL,
  VEOL2,
  VERASE,
  VINTR,
  VKILL,
  VLNEXT,
  VQUIT,
  VREPRINT,
  VSTART,
  VSTOP,
  VSUSP,
  VWERASE,
} from '../../abi/termios.ts';
import { columnAfter } from './output.ts';
import { InputQueue } from './queue.ts';

const BELL = 7;
const TAB = 9;
const NEWLINE = 10;
const RETURN = 13;
const DELETE = 127;
/** A line that is never ended stops growing here: with its newline it has MAX_CANON bytes. */
const LINE_MAX = 4095;
/** What nobody reads is forgotten beyond this. */
const QUEUE_MAX = 1 << 20;

/** What the discipline asks of its terminal. */
export interface DisciplineHost {
  /** Bytes for the screen, processed as output is. */
  echo(bytes: Uint8Array): void;
  /** A signal of the keyboard, for the foreground group. */
  signal(signal: number): void;
  /** Ctrl-S and Ctrl-Q. */
  holdOutput(held: 'held' | 'free'): void;
  /** There is more to read. */
  arrived(): void;
  readonly column: number;
  readonly outputHeld: boolean;
}

export class Discipline {
  readonly queue = new InputQueue();
  readonly #host: DisciplineHost;
  #termios = SANE;
  #line: number[] = [];
  /** Where the line begins on the screen. */
  #startColumn = 0;
  /** Ctrl-V: the next byte means itself. */
  #literal = false;
  /** Echo of the keys at hand, shown in one piece. */
  #echoes: number[] = [];

  constructor(host: DisciplineHost) {
    this.#host = host;
  }

  get termios(): Termios {
    return this.#termios;
  }

  /** What was typed stays: out of canonical mode as bytes, into it as a line. */
  set termios(to: Termios) {
    const before = this.#is(ICANON);
    this.#termios = to;
    if (before && !this.#is(ICANON) && this.#line.length > 0) this.#deliver();
  }

  receive(bytes: Uint8Array): void {
    if (this.#is(ICANON)) for (const byte of bytes) this.#key(byte);
    else this.#receiveRaw(bytes);
    this.#showEchoes();
    this.#host.arrived();
  }

  /** Forgets all that was typed and not read. */
  flush(): void {
    this.#line = [];
    this.#literal = false;
    this.queue.clear();
  }

  #is(lflag: number): boolean {
    return (this.#termios.lflag & lflag) !== 0;
  }

  /** Bytes in raw mode, in one piece as long as none of them has a meaning. */
  #receiveRaw(bytes: Uint8Array): void {
    const { iflag, lflag } = this.#termios;
    const plain = (iflag & (IXON | ISTRIP | INLCR | IGNCR | ICRNL)) === 0;
    if (plain && (lflag & (ISIG | ECHO)) === 0) this.#put(bytes.slice());
    else for (const byte of bytes) this.#key(byte);
  }

  #key(key: number): void {
    const { iflag } = this.#termios;
    let byte = iflag & ISTRIP ? key & 0x7f : key;
    if (this.#literal) {
      this.#literal = false;
      this.#accept(byte);
      return;
    }
    if (iflag & IXON && this.#flow(byte)) return;
    if (this.#is(ISIG) && this.#interrupts(byte)) return;
    if (byte === RETURN && iflag & IGNCR) return;
    if (byte === RETURN && iflag & ICRNL) byte = NEWLINE;
    else if (byte === NEWLINE && iflag & INLCR) byte = RETURN;
    if (!this.#is(ICANON)) {
      this.#put(Uint8Array.of(byte));
      if (this.#is(ECHO)) this.#show(byte);
    } else if (!this.#edits(byte) && !this.#ends(byte)) this.#accept(byte);
  }

  #means(byte: number, control: number): boolean {
    const character = this.#termios.cc[control];
    return character !== 0 && character === byte;
  }

  #flow(byte: number): boolean {
    const stop = this.#means(byte, VSTOP);
    const start = this.#means(byte, VSTART);
    if (stop && !(start && this.#host.outputHeld)) this.#host.holdOutput('held');
    else if (start) this.#host.holdOutput('free');
    else if (this.#termios.iflag & IXANY && this.#host.outputHeld) this.#host.holdOutput('free');
    return stop || start;
  }

  /** DEVIATES: output that waits is shown and not forgotten: it is little. */
  #interrupts(byte: number): boolean {
    const signal = this.#means(byte, VINTR)
      ? SIGINT
      : this.#means(byte, VQUIT)
        ? SIGQUIT
        : this.#means(byte, VSUSP)
          ? SIGTSTP
          : 0;
    if (signal === 0) return false;
    if (!this.#is(NOFLSH)) this.flush();
    if (this.#host.outputHeld) this.#host.holdOutput('free');
    if (this.#is(ECHO)) this.#show(byte);
    this.#showEchoes();
    this.#host.signal(signal);
    return true;
  }

  /** Characters that change the line; whether this was one. */
  #edits(byte: number): boolean {
    if (this.#means(byte, VERASE)) this.#eraseVisibly(1, byte);
    else if (this.#means(byte, VKILL)) this.#kill(byte);
    else if (!this.#is(IEXTEN)) return false;
    else if (this.#means(byte, VWERASE)) this.#eraseVisibly(this.#wordLength(), byte);
    else if (this.#means(byte, VLNEXT)) {
      this.#literal = true;
      if (this.#is(ECHO) && this.#is(ECHOCTL)) this.#echo([0x5e, 8]);
    } else if (this.#means(byte, VREPRINT)) this.#reprint(byte);
    else return false;
    return true;
  }

  /** Characters that end the line; whether this was one. */
  #ends(byte: number): boolean {
    if (this.#means(byte, VEOF)) {
      this.#deliver();
      return true;
    }
    const newline = byte === NEWLINE;
    const end = newline || this.#means(byte, VEOL) || this.#means(byte, VEOL2);
    if (!end) return false;
    if (newline ? this.#is(ECHO) || this.#is(ECHONL) : this.#is(ECHO)) this.#show(byte);
    this.#line.push(byte);
    this.#deliver();
    return true;
  }

  #accept(byte: number): void {
    if (!this.#is(ICANON)) {
      this.#put(Uint8Array.of(byte));
    } else if (this.#line.length < LINE_MAX) {
      if (this.#line.length === 0) {
        this.#showEchoes();
        this.#startColumn = this.#host.column;
      }
      this.#line.push(byte);
    } else {
      if (this.#termios.iflag & IMAXBEL) this.#echo([BELL]);
      return;
    }
    if (this.#is(ECHO)) this.#show(byte);
  }

  #deliver(): void {
    this.#put(Uint8Array.from(this.#line));
    this.#line = [];
  }

  #put(piece: Uint8Array): void {
    if (this.queue.bytes + piece.length <= QUEUE_MAX) this.queue.push(piece);
    else this.#echo([BELL]);
  }

  /** Takes characters back, whole UTF-8 sequences at a time, on the screen too. */
  #eraseVisibly(count: number, key: number): void {
    if (!this.#is(ECHOE) && this.#is(ECHO)) this.#show(key);
    for (let i = 0; i < count && this.#line.length > 0; i++) {
      const before = this.#columnOfEnd();
      let byte = this.#line.pop() ?? 0;
      while ((byte & 0xc0) === 0x80 && this.#line.length > 0) byte = this.#line.pop() ?? 0;
      if (!this.#is(ECHO) || !this.#is(ECHOE)) continue;
      const width = before - this.#columnOfEnd();
      const back = byte === TAB ? [8] : [8, 32, 8];
      for (let column = 0; column < width; column++) this.#echo(back);
    }
  }

  #kill(key: number): void {
    const visible = this.#is(ECHOKE) && this.#is(ECHOE);
    if (visible) this.#eraseVisibly(this.#line.length, key);
    else if (this.#is(ECHO)) {
      this.#show(key);
      if (this.#is(ECHOK)) this.#echo([NEWLINE]);
    }
    this.#line = [];
  }

  #reprint(key: number): void {
    if (!this.#is(ECHO)) return;
    this.#show(key);
    this.#echo([NEWLINE]);
    this.#startColumn = 0;
    for (const byte of this.#line) this.#show(byte);
  }

  /** Characters of the last word and the blanks behind it. */
  #wordLength(): number {
    let at = this.#line.length;
    while (at > 0 && isBlank(this.#line[at - 1])) at--;
    while (at > 0 && !isBlank(this.#line[at - 1])) at--;
    return this.#line.slice(at).filter((byte) => (byte & 0xc0) !== 0x80).length;
  }

  #columnOfEnd(): number {
    let column = this.#startColumn;
    for (const byte of this.#line) {
      column = this.#isCaret(byte) ? column + 2 : columnAfter(column, byte);
    }
    return column;
  }

  /** Shown as ^C, since showing it itself would do something else. */
  #isCaret(byte: number): boolean {
    const control = (byte < 32 && byte !== TAB && byte !== NEWLINE) || byte === DELETE;
    return control && this.#is(ECHOCTL);
  }

  #show(byte: number): void {
    if (this.#isCaret(byte)) this.#echo([0x5e, byte ^ 0x40]);
    else this.#echo([byte]);
  }

  #echo(bytes: readonly number[]): void {
    this.#echoes.push(...bytes);
  }

  #showEchoes(): void {
    if (this.#echoes.length === 0) return;
    this.#host.echo(Uint8Array.from(this.#echoes));
    this.#echoes = [];
  }
}

const isBlank = (byte: number | undefined): boolean => byte === 32 || byte === TAB;
