// A whole terminal screen that a program owns (less, vi, top, watch): the mode of its keys, the
// alternate screen (xterm), and rows of which only those that changed are written (ECMA-48 CUP, EL, SGR).

import { SIGTSTP } from '../../../kernel/abi/constants.ts';
import {
  ECHO,
  ICANON,
  ICRNL,
  IEXTEN,
  INLCR,
  ISIG,
  IXON,
  NOFLSH,
  TCSADRAIN,
  type Termios,
  VINTR,
  VMIN,
  VTIME,
  type Winsize,
} from '../../../kernel/abi/termios.ts';
import { encodeText } from '../../../kernel/abi/text.ts';
import type { Sys } from '../sys.ts';

export interface ScreenOptions {
  /** The terminal that keys come from, and the one that is written to. */
  readonly input: number;
  readonly output: number;
  /** Whether Ctrl-C is SIGINT, or a key as any other. */
  readonly interrupt: 'signal' | 'key';
  /** `alternate`: what was on the screen before comes back at the end. */
  readonly init: 'alternate' | 'none';
}

export interface Place {
  readonly row: number;
  readonly column: number;
}

export class Screen {
  readonly #sys: Sys;
  readonly #options: ScreenOptions;
  readonly #before: Termios;
  #entered = false;
  /** What each row shows; undefined is not known. */
  #rows: (string | undefined)[] = [];
  size: Winsize;

  /** Throws ENOTTY when the input is no terminal. */
  constructor(sys: Sys, options: ScreenOptions) {
    this.#sys = sys;
    this.#options = options;
    this.#before = sys.tty.getattr(options.input);
    this.size = this.#measured();
  }

  enter(): void {
    if (this.#entered) return;
    const { input, interrupt, init } = this.#options;
    this.#sys.tty.setattr(input, TCSADRAIN, keysOf(this.#before, interrupt));
    this.#entered = true;
    this.measure();
    this.#write(init === 'alternate' ? '\x1b[?1049h' : '\n'.repeat(this.size.rows - 1));
  }

  /** The terminal as it was before; the cursor on an empty row. */
  leave(): void {
    if (!this.#entered) return;
    this.#entered = false;
    this.#write(
      this.#options.init === 'alternate'
        ? '\x1b[?25h\x1b[?1049l'
        : `\x1b[?25h\x1b[${this.size.rows};1H\x1b[K`,
    );
    this.#sys.tty.setattr(this.#options.input, TCSADRAIN, this.#before);
  }

  /** Stops this program and its group until a shell lets it go on. */
  suspend(): void {
    this.leave();
    this.#sys.kill(0, SIGTSTP);
    this.enter();
  }

  /** Looks how large the terminal is; all rows will be written anew. */
  measure(): void {
    this.size = this.#measured();
    this.#rows = [];
  }

  /** Shows these rows, and the cursor, if any, at its place. */
  paint(rows: readonly string[], cursor: Place | undefined): void {
    let out = '\x1b[?25l';
    for (let i = 0; i < this.size.rows; i++) {
      const row = rows[i] ?? '';
      if (this.#rows[i] === row) continue;
      out += `\x1b[${i + 1};1H\x1b[m\x1b[K${row}`; // cleared first: a full row leaves no room behind it
      this.#rows[i] = row;
    }
    if (cursor !== undefined) out += `\x1b[m\x1b[${cursor.row + 1};${cursor.column + 1}H\x1b[?25h`;
    this.#write(out);
  }

  bell(): void {
    this.#write('\x07');
  }

  #measured(): Winsize {
    const { columns, rows } = this.#sys.tty.getwinsize(this.#options.output);
    return { columns: columns || 80, rows: rows || 24 };
  }

  #write(text: string): void {
    this.#sys.write(this.#options.output, encodeText(text));
  }
}

/** Bytes as they are typed. Ctrl-C, when it is a signal, forgets nothing that was typed before. */
export function keysOf(from: Termios, interrupt: ScreenOptions['interrupt']): Termios {
  const isSignal = interrupt === 'signal';
  const lflag = from.lflag & ~(ICANON | ECHO | IEXTEN | ISIG);
  return {
    ...from,
    iflag: from.iflag & ~(IXON | INLCR | ICRNL),
    lflag: isSignal ? lflag | ISIG | NOFLSH : lflag,
    cc: from.cc.map((c, i) => {
      if (i === VMIN) return 1;
      if (i === VTIME) return 0;
      return i === VINTR && isSignal ? c : 0;
    }),
  };
}

export const reverse = (text: string): string => `\x1b[7m${text}\x1b[m`;
